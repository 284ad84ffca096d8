"""Drives a payer's machine: one request under way, while further payments gather.

The driving coroutine runs while there is something to do. Callers add payments to the inbox and wait for their tickets.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import base58
from ._calls import FIRST_PAUSE, LONGEST_PAUSE, GatewayCalls, Headers
from ._log import log
from ._machine import JSON, Machine
from ._refusals import error_of
from ._rpc import RpcCalls
from ._sansio import Arrival, Blocking, Host, Resolved, Sleep, Wait, Waiter, resolve
from ._statefile import StateFile
from .errors import CoreFailed, InvalidInput, MotifError, SignerFailed, Unanswered, Unreachable
from .receipts import Receipt
from .signer import Signer

GATHER_PART = 8
"""Part of a round trip for which the next batch waits for the callers of the last one."""
LONGEST_GATHER = 0.01
MAX_RECOVERED = 1_000
"""Number of payments without a caller whose receipts are kept in memory; the state file has all."""
READ_VALID, READ_REUSED = 900, 300
"""Seconds for which a reader's proof is valid, and reused. Clocks differ."""

HostT = TypeVar("HostT", bound=Host)


@dataclass(frozen=True)
class Paid:
    """Verified receipts of a payment, and the JSON of the voucher that paid."""

    receipts: list[Receipt]
    voucher: JSON


@dataclass
class _Flight:
    """Course of a batch."""

    answered: int = 0
    gathered: int = 0
    round_trip: float = 0.0


@dataclass
class _Inbox:
    """Payments that the machine has not got yet, and what waits for payments and doubts."""

    next_ticket: int = 0
    payments: list[tuple[int, list[JSON], str | None]] = field(
        default_factory=list[tuple[int, list[JSON], "str | None"]]
    )
    waiters: dict[int, Waiter[Paid]] = field(default_factory=dict[int, "Waiter[Paid]"])
    doubtful: list[Waiter[None]] = field(default_factory=list["Waiter[None]"])
    is_driven: bool = False


def now() -> int:
    """Returns the present unix second."""
    return int(time.time())


