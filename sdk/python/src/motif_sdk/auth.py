"""Authentication of httpx clients that pays for answers behind a paywall."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from typing import Any, cast

import httpx

from ._executor import extend
from ._purchase import Answer, Close, Read, Send
from ._sansio import Command
from .aio import AsyncPayer
from .errors import InvalidInput
from .payer import Payer
from .receipts import Receipt
from .transport import answer_of, buyer_of, outgoing_of, request_of


class MotifAuth(httpx.Auth):
    """`auth=` of an httpx client or request that pays the 402s of Motif's paywalls, except for streams.

    A `Payer` serves `httpx.Client`, an `AsyncPayer` serves `httpx.AsyncClient`. `on_receipt` gets each verified
    receipt. Requests are sent once; after an error whose outcome is unknown, the next identical request of the payer
    continues the purchase, also with another `MotifAuth`.
    """

    requires_request_body = True

    def __init__(
        self,
        payer: Payer | AsyncPayer,
        *,
        max_price: int | None,
        on_receipt: Callable[[Receipt], object] | None = None,
        api_keys: Mapping[str, str] | None = None,
        max_bytes: int = 64 << 20,
    ) -> None:
        """Creates an authentication that pays at most `max_price` for an answer, base units, fees included.

        `api_keys` and `max_bytes` are as for `MotifTransport`.
        """
        self._payer = payer
        self._buyer = buyer_of(payer, max_price, on_receipt, api_keys, max_bytes)
        self._buyer.can_stream = False

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Yields the requests of a purchase."""
        if not isinstance(self._payer, Payer):
            raise InvalidInput("httpx.Client needs a Payer, not an AsyncPayer")
        request.read()
        execute, steps = self._payer.engine.host.execute, _Steps(self._buyer.buy(outgoing_of(request)))
        try:
            while (command := steps.command) is not None:
                try:
                    if isinstance(command, Send):
                        value: Any = answer_of((yield request_of(command.request, request.extensions)))
                    elif isinstance(command, (Read, Close)):
                        value = _limited(command, self._buyer.max_bytes).read()
                    else:
                        value = execute(command)
                except Exception as error:
                    steps.throw(error)
                else:
                    steps.send(value)
        finally:
            steps.close()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yields the requests of a purchase."""
        if not isinstance(self._payer, AsyncPayer):
            raise InvalidInput("httpx.AsyncClient needs an AsyncPayer, not a Payer")
        await request.aread()
        execute, steps = self._payer.engine.host.execute, _Steps(self._buyer.buy(outgoing_of(request)))
        try:
            while (command := steps.command) is not None:
                try:
                    if isinstance(command, Send):
                        value: Any = answer_of((yield request_of(command.request, request.extensions)))
                    elif isinstance(command, (Read, Close)):
                        value = await _limited(command, self._buyer.max_bytes).aread()
                    else:
                        value = await execute(command)
                except Exception as error:
                    steps.throw(error)
                else:
                    steps.send(value)
        finally:
            steps.close()


class _Steps:
    """Steps of a purchase, of which httpx sends the requests."""

    def __init__(self, flow: Coroutine[Any, Any, object]) -> None:
        self._flow = flow
        self.command: Command[Any] | None = None
        self.send(None)

    def send(self, value: Any) -> None:
        """Continues with the result of a command."""
        try:
            self.command = self._flow.send(value)
        except StopIteration:
            self.command = None

    def throw(self, error: Exception) -> None:
        """Continues with the error of a command."""
        try:
            self.command = self._flow.throw(error)
        except StopIteration:
            self.command = None

    def close(self) -> None:
        """Ends a purchase whose caller has stopped waiting; it is kept for the next identical request."""
        self._flow.close()


class _Limited(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Body that raises an error above a maximum size, or if it is late."""

    def __init__(self, stream: Any, command: Read, url: str) -> None:
        self._stream, self._command, self._url = stream, command, url

    def __iter__(self) -> Iterator[bytes]:
        body = bytearray()
        for chunk in self._stream:
            extend(body, chunk, self._command, self._url)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = bytearray()
        async for chunk in self._stream:
            extend(body, chunk, self._command, self._url)
            yield chunk

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _limited(command: Read | Close, max_bytes: int) -> httpx.Response:
    """Returns a response with limits, which httpx reads whether it is wanted or not, as it is encoded."""
    answer: Answer = command.answer
    response = cast(httpx.Response, answer.native)
    reading = command if isinstance(command, Read) else Read(answer, max_bytes)
    response.headers.pop("content-encoding", None)
    response.stream = _Limited(response.stream, reading, str(response.request.url))
    return response
