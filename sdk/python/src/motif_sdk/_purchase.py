"""Purchase of an answer behind a paywall, as a protocol: ask, due, pay, verify.

Nothing is signed before the rules have compared the price with the license, and nothing is returned before they have
compared the answer with its receipt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from . import _core
from ._calls import BUSY, FIRST_PAUSE, LONGEST_PAUSE, checked_key
from ._core import check_range
from ._engine import Engine, Paid, now
from ._holds import purchase_of
from ._log import log
from ._machine import JSON
from ._places import Places
from ._purchases import Attempt, Purchases
from ._sansio import Command, Sleep
from .errors import (
    InvalidInput,
    LicenseNotFound,
    MotifError,
    NotPayable,
    OutcomeUnknown,
    PriceTooHigh,
    Problem,
    Refused,
    Unreachable,
    Untrusted,
)
from .receipts import Receipt

REQUIRED, PAYMENT, RECEIPT, KEY = "motif-payment-required", "motif-payment", "motif-receipt", "idempotency-key"
EXTRA_SECONDS = 60
"""Added to the required time of a hold, because clocks differ."""
READ_SECONDS = 180.0
"""Time limit of an answer's body."""
RUNNING_SECONDS, PAUSE = 600.0, 0.5
PLACE_SECONDS, FULL_PAUSE = 600.0, 0.2
"""Time for which a request waits for a place among the channel's unpaid answers, and between attempts."""
HOLD_ATTEMPTS = 3
"""Number of purchases of a request whose holds end without a payment."""
WITHOUT_PLACE = ("too-many-unpaid", "paywall-full")
"""Refusals for want of a place. They end the hold."""
OTHER_REQUEST = ("idempotency-key-reused", "answer-running")
"""Refusals after which a hold of this name is another request's."""
OWN_HEADERS = {KEY, "content-length", "transfer-encoding", "accept-encoding", "connection"}


@dataclass(frozen=True)
class Outgoing:
    """HTTP request. `target` is path and query exactly as sent."""

    method: str
    url: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """Head of an HTTP response. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    native: Any = field(repr=False)
    """Response of the HTTP library, whose body is not read."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Send(Command[Answer]):
    """Sends a request once. Raises `Unreachable`; for an unpaid request, the error of the HTTP library."""

    request: Outgoing
    is_unpaid: bool = False


@dataclass(frozen=True)
class Read(Command[bytes]):
    """Reads a body. Raises `Unreachable`, and `Untrusted` above `max_bytes`."""

    answer: Answer
    max_bytes: int
    deadline: float = field(default_factory=lambda: time.monotonic() + READ_SECONDS)


@dataclass(frozen=True)
class Close(Command[None]):
    """Drops an answer."""

    answer: Answer


@dataclass(frozen=True)
class Bought:
    """Paid answer, verified against its receipt."""

    answer: Answer
    body: bytes
    receipt: Receipt


@dataclass(frozen=True)
class Rejected:
    """Refusal of the model server, which costs nothing, with its body."""

    answer: Answer
    body: bytes


@dataclass(frozen=True)
class Opened:
    """Stream whose parts are paid for one by one."""

    answer: Answer
    purchase: JSON
    part_cost: int


