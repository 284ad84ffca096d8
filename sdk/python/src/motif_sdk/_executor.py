"""Base of the executors of a purchase's HTTP, one for each HTTP library."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ._hosts import shown
from ._purchase import Close, Read, Send
from ._sansio import Command
from ._stream import Chunk
from .errors import Unreachable, Untrusted


class Executor:
    """Executes the commands of one purchase. Those that are not HTTP are the host's of the payer.

    Methods return results, or awaitables of them if the library and the host are asynchronous.
    """

    def __init__(self, others: Callable[[Command[Any]], Any]) -> None:
        self._others = others
        self._handlers: dict[type, Callable[[Any], Any]] = {
            Send: self.send,
            Read: self.read,
            Chunk: self.chunk,
            Close: self.close,
        }

    def execute(self, command: Command[Any]) -> Any:
        """Executes a command."""
        return self._handlers.get(type(command), self._others)(command)

    def send(self, command: Send) -> Any:
        """Sends a request once; returns the `Answer`."""
        raise NotImplementedError

    def read(self, command: Read) -> Any:
        """Reads a body."""
        raise NotImplementedError

    def chunk(self, command: Chunk) -> Any:
        """Reads the next bytes of a body."""
        raise NotImplementedError

    def close(self, command: Close) -> Any:
        """Drops an answer."""
        raise NotImplementedError


def extend(body: bytearray, chunk: bytes, command: Read, url: str) -> None:
    """Adds to a body. Raises `Untrusted` above its maximum size, `Unreachable` if it is late."""
    body += chunk
    if len(body) > command.max_bytes:
        raise Untrusted("its answer exceeds this client's maximum size")
    if time.monotonic() >= command.deadline:
        raise Unreachable(shown(url), "it takes too long")
