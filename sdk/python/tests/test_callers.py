"""Callers: their mistakes, and what they find after they have stopped waiting."""

from __future__ import annotations

import asyncio
import inspect
import threading
from decimal import Decimal
from http.client import responses
from typing import Any

import httpx
import pytest
import requests
from gateway_double import GatewayDouble
from paywall_double import PaywallDouble
from test_payer import held_answer, open_payer
from world import World

from motif_sdk import (
    AsyncMotifTransport,
    AsyncPayer,
    GatewayClient,
    Keypair,
    MotifAuth,
    MotifTransport,
    Payer,
    Policy,
    _refusals,
    receipts_of,
    sha256,
)
from motif_sdk.errors import CoreFailed, InvalidInput, MotifError, OutcomeUnknown, OverBudget, PriceTooHigh, Untrusted
from motif_sdk.requests_adapter import MotifAdapter

REQUEST, OUTPUT = sha256("New York, same style"), sha256(b"a picture")
CLIENTS: list[Any] = [MotifTransport, AsyncMotifTransport, MotifAuth, MotifAdapter]


@pytest.mark.parametrize("client", CLIENTS)
def test_maximum_price_is_required(gateway: GatewayDouble, world: World, client: Any) -> None:
    assert inspect.signature(client).parameters["max_price"].default is inspect.Parameter.empty
    with open_payer(gateway, world) as payer:
        with pytest.raises(TypeError, match="max_price"):
            client(payer)
        for price in (float("nan"), Decimal("NaN"), float("inf"), "100", 1.5, -1, True, 1 << 64):
            with pytest.raises(InvalidInput, match="max_price"):
                client(payer, max_price=price)
        client(payer, max_price=None)


@pytest.mark.parametrize(
    "change",
    [
        {"channel": None},
        {"channel": "typo"},
        {"key": Keypair.from_seed(bytes([9]) * 32)},
        {"gateway": "localhost:8787"},
        {"gateway": "http://[::1"},
        {"rpc": "ftp://node.example", "account": None},
        {"account": b"no account"},
        {"api_key": "line\nbreak"},
        {"policy": Policy(budget=float("nan"))},  # type: ignore[arg-type]
    ],
    ids=lambda change: next(iter(change)),
)
def test_opening_with_mistake_is_invalid_input(gateway: GatewayDouble, world: World, change: Any) -> None:
    options = {"channel": world.channel, "key": world.voucher, "gateway": gateway.url, "account": world.account}
    with pytest.raises(InvalidInput):
        Payer.open(**options | change)
    assert gateway.requests == []


@pytest.mark.parametrize("change", [{"license": 0.5}, {"units": 1.5}, {"request_digest": "prompt"}, {"units": None}])
def test_payment_with_mistake_is_invalid_input(gateway: GatewayDouble, world: World, change: Any) -> None:
    correct = {"license": 0, "units": 1, "request_digest": REQUEST, "output_digest": OUTPUT}
    with open_payer(gateway, world) as payer:
        with pytest.raises(InvalidInput):
            payer.generate(**correct | change)
        with pytest.raises(InvalidInput):
            payer.generate(0, 1, None, OUTPUT)  # type: ignore[arg-type]
    assert gateway.batches == []


def test_secrets_of_mistakes_are_not_shown() -> None:
    for options in ({"url": "http://[secret"}, {"url": "secret"}, {"api_key": "secret\n"}, {"api_key": "secré secret"}):
        with pytest.raises(InvalidInput) as caught:
            GatewayClient(**options)
        assert "secr" not in str(caught.value)


def test_error_that_is_not_known_is_of_the_rules() -> None:
    unknown = _refusals.error_of({"type": "of-a-later-version", "message": "no"})
    assert (type(unknown), unknown.is_definite) == (CoreFailed, False)
    for known in ("terms-invalid", "content-unreadable", "content-too-large", "account-invalid"):
        assert isinstance(_refusals.error_of({"type": known, "message": "no"}), InvalidInput)


def test_budget_of_hold_covers_all_units(gateway: GatewayDouble, world: World) -> None:
    """The model does not run for what cannot be paid."""
    with open_payer(gateway, world, policy=Policy(budget=250)) as payer:
        with pytest.raises(OverBudget):
            payer.hold(0, 3, REQUEST)
        assert not [path for _, path, *_ in gateway.requests if path.endswith("/holds")]
        with payer.hold(0, 2, REQUEST) as hold:
            hold.capture(OUTPUT)


async def test_receipt_of_cancelled_task_is_resumed(gateway: GatewayDouble, world: World) -> None:
    started, release = threading.Event(), threading.Event()
    held_answer(gateway, started, release)
    opening = AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account)
    async with await opening as payer:
        paying = asyncio.create_task(payer.generate(0, 1, REQUEST, OUTPUT))
        await asyncio.to_thread(started.wait, 5)
        paying.cancel()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await paying
        while payer.spent == 0:
            await asyncio.sleep(0.01)
        assert [receipt.request_digest for receipt in await payer.resume()] == [REQUEST]
        assert await payer.resume() == []


