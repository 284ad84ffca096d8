"""Stream from behind a paywall, paid part by part, as a protocol."""

from __future__ import annotations

from dataclasses import dataclass

from . import _core
from ._calls import BUSY
from ._engine import Paid
from ._hosts import shown
from ._machine import JSON
from ._purchase import RECEIPT, Answer, Buyer, Close, Opened, Outgoing, check_answer, check_paid
from ._refusals import error_of
from ._sansio import Command
from .errors import MotifError, Unreachable, Untrusted
from .receipts import Receipt

MAX_ENVELOPE = 16 << 10
"""Maximum size of an event without its body, bytes."""


@dataclass(frozen=True)
class Chunk(Command["bytes | None"]):
    """Reads the next bytes of a body; `None` at its end. Raises `Unreachable`."""

    answer: Answer


class PaidStream:
    """Parts of a stream. Ending it ends the payments."""

    def __init__(self, buyer: Buyer, request: Outgoing, opened: Opened) -> None:
        self._buyer, self._request, self._answer, self._purchase = buyer, request, opened.answer, opened.purchase
        self._part_cost, self._cost, self._part, self._units = opened.part_cost, 0, 0, 0
        self._buffer, self._searched = bytearray(), 0
        self._has_place = True
        self._paid: Paid | None = None
        self._last: JSON | None = None  # an end that came before the paid part
        self._is_shown = self._is_over = False
        self.receipts: list[Receipt] = []
        """Verified receipts of the parts so far."""

    @property
    def content_type(self) -> str:
        """Content type of the joined parts."""
        return self._answer.headers.get("motif-content-type", "application/octet-stream")

    @property
    def answer(self) -> Answer:
        """Head of the stream."""
        return self._answer

    async def next(self) -> bytes | None:
        """Pays for the next part; returns it, or `None` after the last.

        A paid part that was lost with the connection is fetched again. Parts that were not returned were not charged,
        except after an error that is not definite.
        """
        if self._is_over:
            return None
        try:
            part = await self._next()
        except BaseException:
            self._end()
            raise
        if part is None:
            self._end()
        return part

    async def close(self) -> None:
        """Ends the payments."""
        self._end()
        await Close(self._answer)

    def _end(self) -> None:
        self._is_over = True
        if self._has_place:
            self._has_place = False
            self._buyer.end_stream(is_paid=bool(self.receipts))

    def __del__(self) -> None:
        self._end()  # of a response that the caller has not closed

    async def _next(self) -> bytes | None:
        while True:
            if self._paid is not None and not self._is_shown:
                await self._show()
            try:
                event, body = (self._last, b"") if self._last else await self._event()
            except MotifError:
                if self._paid is None:
                    raise
                return await self._fetch_again(self._paid)
            kind = event["event"]
            if kind == "due":
                await self._pay(event["due"])
            elif kind == "output":
                if self._paid is None:
                    raise Untrusted("an unpaid part arrived")
                _core.shared().call_foreign("purchase.part", body, receipt=self._paid.receipts[0].parts)
                return self._deliver(body)
            elif kind in ("end", "failed"):
                self._last = event
                if self._paid is not None:
                    return await self._fetch_again(self._paid)
                if kind == "failed":
                    raise error_of(event["error"])
                if (event["end"]["parts"], event["end"]["units"]) != (self._part, self._units):
                    raise Untrusted("the stream's end names other parts")
                return None

    async def _pay(self, due: JSON) -> None:
        if self._paid is not None:
            raise Untrusted("payment is due for another part")
        self._buyer.check_cost(self._cost + self._part_cost)
        self._paid, self._is_shown = await self._buyer.pay_due(self._purchase, self._part, due), False

    async def _show(self) -> None:
        """Shows the voucher of a paid part to the paywall, which then sends the part."""
        answer, receipt = (await self._send_voucher())[0], self._receipt()
        _core.shared().call_foreign("purchase.shown", receipt=receipt.parts, header=answer.headers.get(RECEIPT))
        self._is_shown = True

    async def _fetch_again(self, paid: Paid) -> bytes:
        answer, body = await self._send_voucher()
        check_answer(answer, body, paid.receipts[0])
        return self._deliver(body)

    async def _send_voucher(self) -> tuple[Answer, bytes]:
        if self._paid is None:
            raise Untrusted("no part is paid for")
        paying = self._buyer.paying(self._request, self._purchase, self._part, self._paid.voucher)
        answer, body = await self._buyer.patiently(paying, BUSY)
        check_paid(answer, body)
        return answer, body

    def _receipt(self) -> Receipt:
        if self._paid is None:
            raise Untrusted("no part is paid for")
        return self._paid.receipts[0]

    def _deliver(self, body: bytes) -> bytes:
        receipt = self._receipt()
        self.receipts.append(receipt)
        self._buyer.report(receipt)
        fee_bps = self._buyer.engine.machine.status()["operator_fee_bps"]
        cost = _core.shared().call("price.quote", price=str(receipt.amount), units=1, operator_fee_bps=fee_bps)
        self._cost += int(cost["total"])
        self._part, self._units = self._part + 1, self._units + receipt.units
        self._paid, self._is_shown = None, False
        return body

    async def _event(self) -> tuple[JSON, bytes]:
        """Returns the next event and the bytes of its part; skips comments."""
        limit = 2 * self._buyer.max_bytes + MAX_ENVELOPE
        while True:
            end = self._buffer.find(b"\n\n", self._searched)
            self._searched = max(0, len(self._buffer) - 1)
            if end >= 0:
                text = bytes(self._buffer[: end + 2])
                del self._buffer[: end + 2]
                self._searched = 0
                event, body = _core.shared().call_foreign("stream.event", text)
                if event["event"] is not None:
                    return event, body
                continue
            if len(self._buffer) > limit:
                raise Untrusted("an event exceeds this client's maximum size")
            chunk = await Chunk(self._answer)
            if chunk is None:
                raise Unreachable(shown(self._request.url), "the stream ended early")
            self._buffer += chunk
