"""Purchases of a payer that a later request continues, also through another transport of the same payer."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from ._engine import Engine, Paid, now
from ._machine import JSON
from ._sansio import Host, Wait, Waiter, resolve
from ._statefile import open_private
from .errors import StateFailed
from .receipts import Receipt

MAX_UNFINISHED = 1_000
PAID_SECONDS = 3_600
"""Time for which a paywall keeps an answer that was paid for, at least."""


@dataclass
class Attempt:
    """Purchase of one answer, and its payment once it is made."""

    url: str
    purchase: JSON
    is_named: bool = False
    """Whether the caller chose the idempotency key."""
    paid: Paid | None = None
    is_known: bool = False
    """Whether an earlier request has begun it."""
    key: str = ""
    """Key of its first hold: that of the caller if it is named."""
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        self.key = self.key or self.purchase["key"]

    @property
    def name(self) -> tuple[str, str, str | None]:
        """What the same request has in common: URL, digest, and the caller's key."""
        return self.url, self.purchase["request_digest"], self.key if self.is_named else None

    def record(self) -> JSON:
        """Returns the purchase for the log."""
        paid = self.paid and {"receipts": [one.parts for one in self.paid.receipts], "voucher": self.paid.voucher}
        common: JSON = {"id": self.id, "url": self.url, "key": self.key, "is_named": self.is_named}
        return common | {"purchase": self.purchase, "paid": paid}

    @classmethod
    def of_record(cls, record: JSON) -> Attempt:
        """Returns the purchase of a record."""
        paid: JSON | None = record["paid"]
        made = Paid([Receipt.from_parts(one) for one in paid["receipts"]], paid["voucher"]) if paid else None
        return cls(record["url"], record["purchase"], record["is_named"], made, True, record["key"], record["id"])

    @property
    def is_over(self) -> bool:
        """Whether it cannot be continued any more."""
        return self.purchase["expires_at"] + (PAID_SECONDS if self.paid else 0) <= now()

    def renew(self, seconds: int) -> None:
        """Begins again after a failure that cost nothing, whose hold's name is used up."""
        self.purchase = self.purchase | {"key": secrets.token_hex(16), "expires_at": now() + seconds}
        self.is_known = False


class PurchaseLog:
    """File beside a payer's state, whose lock it shares: a JSON record for each step of a purchase.

    It survives the end of the process. What the system had not written when it stopped is missing: nothing depends on
    it but answers that were paid for and not fetched.
    """

    MAX_LINES = 10_000

    def __init__(self, path: Path) -> None:
        self._path, self._lock, self._alive = path, threading.Lock(), dict[str, JSON]()
        for line in path.read_bytes().splitlines() if path.exists() else []:
            try:
                record: JSON = json.loads(line)
                if not record.get("end"):
                    Attempt.of_record(record)
                self._note(record)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue  # the last one may not be whole
        self._rewrite()

    def attempts(self) -> list[Attempt]:
        """Returns the purchases that have not ended."""
        return [Attempt.of_record(record) for record in self._alive.values()]

    def write(self, record: JSON) -> None:
        """Adds a record. Raises `StateFailed`."""
        with self._lock:
            self._note(record)
            try:
                self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
                self._file.flush()
            except OSError as error:
                raise StateFailed(f"the purchases {self._path}: {error.strerror or error}") from error
            self._added += 1
            if self._added >= max(self.MAX_LINES, self._kept):
                self._rewrite()

    def _note(self, record: JSON) -> None:
        if record.get("end"):
            self._alive.pop(record["id"], None)
        else:
            self._alive[record["id"]] = record

    def _rewrite(self) -> None:
        """Replaces the file by the purchases that can be continued."""
        temporary = self._path.with_name(self._path.name + ".writing")
        self._alive = {one: record for one, record in self._alive.items() if not Attempt.of_record(record).is_over}
        try:
            self._file = open_private(temporary)
            self._file.truncate(0)
            self._file.writelines(json.dumps(record).encode() + b"\n" for record in self._alive.values())
            self._file.flush()
            os.replace(temporary, self._path)
        except OSError as error:
            raise StateFailed(f"the purchases {self._path}: {error.strerror or error}") from error
        self._kept, self._added = len(self._alive), 0


class Purchases:
    """Purchases whose outcome is unknown, and those whose idempotency key the caller chose. With a state file, they are
    kept beside it."""

    def __init__(self, log: PurchaseLog | None = None) -> None:
        self._log, known = log, log.attempts() if log is not None else []
        self._unfinished: deque[Attempt] = deque((one for one in known if not one.is_named), maxlen=MAX_UNFINISHED)
        self._named: dict[Any, Attempt] = {one.name: one for one in known if one.is_named}
        self._running: dict[Any, list[Waiter[None]]] = {}
        self._lock = threading.Lock()

    @staticmethod
    def of(engine: Engine[Any]) -> Purchases:
        """Returns the purchases of a payer."""
        with _lock:
            known = _purchases.get(engine)
            if known is None:
                path = None if engine.file is None else engine.file.path
                log = None if path is None else PurchaseLog(path.with_name(path.name + ".purchases"))
                known = _purchases[engine] = Purchases(log)
            return known

    def note(self, attempt: Attempt) -> None:
        """Logs a step of a purchase. Raises `StateFailed`."""
        if self._log is not None:
            self._log.write(attempt.record())

    def end(self, attempt: Attempt) -> None:
        """Logs that a purchase is not continued; one with a key of the caller's is, until it is too old."""
        if attempt.is_named:
            self.note(attempt)
        elif self._log is not None:
            self._log.write({"id": attempt.id, "end": True})

    def begin(self, attempt: Attempt) -> Attempt:
        """Returns the purchase that a new one continues, or the new one."""
        with self._lock:
            self._prune()
            if attempt.is_named:
                known = self._named.setdefault(attempt.name, attempt)
            else:
                known = next((one for one in self._unfinished if one.name == attempt.name), attempt)
                if known is not attempt:
                    self._unfinished.remove(known)
        known.is_known = known is not attempt
        return known

    def keep(self, attempt: Attempt) -> None:
        """Keeps a purchase whose outcome is unknown."""
        if not attempt.is_named:
            with self._lock:
                self._unfinished.append(attempt)

    @asynccontextmanager
    async def turn(self, host: Host, attempt: Attempt) -> AsyncGenerator[None, None]:
        """Holds other requests of the same caller's key back."""
        while attempt.is_named:
            with self._lock:
                waiters = self._running.setdefault(attempt.name, list[Waiter[None]]())
                if not waiters:
                    waiters.append(host.waiter())  # of this request itself
                    break
                waiter: Waiter[None] = host.waiter()
                waiters.append(waiter)
            await Wait(waiter)
        try:
            yield
        finally:
            if attempt.is_named:
                with self._lock:
                    waiters = self._running.pop(attempt.name, [])
                for one in waiters:
                    resolve(one, None)

    def _prune(self) -> None:
        for one in [one for one in self._unfinished if one.is_over]:
            self._unfinished.remove(one)
        self._named = {name: one for name, one in self._named.items() if not one.is_over}


_purchases: WeakKeyDictionary[Engine[Any], Purchases] = WeakKeyDictionary()
_lock = threading.Lock()
