"""Purchases of a payer that a later request continues, also through another transport of the same payer."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ._engine import Engine, Paid, now
from ._machine import JSON
from ._sansio import Host, Wait, Waiter, resolve

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

    def __post_init__(self) -> None:
        self._key: str = self.purchase["key"]

    @property
    def name(self) -> tuple[str, str, str | None]:
        """What the same request has in common: URL, digest, and the caller's key."""
        return self.url, self.purchase["request_digest"], self._key if self.is_named else None

    @property
    def is_over(self) -> bool:
        """Whether it cannot be continued any more."""
        return self.purchase["expires_at"] + (PAID_SECONDS if self.paid else 0) <= now()

    def renew(self, seconds: int) -> None:
        """Begins again after a failure that cost nothing, whose hold's name is used up."""
        self.purchase = self.purchase | {"key": secrets.token_hex(16), "expires_at": now() + seconds}
        self.is_known = False


class Purchases:
    """Purchases whose outcome is unknown, and those whose idempotency key the caller chose."""

    def __init__(self) -> None:
        self._unfinished: deque[Attempt] = deque(maxlen=MAX_UNFINISHED)
        self._named: dict[Any, Attempt] = {}
        self._running: dict[Any, list[Waiter[None]]] = {}
        self._lock = threading.Lock()

    @staticmethod
    def of(engine: Engine[Any]) -> Purchases:
        """Returns the purchases of a payer."""
        with _lock:
            return _purchases.setdefault(engine, Purchases())

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
