"""ASGI middleware that sells answers of an application, such as FastAPI's, without a proxy.

A request is held at a gateway before the application runs, and its answer is stored before it is paid for. The payer
captures the hold, and shows the voucher for which the middleware gets the receipt. Clients are those of a paywall.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import hashlib
import json
import os
import posixpath
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, unquote

import httpx

from . import _core, base58
from ._answers import Answers, StoredAnswer
from ._calls import GatewayCalls
from ._hosts import AsyncHost
from ._json import object_of
from ._log import log
from .errors import CoreFailed, InvalidInput, MotifError, ProblemError

JSON = dict[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PARAMETER = re.compile(r"\{[A-Za-z_]\w*(?::([A-Za-z_]\w*))?\}", re.ASCII)
CONVERTORS = {
    "str": "[^/]+",
    "path": ".*",
    "int": "[0-9]+",
    "float": r"[0-9]+(?:\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
DUE_TYPES = {"wrong-price", "voucher-not-newer", "statement-mismatch", "statement-closed", "statement-ahead"}
QUOTE_SECONDS, CHANNEL_SECONDS = 30.0, 60.0
MAX_CHANNELS = 4_096


@dataclass(frozen=True)
class PaidRoute:
    """Route of the application that costs units of a work.

    `path` is that of the application's route: `{name}` for one segment, or Starlette's `{name:path}`, `{name:int}`,
    `{name:float}` and `{name:uuid}`. Every request that it matches is paid for, also if another route of the
    application comes first. `units` is the number of units of each answer, or the name of the header in which the
    application states it; then a request has at most `most_units`.

    Raises `InvalidInput` for a method or path that could not be matched.
    """

    method: str
    """`GET`, `POST`, `PUT`, `PATCH` or `DELETE`. A route of `GET` covers `HEAD` and websockets at its path; both are
    refused."""
    path: str
    work: str
    use: str = "generate"
    units: int | str = 1
    most_units: int = 1
    hold_seconds: int = 300
    """Time in which the answer is made and paid for."""
    max_request_bytes: int = 1 << 20
    max_answer_bytes: int = 64 << 20
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        method = self.method.upper()
        if method not in METHODS:
            raise InvalidInput(f"invalid method {self.method!r} of a paid route: expected one of {', '.join(METHODS)}")
        if (isinstance(self.units, int) and self.units < 1) or self.most_units < 1:
            raise InvalidInput(f"invalid units of {self.path}: expected at least 1")
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "pattern", _pattern_of(self.path))

    @property
    def fixed(self) -> int | None:
        """Number of units of each answer, if it is known in advance."""
        return self.units if isinstance(self.units, int) else None

    @property
    def most(self) -> int:
        """Maximum number of units of an answer."""
        return self.units if isinstance(self.units, int) else self.most_units


def _pattern_of(path: str) -> re.Pattern[str]:
    """Returns what Starlette's router matches for a path, with the newline at its end that a router's `$` lets pass."""
    if not path.startswith("/") or "?" in path or "#" in path:
        raise InvalidInput(f"invalid path {path!r} of a paid route: expected one that begins with `/`, without a query")
    texts, end = list[str](), 0
    for found in PARAMETER.finditer(path):
        convertor = found[1] or "str"
        if convertor not in CONVERTORS:
            known = ", ".join(CONVERTORS)
            raise InvalidInput(f"unknown convertor `{convertor}` in {path}: expected one of {known}")
        texts += [path[end : found.start()], CONVERTORS[convertor]]
        end = found.end()
    texts.append(path[end:])
    if any(letter in text for text in texts[::2] for letter in "{}"):
        raise InvalidInput(f"invalid path {path!r} of a paid route: expected parameters as `{{name}}`")
    parts = (text if index % 2 else re.escape(text) for index, text in enumerate(texts))
    return re.compile("".join(parts) + r"\n?", re.DOTALL)


class _Problem(Exception):
    """Answer of the middleware in place of the application's."""

    def __init__(self, status: int, slug: str, detail: str, payment: JSON | None = None) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail, self.payment = status, slug, detail, payment


