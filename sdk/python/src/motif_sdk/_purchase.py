"""Purchase of an answer behind a paywall, as a protocol: ask, due, pay, verify.

Nothing is signed before the rules have compared the price with the license, and nothing is returned before they have
compared the answer with its receipt.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import _core
from ._calls import after_payment, refusal_of
from ._engine import Engine, Paid, now
from ._holds import purchase_of
from ._machine import JSON
from ._sansio import Command, Sleep
from .errors import (
    InvalidInput,
    MotifError,
    NotPayable,
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
RUNNING_SECONDS, PAUSE = 600.0, 0.5
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
class Attempt:
    """Purchase of one answer, and its payment once it is made."""

    purchase: JSON
    is_named: bool = False
    """Whether the caller chose the idempotency key."""
    paid: Paid | None = None

    def renew(self, seconds: int) -> None:
        """Begins again after a failure that cost nothing, whose hold's name is used up."""
        self.purchase = self.purchase | {"key": secrets.token_hex(16), "expires_at": now() + seconds}


class Purchases:
    """Purchases that a later request continues: those whose outcome is unknown, by the request's digest, and those
    whose idempotency key the caller chose."""

    def __init__(self) -> None:
        self._unfinished: list[Attempt] = []
        self._named: dict[str, Attempt] = {}
        self._lock = threading.Lock()

    def begin(self, attempt: Attempt) -> Attempt:
        """Returns the purchase that a new one continues, or the new one."""
        purchase = attempt.purchase
        with self._lock:
            self._prune()
            if attempt.is_named:
                known = self._named.setdefault(purchase["key"], attempt)
                is_same = known.purchase["request_digest"] == purchase["request_digest"]
                return known if is_same else attempt
            for earlier in self._unfinished:
                if earlier.purchase["request_digest"] == purchase["request_digest"]:
                    self._unfinished.remove(earlier)
                    return earlier
        return attempt

    def keep(self, attempt: Attempt) -> None:
        """Keeps a purchase whose outcome is unknown."""
        if not attempt.is_named:
            with self._lock:
                self._unfinished.append(attempt)

    def _prune(self) -> None:
        """Forgets purchases that cannot be paid for any more."""
        at = now()
        self._unfinished = [one for one in self._unfinished if one.purchase["expires_at"] > at]
        self._named = {key: one for key, one in self._named.items() if one.purchase["expires_at"] > at}


