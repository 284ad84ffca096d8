"""Purchases that a process leaves unfinished: the next one with the same state continues them, and pays once."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from gateway_double import GatewayDouble
from localnet import Localnet
from paywall_double import PaywallDouble, refusal
from test_payer import open_payer
from world import World

from motif_sdk import AsyncMotifTransport, AsyncPayer, MotifTransport, Payer
from motif_sdk._purchases import PurchaseLog
from motif_sdk.asgi import MotifPaywall, PaidRoute
from motif_sdk.chain import Chain
from motif_sdk.errors import MotifError, OutcomeUnknown, Refused, StateFailed, Unreachable

NAMES = pytest.mark.parametrize("headers", [{}, {"idempotency-key": "order-0001"}], ids=["unnamed", "named"])


def buy(payer: Payer, url: str, headers: dict[str, str], **options: Any) -> httpx.Response:
    with httpx.Client(transport=MotifTransport(payer, max_price=10_000), headers=headers) as client:
        return client.post(url, json={"prompt": "New York"})


def log_of(state: Path) -> Path:
    return state.with_name(state.name + ".purchases")


@NAMES
def test_paid_answer_is_fetched_by_next_process(
    gateway: GatewayDouble, world: World, state_path: Path, headers: dict[str, str]
) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world, state=state_path) as payer:
        paywall.pay_answers = [refusal("internal", 500)]
        with pytest.raises(OutcomeUnknown):
            buy(payer, paywall.url, headers)
    with open_payer(gateway, world, state=state_path) as payer:
        assert buy(payer, paywall.url, headers).content == b"a picture"
        assert (len(gateway.batches), len(paywall.asks), payer.spent) == (1, 1, 204)
    assert stat.S_IMODE(log_of(state_path).stat().st_mode) == 0o600
    with open_payer(gateway, world, state=state_path) as payer:
        assert buy(payer, paywall.url, headers).content == b"a picture"
        # Without a name it is another purchase.
        assert payer.spent == (204 if headers else 408)


@NAMES
def test_lost_payment_is_fetched_by_next_process(
    gateway: GatewayDouble, world: World, state_path: Path, headers: dict[str, str]
) -> None:
    """The batch is accepted, and its answer is lost with the process."""
    paywall, accept = PaywallDouble(gateway), gateway.accept

    def accept_and_lose(request: Any) -> Any:
        accept({"idempotency-key": gateway.requests[-1][2]["idempotency-key"]}, request)
        return 502, "lost"

    with open_payer(gateway, world, state=state_path) as payer:
        gateway.answers.append(accept_and_lose)
        with pytest.raises(Unreachable):
            buy(payer, paywall.url, headers)
    with open_payer(gateway, world, state=state_path) as payer:
        assert buy(payer, paywall.url, headers).content == b"a picture"
        assert (payer.spent, len(paywall.asks)) == (204, 1)


CHILD = """
import os, sys
from pathlib import Path
import httpx
from motif_sdk import MotifTransport, Payer
folder, gateway, channel, url, key = Path(sys.argv[1]), *sys.argv[2:]
payer = Payer.open(channel, folder / "key.json", gateway=gateway, state=folder / "payer.state", patience=0,
                   account=(folder / "account").read_bytes())
client = httpx.Client(transport=MotifTransport(payer, max_price=10_000),
                      headers={"idempotency-key": key} if key else {})