class MotifPaywall:
    """ASGI middleware: `app.add_middleware(MotifPaywall, routes=[...], folder=...)`.

    Other routes are passed on. Paths are compared as the application's router does, below `root_path` and mounts. A
    path that differs from a paid one in slashes or dots only is redirected to it. If the application serves a paid
    route nevertheless, its answer is replaced by an error, and logged.

    `folder` keeps answers until they are paid for, and an hour longer; several processes may share it. `gateway` is a
    URL, by default that of `MOTIF_GATEWAY_URL`. `api_key` is that of a gateway without open access. A payer who
    captured a hold and lost the voucher cannot be identified here: its client keeps what it has paid with until the
    answer has arrived. Connections are closed when the application's lifespan ends.
    """

    def __init__(
        self,
        app: App,
        *,
        routes: Sequence[PaidRoute],
        folder: str | os.PathLike[str],
        gateway: str | None = None,
        api_key: str | None = None,
        patience: float = 10.0,
        max_unpaid: int = 64,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._app, self._routes, self._client, self._max_unpaid = app, list(routes), client, max_unpaid
        self._calls, self._answers = GatewayCalls(gateway, api_key, patience), Answers(folder, keep_seconds=3_600)
        self._running: dict[str, str] = {}
        """Channel of each hold whose answer is being made."""
        self._channels: dict[str, tuple[float, JSON]] = {}
        self._quotes: dict[tuple[str, str], tuple[float, JSON]] = {}
        self._host: AsyncHost | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._closing(send))
            return
        paid = self._find(scope, scope.get("root_path"))
        if paid is None:
            await self._app(scope, receive, self._guarded(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "this path is sold by HTTP requests"})
        elif isinstance(paid, str):
            query: bytes = scope.get("query_string") or b""
            location = paid + (f"?{query.decode('latin-1')}" if query else "")
            await _send_response(send, 307, [("location", location), ("cache-control", "no-store")], b"")
        else:
            await self._answered(paid, scope, receive, send)

    async def _answered(self, route: PaidRoute, scope: Scope, receive: Receive, send: Send) -> None:
        """Sells an answer, or sends the problem document."""
        try:
            await self._sell(route, scope, receive, send)
        except _Problem as problem:
            await _send_problem(send, problem.status, problem.slug, problem.detail, payment=problem.payment)
        except ProblemError as error:
            problem = error.problem
            log.info("%s: the gateway refuses a request: %s", route.path, problem.type)
            await _send_problem(send, problem.status, problem.type, problem.detail, problem.title, problem.extra)
        except (InvalidInput, CoreFailed) as error:
            log.error("%s: cannot sell: %s", route.path, error)
            await _send_problem(send, 500, "internal", "the seller cannot answer")
        except MotifError as error:
            log.warning("%s: the gateway cannot be used: %s", route.path, error)
            detail = f"the gateway cannot be used: {type(error).__name__}"
            await _send_problem(send, 503, "chain-unreachable", detail)

    def _find(self, scope: Scope, *roots: str | None) -> PaidRoute | str | None:
        """Returns the paid route of a request, or the path to which it is redirected; `None` if it is free."""
        if scope["type"] not in ("http", "websocket"):
            return None
        # Routers of classes look up methods in any case; one of GET answers HEAD, and a websocket begins as a GET.
        method = str(scope.get("method") or "GET").upper()
        method = "GET" if method == "HEAD" else method
        routes = [route for route in self._routes if route.method == method]
        # Prefixes that the router may leave out: of the server, or of the application itself.
        known = [root.rstrip("/") for root in (*roots, getattr(self._app, "root_path", None)) if isinstance(root, str)]
        path, prefixes = str(scope["path"]), [root for root in known if root]
        exact = _match(routes, path, prefixes)
        if exact is not None:
            return exact
        # Other routers decode after they have split the path, or ignore doubled slashes.
        raw: bytes = scope.get("raw_path") or b""
        split = unquote(re.sub("%2f", "%252f", raw.split(b"?", 1)[0].decode("latin-1"), flags=re.IGNORECASE))
        normal, root = posixpath.normpath("/" + path.strip("/\n")), str(scope.get("root_path") or "").rstrip("/")
        for canonical in (normal, normal + "/"):
            if _match(routes, canonical, prefixes) is not None:
                return quote(canonical if canonical.startswith(root + "/") else root + canonical)
        return _match(routes, split, prefixes) if split else None

    def _guarded(self, scope: Scope, send: Send) -> Send:
        """Returns a `send` that does not pass on the answer of a paid route, as the application has routed it."""
        if scope["type"] != "http":
            return send
        is_refused, root = False, scope.get("root_path")

        async def guarded(message: MutableMapping[str, Any]) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                # Routers keep what they have left out; mounts below are other applications.
                left_out = scope.get("app_root_path", scope.get("root_path"))
                is_refused = isinstance(self._find(scope, root, left_out), PaidRoute)
            if message["type"] == "http.response.start" and is_refused:
                log.error("an unpaid answer of %s is withheld: the middleware and the router differ", scope["path"])
                await _send_problem(send, 500, "internal", "this path is sold under another name")
            if not is_refused:
                await send(message)

        return guarded

    def _closing(self, send: Send) -> Send:
        """Returns a `send` that closes the connections when the application has shut down."""

        async def closing(message: MutableMapping[str, Any]) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await self.aclose()
            await send(message)

        return closing

    async def aclose(self) -> None:
        """Closes the connections; the next request opens them again."""
        host, self._host = self._host, None
        if host is not None:
            await host.close()

    async def _json(self, protocol: Any) -> JSON:
        if self._host is None:
            self._host = AsyncHost(self._client)
        return await self._host.run(protocol)

    async def _sell(self, route: PaidRoute, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        payment = headers.get("motif-payment")
        await _core.load()  # compiles once, outside of the event loop
        if payment is None or scope["method"].upper() == "HEAD":
            raise _Problem(402, "payment-required", "send a `motif-payment` header", await self._price_tag(route))
        paying = read_header(payment)
        target = target_of(scope)
        if "answer" in paying:
            await self._deliver_for(paying, f"{scope['method']} {target}", send)
            return
        paying = await self._checked(route, paying)
        key = headers.get("idempotency-key")
        if key is None:
            raise _Problem(400, "idempotency-key-missing", "expected an `idempotency-key` header")
        body = await _read(receive, route.max_request_bytes)
        digest = _core.shared().call("request.digest", body, method=scope["method"], target=target)["digest"]
        hold: JSON = {name: paying[name] for name in ("license", "units", "expires_at", "proof")}
        path = f"/v1/channels/{paying['channel']}/holds"
        facts = await self._json(
            self._calls.json("POST", path, {**hold, "request_digest": digest}, {"idempotency-key": key})
        )
        # The accepted hold proves that the payer signed exactly this request.
        await self._answer(route, scope, paying, facts, body, send)

    async def _answer(self, route: PaidRoute, scope: Scope, paying: JSON, facts: JSON, body: bytes, send: Send) -> None:
        hold = facts["hold"]
        answer = await asyncio.to_thread(self._answers.find, hold)
        if answer is None:
            if facts["state"] == "captured":
                raise _Problem(410, "answer-gone", "the answer was paid for and is no longer stored")
            if facts["state"] == "released":
                raise _Problem(409, "hold-ended", "the hold has ended")
            if facts["expires_at"] < time.time() + route.hold_seconds - 60:
                raise _Problem(422, "hold-too-short", f"expected a hold of at least {route.hold_seconds} seconds")
            made = await self._make(route, scope, facts, body, send)
            if made is None:
                return  # passed on, free
            answer = made
        receipt = await asyncio.to_thread(self._answers.receipt, hold)
        if receipt is None and paying.get("voucher") is not None:
            receipt = await self._capture(answer, paying["voucher"])
        if receipt is None and facts["state"] == "captured":
            raise _Problem(409, "hold-captured", "the answer was paid for: send the voucher that paid")
        if receipt is None:
            raise _Problem(402, "payment-due", "send a voucher for the answer", await self._due(answer))
        await self._deliver(answer, receipt, send)

    async def _make(self, route: PaidRoute, scope: Scope, facts: JSON, body: bytes, send: Send) -> StoredAnswer | None:
        """Runs the application and stores its answer; passes a refusal on and returns `None`."""
        hold, channel = facts["hold"], facts["channel"]
        if hold in self._running:
            raise _Problem(409, "answer-running", "the request is in progress; retry later")
        running = sum(one == channel for one in self._running.values())
        if self._answers.count_unpaid(channel) + running >= self._max_unpaid:
            raise _Problem(429, "too-many-unpaid", f"there are {self._max_unpaid} unpaid answers; pay for them first")
        self._running[hold] = channel
        try:
            earlier = await asyncio.to_thread(self._answers.find, hold)
            if earlier is not None:
                return earlier  # made since it was looked for
            response = await _run(self._app, scope, body, route.max_answer_bytes)
            if 400 <= response.status < 500:
                await _send_response(send, response.status, response.headers, response.body)
                return None
            if not 200 <= response.status < 300:
                raise _Problem(502, "upstream-failed", "the server failed; nothing was charged")
            units = _units(route, response.headers, facts["units"])
            kept = [one for one in response.headers if one[0].lower() not in _own_headers(route)]
            answer = StoredAnswer(
                hold=hold,
                channel=channel,
                target=f"{scope['method']} {target_of(scope)}",
                license=facts["license"],
                units=units,
                request_digest=facts["request_digest"],
                output_digest=hashlib.sha256(response.body).hexdigest(),
                expires_at=facts["expires_at"],
                status=response.status,
                headers=kept,
            )
            return await asyncio.to_thread(self._answers.add, answer, response.body)
        finally:
            del self._running[hold]

    async def _deliver_for(self, paying: JSON, target: str, send: Send) -> None:
        """Delivers an answer for the voucher that pays for it."""
        voucher = paying.get("voucher")
        if not isinstance(voucher, dict):
            raise _Problem(400, "payment-malformed", "invalid payment: expected a voucher")
        try:
            answer = await asyncio.to_thread(self._answers.find, str(paying["answer"]))
        except ValueError:
            answer = None
        if answer is None or answer.channel != _channel_of(paying):
            raise _Problem(404, "unknown-answer", "answer not found")
        if answer.target != target:
            raise _Problem(409, "hold-mismatch", "the hold is for another request")
        await self._deliver(answer, await self._capture(answer, cast(JSON, voucher)), send)

    async def _capture(self, answer: StoredAnswer, voucher: JSON) -> JSON:
        """Returns the receipt of an answer once its voucher is durable at the gateway. Repeating it is safe."""
        body: JSON = {
            "voucher": voucher,
            "license": answer.license,
            "units": answer.units,
            "request_digest": answer.request_digest,
            "output_digest": answer.output_digest,
        }
        try:
            receipt = await self._json(self._calls.json("POST", f"/v1/holds/{answer.hold}/capture", body))
        except ProblemError as error:
            if error.type not in DUE_TYPES:
                raise
            due = await self._due(answer, error.problem.extra.get("expected"), error.type)
            raise _Problem(402, "payment-due", "send a voucher for the answer", due) from None
        await asyncio.to_thread(self._answers.mark_paid, answer, receipt)
        return receipt

    async def _deliver(self, answer: StoredAnswer, receipt: JSON, send: Send) -> None:
        body = await asyncio.to_thread(self._answers.body, answer.hold)
        if body is None:
            raise _Problem(410, "answer-gone", "the answer was paid for and is no longer stored")
        own = [("motif-receipt", write_header(receipt)), ("cache-control", "no-store")]
        await _send_response(send, answer.status, answer.headers + own, body)

    async def _price_tag(self, route: PaidRoute) -> JSON:
        operator, quote = await self._quote(route)
        tag: JSON = {
            "operator": operator["operator"],
            "cluster": operator["cluster"],
            "quote": quote,
            "fixed_units": route.fixed,
            "most_units": route.most,
            "streams": False,
            "hold_seconds": route.hold_seconds,
        }
        return {"price-tag": tag}

    async def _quote(self, route: PaidRoute) -> tuple[JSON, JSON]:
        known = self._quotes.get((route.work, route.use))
        if known is None or known[0] < time.monotonic():
            operator = await self._json(self._calls.operator())
            quote = await self._json(self._calls.quote(route.work, route.use))
            known = (time.monotonic() + QUOTE_SECONDS, {"operator": operator, "quote": quote})
            self._quotes[route.work, route.use] = known
        return known[1]["operator"], known[1]["quote"]

    async def _checked(self, route: PaidRoute, paying: JSON) -> JSON:
        """Returns a request for an answer whose license and units fit the route, before an amount is held."""
        numbers: list[Any] = [paying.get(name) for name in ("license", "units", "expires_at")]
        is_ask = all(type(number) is int for number in numbers) and isinstance(paying.get("proof"), dict)
        if not is_ask or not isinstance(paying.get("voucher", {}), dict | None):
            raise _Problem(400, "payment-malformed", "invalid payment: expected a request for an answer")
        channel, index, units = _channel_of(paying), int(numbers[0]), int(numbers[1])
        license = await self._license(channel, index)
        if license is None or (license["work"], license["use"]) != (route.work, route.use):
            raise _Problem(422, "other-license", f"license {index} does not match the work and use of the route")
        least = route.fixed or 1
        if not least <= units <= route.most:
            raise _Problem(422, "hold-units", f"invalid hold of {units} units: expected {least} to {route.most}")
        return paying

    async def _license(self, channel: str, index: int) -> JSON | None:
        """Returns a license of a channel, as the chain had it at most a minute ago. The gateway checks each hold."""
        for is_again in (False, True):
            known = self._channels.get(channel)
            if is_again or known is None or known[0] < time.monotonic():
                state = await self._json(self._calls.open_channel(channel))
                known = (time.monotonic() + CHANNEL_SECONDS, state)
                while len(self._channels) >= MAX_CHANNELS:
                    self._channels.pop(next(iter(self._channels)))
                self._channels[channel] = known
            license = next((one for one in known[1]["licenses"] if one["license"] == index), None)
            if license is not None:
                return license
        return None

    async def _due(self, answer: StoredAnswer, expected: JSON | None = None, because: str | None = None) -> JSON:
        """Returns the payment that is due. Without a refused voucher, `expected` is what the chain shows: payers know
        their own totals."""
        license = await self._license(answer.channel, answer.license)
        state = self._channels[answer.channel][1]
        if license is None:
            raise _Problem(404, "unknown-license", f"the channel has no license {answer.license}")
        quote: JSON = _core.shared().call(
            "price.quote",
            price=str(license["price"]),
            units=answer.units,
            free_units=str(license["free_units_left"]),
            operator_fee_bps=int(state["operator_fee_bps"]),
        )
        if expected is None:
            opened = state["open"]
            total = int(opened["cumulative"]) + int(quote["total"])
            expected = {"statement": opened["statement"], "cumulative": str(total), "entries": opened["entries"]}
        due: JSON = {
            "answer": answer.hold,
            "part": 0,
            "license": answer.license,
            "units": answer.units,
            "price": quote["price"],
            "request_digest": answer.request_digest,
            "output_digest": answer.output_digest,
            "expires_at": answer.expires_at,
            "expected": expected,
        }
        return {"due": due if because is None else {**due, "because": because}}


def _match(routes: Sequence[PaidRoute], path: str, roots: Sequence[str]) -> PaidRoute | None:
    """Returns the first route that matches a path, as it is or below one of its prefixes."""
    below = (path[len(root) :] for root in roots if path.startswith(root + "/"))
    for candidate in (path, *below):
        for route in routes:
            if route.pattern.fullmatch(candidate):
                return route
    return None


@dataclass(frozen=True)
class _Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def read_header(text: str) -> JSON:
    """Returns the JSON of a header."""
    try:
        document = object_of(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (ValueError, RecursionError, binascii.Error):
        document = None
    if document is None:
        raise _Problem(400, "payment-malformed", "invalid payment: expected base64url of JSON")
    return document


def _channel_of(paying: JSON) -> str:
    """Returns the channel of a payment."""
    channel = paying.get("channel")
    try:
        base58.decode(channel if isinstance(channel, str) else "", 32)
    except InvalidInput:
        raise _Problem(400, "payment-malformed", "invalid payment: expected the address of a channel") from None
    return str(channel)


def write_header(document: JSON) -> str:
    """Returns JSON as a header."""
    text = json.dumps(document, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def target_of(scope: Scope) -> str:
    """Returns path and query as they were sent."""
    path: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    query: bytes = scope.get("query_string") or b""
    return (path.split(b"?", 1)[0] + (b"?" + query if query else b"")).decode("latin-1")


def _own_headers(route: PaidRoute) -> set[str]:
    units = {route.units.lower()} if isinstance(route.units, str) else set[str]()
    return {"content-length", "motif-receipt", "cache-control"} | units


def _units(route: PaidRoute, headers: list[tuple[str, str]], held: int) -> int:
    if isinstance(route.units, int):
        return route.units
    name = route.units.lower()
    text = next((value for key, value in headers if key.lower() == name), "")
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise _Problem(502, "units-missing", "the server reported no units; nothing was charged")
    if int(text) > held:
        raise _Problem(502, "units-above-held", f"the server reported {text} units, above {held}; nothing was charged")
    return int(text)


async def _read(receive: Receive, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Problem(400, "payment-malformed", "the request body is incomplete")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _Problem(413, "body-too-large", f"the body is too long: expected at most {max_bytes} bytes")
        if not message.get("more_body"):
            return bytes(body)


async def _run(app: App, scope: Scope, body: bytes, max_bytes: int) -> _Response:
    """Runs the application on a request that was read."""
    payment = (b"motif-payment", b"motif-api-key")
    inner = {**scope, "headers": [one for one in scope["headers"] if one[0].lower() not in payment]}
    pending, status, headers, answer = [body], 500, list[tuple[str, str]](), bytearray()

    async def receive() -> MutableMapping[str, Any]:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        await asyncio.Event().wait()  # the answer is made to its end, so that a retry finds it
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = int(message["status"])
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", [])]
        elif message["type"] == "http.response.body":
            answer.extend(message.get("body", b""))
            if len(answer) > max_bytes:
                raise _Problem(502, "answer-too-large", f"the answer exceeds {max_bytes} bytes; nothing was charged")

    try:
        await app(inner, receive, send)
    except _Problem:
        raise
    except Exception as error:
        log.error("the application failed at %s", scope["path"], exc_info=error)
        raise _Problem(502, "upstream-failed", "the server failed; nothing was charged") from error
    return _Response(status, headers, bytes(answer))


async def _send_response(send: Send, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


@functools.cache
def _titles() -> dict[str, str]:
    """Returns the titles of the rules' problem types."""
    return {one["type"]: one["title"] for one in _core.shared().call("version")["problem_types"]}


async def _send_problem(
    send: Send,
    status: int,
    slug: str,
    detail: str,
    title: str = "",
    extra: Any = None,
    payment: JSON | None = None,
) -> None:
    title = title or _titles().get(slug, slug)
    document: JSON = {**(extra or {}), "type": slug, "title": title, "status": status, "detail": detail}
    headers = [("content-type", "application/problem+json"), ("cache-control", "no-store")]
    if payment is not None:
        document["payment"] = payment
        headers.append(("motif-payment-required", write_header(payment)))
    await _send_response(send, status, headers, json.dumps(document).encode())
