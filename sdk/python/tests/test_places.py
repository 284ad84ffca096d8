"""Requests beyond a paywall's limit of unpaid answers wait, as docs/payer.md says. Holds that end are renewed."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from gateway_double import GatewayDouble
from localnet import Localnet
from paywall_double import PaywallDouble, refusal
from test_payer import open_payer
from test_stream import PARTS, StreamServer
from world import World

from motif_sdk import AsyncMotifTransport, AsyncPayer, MotifTransport, Payer, _places, _purchase
from motif_sdk._places import Places
from motif_sdk._purchase import Answer, Buyer, Opened, Outgoing
from motif_sdk._sansio import run
from motif_sdk._stream import PaidStream
from motif_sdk.chain import Chain
from motif_sdk.errors import Refused


@pytest.fixture
def payer(gateway: GatewayDouble, world: World) -> Iterator[Payer]:
    with open_payer(gateway, world) as opened:
        yield opened


@pytest.fixture
def server(gateway: GatewayDouble) -> Iterator[StreamServer]:
    made = StreamServer(gateway)
    yield made
    made.close()


def client_of(payer: Payer) -> httpx.Client:
    return httpx.Client(transport=MotifTransport(payer, max_price=10_000), timeout=30)


@pytest.mark.parametrize("slug", ["too-many-unpaid", "paywall-full"])
def test_refused_request_is_repeated_with_new_hold(payer: Payer, gateway: GatewayDouble, slug: str) -> None:
    """Also without patience, which is for gateways that do not answer."""
    paywall = PaywallDouble(gateway)
    paywall.ask_answers = [refusal(slug, 429), refusal(slug, 429)]
    with client_of(payer) as client:
        assert client.post(paywall.url, json={}).content == b"a picture"
    holds = [headers["idempotency-key"] for *_, headers, _ in gateway.requests if "motif-payment" in headers]
    assert (len(set(holds[:3])), payer.spent) == (3, 204)
    assert Places.of(payer.engine)._count == _places.FIRST_PLACES - 2


def test_request_without_place_is_refused(
    payer: Payer, gateway: GatewayDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_purchase, "PLACE_SECONDS", 0.5)
    paywall = PaywallDouble(gateway)
    paywall.ask_answers = [refusal("too-many-unpaid", 429)] * 100
    with client_of(payer) as client, pytest.raises(Refused) as caught:
        client.post(paywall.url, json={})
    assert (caught.value.type, caught.value.is_definite, payer.spent) == ("too-many-unpaid", True, 0)


def test_ended_hold_is_renewed(payer: Payer, gateway: GatewayDouble) -> None:
    paywall = PaywallDouble(gateway)
    paywall.ask_answers = [refusal("hold-ended", 409)] * 2
    with client_of(payer) as client:
        assert client.post(paywall.url, json={}).content == b"a picture"
        paywall.ask_answers = [refusal("hold-ended", 409)] * 3
        with pytest.raises(Refused, match="hold-ended"):
            client.post(paywall.url, json={})
        paywall.ask_answers = [refusal("hold-too-short", 422)]
        with pytest.raises(Refused, match="hold-too-short"):
            client.post(paywall.url, json={})
    assert payer.spent == 204


def test_requests_wait_in_order(payer: Payer, gateway: GatewayDouble) -> None:
    """One place: the answers under way are never more than it."""
    paywall, running, most = PaywallDouble(gateway), list[int](), list[int]()
    serve, lock = paywall.serve, threading.Lock()

    def counting(*request: Any) -> Any:
        payment = request[2].get("motif-payment")
        if payment is not None and request[1].startswith("/sold"):
            with lock:
                running.append(1)
                most.append(len(running))
            time.sleep(0.01)
            running.pop()
        return serve(*request)

    gateway.others = counting
    Places.of(payer.engine)._count, Places.of(payer.engine)._is_limited = 1, True
    with client_of(payer) as client, ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda one: client.post(f"{paywall.url}&n={one}", json={}).status_code, range(6)))
    assert (answers, max(most)) == ([200] * 6, 1)
    assert (Places.of(payer.engine)._taken, payer.spent) == (0, 6 * 204)


async def test_cancelled_requests_give_places_back(gateway: GatewayDouble, world: World) -> None:
    opening = AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account)
    async with await opening as payer:
        places, host = Places.of(payer.engine), payer.engine.host

        def take(seconds: float) -> Any:
            return host.run(places.take(host, time.monotonic() + seconds))

        for _ in range(_places.FIRST_PLACES):
            await take(0)
        with pytest.raises(Refused):
            await take(0.05)
        waiting = [asyncio.ensure_future(take(5)) for _ in range(4)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.sleep(0.01)
        for _ in range(_places.FIRST_PLACES):
            places.release()
        await asyncio.gather(*waiting[2:])
        assert places._taken == 2


def test_stream_keeps_its_place_until_its_end(payer: Payer, server: StreamServer) -> None:
    places = Places.of(payer.engine)
    with client_of(payer) as client:
        with client.stream("POST", server.url, json={}) as answer:
            assert next(answer.iter_raw()) == PARTS[0]
            assert places._taken == 1
        assert places._taken == 0
        server.shown.clear()
        with client.stream("POST", server.url, json={}) as answer:
            assert [*answer.iter_raw()] == PARTS
            assert places._taken == 0
        server.shown.clear()
        lost = client.send(client.build_request("POST", server.url, json={}), stream=True)
        assert places._taken == 1
        del lost, answer
        gc.collect()
        assert places._taken == 0


def test_stream_without_place_is_repeated(payer: Payer, server: StreamServer) -> None:
    asked, stream = list[str](), server.stream

    def full_at_first(handler: Any, paying: Any, digest: str, key: str) -> None:
        asked.append(key)
        if len(asked) == 1:
            status, headers, body = refusal("too-many-unpaid", 429)
            handler.reply(status, headers, body)
            return
        stream(handler, paying, digest, key)

    server.stream = full_at_first  # type: ignore[method-assign]
    with client_of(payer) as client:
        assert client.post(server.url, json={}).content == b"".join(PARTS)
    assert len(set(asked)) == 2


def test_event_in_small_chunks_is_read_once(payer: Payer) -> None:
    """The time for an event grows with its size only: a hostile stream of small chunks takes no more."""
    searched = list[int]()

    class Buffer(bytearray):
        def find(self, *arguments: Any) -> int:
            searched.append(len(self) - (arguments[1] if len(arguments) > 1 else 0))
            return super().find(*arguments)

    chunks = iter([b"a" * 1_000] * 100)
    request = Outgoing("POST", "http://shop.example/x", "/x", (), b"")
    stream = PaidStream(
        Buyer(payer.engine, None, None, max_bytes=30_000), request, Opened(Answer(200, {}, None), {}, 1)
    )
    stream._has_place = False
    stream._buffer = Buffer()
    with pytest.raises(Exception, match="maximum size"):
        run(stream._event(), lambda _: next(chunks))
    assert sum(searched) < 2 * 100_000


async def test_named_requests_wait_for_each_other(gateway: GatewayDouble, world: World) -> None:
    paywall = PaywallDouble(gateway)
    serve = paywall.serve

    def slow(*request: Any) -> Any:
        time.sleep(0.02)
        return serve(*request)

    gateway.others = slow
    opening = AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account)
    async with await opening as payer:
        transport = AsyncMotifTransport(payer, max_price=10_000)
        async with httpx.AsyncClient(transport=transport, headers={"idempotency-key": "order-0001"}) as client:
            answers = await asyncio.gather(*(client.post(paywall.url, json={}) for _ in range(6)))
        assert [answer.content for answer in answers] == [b"a picture"] * 6
        assert (payer.spent, len(gateway.batches), len(paywall.asks)) == (204, 1, 1)


async def test_buyers_beyond_limit_all_get_answers(localnet: Localnet) -> None:
    """The gateway allows eight unpaid answers of a channel."""
    chain, voucher = Chain(localnet.key("crowd"), localnet.rpc), localnet.voucher("crowd")
    channel = chain.open_channel(localnet.operator, localnet.mint, 1_000_000, voucher.address)
    opening = AsyncPayer.open(channel, voucher, gateway=localnet.gateway_url, rpc=localnet.rpc, patience=0)
    async with await opening as payer:
        chain.accept(channel, localnet.model, max_price=1_000)  # found when it is needed
        transport = AsyncMotifTransport(payer, max_price=1_020)
        async with httpx.AsyncClient(transport=transport, timeout=60) as client:
            url = f"{localnet.paywall_url}/pictures"
            answers = await asyncio.gather(*(client.post(url, json={"prompt": str(one)}) for one in range(40)))
        assert {answer.status_code for answer in answers} == {200}
        assert payer.spent == 40 * 1_020
