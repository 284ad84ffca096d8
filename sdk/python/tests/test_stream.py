"""Streams paid part by part, from honest paywalls and from others."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from gateway_double import GatewayDouble
from paywall_double import PaywallDouble, event, part_of
from world import World

from motif_sdk import AsyncMotifTransport, AsyncPayer, MotifTransport, Payer, _core
from motif_sdk.asgi import read_header, write_header
from motif_sdk.errors import MotifError, PriceTooHigh, Refused, Untrusted

JSON = dict[str, Any]
PARTS = [b"one ", b"two ", b"three"]


class StreamServer:
    """Paywall of a stream: each part is sent once its voucher was shown."""

    def __init__(self, gateway: GatewayDouble) -> None:
        self.gateway, self.tags = gateway, PaywallDouble(gateway, units=1)
        gateway.others = None
        self.tags.tag_lies = {"streams": True, "most_units": 1}
        self.due_lies: dict[int, JSON] = {}
        self.sent: dict[int, bytes] = {}
        self.receipt_lies: JSON = {}
        self.last: dict[int, bytes] = {}  # sent in place of a paid part, before the connection ends
        self.end: JSON = {"parts": 3, "units": 3, "bytes": 13, "last_receipt": None}
        self.unpaid_part = self.breaks_after_payment = self.fails = False
        self.shown: dict[str, threading.Event] = {}
        self.pays = list[JSON]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                payment = self.headers.get("motif-payment")
                if payment is None:
                    required = write_header({"price-tag": server.tags.tag()})
                    self.reply(402, {"motif-payment-required": required}, b"{}")
                    return
                paying = read_header(payment)
                if "answer" in paying:
                    server.show(self, paying)
                    return
                digest = _core.shared().call("request.digest", body, method="POST", target=self.path)["digest"]
                server.stream(self, paying, digest, self.headers["idempotency-key"])

            def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/stories"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def name(self, key: str, part: int) -> str:
        hold = self.gateway.hold_of(key)
        return hold if part == 0 else hashlib.sha256(bytes.fromhex(hold) + part.to_bytes(4, "little")).hexdigest()

    def receipt(self, answer: str) -> JSON:
        captured = ("hold", "part")
        for batch, receipts in zip(self.gateway.batches, self.gateway.accepted.values(), strict=True):
            for one, receipt in zip(batch["generations"], receipts["receipts"], strict=True):
                if any(one.get("captures", {}).get(kind) == answer for kind in captured):
                    return receipt
        raise KeyError(answer)

    def show(self, handler: Any, paying: JSON) -> None:
        self.pays.append(paying)
        receipt = self.receipt(paying["answer"])
        number = list(self.shown).index(paying["answer"])
        handler.reply(200, {"motif-receipt": write_header(receipt | self.receipt_lies)}, PARTS[number])
        self.shown[paying["answer"]].set()

    def stream(self, handler: Any, paying: JSON, digest: str, key: str) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("motif-content-type", "text/plain; charset=utf-8")
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.wfile.write(b": a comment\n\n")
        for number, body in enumerate(PARTS):
            if self.unpaid_part and number == 1:
                data = {"part": 1, "body": part_of(body), "receipt": self.receipt(self.name(key, 0))}
                handler.wfile.write(event("output", data))
                return
            if self.fails and number == 1:
                handler.wfile.write(event("failed", {"type": "upstream-failed", "detail": "it broke"}))
                return
            name = self.name(key, number)
            due: JSON = {
                "answer": name,
                "part": number,
                "license": paying["license"],
                "units": 1,
                "price": "100",
                "request_digest": digest,
                "output_digest": hashlib.sha256(body).hexdigest(),
                "expires_at": paying["expires_at"],
                "expected": {"statement": 0, "cumulative": "0", "entries": []},
            }
            shown = self.shown[name] = threading.Event()
            handler.wfile.write(event("due", due | self.due_lies.get(number, {})))
            if not shown.wait(5):
                return
            if self.breaks_after_payment and number == 1:
                return
            if number in self.last:
                handler.wfile.write(self.last[number])
                return
            data = {"part": number, "body": part_of(self.sent.get(number, body)), "receipt": self.receipt(name)}
            handler.wfile.write(event("output", data))
        handler.wfile.write(event("end", self.end))


@pytest.fixture
def server(gateway: GatewayDouble) -> Iterator[StreamServer]:
    made = StreamServer(gateway)
    yield made
    made.close()


@pytest.fixture
def payer(gateway: GatewayDouble, world: World) -> Iterator[Payer]:
    with Payer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=0) as opened:
        yield opened


def read(payer: Payer, server: StreamServer, **options: Any) -> tuple[list[bytes], httpx.Response]:
    parts = list[bytes]()
    with (
        httpx.Client(transport=MotifTransport(payer, **{"max_price": None, **options})) as client,
        client.stream("POST", server.url, json={"prompt": "x"}) as answer,
    ):
        try:
            parts.extend(answer.iter_raw())
        except MotifError as error:
            error.args = (*error.args, parts)
            raise
    return parts, answer


def test_stream_arrives_as_plain_bytes(payer: Payer, server: StreamServer) -> None:
    receipts = list[Any]()
    parts, answer = read(payer, server, on_receipt=receipts.append)
    assert (parts, answer.headers["content-type"]) == (PARTS, "text/plain; charset=utf-8")
    assert [receipt.amount for receipt in answer.extensions["motif_receipts"]] == [100, 100, 100]
    assert receipts == answer.extensions["motif_receipts"]
    assert payer.spent == 306


async def test_async_stream_arrives_as_plain_bytes(gateway: GatewayDouble, world: World, server: StreamServer) -> None:
    async with await AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account) as payer:
        async with (
            httpx.AsyncClient(transport=AsyncMotifTransport(payer, max_price=100_000)) as client,
            client.stream("POST", server.url, json={"prompt": "x"}) as answer,
        ):
            assert [part async for part in answer.aiter_raw()] == PARTS
        assert payer.spent == 306


def test_reader_who_stops_pays_no_further_part(payer: Payer, server: StreamServer) -> None:
    with (
        httpx.Client(transport=MotifTransport(payer, max_price=100_000)) as client,
        client.stream("POST", server.url, json={"prompt": "x"}) as answer,
    ):
        assert next(answer.iter_raw()) == PARTS[0]
    assert (payer.spent, len(server.pays)) == (102, 1)


def test_lost_part_is_fetched_again_and_paid_once(payer: Payer, server: StreamServer) -> None:
    server.breaks_after_payment = True
    with pytest.raises(MotifError) as caught:
        read(payer, server)
    # The second part was paid for and fetched again; the third was neither.
    assert caught.value.args[-1] == PARTS[:2]
    assert (payer.spent, len(server.gateway.batches), len(server.pays)) == (204, 2, 3)


END: JSON = {"parts": 0, "units": 0, "bytes": 0, "last_receipt": None}
FAILED: JSON = {"type": "upstream-failed", "detail": "the model ended"}


@pytest.mark.parametrize(
    ("name", "data", "expected"), [("end", END, Untrusted), ("failed", FAILED, Refused)], ids=["end", "failed"]
)
def test_paid_part_of_ended_stream_is_fetched_again(
    payer: Payer, server: StreamServer, name: str, data: JSON, expected: type[MotifError]
) -> None:
    server.last = {1: event(name, data)}
    with pytest.raises(expected) as caught:
        read(payer, server)
    assert caught.value.args[-1] == PARTS[:2]
    assert (payer.spent, len(server.gateway.batches), len(server.pays)) == (204, 2, 3)


@pytest.mark.parametrize("lie", [{"parts": 2}, {"parts": 4}, {"units": 2}, {"units": 4}])
def test_end_with_other_totals_is_rejected(payer: Payer, server: StreamServer, lie: JSON) -> None:
    server.end |= lie
    with pytest.raises(Untrusted, match="names other parts") as caught:
        read(payer, server)
    assert (caught.value.args[-1], payer.spent) == (PARTS, 306)


@pytest.mark.parametrize(
    "lie", [{"amount": "1"}, {"cumulative": "0"}, {"units": 2}, {"output_digest": "11" * 32}, {"signature": "00" * 64}]
)
def test_forged_receipt_of_part_is_rejected(payer: Payer, server: StreamServer, lie: JSON) -> None:
    server.receipt_lies = lie
    with pytest.raises(Untrusted) as caught:
        read(payer, server)
    assert (caught.value.args[-1], payer.spent) == ([], 102)


@pytest.mark.parametrize(
    "lie",
    [{"part": 0}, {"part": 2}, {"answer": "11" * 32}, {"units": 2}, {"license": 3}, {"request_digest": "11" * 32}],
)
def test_false_due_of_part_is_not_signed(payer: Payer, server: StreamServer, lie: JSON) -> None:
    server.due_lies = {1: lie}
    with pytest.raises(Untrusted) as caught:
        read(payer, server)
    assert caught.value.args[-1] == PARTS[:1]
    assert payer.spent == 102


def test_other_part_is_not_returned(payer: Payer, server: StreamServer) -> None:
    server.sent = {1: b"TWO "}
    with pytest.raises(Untrusted) as caught:
        read(payer, server)
    assert caught.value.args[-1] == PARTS[:1]


def test_unpaid_part_is_not_returned(payer: Payer, server: StreamServer) -> None:
    server.unpaid_part = True
    with pytest.raises(Untrusted, match="unpaid part"):
        read(payer, server)


def test_failed_stream_charges_no_further_part(payer: Payer, server: StreamServer) -> None:
    server.fails = True
    with pytest.raises(Refused) as caught:
        read(payer, server)
    assert (caught.value.type, payer.spent) == ("upstream-failed", 102)


def test_maximum_price_stops_stream(payer: Payer, server: StreamServer) -> None:
    with pytest.raises(PriceTooHigh) as caught:
        read(payer, server, max_price=250)
    assert caught.value.args[-1] == PARTS[:2]
    assert payer.spent == 204


def test_event_of_hostile_size_is_refused(payer: Payer, server: StreamServer) -> None:
    server.sent = {0: b"x" * 100_000}
    with pytest.raises(Untrusted, match="maximum size") as caught:
        read(payer, server, max_bytes=1_000)
    # The paid part was fetched again, and the stream ended.
    assert (caught.value.args[-1], payer.spent) == (PARTS[:1], 102)
