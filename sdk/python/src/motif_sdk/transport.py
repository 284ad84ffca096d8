"""httpx transports that pay for answers behind a paywall."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, cast

import httpx

from ._executor import Executor, extend
from ._hosts import tls_context, unreachable
from ._purchase import Answer, Bought, Buyer, Close, Outgoing, Read, Rejected, Send
from ._sansio import Command, arun, run
from ._stream import Chunk, PaidStream
from .aio import AsyncPayer
from .payer import Payer
from .receipts import Receipt

HOP_HEADERS = {"content-length", "content-encoding", "transfer-encoding", "connection", "content-type"}
RECEIPTS = "motif_receipts"
"""Name in `Response.extensions` of the list of verified receipts; a stream adds to it part by part."""


class MotifTransport(httpx.BaseTransport):
    """Transport of `httpx.Client` that pays the 402s of Motif's paywalls.

    `receipts_of(response)` returns the verified receipts of an answer. A stream arrives as the server sent it, paid
    part by part as it is read. A request with the header `idempotency-key` is paid once under that key. After an error
    whose outcome is unknown, the next identical request of the payer continues the same purchase, through this
    transport or another one.
    """

    def __init__(
        self,
        payer: Payer,
        *,
        max_price: int | None,
        transport: httpx.BaseTransport | None = None,
        on_receipt: Callable[[Receipt], object] | None = None,
        api_keys: Mapping[str, str] | None = None,
        max_bytes: int = 64 << 20,
    ) -> None:
        """Creates a transport that pays with `payer` at most `max_price` for an answer, base units, fees included.

        With `None`, only budgets and the deposit limit an answer's price. `transport` sends the requests, by default
        `httpx.HTTPTransport()`. `api_keys` are those of gateways without open access, by the origin of the paywall,
        such as `https://shop.example`. Answers, and parts of streams, have at most `max_bytes`.
        """
        self._payer, self._inner = payer, transport or httpx.HTTPTransport(verify=tls_context(True))
        self._buyer = buyer_of(payer, max_price, on_receipt, api_keys, max_bytes)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request, and pays for the answer if the server asks for it."""
        request.read()
        executor = _Executor(self._inner, self._payer.engine.host.execute, request)
        outgoing = outgoing_of(request)
        bought = run(self._buyer.buy(outgoing), executor.execute)
        if isinstance(bought, (Answer, Bought, Rejected)):
            return response_of(bought)
        stream = PaidStream(self._buyer, outgoing, bought)
        return stream_response(stream, _SyncBody(stream, executor))

    def close(self) -> None:
        """Closes the connections. The payer stays open."""
        self._inner.close()


class AsyncMotifTransport(httpx.AsyncBaseTransport):
    """Transport of `httpx.AsyncClient` that pays the 402s of Motif's paywalls, as `MotifTransport`."""

    def __init__(
        self,
        payer: AsyncPayer,
        *,
        max_price: int | None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_receipt: Callable[[Receipt], object] | None = None,
        api_keys: Mapping[str, str] | None = None,
        max_bytes: int = 64 << 20,
    ) -> None:
        """Creates a transport, as `MotifTransport`."""
        self._payer, self._inner = payer, transport or httpx.AsyncHTTPTransport(verify=tls_context(True))
        self._buyer = buyer_of(payer, max_price, on_receipt, api_keys, max_bytes)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request, and pays for the answer if the server asks for it."""
        await request.aread()
        executor = _AsyncExecutor(self._inner, self._payer.engine.host.execute, request)
        outgoing = outgoing_of(request)
        bought = await arun(self._buyer.buy(outgoing), executor.execute)
        if isinstance(bought, (Answer, Bought, Rejected)):
            return response_of(bought)
        stream = PaidStream(self._buyer, outgoing, bought)
        return stream_response(stream, _AsyncBody(stream, executor))

    async def aclose(self) -> None:
        """Closes the connections. The payer stays open."""
        await self._inner.aclose()


def buyer_of(
    payer: Payer | AsyncPayer,
    max_price: int | None,
    on_receipt: Callable[[Receipt], object] | None = None,
    api_keys: Mapping[str, str] | None = None,
    max_bytes: int = 64 << 20,
) -> Buyer:
    """Returns the buyer of a payer."""
    return Buyer(payer.engine, payer.tag, max_price, api_keys or {}, max_bytes, on_receipt)


def receipts_of(response: httpx.Response | Any) -> list[Receipt]:
    """Returns the verified receipts of a response of httpx or requests; none if nothing was paid.

    A stream adds to the list part by part.
    """
    if isinstance(response, httpx.Response):
        return response.extensions.get(RECEIPTS, [])
    return getattr(response, RECEIPTS, [])


def outgoing_of(request: httpx.Request) -> Outgoing:
    """Returns a request that was read."""
    target = request.url.raw_path.decode("ascii")
    headers = tuple((name, value) for name, value in request.headers.multi_items() if name.lower() != "host")
    return Outgoing(request.method, str(request.url), target, headers, request.content)


def answer_of(response: httpx.Response) -> Answer:
    """Returns the head of a response."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response)