@dataclass
class Buyer:
    """Payer and conditions of purchases."""

    engine: Engine[Any]
    tag: str | None
    max_price: int | None
    """Maximum cost of an answer, base units, fees included."""
    api_key: str | None = None
    max_bytes: int = 64 << 20
    on_receipt: Callable[[Receipt], object] | None = None
    can_stream: bool = True
    purchases: Purchases = field(default_factory=Purchases)

    async def buy(self, request: Outgoing) -> Answer | Bought | Rejected | Opened:
        """Sends a request, and pays for the answer if the server asks for it.

        Returns the `Answer`, unread, of a server that asks for no Motif payment.
        """
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
        seconds = int(plan["hold_seconds"]) + EXTRA_SECONDS
        attempt = self._attempt(request, plan, seconds)
        if plan["streams"]:
            return await self._open(request, attempt.purchase, int(plan["most_cost"]))
        try:
            bought = await self._fetch(request, attempt, seconds)
        except MotifError as error:
            if not error.is_definite:
                self.purchases.keep(attempt)
            elif not isinstance(error, Refused) or error.type not in OTHER_REQUEST:
                await self._release(attempt)
                attempt.renew(seconds)
            raise
        except BaseException:
            self.purchases.keep(attempt)
            raise
        if isinstance(bought, Rejected):
            await self._release(attempt)
            attempt.renew(seconds)
        return bought

    async def _release(self, attempt: Attempt) -> None:
        """Releases the hold of an answer that was not made. Without it, the hold ends by itself."""
        try:
            hold = self.engine.machine.call("purchase.names", purchase=attempt.purchase, part=0)["answer"]
            proof = await self.engine.proof({"release": hold})
            body = json.dumps({"channel": self.engine.channel, "proof": proof}).encode()
            headers = {"content-type": "application/json"}
            await self.engine.calls.exchange("POST", f"/v1/holds/{hold}/release", headers, body)
        except MotifError:
            pass

    def check_cost(self, cost: int) -> None:
        """Raises `PriceTooHigh` if a cost exceeds the maximum."""
        if self.max_price is not None and cost > self.max_price:
            message = f"the answer costs up to {cost} base units: expected at most {self.max_price}"
            raise PriceTooHigh(message, cost, self.max_price)

    async def _license(self, tag: JSON) -> JSON:
        """Returns the license that pays, and its conditions."""
        machine = self.engine.machine
        plan = machine.judge("paywall.license", price_tag=tag, now=now())
        units = plan["units"].get("exactly") or plan["units"].get("at_most")
        tagged = {} if self.tag is None else {"tag": self.tag}
        machine.call("payer.check", license=plan["license"], units=units, now=now(), **tagged)
        return plan

    def _attempt(self, request: Outgoing, plan: JSON, seconds: int) -> Attempt:
        digest = _core.shared().call("request.digest", request.body, method=request.method, target=request.target)
        digest = digest["digest"]
        key = next((value for name, value in request.headers if name.lower() == KEY), None)
        if key is not None and not (8 <= len(key) <= 128 and all("!" <= letter <= "~" for letter in key)):
            raise InvalidInput("invalid idempotency-key: expected 8 to 128 visible ASCII characters")
        purchase = purchase_of(int(plan["license"]), plan["units"], digest, seconds, key)
        return self.purchases.begin(Attempt(purchase, key is not None))

    async def asking(self, request: Outgoing, purchase: JSON) -> Outgoing:
        """Returns the request with a signed hold."""
        proof = await self.engine.proof({"hold": purchase})
        payment = self.engine.machine.call("purchase.ask", purchase=purchase, proof=proof)["header"]
        own = tuple(one for one in request.headers if not _is_own(one[0]))
        return replace(request, headers=own + self._headers(purchase, payment))

    def paying(self, request: Outgoing, purchase: JSON, part: int, voucher: JSON) -> Outgoing:
        """Returns the request that shows a voucher, without headers and body of the first."""
        call = self.engine.machine.call
        payment = call("purchase.pay", purchase=purchase, part=part, voucher=voucher)["header"]
        return replace(request, headers=self._headers(purchase, payment), body=b"")

    def _headers(self, purchase: JSON, payment: str) -> tuple[tuple[str, str], ...]:
        # Receipts have the digest of the unencoded body. The key also routes a payment among several gateways.
        headers = ((PAYMENT, payment), (KEY, purchase["key"]), ("accept-encoding", "identity"))
        return headers if self.api_key is None else (*headers, ("motif-api-key", self.api_key))

    async def _fetch(self, request: Outgoing, attempt: Attempt, seconds: int) -> Bought | Rejected:
        """Asks for an answer and pays for it. Repeating is safe: a key names one answer, and a voucher pays once."""
        await self.engine.settle_unanswered()
        attempt.paid = attempt.paid or self.engine.take_recovered(attempt.purchase["request_digest"])
        if attempt.paid is not None:
            return await self._collect(request, attempt.purchase, attempt.paid)
        begun = time.monotonic()
        while True:
            purchase = attempt.purchase
            answer, body = await self.patiently(await self.asking(request, purchase))
            if answer.is_success:
                header = answer.headers.get(RECEIPT)
                parts = self.engine.machine.judge("purchase.earlier", body, purchase=purchase, header=header)["receipt"]
                return self._bought(answer, body, Receipt.from_parts(parts))
            required = answer.headers.get(REQUIRED) if answer.status == 402 else None
            due = None
            if required is not None:
                due = read_required(required).get("due")
            if due is not None:
                attempt.paid = await self.pay_due(purchase, 0, due)
                return await self._collect(request, purchase, attempt.paid)
            problem = motif_problem(body)
            waits = {"answer-running": RUNNING_SECONDS, "too-many-unpaid": self.engine.calls.patience}
            if problem is None:
                return Rejected(answer, body)
            if time.monotonic() - begun >= waits.get(problem.type, 0.0):
                raise refusal_of(problem)
            await Sleep(PAUSE)
            if problem.type == "too-many-unpaid":
                attempt.renew(seconds)  # the paywall has released the hold

    async def _collect(self, request: Outgoing, purchase: JSON, paid: Paid) -> Bought:
        """Shows the voucher that paid for an answer; returns the answer."""
        receipt = paid.receipts[0]
        answer, body = await self.patiently(self.paying(request, purchase, 0, paid.voucher))
        check_paid(answer, body)
        check_answer(answer, body, receipt)
        return self._bought(answer, body, receipt)

    async def pay_due(self, purchase: JSON, part: int, due: JSON) -> Paid:
        """Pays for a ready answer or part, for the requested units at most and at the license's price."""
        generation = self.engine.machine.judge("purchase.due", purchase=purchase, part=part, due=due)["generation"]
        return await self.engine.pay([generation], self.tag)

    async def _open(self, request: Outgoing, purchase: JSON, part_cost: int) -> Opened | Rejected:
        await self.engine.settle_unanswered()
        answer = await Send(await self.asking(request, purchase))
        if answer.is_success:
            return Opened(answer, purchase, part_cost)
        body = await Read(answer, self.max_bytes)
        problem = motif_problem(body)
        if problem is None:
            return Rejected(answer, body)
        raise refusal_of(problem)

    async def patiently(self, request: Outgoing) -> tuple[Answer, bytes]:
        """Sends a request and reads the answer; repeats it while the gateway client's patience lasts."""
        deadline = time.monotonic() + self.engine.calls.patience
        while True:
            try:
                answer = await Send(request)
                return answer, await Read(answer, self.max_bytes)
            except Unreachable:
                if time.monotonic() >= deadline:
                    raise
            await Sleep(0.2)

    def _bought(self, answer: Answer, body: bytes, receipt: Receipt) -> Bought:
        self.report(receipt)
        return Bought(answer, body, receipt)

    def report(self, receipt: Receipt) -> None:
        """Hands a verified receipt to the caller's function."""
        if self.on_receipt is not None:
            self.on_receipt(receipt)