@dataclass
class Buyer:
    """Payer and conditions of purchases."""

    engine: Engine[Any]
    tag: str | None
    max_price: int | None
    """Maximum cost of an answer, base units, fees included; `None` for no other limit than budgets and deposit."""
    api_keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """API keys of gateways without open access, by the origin of the paywall."""
    max_bytes: int = 64 << 20
    on_receipt: Callable[[Receipt], object] | None = None
    can_stream: bool = True

    def __post_init__(self) -> None:
        if self.max_price is not None:
            check_range("max_price", self.max_price, 64)
        check_range("max_bytes", self.max_bytes, 63)
        self.api_keys = {origin_of(url): str(checked_key(key)) for url, key in self.api_keys.items()}
        self._purchases, self._places = Purchases.of(self.engine), Places.of(self.engine)

    async def buy(self, request: Outgoing) -> Answer | Bought | Rejected | Opened:
        """Sends a request, and pays for the answer if the server asks for it.

        Returns the `Answer`, unread, of a server that asks for no Motif payment.
        """
        self.engine.host.check_process()
        first = await Send(request, is_unpaid=True)
        required = first.headers.get(REQUIRED)
        if first.status != 402 or required is None:
            return first
        await Close(first)
        document = read_required(required)
        tag = document.get("price-tag")
        if tag is None:
            raise Untrusted("payment is due before a price was named")
        plan = await self._license(tag)
        if plan["streams"] and not self.can_stream:
            raise NotPayable("the answer is a stream, which MotifAuth cannot pay for: use MotifTransport")
        self.check_cost(int(plan["most_cost"]))
        attempt, seconds = self._attempt(request, plan), _hold_seconds(plan)
        async with self._purchases.turn(self.engine.host, attempt):
            attempt = self._purchases.begin(attempt)
            if not plan["streams"]:
                self._purchases.note(attempt)
            try:
                bought = await self._buy_in_place(request, attempt, plan)
            except MotifError as error:
                if plan["streams"]:
                    pass
                elif not error.is_definite:
                    self._purchases.keep(attempt)
                elif not isinstance(error, Refused) or error.type not in OTHER_REQUEST:
                    await self._release(attempt)
                    attempt.renew(seconds)
                    self._purchases.end(attempt)
                raise
            except BaseException:
                if not plan["streams"]:
                    self._purchases.keep(attempt)
                raise
            if isinstance(bought, Rejected):
                await self._release(attempt)
                attempt.renew(seconds)
            if not plan["streams"]:
                self._purchases.end(attempt)
            return bought

    async def _buy_in_place(self, request: Outgoing, attempt: Attempt, plan: JSON) -> Bought | Rejected | Opened:
        """Buys within the paywall's limit of unpaid answers. A refusal that ends the hold is followed by another hold.

        A stream keeps its place until its end.
        """
        deadline, ended = time.monotonic() + PLACE_SECONDS, 0
        while True:
            await self._places.take(self.engine.host, deadline)
            is_kept = False
            try:
                if plan["streams"]:
                    opened = await self._open(request, attempt.purchase, int(plan["most_cost"]))
                    is_kept = isinstance(opened, Opened)
                    return opened
                bought = await self._fetch(request, attempt)
                if isinstance(bought, Bought):
                    self._places.note_paid()
                return bought
            except Refused as error:
                if not _is_end_of_hold(error, attempt) or time.monotonic() >= deadline:
                    raise
                if error.type in WITHOUT_PLACE:
                    self._places.note_refused()
                else:
                    ended += 1
                    if ended >= HOLD_ATTEMPTS:
                        raise
                log.debug("a purchase is repeated with another hold: %s", error.type)
            finally:
                if not is_kept:
                    self._places.release()
            await Sleep(FULL_PAUSE)
            attempt.renew(_hold_seconds(plan))
            if not plan["streams"]:
                self._purchases.note(attempt)

    def end_stream(self, is_paid: bool) -> None:
        """Gives the place of a stream to the next request."""
        if is_paid:
            self._places.note_paid()
        self._places.release()

    async def _release(self, attempt: Attempt) -> None:
        """Releases the hold of an answer that was not made. Without it, the hold ends by itself."""
        try:
            hold = self.engine.machine.call("purchase.names", purchase=attempt.purchase, part=0)["answer"]
            proof = await self.engine.proof({"release": hold})
            body = json.dumps({"channel": self.engine.channel, "proof": proof}).encode()
            headers = {"content-type": "application/json"}
            await self.engine.calls.exchange("POST", f"/v1/holds/{hold}/release", headers, body)
        except MotifError as error:
            log.debug("a hold was not released, and ends by itself: %s", error)

    def check_cost(self, cost: int) -> None:
        """Raises `PriceTooHigh` if a cost exceeds the maximum."""
        if self.max_price is not None and cost > self.max_price:
            message = f"the answer costs up to {cost} base units: expected at most {self.max_price}"
            raise PriceTooHigh(message, cost, self.max_price)

    async def _license(self, tag: JSON) -> JSON:
        """Returns the license that pays, and its conditions."""
        machine = self.engine.machine
        try:
            plan = machine.call_foreign("paywall.license", price_tag=tag, now=now())
        except LicenseNotFound:
            if self.engine.rpc is None:
                raise
            await self.engine.refresh()  # it may be new on chain
            plan = machine.call_foreign("paywall.license", price_tag=tag, now=now())
        units = plan["units"].get("exactly") or plan["units"].get("at_most")
        tagged = {} if self.tag is None else {"tag": self.tag}
        machine.call("payer.check", license=plan["license"], units=units, now=now(), **tagged)
        return plan

    def _attempt(self, request: Outgoing, plan: JSON) -> Attempt:
        digest = _core.shared().call("request.digest", request.body, method=request.method, target=request.target)
        digest = digest["digest"]
        key = next((value for name, value in request.headers if name.lower() == KEY), None)
        if key is not None and not (8 <= len(key) <= 128 and all("!" <= letter <= "~" for letter in key)):
            raise InvalidInput("invalid idempotency-key: expected 8 to 128 visible ASCII characters")
        purchase = purchase_of(int(plan["license"]), plan["units"], digest, _hold_seconds(plan), key)
        return Attempt(request.url, purchase, key is not None)

    async def asking(self, request: Outgoing, purchase: JSON) -> Outgoing:
        """Returns the request with a signed hold."""
        proof = await self.engine.proof({"hold": purchase})
        payment = self.engine.machine.call("purchase.ask", purchase=purchase, proof=proof)["header"]
        own = tuple(one for one in request.headers if not _is_own(one[0]))
        return replace(request, headers=own + self._headers(request, purchase, payment))

    def paying(self, request: Outgoing, purchase: JSON, part: int, voucher: JSON) -> Outgoing:
        """Returns the request that shows a voucher, without headers and body of the first."""
        call = self.engine.machine.call
        payment = call("purchase.pay", purchase=purchase, part=part, voucher=voucher)["header"]
        return replace(request, headers=self._headers(request, purchase, payment), body=b"")

    def _headers(self, request: Outgoing, purchase: JSON, payment: str) -> tuple[tuple[str, str], ...]:
        # Receipts have the digest of the unencoded body. The key also routes a payment among several gateways.
        headers = ((PAYMENT, payment), (KEY, purchase["key"]), ("accept-encoding", "identity"))
        api_key = self.api_keys.get(origin_of(request.url))
        return headers if api_key is None else (*headers, ("motif-api-key", api_key))

    async def _fetch(self, request: Outgoing, attempt: Attempt) -> Bought | Rejected:
        """Asks for an answer and pays for it. Repeating is safe: a key names one answer, and a voucher pays once."""
        await self.engine.settle_unanswered()
        attempt.paid = attempt.paid or self.engine.take_recovered(attempt.purchase["request_digest"])
        if attempt.paid is not None:
            return await self._collect(request, attempt.purchase, attempt.paid)
        begun, purchase = time.monotonic(), attempt.purchase
        while True:
            answer, body = await self.patiently(await self.asking(request, purchase))
            if answer.is_success:
                header = answer.headers.get(RECEIPT)
                parts = self.engine.machine.call_foreign("purchase.earlier", body, purchase=purchase, header=header)[
                    "receipt"
                ]
                return self._bought(answer, body, Receipt.from_parts(parts))
            required = answer.headers.get(REQUIRED) if answer.status == 402 else None
            due = read_required(required).get("due") if required is not None else None
            if due is not None:
                attempt.paid = await self.pay_due(purchase, 0, due)
                self._purchases.note(attempt)
                return await self._collect(request, purchase, attempt.paid)
            problem = motif_problem(body)
            if problem is None:
                return Rejected(answer, body)
            if problem.type == "hold-captured":
                raise OutcomeUnknown(problem)  # paid for by an earlier request, whose voucher is not known here
            if problem.type != "answer-running" or time.monotonic() - begun >= RUNNING_SECONDS:
                raise Refused(problem)
            await Sleep(PAUSE)

    async def _collect(self, request: Outgoing, purchase: JSON, paid: Paid) -> Bought:
        """Shows the voucher that paid for an answer; returns the answer."""
        receipt = paid.receipts[0]
        answer, body = await self.patiently(self.paying(request, purchase, 0, paid.voucher), BUSY)
        check_paid(answer, body)
        check_answer(answer, body, receipt)
        return self._bought(answer, body, receipt)

    async def pay_due(self, purchase: JSON, part: int, due: JSON) -> Paid:
        """Pays for a ready answer or part, for the requested units at most and at the license's price."""
        generation = self.engine.machine.call_foreign("purchase.due", purchase=purchase, part=part, due=due)[
            "generation"
        ]
        return await self.engine.pay([generation], self.tag)

    async def _open(self, request: Outgoing, purchase: JSON, part_cost: int) -> Opened | Rejected:
        await self.engine.settle_unanswered()
        answer = await self._send(await self.asking(request, purchase))
        if answer.is_success:
            return Opened(answer, purchase, part_cost)
        body = await Read(answer, self.max_bytes)
        problem = motif_problem(body)
        if problem is None:
            return Rejected(answer, body)
        raise Refused(problem)

    async def _send(self, request: Outgoing) -> Answer:
        """Sends a request that asks for an unencoded answer. An encoded one may be far larger than it is."""
        answer = await Send(request)
        if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            await Close(answer)
            raise Untrusted("its answer is encoded, which was not asked for")
        return answer

    async def patiently(self, request: Outgoing, busy: Sequence[int] = BUSY[1:]) -> tuple[Answer, bytes]:
        """Sends a request and reads the answer; repeats it while the gateway client's patience lasts.

        Raises `Unreachable`, also if a load balancer answers in the paywall's place, with a status of `busy`.
        """
        deadline, pause = time.monotonic() + self.engine.calls.patience, FIRST_PAUSE
        while True:
            is_last = time.monotonic() >= deadline
            try:
                answer = await self._send(request)
                body = await Read(answer, self.max_bytes)
                if answer.status not in busy or motif_problem(body) is not None:
                    return answer, body
                reason = f"status {answer.status} without a problem document"
                raise Unreachable(origin_of(request.url), reason)
            except Unreachable as error:
                if is_last:
                    raise
                log.debug("a request to a paywall is repeated: %s", error)
            await Sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _bought(self, answer: Answer, body: bytes, receipt: Receipt) -> Bought:
        self.report(receipt)
        return Bought(answer, body, receipt)

    def report(self, receipt: Receipt) -> None:
        """Hands a verified receipt to the caller's function."""
        if self.on_receipt is not None:
            self.on_receipt(receipt)