class Engine(Generic[HostT]):
    """Payer of one channel, for threads or for one event loop."""

    def __init__(
        self,
        channel: str,
        machine: Machine,
        calls: GatewayCalls,
        signer: Signer,
        file: StateFile | None,
        host: HostT,
        rpc: RpcCalls | None,
    ) -> None:
        self.channel: str = channel
        self.machine: Machine = machine
        self.calls: GatewayCalls = calls
        self.signer: Signer = signer
        self.file: StateFile | None = file
        self.host: HostT = host
        self.rpc: RpcCalls | None = rpc
        """Node that has the channel; `None` if its data was given."""
        self._recovered: deque[Paid] = deque(maxlen=MAX_RECOVERED)
        self._public_key = Ed25519PublicKey.from_public_bytes(base58.decode(signer.address, 32))
        self._inbox, self._lock = _Inbox(), threading.Lock()
        self._reader: tuple[int, str] | None = None
        self._given_up: list[tuple[int, MotifError]] = []

    # Callers.

    async def open(self) -> None:
        """Compares the machine with the gateway, and settles what is in doubt.

        Raises `Untrusted` if the gateway claims a statement that the key did not sign.
        """
        state = await self.calls.open_channel(self.channel, await self.reader_headers())
        self.machine.compare(state)
        await self._rewrite()
        status = self.machine.status()
        if status["is_unanswered"] or status["waiting"] > 0:
            await self._settle_doubts()
            self.machine.compare(await self._channel_state())
            await self._rewrite()

    async def pay(self, generations: list[JSON], tag: str | None) -> Paid:
        """Pays with the next batch, and waits for the result."""
        self._check_file()
        waiter = self.host.waiter()
        with self._lock:
            inbox = self._inbox
            ticket, inbox.next_ticket = inbox.next_ticket, inbox.next_ticket + 1
            inbox.waiters[ticket] = waiter
            inbox.payments.append((ticket, generations, tag))
            is_new, inbox.is_driven = not inbox.is_driven, True
        self._start(is_new)
        try:
            return await Wait(waiter)
        except BaseException:
            self._leave(ticket, waiter)
            raise

    def _leave(self, ticket: int, waiter: Waiter[Paid]) -> None:
        """Keeps the receipts of a payment for its caller's next attempt, if the caller has stopped waiting."""
        with self._lock:
            is_open = self._inbox.waiters.pop(ticket, None) is not None
            if not is_open and waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._recovered.append(waiter.result())

    async def resume(self) -> list[Receipt]:
        """Repeats an unanswered batch; returns the newest receipts whose callers had stopped waiting."""
        await self.settle_unanswered()
        with self._lock:
            receipts = [receipt for paid in self._recovered for receipt in paid.receipts]
            self._recovered.clear()
            return receipts

    async def settle_unanswered(self) -> None:
        """Repeats an unanswered batch."""
        if self.machine.status()["is_unanswered"]:
            await self._settle_doubts()

    def take_recovered(self, request_digest: str) -> Paid | None:
        """Returns and forgets the payment of one request whose caller had stopped waiting."""
        with self._lock:
            for paid in self._recovered:
                if [receipt.request_digest for receipt in paid.receipts] == [request_digest]:
                    self._recovered.remove(paid)
                    return paid
        return None

    async def read_account(self) -> bytes:
        """Returns the data of the channel's account from the chain."""
        if self.rpc is None:
            raise InvalidInput("the payer was opened with an account: expected the account's new data")
        return (await self.rpc.decoded(self.channel, "channel"))[1]

    async def refresh(self, account: bytes | None = None) -> None:
        """Adds licenses and deposits that are new on chain, and drops what has settled."""
        account = account or await self.read_account()
        self.machine.call("payer.refresh", account=base64.b64encode(account).decode())
        await self.calls.open_channel(self.channel, await self.reader_headers())

    async def change_state(self, effects: list[JSON]) -> None:
        """Saves the frames of effects durably."""
        for effect in effects:
            if effect["effect"] == "save":
                await self._save(effect)

    async def proof(self, action: Any) -> JSON:
        """Returns the proof of a request that the payer's key signs."""
        issued_at = now()
        message = self.machine.call("payer.request", action=action, issued_at=issued_at)["message"]
        signature = await self._signature(bytes.fromhex(message))
        return {"signer": self.signer.address, "issued_at": issued_at, "signature": signature.hex()}

    async def reader_headers(self) -> Headers:
        """Returns the header that shows the channel's state to its payer. It is reused for five minutes."""
        if self._reader is None or not 0 <= now() - self._reader[0] < READ_REUSED:
            expires_at = now() + READ_VALID
            proof = await self.proof({"read": expires_at})
            header = self.machine.call("payer.reader_header", expires_at=expires_at, proof=proof)["header"]
            self._reader = (proof["issued_at"], header)
        return {"motif-reader": self._reader[1]}

    async def read(self, path: str) -> Any:
        """Returns the JSON of a path below the channel's, which is shown to its payer."""
        return await self.calls.json("GET", f"/v1/channels/{self.channel}{path}", headers=await self.reader_headers())

    def _channel_state(self) -> Coroutine[Any, Any, JSON]:
        return self.read("")

    async def _settle_doubts(self) -> None:
        waiter: Waiter[None] = self.host.waiter()
        with self._lock:
            self._inbox.doubtful.append(waiter)
            is_new, self._inbox.is_driven = not self._inbox.is_driven, True
        self._start(is_new)
        await Wait(waiter)

    def _start(self, is_new: bool) -> None:
        if not is_new:
            self.host.notify()
            return
        try:
            self.host.start(self._drive)
        except BaseException:
            self._abandon(Unanswered())
            raise

    # The driving coroutine.

    async def _drive(self) -> None:
        try:
            while True:
                try:
                    flight = await self._step()
                    if flight is not None:
                        if not self.machine.status()["has_doubts"]:
                            self._reply_doubtful(None)
                        await self._gather(flight)
                        continue
                    self._reply_doubtful(None)
                except MotifError as error:
                    self._fail_waiting(error)
                if self.file is not None and self.file.failure is None:
                    await Blocking(self.file.flush)
                with self._lock:
                    if not self._inbox.payments and not self._inbox.doubtful:
                        self._inbox.is_driven = False
                        return
        except BaseException as error:
            self._abandon(
                error if isinstance(error, MotifError) else CoreFailed("the payer has stopped: open it again")
            )
            raise

    async def _step(self) -> _Flight | None:
        """Sends one batch; returns `None` if there is nothing to send."""
        self._check_file()  # what is unanswered may not be saved
        if self.file is not None and self.file.is_long:
            await self._rewrite()
        self._submit()
        request = self.machine.call("payer.resend")["request"]
        if request is not None:
            # Sent before, by a driver that has ended.
            self.machine.call("payer.lose_answer")
            effects: list[JSON] = [{"effect": "send", **request}]
        else:
            effects = self.machine.effects("payer.next", now=now())
        return await self._execute(effects) if effects else None

    def _submit(self) -> None:
        """Gives the payments that have arrived to the machine, except those that no caller awaits."""
        with self._lock:
            inbox = self._inbox
            arrived, inbox.payments = inbox.payments, []
            payments = [one for one in arrived if self._is_awaited(one[0])]
            for ticket in {one[0] for one in arrived} - {one[0] for one in payments}:
                inbox.waiters.pop(ticket, None)
        for ticket, generations, tag in payments:
            tagged = {} if tag is None else {"tag": tag}
            try:
                self.machine.call("payer.pay", ticket=ticket, generations=generations, **tagged)
            except CoreFailed:
                self._reply(ticket, Unanswered())
                raise
            except MotifError as error:
                self._reply(ticket, error)

    def _is_awaited(self, ticket: int) -> bool:
        waiter = self._inbox.waiters.get(ticket)
        return waiter is not None and self.host.claim(waiter)

    async def _execute(self, effects: list[JSON]) -> _Flight:
        queue, flight = list(reversed(effects)), _Flight()
        while queue:
            effect = queue.pop()
            kind, more = effect["effect"], list[JSON]()
            if kind == "sign":
                more = await self._sign(bytes.fromhex(effect["message"]))
            elif kind == "save":
                await self._save(effect)  # nothing is sent that is not saved
            elif kind == "send":
                more = await self._send(effect, flight)
                flight.gathered = len(self._inbox.payments)
            elif kind == "paid":
                paid = Paid([Receipt.from_parts(parts) for parts in effect["receipts"]], effect["voucher"])
                if effect["ticket"] is None:
                    with self._lock:
                        self._recovered.append(paid)
                else:
                    flight.answered += 1
                    self._reply(effect["ticket"], paid)
            elif kind == "failed":
                flight.answered += 1
                self._reply(effect["ticket"], error_of(effect["error"]))
            elif kind == "compare":
                try:
                    more = self.machine.compare(await self._channel_state())
                except CoreFailed:
                    raise
                except MotifError:
                    pass  # the next refusal is reported to the callers
            queue.extend(reversed(more))
        return flight

    async def _sign(self, message: bytes) -> list[JSON]:
        try:
            signature = await self._signature(message)
        except MotifError as error:
            self._reply_all(self.machine.tickets("payer.withdraw"), error)
            return []
        return self.machine.effects("payer.signed", signature=signature.hex())

    async def _signature(self, message: bytes) -> bytes:
        try:
            signature = await Resolved(self.signer.sign(message))
        except MotifError:
            raise
        except Exception as error:
            raise SignerFailed(f"cannot sign: {type(error).__name__}") from error
        try:
            self._public_key.verify(signature, message)
        except (InvalidSignature, TypeError, ValueError):
            raise SignerFailed(f"the signer has signed with another key than {self.signer.address}") from None
        return signature

    async def _send(self, request: JSON, flight: _Flight) -> list[JSON]:
        """Sends a batch until it is answered, as long as the patience lasts."""
        deadline, pause = time.monotonic() + self.calls.patience, FIRST_PAUSE
        path = f"/v1/channels/{self.channel}/batches"
        headers = {"idempotency-key": request["key"], "content-type": "application/json"}
        while True:
            begun = time.monotonic()
            is_last = begun >= deadline
            try:
                reply = await self.calls.exchange("POST", path, headers, request["body"].encode())
            except Unreachable as error:
                self.machine.call("payer.lose_answer")
                if is_last:
                    raise
                log.debug("a batch of channel %s is repeated: %s", self.channel, error)
            else:
                flight.round_trip = time.monotonic() - begun
                is_transient = not reply.is_success and self._is_transient(reply.status, reply.body)
                if is_last or not is_transient:
                    return self._answered(reply.status, reply.body)
                log.debug("a batch of channel %s is repeated after status %d", self.channel, reply.status)
            await Sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _is_transient(self, status: int, body: bytes) -> bool:
        return bool(self.machine.core.call("payer.is_transient", body, status=status)["is_transient"])

    def _answered(self, status: int, body: bytes) -> list[JSON]:
        try:
            return self.machine.effects("payer.answered", body, status=status, now=now())
        except CoreFailed:
            raise
        except MotifError as error:
            effects = self.machine.effects("payer.give_up")
            if not self.machine.status()["is_unanswered"]:
                return effects
            failed = (effect for effect in effects if effect["effect"] == "failed")
            self._given_up = [(effect["ticket"], error_of(effect["error"])) for effect in failed]
            raise error

    async def _gather(self, flight: _Flight) -> None:
        """Waits for the callers of the last batch, who often pay again at once: all share one round trip then."""
        target = flight.gathered + flight.answered
        deadline = time.monotonic() + min(LONGEST_GATHER, flight.round_trip / GATHER_PART)
        while len(self._inbox.payments) < target:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            await Arrival(left)

    # The state file.

    def _check_file(self) -> None:
        if self.file is not None and self.file.failure is not None:
            raise self.file.failure

    async def _save(self, effect: JSON) -> None:
        file = self.file
        if file is None:
            return
        frame, is_urgent = base64.b64decode(effect["frame"]), bool(effect["is_urgent"])
        if is_urgent:
            await Blocking(lambda: file.append(frame, True))
        else:
            file.append(frame, False)  # in memory until the next urgent one, or the end of the driver

    async def _rewrite(self) -> None:
        file = self.file
        if file is not None:
            await Blocking(lambda: file.rewrite(self.machine.snapshot))

    # Replies.

    def _reply(self, ticket: int, result: Paid | MotifError) -> None:
        with self._lock:
            waiter = self._inbox.waiters.pop(ticket, None)
            is_taken = waiter is not None and resolve(waiter, result)
            if not is_taken and isinstance(result, Paid):
                self._recovered.append(result)

    def _reply_all(self, tickets: list[int], error: MotifError) -> None:
        for ticket in tickets:
            self._reply(ticket, error)

    def _reply_doubtful(self, error: MotifError | None) -> None:
        with self._lock:
            doubtful, self._inbox.doubtful = self._inbox.doubtful, []
        for waiter in doubtful:
            resolve(waiter, error)

    def _fail_waiting(self, error: MotifError) -> None:
        """Fails all who wait, because an earlier batch is unanswered or the file has failed."""
        is_broken = isinstance(error, CoreFailed) or (self.file is not None and self.file.failure is not None)
        if not isinstance(error, CoreFailed):
            self._submit()
            self._reply_all(self.machine.tickets("payer.drop_waiting"), error if is_broken else Unanswered())
            self._reply_doubtful(error)
            # Callers of the batch come last: what they do next is a new attempt.
            given_up, self._given_up = self._given_up, []
            for ticket, cause in given_up:
                self._reply(ticket, cause)
            self._reply_all(self.machine.tickets("payer.withdraw"), error)
            self._reply_all(self.machine.tickets("payer.abandon"), error)
            return
        self._abandon(error, keeps_driving=True)

    def _abandon(self, error: MotifError, keeps_driving: bool = False) -> None:
        """Fails everything that waits, after the driver has ended early."""
        with self._lock:
            waiters, self._inbox.waiters, self._inbox.payments = self._inbox.waiters, {}, []
            self._inbox.is_driven = keeps_driving
        for waiter in waiters.values():
            resolve(waiter, error)
        self._reply_doubtful(error)


def generation_of(license: int, units: int, request_digest: str, output_digest: str) -> JSON:
    """Returns a generation as the rules read it."""
    return {"license": license, "units": units, "request_digest": request_digest, "output_digest": output_digest}