def request_of(outgoing: Outgoing, extensions: dict[str, Any]) -> httpx.Request:
    """Returns a request of the purchase, for the HTTP library."""
    headers, body = list(outgoing.headers), outgoing.body
    return httpx.Request(outgoing.method, outgoing.url, headers=headers, content=body, extensions=extensions)


def response_of(bought: Answer | Bought | Rejected) -> httpx.Response:
    """Returns a response with the verified receipt, or one that asked for no payment, as it came."""
    if isinstance(bought, Answer):
        free = cast(httpx.Response, bought.native)
        free.extensions = {**free.extensions, RECEIPTS: list[Receipt]()}
        return free
    native = cast(httpx.Response, bought.answer.native)
    left_out = ("content-length", "transfer-encoding", "connection")
    headers = [one for one in native.headers.multi_items() if one[0].lower() not in left_out]
    receipts = [bought.receipt] if isinstance(bought, Bought) else list[Receipt]()
    extensions = {"http_version": native.extensions.get("http_version", b"HTTP/1.1"), RECEIPTS: receipts}
    return httpx.Response(native.status_code, headers=headers, content=bought.body, extensions=extensions)


def stream_response(stream: PaidStream, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    """Returns the response of a stream, whose parts are joined."""
    native = cast(httpx.Response, stream.answer.native)
    headers = [one for one in native.headers.multi_items() if one[0].lower() not in HOP_HEADERS]
    headers.append(("content-type", stream.content_type))
    extensions = {"http_version": native.extensions.get("http_version", b"HTTP/1.1"), RECEIPTS: stream.receipts}
    return httpx.Response(native.status_code, headers=headers, stream=body, extensions=extensions)


class _Executor(Executor):
    """Executes the commands of one purchase with a transport."""

    def __init__(
        self, inner: httpx.BaseTransport, others: Callable[[Command[Any]], Any], request: httpx.Request
    ) -> None:
        super().__init__(others)
        self._inner, self._extensions = inner, request.extensions
        self._chunks: Iterator[bytes] | None = None

    def send(self, command: Send) -> Answer:
        request = request_of(command.request, self._extensions)
        try:
            response = self._inner.handle_request(request)
        except httpx.HTTPError as error:
            raise _failure(command, error) from None
        response.request = request
        return answer_of(response)

    def read(self, command: Read) -> bytes:
        response, body = cast(httpx.Response, command.answer.native), bytearray()
        try:
            for chunk in response.iter_raw():
                extend(body, chunk, command, str(response.request.url))
        except httpx.HTTPError as error:
            raise unreachable(str(response.request.url), error) from None
        finally:
            response.close()
        return bytes(body)

    def chunk(self, command: Chunk) -> bytes | None:
        response = cast(httpx.Response, command.answer.native)
        self._chunks = self._chunks or response.iter_raw()
        try:
            return next(self._chunks, None)
        except httpx.HTTPError as error:
            raise unreachable(str(response.request.url), error) from None

    def close(self, command: Close) -> None:
        cast(httpx.Response, command.answer.native).close()


class _AsyncExecutor(Executor):
    """Executes the commands of one purchase with an asynchronous transport."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, others: Callable[[Command[Any]], Any], request: httpx.Request
    ) -> None:
        super().__init__(others)
        self._inner, self._extensions = inner, request.extensions
        self._chunks: AsyncIterator[bytes] | None = None

    async def send(self, command: Send) -> Answer:
        request = request_of(command.request, self._extensions)
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.HTTPError as error:
            raise _failure(command, error) from None
        response.request = request
        return answer_of(response)

    async def read(self, command: Read) -> bytes:
        response, body = cast(httpx.Response, command.answer.native), bytearray()
        try:
            async for chunk in response.aiter_raw():
                extend(body, chunk, command, str(response.request.url))
        except httpx.HTTPError as error:
            raise unreachable(str(response.request.url), error) from None
        finally:
            await response.aclose()
        return bytes(body)

    async def chunk(self, command: Chunk) -> bytes | None:
        response = cast(httpx.Response, command.answer.native)
        self._chunks = self._chunks or response.aiter_raw()
        try:
            return await anext(self._chunks, None)
        except httpx.HTTPError as error:
            raise unreachable(str(response.request.url), error) from None

    async def close(self, command: Close) -> None:
        await cast(httpx.Response, command.answer.native).aclose()


def _failure(command: Send, error: httpx.HTTPError) -> Exception:
    return error if command.is_unpaid else unreachable(command.request.url, error)


class _SyncBody(httpx.SyncByteStream):
    """Body of a stream; each part is paid for when it is read."""

    def __init__(self, stream: PaidStream, executor: _Executor) -> None:
        self._stream, self._executor = stream, executor

    def __iter__(self) -> Iterator[bytes]:
        while (part := run(self._stream.next(), self._executor.execute)) is not None:
            yield part

    def close(self) -> None:
        run(self._stream.close(), self._executor.execute)


class _AsyncBody(httpx.AsyncByteStream):
    """Body of a stream; each part is paid for when it is read."""

    def __init__(self, stream: PaidStream, executor: _AsyncExecutor) -> None:
        self._stream, self._executor = stream, executor

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (part := await arun(self._stream.next(), self._executor.execute)) is not None:
            yield part

    async def aclose(self) -> None:
        await arun(self._stream.close(), self._executor.execute)
