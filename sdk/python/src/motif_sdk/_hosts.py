"""Executors of commands: threads with httpx.Client, and asyncio with httpx.AsyncClient."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import httpx

from ._sansio import Arrival, Blocking, Command, Exchange, Reply, Resolved, Sleep, Wait, Waiter, arun, run
from .errors import InvalidInput, Unreachable

T = TypeVar("T")

TIMEOUT = httpx.Timeout(180.0, connect=10.0)
"""Longer than a gateway needs to confirm a transaction."""


class _Closable:
    """Base of hosts, which execute nothing once they are closed."""

    _is_closed = False

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidInput("the client is closed")


class SyncHost(_Closable):
    """Executes commands in threads. One background thread drives the payments."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(timeout=TIMEOUT, trust_env=False)
        self._owns_client = client is None
        self._arrived = threading.Event()
        self._driver: concurrent.futures.ThreadPoolExecutor | None = None

    def run(self, protocol: Coroutine[Any, Any, T]) -> T:
        """Runs a protocol."""
        return run(protocol, self.execute)

    def execute(self, command: Command[Any]) -> Any:
        """Executes a command."""
        if isinstance(command, Exchange):
            self._check_open()
            try:
                answer = self._client.request(
                    command.method, command.url, headers=dict(command.headers), content=command.body
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise unreachable(command.url, error) from None
            return reply_of(answer)
        if isinstance(command, Sleep):
            return time.sleep(command.seconds)
        if isinstance(command, Blocking):
            return command.work()
        if isinstance(command, Arrival):
            has_arrived = self._arrived.wait(command.seconds)
            self._arrived.clear()
            return has_arrived
        if isinstance(command, Resolved):
            value: Any = command.value
            if inspect.isawaitable(value):
                close = getattr(value, "close", None)
                if close is not None:
                    close()
                raise InvalidInput("an asynchronous signer needs an AsyncPayer")
            return value
        if isinstance(command, Wait):
            future = cast("concurrent.futures.Future[Any]", command.waiter)
            try:
                return future.result()
            except BaseException:
                future.cancel()  # has an effect only if the caller was interrupted
                raise
        raise TypeError(f"unknown command {command!r}")

    def waiter(self) -> concurrent.futures.Future[Any]:
        """Creates a future."""
        return concurrent.futures.Future()

    def claim(self, waiter: Waiter[Any]) -> bool:
        """Returns whether a caller still waits."""
        return cast("concurrent.futures.Future[Any]", waiter).set_running_or_notify_cancel()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts the driving coroutine in the background thread."""
        self._check_open()
        if self._driver is None:
            self._driver = concurrent.futures.ThreadPoolExecutor(1, "motif-payer")
        self._driver.submit(lambda: self.run(work()))

    def notify(self) -> None:
        """Ends a waiting `Arrival`."""
        self._arrived.set()

    def close(self) -> None:
        """Waits for the background thread and closes the connections."""
        if self._driver is not None:
            self._driver.shutdown()
        self._is_closed = True
        if self._owns_client:
            self._client.close()


class AsyncHost(_Closable):
    """Executes commands in one event loop. A task drives the payments."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
        self._owns_client = client is None
        self._arrived = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    async def run(self, protocol: Coroutine[Any, Any, T]) -> T:
        """Runs a protocol."""
        return await arun(protocol, self.execute)

    async def execute(self, command: Command[Any]) -> Any:
        """Executes a command."""
        if isinstance(command, Exchange):
            self._check_open()
            try:
                answer = await self._client.request(
                    command.method, command.url, headers=dict(command.headers), content=command.body
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise unreachable(command.url, error) from None
            return reply_of(answer)
        if isinstance(command, Sleep):
            return await asyncio.sleep(command.seconds)
        if isinstance(command, Blocking):
            return await asyncio.to_thread(command.work)
        if isinstance(command, Arrival):
            try:
                await asyncio.wait_for(self._arrived.wait(), command.seconds)
            except asyncio.TimeoutError:
                return False
            self._arrived.clear()
            return True
        if isinstance(command, Resolved):
            value: Any = command.value
            return await value if inspect.isawaitable(value) else value
        if isinstance(command, Wait):
            return await cast("asyncio.Future[Any]", command.waiter)
        raise TypeError(f"unknown command {command!r}")

    def waiter(self) -> asyncio.Future[Any]:
        """Creates a future."""
        return asyncio.get_running_loop().create_future()

    def claim(self, waiter: Waiter[Any]) -> bool:
        """Returns whether a caller still waits."""
        return not waiter.done()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts the driving coroutine in a task."""
        self._check_open()
        self._driver = asyncio.get_running_loop().create_task(self.run(work()), name="motif-payer")

    def notify(self) -> None:
        """Ends a waiting `Arrival`."""
        self._arrived.set()

    async def close(self) -> None:
        """Waits for the task and closes the connections."""
        if self._driver is not None:
            await asyncio.wait([self._driver])
        self._is_closed = True
        if self._owns_client:
            await self._client.aclose()


def reply_of(answer: httpx.Response) -> Reply:
    """Returns a response that was read."""
    return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)


def unreachable(url: str, error: Exception) -> Unreachable:
    """Returns the error of a request without an answer."""
    return Unreachable(shown(url), str(error) or type(error).__name__)


def shown(url: str) -> str:
    """Returns a URL without user, password and query, which may be secrets."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.split("?", 1)[0].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