def _is_own(name: str) -> bool:
    name = name.lower()
    return name in OWN_HEADERS or name.startswith("motif-")


def read_required(header: str) -> JSON:
    """Returns the payment that a 402 requires: a `price-tag` or a `due`."""
    return _core.shared().judge("payment_required.read", header=header)[0]


def check_answer(answer: Answer, body: bytes, receipt: Receipt) -> None:
    """Raises `Untrusted` if an answer does not carry the receipt that paid, or the body that the receipt names."""
    _core.shared().judge("purchase.answer", body, receipt=receipt.parts, header=answer.headers.get(RECEIPT))


def check_paid(answer: Answer, body: bytes) -> None:
    """Raises an error if the answer to a payment is none. The payment was made."""
    if answer.is_success:
        return
    problem = motif_problem(body)
    if problem is not None:
        raise after_payment(refusal_of(problem))
    raise Untrusted(f"a paid answer was refused with status {answer.status}")


_types: frozenset[str] | None = None


def motif_problem(body: bytes) -> Problem | None:
    """Returns the problem document of a paywall; `None` for a body of the server behind it."""
    global _types
    if _types is None:
        _types = frozenset(one["type"] for one in _core.shared().call("version")["problem_types"])
    try:
        problem = Problem.parse(json.loads(body))
    except ValueError:
        return None
    return problem if problem is not None and problem.type in _types else None
