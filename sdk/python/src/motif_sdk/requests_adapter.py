"""Adapter of requests that pays for answers behind a paywall. Needs the extra `requests`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from ._executor import Executor, extend
from ._hosts import shown
from ._purchase import Answer, Bought, Close, Outgoing, Read, Rejected, Send
from ._sansio import Command, run
from ._stream import Chunk, PaidStream
from .errors import InvalidInput, Unreachable
from .payer import Payer
from .receipts import Receipt
from .transport import RECEIPTS, buyer_of

CHUNK = 16 << 10


class MotifAdapter(HTTPAdapter):
    """Adapter of a `requests.Session` that pays the 402s of Motif's paywalls: `session.mount("https://", adapter)`.

    `receipts_of(response)` returns the verified receipts of an answer; a stream adds to them part by part.
    """

    def __init__(
        self,
        payer: Payer,
        *,
        max_price: int | None,
        on_receipt: Callable[[Receipt], object] | None = None,
        api_keys: Mapping[str, str] | None = None,
        max_bytes: int = 64 << 20,
        **options: Any,
    ) -> None:
        """Creates an adapter that pays with `payer` at most `max_price` for an answer, base units, fees included.

        `api_keys` is as for `MotifTransport`. Other options are those of `requests.adapters.HTTPAdapter`.
        """
        super().__init__(**options)
        self._payer = payer
        self._buyer = buyer_of(payer, max_price, on_receipt, api_keys, max_bytes)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Sends a request, and pays for the answer if the server asks for it."""
        sent: dict[str, Any] = {"timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
        outgoing = outgoing_of(request)
        executor = _Executor(
            lambda prepared: super(MotifAdapter, self).send(prepared, stream=True, **sent),
            self._payer.engine.host.execute,
        )
        bought = run(self._buyer.buy(outgoing), executor.execute)
        if isinstance(bought, Answer):
            free = cast(requests.Response, bought.native)
            setattr(free, RECEIPTS, list[Receipt]())
            return free
        native = cast(requests.Response, bought.answer.native)
        if isinstance(bought, (Bought, Rejected)):
            receipts = [bought.receipt] if isinstance(bought, Bought) else list[Receipt]()
            return self._response(request, native, io.BytesIO(bought.body), None, receipts)
        paid = PaidStream(self._buyer, outgoing, bought)
        return self._response(request, native, _Parts(paid, executor), paid.content_type, paid.receipts)

    def _response(
        self, request: PreparedRequest, native: requests.Response, body: io.IOBase, kind: str | None, receipts: Any
    ) -> requests.Response:
        headers = dict(native.headers)
        for name in ("content-length", "transfer-encoding"):
            headers = {key: value for key, value in headers.items() if key.lower() != name}
        if kind is not None:
            headers = {key: value for key, value in headers.items() if key.lower() != "content-type"}
            headers["content-type"] = kind
        status, reason = native.status_code, native.reason
        raw = HTTPResponse(body=body, headers=headers, status=status, reason=reason, preload_content=False)
        response = self.build_response(request, raw)
        setattr(response, RECEIPTS, receipts)
        return response


def outgoing_of(request: PreparedRequest) -> Outgoing:
    """Returns a prepared request whose body is in memory. Raises `InvalidInput` for one that is read once."""
    body: Any = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        raise InvalidInput("the request's body is a stream: expected bytes, because a payment is bound to them")
    url = request.url or ""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = tuple((str(name), str(value)) for name, value in request.headers.items())
    return Outgoing(request.method or "GET", url, target, headers, body)


class _Executor(Executor):
    """Executes the commands of one purchase with an adapter."""

    def __init__(
        self, send: Callable[[PreparedRequest], requests.Response], others: Callable[[Command[Any]], Any]
    ) -> None:
        super().__init__(others)
        self._send = send
        self._chunks: Iterator[bytes] | None = None

    def send(self, command: Send) -> Answer:
        try:
            response = self._send(_prepared(command.request))
        except requests.RequestException as error:
            if command.is_unpaid:
                raise
            raise _unreachable(command.request.url, error) from None
        headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response)

    def read(self, command: Read) -> bytes:
        response, body = cast(requests.Response, command.answer.native), bytearray()
        try:
            for chunk in self._raw(response):
                extend(body, chunk, command, response.url)
        finally:
            response.close()
        return bytes(body)

    def chunk(self, command: Chunk) -> bytes | None:
        self._chunks = self._chunks or self._raw(cast(requests.Response, command.answer.native))
        return next(self._chunks, None)

    def close(self, command: Close) -> None:
        cast(requests.Response, command.answer.native).close()

    def _raw(self, response: requests.Response) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        raw = cast(HTTPResponse, response.raw)
        try:
            while chunk := raw.read1(CHUNK, decode_content=False):
                yield chunk
        except (HTTPError, OSError) as error:
            raise _unreachable(response.url, error) from None


class _Parts(io.RawIOBase):
    """Body of a stream; each part is paid for when it is read."""

    def __init__(self, stream: PaidStream, executor: _Executor) -> None:
        super().__init__()
        self._stream, self._executor, self._left = stream, executor, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            part = run(self._stream.next(), self._executor.execute)
            if part is None:
                return 0
            self._left = part
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            run(self._stream.close(), self._executor.execute)
        super().close()


def _prepared(outgoing: Outgoing) -> PreparedRequest:
    prepared = PreparedRequest()
    prepared.method, prepared.url, prepared.body = outgoing.method, outgoing.url, outgoing.body or None
    prepared.headers = CaseInsensitiveDict(dict(outgoing.headers))
    if outgoing.body or outgoing.method not in ("GET", "HEAD"):
        prepared.headers["content-length"] = str(len(outgoing.body))
    prepared.hooks = {"response": []}
    return prepared


def _unreachable(url: str, error: Exception) -> Unreachable:
    return Unreachable(shown(url), type(error).__name__)
