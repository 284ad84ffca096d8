"""Commands: what a protocol wants done, for threads and for asyncio.

Protocols are coroutines that await commands and nothing else. A host executes each command, blocking or in an event
loop, so that one text of a protocol serves both.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

T = TypeVar("T")
ResultT = TypeVar("ResultT", contravariant=True)


class Command(Generic[T]):
    """Base of commands; awaiting one returns its result."""

    def __await__(self) -> Generator[Command[T], T, T]:
        return (yield self)


@dataclass(frozen=True)
class Reply:
    """Answer to an HTTP request, with its whole body. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Exchange(Command[Reply]):
    """Sends an HTTP request once. Raises `Unreachable`, and `Untrusted` for an answer of hostile size."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    seconds: float = 180.0
    """Time limit, by default longer than a gateway needs to confirm a transaction."""


@dataclass(frozen=True)
class Sleep(Command[None]):
    """Waits."""

    seconds: float


@dataclass(frozen=True)
class Blocking(Command[T]):
    """Calls a function that takes long: it waits for a disk or a lock, compiles a module, or reads a whole file."""

    work: Callable[[], T]


@dataclass(frozen=True)
class Arrival(Command[bool]):
    """Waits until a payment has arrived since the last time; returns whether one has."""

    seconds: float


@dataclass(frozen=True)
class Resolved(Command[T]):
    """Waits for a value that may be awaitable, such as a signature of a remote key."""

    value: T | Awaitable[T]


@dataclass(frozen=True)
class Wait(Command[T]):
    """Waits for the result of a `Waiter`. Raises `TimeoutError` after `seconds`."""

    waiter: Waiter[T]
    seconds: float | None = None


class Waiter(Protocol[ResultT]):
    """Future of a host: `concurrent.futures.Future` or `asyncio.Future`."""

    def cancelled(self) -> bool: ...
    def done(self) -> bool: ...
    def exception(self) -> BaseException | None: ...
    def result(self) -> Any: ...
    def set_result(self, result: ResultT, /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


class Host(Protocol):
    """Executes a payer's background work."""

    def check_process(self) -> None:
        """Raises `ProcessForked` in another process than the one that created the host."""
        ...

    def waiter(self) -> Waiter[Any]:
        """Creates a future."""
        ...

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts the driving coroutine, in the background."""
        ...

    def notify(self) -> None:
        """Ends a waiting `Arrival`."""
        ...

    def claim(self, waiter: Waiter[Any]) -> bool:
        """Returns whether a caller still waits; the waiter cannot be cancelled afterwards if the host supports it."""
        ...


def resolve(waiter: Waiter[Any], result: Any) -> bool:
    """Hands a result, or an exception, to a caller; returns whether the caller has not stopped waiting."""
    try:
        if isinstance(result, BaseException):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
    except (concurrent.futures.InvalidStateError, asyncio.InvalidStateError):
        return False
    return True


Protocol_ = Coroutine[Any, Any, T]


def run(protocol: Protocol_[T], execute: Callable[[Command[Any]], Any]) -> T:
    """Runs a protocol with a blocking executor."""
    step: Callable[[], Any] = lambda: protocol.send(None)  # noqa: E731
    try:
        while True:
            try:
                command = cast("Command[Any]", step())
            except StopIteration as stop:
                return stop.value
            try:
                value = execute(command)
            except BaseException as error:
                step = _thrower(protocol, error)
            else:
                step = _sender(protocol, value)
    finally:
        protocol.close()


async def arun(protocol: Protocol_[T], execute: Callable[[Command[Any]], Awaitable[Any]]) -> T:
    """Runs a protocol with an executor of an event loop."""
    step: Callable[[], Any] = lambda: protocol.send(None)  # noqa: E731
    try:
        while True:
            try:
                command = cast("Command[Any]", step())
            except StopIteration as stop:
                return stop.value
            try:
                value = await execute(command)
            except BaseException as error:
                step = _thrower(protocol, error)
            else:
                step = _sender(protocol, value)
    finally:
        protocol.close()


def _sender(protocol: Protocol_[Any], value: Any) -> Callable[[], Any]:
    return lambda: protocol.send(value)


def _thrower(protocol: Protocol_[Any], error: BaseException) -> Callable[[], Any]:
    return lambda: protocol.throw(error)