def test_receipt_of_interrupted_thread_is_resumed(
    gateway: GatewayDouble, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the payment is under way."""
    with open_payer(gateway, world) as payer:
        waiter, begun = payer.engine.host.waiter, threading.Event()

        def interrupted() -> Any:
            future = waiter()
            whole = future.result

            def result(timeout: float | None = None) -> Any:
                monkeypatch.setattr(future, "result", whole)
                while payer.spent == 0:
                    begun.wait(0.01)
                raise KeyboardInterrupt

            monkeypatch.setattr(future, "result", result)
            return future

        monkeypatch.setattr(payer.engine.host, "waiter", interrupted)
        with pytest.raises(KeyboardInterrupt):
            payer.generate(0, 1, REQUEST, OUTPUT)
        monkeypatch.undo()
        assert [receipt.request_digest for receipt in payer.resume()] == [REQUEST]


async def test_cancelled_purchase_is_paid_once(gateway: GatewayDouble, world: World) -> None:
    """The task ends while the payment is under way; the next request is made with another client."""
    paywall, started, release = PaywallDouble(gateway), threading.Event(), threading.Event()
    held_answer(gateway, started, release)
    opening = AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account)
    async with await opening as payer:

        async def buy() -> httpx.Response:
            async with httpx.AsyncClient(transport=AsyncMotifTransport(payer, max_price=10_000)) as client:
                return await client.post(paywall.url, json={})

        buying = asyncio.create_task(buy())
        await asyncio.to_thread(started.wait, 5)
        buying.cancel()
        await asyncio.wait([buying])
        release.set()
        while payer.spent == 0:
            await asyncio.sleep(0.01)
        answer = await buy()
        assert (answer.content, payer.spent, len(gateway.batches)) == (b"a picture", 204, 1)


def buy_with(kind: str, payer: Payer, url: str, **options: Any) -> Any:
    """Buys with a client of this request only."""
    options = {"max_price": 10_000, **options}
    if kind == "transport":
        with httpx.Client(transport=MotifTransport(payer, **options)) as client:
            return client.post(url, json={})
    if kind == "auth":
        return httpx.post(url, json={}, auth=MotifAuth(payer, **options))
    with requests.Session() as session:
        session.mount("http://", MotifAdapter(payer, **options))
        return session.post(url, json={})


KINDS = pytest.mark.parametrize("kind", ["transport", "auth", "requests"])


@KINDS
def test_client_of_each_request_pays_once(gateway: GatewayDouble, world: World, kind: str) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world) as payer:
        paywall.pay_answers = [(200, {}, b"another picture")]
        with pytest.raises(Untrusted):
            buy_with(kind, payer, paywall.url)
        answer = buy_with(kind, payer.tagged("ines"), paywall.url)
        assert (answer.content, payer.spent, len(gateway.batches)) == (b"a picture", 204, 1)


def test_doubt_is_of_one_url(gateway: GatewayDouble, world: World) -> None:
    """An equal request to another host does not show the voucher of the first one."""
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world) as payer:
        paywall.pay_answers = [(409, {}, b'{"type": "hold-mismatch", "status": 409}')]
        with pytest.raises(OutcomeUnknown):
            buy_with("transport", payer, paywall.url)
        buy_with("transport", payer, paywall.url.replace("127.0.0.1", "localhost"))
        assert (payer.spent, len({one["answer"] for one in paywall.pays})) == (408, 2)


@pytest.mark.parametrize("kind", ["transport", "requests"])
def test_receipts_of_any_response_are_a_list(gateway: GatewayDouble, world: World, kind: str) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world) as payer:
        free = buy_with(kind, payer, f"{gateway.url}/free")
        paid = buy_with(kind, payer, paywall.url)
        paywall.ask_answers = [(422, {"content-type": "text/plain"}, b"too odd")]
        refused = buy_with(kind, payer, paywall.url)
    assert [len(receipts_of(one)) for one in (free, paid, refused)] == [0, 1, 0]
    assert receipts_of(paid)[0].amount == 200
    assert receipts_of(httpx.Response(200)) == []
    if kind == "requests":
        assert (paid.reason, refused.reason) == ("OK", responses[422])
        with pytest.raises(requests.HTTPError, match=responses[422]):
            refused.raise_for_status()


@KINDS
def test_answer_above_maximum_size_is_refused(gateway: GatewayDouble, world: World, kind: str) -> None:
    paywall = PaywallDouble(gateway, body=b"x" * 2_000)
    with open_payer(gateway, world) as payer, pytest.raises(Untrusted, match="maximum size"):
        buy_with(kind, payer, paywall.url, max_bytes=1_000)


@KINDS
def test_api_key_goes_to_its_origin_only(gateway: GatewayDouble, world: World, kind: str) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world) as payer:
        for origin, count in [("https://shop.example", 0), (gateway.url, 2)]:
            gateway.requests.clear()
            buy_with(kind, payer, paywall.url, api_keys={origin: "key-of-a-gateway"})
            sent = [headers for *_, headers, _ in gateway.requests if "key-of-a-gateway" in headers.values()]
            assert len(sent) == count
        with pytest.raises(InvalidInput):
            buy_with(kind, payer, paywall.url, api_keys={gateway.url: "line\nbreak"})


@KINDS
def test_price_of_request_is_compared(gateway: GatewayDouble, world: World, kind: str) -> None:
    paywall = PaywallDouble(gateway)
    with open_payer(gateway, world) as payer, pytest.raises((PriceTooHigh, MotifError)) as caught:
        buy_with(kind, payer, paywall.url, max_price=407)
    assert isinstance(caught.value, PriceTooHigh)
    assert paywall.asks == []
