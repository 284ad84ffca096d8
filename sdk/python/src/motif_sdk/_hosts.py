"""Executors of commands: threads with httpx.Client, and asyncio with httpx.AsyncClient."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import httpx

from ._sansio import Arrival, Blocking, Command, Exchange, Reply, Resolved, Sleep, Wait, Waiter, arun, run
from .errors import InvalidInput, ProcessForked, Unreachable, Untrusted

T = TypeVar("T")

CONNECT_SECONDS = 10.0
MAX_REPLY = 64 << 20
"""Maximum size of an answer, bytes."""


@functools.cache
def tls_context(trust_env: bool) -> ssl.SSLContext:
    """Returns the settings of all TLS connections. To read the certificates for each client takes tens of milliseconds.

    With `trust_env`, certificates are those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, as for httpx.
    """
    return httpx.create_ssl_context(trust_env=trust_env)


class _Closable:
    """Base of hosts, which execute nothing once they are closed, and nothing in a forked process."""

    def __init__(self) -> None:
        self._is_closed, self._process = False, os.getpid()

    def check_process(self) -> None:
        """Raises `ProcessForked` in another process: connections and threads are of the first one."""
        if self._process != os.getpid():
            raise ProcessForked

    def _check(self, protocol: Coroutine[Any, Any, Any]) -> None:
        try:
            self.check_process()
        except ProcessForked:
            protocol.close()  # it was not begun
            raise

    def _check_open(self) -> None:
        self.check_process()
        if self._is_closed:
            raise InvalidInput("the client is closed")


class SyncHost(_Closable):
    """Executes commands in threads. One background thread drives the payments."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        super().__init__()
        self._client = client or httpx.Client(trust_env=False, verify=tls_context(False))
        self._owns_client = client is None
        self._arrived = threading.Event()
        self._driver: concurrent.futures.ThreadPoolExecutor | None = None

    def run(self, protocol: Coroutine[Any, Any, T]) -> T:
        """Runs a protocol. Raises `ProcessForked`."""
        self._check(protocol)
        return run(protocol, self.execute)

    def execute(self, command: Command[Any]) -> Any:
        """Executes a command."""
        if isinstance(command, Exchange):
            self._check_open()
            try:
                return self._exchange(command)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise unreachable(command.url, error) from None
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
                return future.result(command.seconds)
            except BaseException as error:
                future.cancel()  # has an effect only if the caller was interrupted
                if isinstance(error, concurrent.futures.TimeoutError):
                    raise TimeoutError from None
                raise
        raise TypeError(f"unknown command {command!r}")

    def _exchange(self, command: Exchange) -> Reply:
        deadline, body = time.monotonic() + command.seconds, bytearray()
        with self._client.stream(**arguments_of(command, self._owns_client)) as answer:
            for chunk in answer.iter_bytes():
                extend(body, chunk)
                if time.monotonic() >= deadline:
                    raise Unreachable(shown(command.url), "it takes too long")
        return reply_of(answer, body)

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
        """Waits for the background thread and closes the connections. Does nothing in a forked process."""
        if self._process != os.getpid():
            return
        if self._driver is not None:
            self._driver.shutdown()
        self._is_closed = True
        if self._owns_client:
            self._client.close()


class AsyncHost(_Closable):
    """Executes commands in one event loop. A task drives the payments."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        super().__init__()
        self._client = client or httpx.AsyncClient(trust_env=False, verify=tls_context(False))
        self._owns_client = client is None
        self._arrived = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    async def run(self, protocol: Coroutine[Any, Any, T]) -> T:
        """Runs a protocol. Raises `ProcessForked`."""
        self._check(protocol)
        return await arun(protocol, self.execute)

    async def execute(self, command: Command[Any]) -> Any:
        """Executes a command."""
        if isinstance(command, Exchange):
            self._check_open()
            try:
                return await asyncio.wait_for(self._exchange(command), command.seconds)
            except asyncio.TimeoutError:
                raise Unreachable(shown(command.url), "it takes too long") from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise unreachable(command.url, error) from None
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
            try:
                return await asyncio.wait_for(cast("asyncio.Future[Any]", command.waiter), command.seconds)
            except asyncio.TimeoutError:
                raise TimeoutError from None
        raise TypeError(f"unknown command {command!r}")

    async def _exchange(self, command: Exchange) -> Reply:
        body = bytearray()
        async with self._client.stream(**arguments_of(command, self._owns_client)) as answer:
            async for chunk in answer.aiter_bytes():
                extend(body, chunk)
        return reply_of(answer, body)

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
        """Waits for the task and closes the connections. Does nothing in a forked process."""
        if self._process != os.getpid():
            return
        if self._driver is not None:
            await asyncio.wait([self._driver])
        self._is_closed = True
        if self._owns_client:
            await self._client.aclose()


def arguments_of(command: Exchange, is_own: bool) -> dict[str, Any]:
    """Returns a request's arguments for httpx. A client of the caller's keeps its own time limits."""
    headers = {"accept-encoding": "identity", **command.headers}
    arguments: dict[str, Any] = {"method": command.method, "url": command.url, "headers": headers}
    if is_own:
        arguments["timeout"] = httpx.Timeout(command.seconds, connect=min(command.seconds, CONNECT_SECONDS))
    return arguments | {"content": command.body}


def extend(body: bytearray, chunk: bytes) -> None:
    """Adds to a body. Raises `Untrusted` above its maximum size."""
    body += chunk
    if len(body) > MAX_REPLY:
        raise Untrusted(f"it exceeds {MAX_REPLY} bytes")


def reply_of(answer: httpx.Response, body: bytearray) -> Reply:
    """Returns a response with its body."""
    return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, bytes(body))


def unreachable(url: str, error: Exception) -> Unreachable:
    """Returns the error of a request without an answer. Errors of headers and URLs would show them."""
    is_told = isinstance(error, httpx.TransportError) and not isinstance(error, httpx.LocalProtocolError)
    return Unreachable(shown(url), (str(error) if is_told else "") or type(error).__name__)


def shown(url: str) -> str:
    """Returns the origin of a URL: the rest may contain secrets."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2]}"