print(client.post(url, json={"prompt": "New York"}).text)
os._exit(0)
"""


@NAMES
def test_killed_buyer_asks_for_same_answer(
    gateway: GatewayDouble, world: World, state_path: Path, headers: dict[str, str]
) -> None:
    """SIGKILL while the answer is being made: the next process asks under the same hold."""
    paywall, folder = PaywallDouble(gateway), state_path.parent
    (folder / "account").write_bytes(world.account)
    world.voucher.save(folder / "key.json")
    command = [sys.executable, "-c", CHILD, str(folder), gateway.url, world.channel, paywall.url]
    command.append(headers.get("idempotency-key", ""))
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    serve, keys = paywall.serve, list[str]()

    def killing(method: str, path: str, sent: dict[str, str], body: bytes) -> Any:
        if path.startswith("/sold") and "motif-payment" in sent:
            keys.append(sent["idempotency-key"])
            if len(keys) == 1:
                child.kill()
        return serve(method, path, sent, body)

    gateway.others = killing
    assert child.communicate(timeout=30)[0] == ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout.strip(), len(gateway.batches)) == ("a picture", 1), done.stderr
    assert len(set(keys)) == 1


def test_log_ends_with_its_purchases(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world, state=state_path) as payer:
        buy(payer, paywall.url, {})
        paywall.ask_answers = [refusal("other-license", 422)]
        with pytest.raises(Refused):
            buy(payer, paywall.url, {})
        paywall.ask_answers = [(422, {}, b"too odd")]
        buy(payer, paywall.url, {})
    assert PurchaseLog(log_of(state_path)).attempts() == []
    assert log_of(state_path).read_bytes() == b""


def test_damaged_record_is_left_out(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    paywall, headers = PaywallDouble(gateway), {"idempotency-key": "order-0001"}
    with open_payer(gateway, world, state=state_path) as payer:
        buy(payer, paywall.url, headers)
    log = log_of(state_path)
    log.write_bytes(b'null\n{"id": 5}\n[[[\n' + log.read_bytes() + b'{"id": "torn", "url": "http')
    with open_payer(gateway, world, state=state_path) as payer:
        assert buy(payer, paywall.url, headers).content == b"a picture"
        assert payer.spent == 204


def test_old_purchases_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PurchaseLog, "MAX_LINES", 10)
    log = PurchaseLog(tmp_path / "log")
    purchase = {"key": "12345678", "request_digest": "11" * 32, "expires_at": 1}
    common = {"url": "http://shop.example", "key": "12345678", "is_named": True, "purchase": purchase, "paid": None}
    for number in range(95):
        log.write(common | {"id": str(number)})
    assert len((tmp_path / "log").read_bytes().splitlines()) < 40
    assert [json.loads(line)["id"] for line in (tmp_path / "log").read_bytes().splitlines()][-1] == "94"


def test_full_disk_asks_for_nothing(
    gateway: GatewayDouble, world: World, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world, state=state_path) as payer:
        transport = MotifTransport(payer, max_price=10_000)
        monkeypatch.setattr(PurchaseLog, "_note", lambda *_: (_ for _ in ()).throw(StateFailed("full")))
        with httpx.Client(transport=transport) as client, pytest.raises(MotifError):
            client.post(paywall.url, json={})
    assert (paywall.asks, gateway.batches) == ([], [])


class Slow(httpx.AsyncHTTPTransport):
    """Delays the answers of batches after the gateway has executed them."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if request.url.path.endswith("/batches"):
            await response.aread()
            await asyncio.sleep(0.5)
        return response


@NAMES
async def test_cancelled_buyer_of_middleware_gets_answer(
    localnet: Localnet, tmp_path: Path, headers: dict[str, str]
) -> None:
    """The task ends after the gateway has captured the hold, and before the seller has seen the voucher."""
    name = f"cancelled-{len(headers)}"
    chain, voucher = Chain(localnet.key(name), localnet.rpc), localnet.voucher(name)
    channel = chain.open_channel(localnet.operator, localnet.mint, 1_000_000, voucher.address)
    chain.accept(channel, localnet.model, max_price=1_000)
    app, calls = FastAPI(), list[int]()
    routes = [PaidRoute("POST", "/images", localnet.model)]
    app.add_middleware(MotifPaywall, gateway=localnet.gateway_url, routes=routes, folder=tmp_path / "answers")

    @app.post("/images")
    async def images() -> Response:
        calls.append(1)
        return Response(b"a picture")

    urls = {"gateway": localnet.gateway_url, "rpc": localnet.rpc}
    async with await AsyncPayer.open(channel, voucher, **urls, client=httpx.AsyncClient(transport=Slow())) as payer:

        async def buy() -> httpx.Response:
            transport = AsyncMotifTransport(payer, max_price=10_000, transport=httpx.ASGITransport(app))
            async with httpx.AsyncClient(transport=transport, headers=headers) as client:
                return await client.post("http://shop.example/images", json={})

        buying = asyncio.create_task(buy())
        while not payer.is_unanswered:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        buying.cancel()
        await asyncio.wait([buying])
        answer = await buy()
        assert (answer.content, payer.spent, len(calls)) == (b"a picture", 1_020, 1)
