"""Nodes, gateways and paywalls that hang, or whose load balancers answer: limits, repetition, and the last error."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_double import GatewayDouble, problem
from node_double import NodeDouble
from paywall_double import PaywallDouble
from world import World

import motif_sdk.gateway
from motif_sdk import (
    AsyncGatewayClient,
    AsyncPayer,
    GatewayClient,
    MotifTransport,
    Payer,
    _hosts,
    _module,
    _statefile,
    payer,
    sha256,
)
from motif_sdk._hosts import SyncHost
from motif_sdk._rpc import RpcCalls
from motif_sdk._sansio import Exchange
from motif_sdk.errors import Refused, RpcError, Unreachable, Untrusted

HTML = b"<html>the service is not available</html>"


@pytest.fixture
def node(world: World) -> Iterator[NodeDouble]:
    made = NodeDouble(world)
    yield made
    made.close()


def open_payer(gateway: GatewayDouble, world: World, node: NodeDouble, **options: Any) -> Payer:
    return Payer.open(world.channel, world.voucher, gateway=gateway.url, rpc=node.url, **options)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_node_is_asked_again(gateway: GatewayDouble, world: World, node: NodeDouble, status: int) -> None:
    node.answers = [(status, HTML), (status, b'{"error": {"code": 429, "message": "too many"}}')]
    open_payer(gateway, world, node, patience=5).close()
    assert node.asked == ["getAccountInfo"] * 4
    node.answers = [(status, HTML)]
    with pytest.raises(RpcError, match=f"answered {status}$"):
        open_payer(gateway, world, node, patience=0)


def test_hanging_node_is_given_up(gateway: GatewayDouble, world: World, node: NodeDouble) -> None:
    node.answers, begun = [None, None], time.monotonic()
    with pytest.raises(RpcError, match="did not answer"):
        open_payer(gateway, world, node, patience=0.3, rpc_timeout=0.2)
    assert time.monotonic() - begun < 3
    node.answers = [None]
    open_payer(gateway, world, node, patience=3, rpc_timeout=0.2).close()


async def test_hanging_node_is_given_up_by_task(gateway: GatewayDouble, world: World, node: NodeDouble) -> None:
    node.answers, begun = [None, None], time.monotonic()
    with pytest.raises(RpcError, match="did not answer"):
        await AsyncPayer.open(
            world.channel, world.voucher, gateway=gateway.url, rpc=node.url, patience=0.3, rpc_timeout=0.2
        )
    assert time.monotonic() - begun < 3


def test_transaction_is_sent_once(node: NodeDouble) -> None:
    """A transaction without an answer may have been executed; a refusal for want of capacity proves that it was not."""
    host, calls = SyncHost(), RpcCalls(node.url, patience=3, timeout=0.2)
    node.answers = [(429, HTML), None]
    with pytest.raises(RpcError):
        host.run(calls.call("sendTransaction", ["AA=="]))
    assert node.asked == ["sendTransaction"] * 2
    host.close()


def test_slow_drip_is_given_up(gateway: GatewayDouble) -> None:
    """Each byte comes in time; all of them do not."""

    class Dripping(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            def drip() -> Iterator[bytes]:
                while True:
                    time.sleep(0.02)
                    yield b" "

            return httpx.Response(200, content=drip())

    host, begun = SyncHost(httpx.Client(transport=Dripping())), time.monotonic()
    with pytest.raises(Unreachable, match="takes too long"):
        host.execute(Exchange("GET", gateway.url, seconds=0.2))
    assert time.monotonic() - begun < 2


def test_endless_answer_is_untrusted(gateway: GatewayDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hosts, "MAX_REPLY", 1_000)
    gateway.others = lambda *_: (200, {}, b" " * 1_001)
    with GatewayClient(gateway.url, patience=0) as client, pytest.raises(Untrusted, match="exceeds 1000 bytes"):
        client.operator()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_gateway_is_asked_again(gateway: GatewayDouble, status: int) -> None:
    answers = [(status, {}, HTML), (429, {}, b'{"type": "rate-limited", "status": 429}'), (200, {}, b'{"fee": 1}')]
    gateway.others = lambda *_: answers.pop(0)
    with GatewayClient(gateway.url, patience=5) as client:
        assert client.operator() == {"fee": 1}
    gateway.others = lambda *_: (status, {}, HTML)
    with GatewayClient(gateway.url, patience=0) as client, pytest.raises(Unreachable, match=f"status {status}"):
        client.operator()
    gateway.others = lambda *_: (status, {}, json.dumps(problem("operator-unfunded", status)).encode())
    with GatewayClient(gateway.url, patience=0.1) as client, pytest.raises(Refused):
        client.operator()
    assert len(gateway.requests) > 5


def test_busy_gateway_gets_same_batch_again(gateway: GatewayDouble, world: World) -> None:
    answers = [(503, {}, HTML)]
    gateway.others = lambda method, path, *_: answers.pop() if path.endswith("/batches") and answers else None
    with Payer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=5) as payer:
        assert payer.generate(0, 1, sha256("a"), sha256("b")).cumulative == 102
    sent = [request[3] for request in gateway.requests if request[1].endswith("/batches")]
    assert (len(sent), sent[0]) == (2, sent[1])


def test_busy_paywall_is_asked_again(gateway: GatewayDouble, world: World) -> None:
    paywall = PaywallDouble(gateway)
    paywall.ask_answers, paywall.pay_answers = [(503, {}, HTML)], [(429, {}, HTML), (502, {}, HTML)]
    opening = {"gateway": gateway.url, "account": world.account, "patience": 5}
    with Payer.open(world.channel, world.voucher, **opening) as payer:
        with httpx.Client(transport=MotifTransport(payer, max_price=10_000)) as client:
            assert client.post(paywall.url, json={}).content == b"a picture"
        assert payer.spent == 204


async def test_slow_work_is_beside_the_loop(
    gateway: GatewayDouble, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module is compiled, a lock is waited for, a state is read, and a file is decoded in other threads."""
    threads = dict[str, int]()

    def noting(owner: Any, name: str) -> None:
        slow = getattr(owner, name)

        def noted(*arguments: Any, **options: Any) -> Any:
            threads.setdefault(name, threading.get_ident())
            return slow(*arguments, **options)

        monkeypatch.setattr(owner, name, noted)

    noting(_module, "load")
    noting(_statefile, "_try_lock")
    noting(payer, "Machine")
    noting(motif_sdk.gateway, "examine")
    monkeypatch.setattr("motif_sdk._core._shared", None)
    options: dict[str, Any] = {"gateway": gateway.url, "account": world.account, "state": tmp_path / "state"}
    async with await AsyncPayer.open(world.channel, world.voucher, **options):
        pass
    async with AsyncGatewayClient(gateway.url, patience=0) as client:
        with pytest.raises(Refused):
            await client.authenticate(b"plain text of some words")
    assert set(threads) == {"load", "_try_lock", "Machine", "examine"}
    assert threading.get_ident() not in threads.values()


def test_repetition_is_logged_without_secrets(
    gateway: GatewayDouble, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "motif_sdk")
    answers = [(503, {}, HTML), (429, {}, b'{"type": "rate-limited", "status": 429}')]
    gateway.others = lambda *_: answers.pop(0) if answers else None
    gateway.answers.append(lambda _: (429, problem("rate-limited", 429)))
    url = gateway.url.replace("http://", "http://user:secret-name@")
    opening = {"gateway": url + "/", "account": world.account, "api_key": "secret-key", "patience": 5}
    with Payer.open(world.channel, world.voucher, **opening) as payer:
        payer.generate(0, 1, sha256("a"), sha256("b"))
    ours = [record.getMessage() for record in caplog.records if record.name == "motif_sdk"]
    assert len(ours) == 3
    assert "secret" not in "".join(ours)
    assert "503" in ours[0] and "rate-limited" in ours[1] and "429" in ours[2]