def origin_of(url: str) -> str:
    """Returns scheme, host and port of a URL."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or {'http': 80, 'https': 443}.get(parts.scheme)}"
    except ValueError:
        return ""


def _hold_seconds(plan: JSON) -> int:
    return int(plan["hold_seconds"]) + EXTRA_SECONDS


def _is_end_of_hold(error: Refused, attempt: Attempt) -> bool:
    """Returns whether a refusal proves that a purchase has no hold, or one that has ended without a payment."""
    if error.type == "hold-too-short":
        return attempt.is_known  # named too long ago for a hold
    is_over = error.type in WITHOUT_PLACE or error.type == "hold-ended"
    return is_over and attempt.purchase["expires_at"] > now()  # one that has expired could have been paid for


def _is_own(name: str) -> bool:
    name = name.lower()
    return name in OWN_HEADERS or name.startswith("motif-")


def read_required(header: str) -> JSON:
    """Returns the payment that a 402 requires: a `price-tag` or a `due`."""
    return _core.shared().call_foreign("payment_required.read", header=header)[0]


def check_answer(answer: Answer, body: bytes, receipt: Receipt) -> None:
    """Raises `Untrusted` if an answer does not carry the receipt that paid, or the body that the receipt names."""
    _core.shared().call_foreign("purchase.answer", body, receipt=receipt.parts, header=answer.headers.get(RECEIPT))


def check_paid(answer: Answer, body: bytes) -> None:
    """Raises an error if the answer to a payment is none. The payment was made."""
    if answer.is_success:
        return
    problem = motif_problem(body)
    if problem is not None:
        raise OutcomeUnknown(problem)
    raise Untrusted(f"a paid answer was refused with status {answer.status}")


_types: frozenset[str] | None = None


def motif_problem(body: bytes) -> Problem | None:
    """Returns the problem document of a paywall; `None` for a body of the server behind it."""
    global _types
    if _types is None:
        _types = frozenset(one["type"] for one in _core.shared().call("version")["problem_types"])
    try:
        problem = Problem.parse(json.loads(body))
    except (ValueError, RecursionError):
        return None
    return problem if problem is not None and problem.type in _types else None
