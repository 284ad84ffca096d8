"""Places of a channel's requests at paywalls, which limit its unpaid answers. The limit is not announced: each refusal
takes one place away, and paid answers add places again."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

from ._engine import Engine
from ._log import log
from ._sansio import Host, Wait, Waiter, resolve
from .errors import Problem, Refused

FIRST_PLACES = 8
"""Default of a gateway's limit."""
PAID_BEFORE_TRIAL = 64
"""Number of paid answers after which another place is tried, once a request was refused."""


class Places:
    """Places of one channel, first come, first served."""

    def __init__(self) -> None:
        self._count, self._taken, self._paid, self._is_limited = FIRST_PLACES, 0, 0, False
        self._waiting, self._lock = deque[Waiter[None]](), threading.Lock()

    @staticmethod
    def of(engine: Engine[Any]) -> Places:
        """Returns the places of a payer's channel."""
        with _lock:
            return _places.setdefault(engine, Places())

    async def take(self, host: Host, deadline: float) -> None:
        """Waits for a place until `deadline`, a monotonic time. Each taken place is released once.

        Raises `Refused` with `too-many-unpaid`.
        """
        with self._lock:
            if self._taken < self._count:
                self._taken += 1
                return
            waiter: Waiter[None] = host.waiter()
            self._waiting.append(waiter)
        try:
            await Wait(waiter, max(0.0, deadline - time.monotonic()))
        except BaseException as error:
            with self._lock:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                elif waiter.done() and not waiter.cancelled():
                    self._release()
            if isinstance(error, TimeoutError):
                detail = "other requests of this channel are not paid for yet"
                raise Refused(Problem("too-many-unpaid", "too many unpaid answers", 429, detail)) from None
            raise

    def release(self) -> None:
        """Gives a place to the next request."""
        with self._lock:
            self._release()

    def note_paid(self) -> None:
        """Notes that an answer was paid for."""
        with self._lock:
            if self._taken < self._count:
                return
            self._paid += 1
            if self._paid >= (PAID_BEFORE_TRIAL if self._is_limited else 1):
                self._count, self._paid = self._count + 1, 0
                self._admit()

    def note_refused(self) -> None:
        """Notes that a request was refused for want of a place."""
        with self._lock:
            self._is_limited, self._paid = True, 0
            self._count = max(1, self._count - 1)
            log.debug("a paywall refuses another unpaid answer: %d places are left", self._count)

    def _release(self) -> None:
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._taken < self._count and self._waiting:
            self._taken += resolve(self._waiting.popleft(), None)


_places: WeakKeyDictionary[Engine[Any], Places] = WeakKeyDictionary()
_lock = threading.Lock()
