"""Calls of a gateway's HTTP interface, as protocols."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from . import wire
from ._hosts import shown
from ._json import object_of
from ._log import log
from ._sansio import Exchange, Reply, Sleep
from .errors import InvalidInput, Problem, Refused, Unreachable, Untrusted

JSON = dict[str, Any]
Headers = Mapping[str, str]
T = TypeVar("T")
Call = Coroutine[Any, Any, T]

LOCAL_GATEWAY = "http://127.0.0.1:8787"
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
BUSY = (429, 502, 503, 504)
"""Statuses after which the same request may soon be accepted."""


def checked_url(url: str, name: str) -> str:
    """Returns a URL of HTTP. Raises `InvalidInput`, which does not show it."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_http = False
    if not is_http:
        raise InvalidInput(f"invalid URL of the {name}: expected `http://` or `https://` and a host")
    return url


def checked_key(api_key: str | None) -> str | None:
    """Returns an API key. Raises `InvalidInput`, which does not show it."""
    if api_key is not None and not all("!" <= letter <= "~" for letter in api_key):
        raise InvalidInput("invalid API key: expected visible ASCII characters")
    return api_key


class GatewayCalls:
    """Interface of one gateway. Requests that are unanswered or put off are repeated for `patience` seconds, which is
    safe: reads have no effect, payments have idempotency keys, and the chain settles each statement once.

    A gateway may name another of its processes as the holder of a channel. The request, with API key and proof, is
    repeated there: a gateway is trusted with the API key that it has issued.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, patience: float = 10.0) -> None:
        url = checked_url(url or os.environ.get("MOTIF_GATEWAY_URL") or LOCAL_GATEWAY, "gateway")
        self.url: str = url.rstrip("/")
        checked_key(api_key)
        self.patience: float = patience
        self._authorization = {"authorization": f"Bearer {api_key}"} if api_key else {}

    async def json(self, method: str, path: str, body: Any = None, headers: Headers | None = None) -> Any:
        """Returns the JSON of a successful answer.

        Raises `Refused`, `Unreachable`, `Untrusted`.
        """
        sent, raw = dict(headers or {}), None
        if body is not None:
            sent["content-type"] = "application/json"
            raw = json.dumps(body, separators=(",", ":")).encode()
        deadline, pause = time.monotonic() + self.patience, FIRST_PAUSE
        while True:
            is_last = time.monotonic() >= deadline
            try:
                reply = await self.exchange(method, path, sent, raw)
                problem = None if reply.is_success else problem_of(reply)
                is_repeated = problem is not None and (reply.status in BUSY or self._holder(reply) is not None)
                if is_last or not is_repeated:
                    return read_json(reply)
                log.debug("%s %s is repeated: %s", method, shown(self.url), problem and problem.type)
            except Unreachable as error:
                if is_last:
                    raise
                log.debug("%s is repeated: %s", method, error)
            await Sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def exchange(self, method: str, path: str, headers: Headers, body: bytes | None = None) -> Reply:
        """Sends a request once; if another process of the gateway serves the channel, to that one.

        Raises `Unreachable`, also if a load balancer answers in the gateway's place.
        """
        sent, url = {**self._authorization, **headers}, self.url
        reply = await Exchange(method, f"{url}{path}", sent, body)
        holder = self._holder(reply)
        if holder is not None:
            url = holder
            reply = await Exchange(method, f"{url}{path}", sent, body)
        if reply.status in BUSY and problem_of(reply) is None:
            raise Unreachable(shown(url), f"status {reply.status} without a problem document")
        return reply

    def _holder(self, reply: Reply) -> str | None:
        """Returns the URL of the process that serves the channel. A request to `https` is not repeated over `http`."""
        if reply.status != 421:
            return None
        problem = problem_of(reply)
        if problem is None or problem.type != "channel-held-elsewhere":
            return None
        holder = problem.extra.get("holder")
        if not isinstance(holder, str):
            return None
        try:
            scheme = urlsplit(checked_url(holder, "holder")).scheme
        except InvalidInput:
            return None
        may = scheme == "https" or (scheme == "http" and not self.url.startswith("https://"))
        return holder.rstrip("/") if may else None

    def operator(self) -> Call[wire.Operator]:
        """Returns the operator and its conditions."""
        return self.json("GET", "/v1/operator")

    def work(self, work: str) -> Call[wire.WorkDetailsFacts]:
        """Returns a work with its terms."""
        return self.json("GET", f"/v1/works/{work}")

    def works(self, query: Mapping[str, str]) -> Call[wire.WorkList]:
        """Returns works of the catalogue."""
        return self.json("GET", f"/v1/works?{urlencode(query)}" if query else "/v1/works")

    def quote(self, work: str, use: str) -> Call[wire.Quote]:
        """Returns the price of a use of a work."""
        return self.json("GET", f"/v1/works/{work}/quotes?{urlencode({'use': use})}")

    def paid_routes(self) -> Call[wire.PaidRoutes]:
        """Returns the routes behind the gateway's paywall."""
        return self.json("GET", "/v1/paywall")

    def proof(self, receipt: str) -> Call[wire.ReceiptProofParts]:
        """Returns the proof of a settled receipt."""
        return self.json("GET", f"/v1/receipts/{receipt}/proof")

    def authenticate(self, digest: str, fingerprints: list[JSON]) -> Call[wire.Authentication]:
        """Returns the works and receipts behind content."""
        return self.json("POST", "/v1/authenticate", {"digest": digest, "fingerprints": fingerprints})

    def open_channel(self, channel: str, headers: Headers | None = None) -> Call[wire.ChannelState]:
        """Registers a channel, or makes the gateway read it again; returns its state."""
        return self.json("POST", "/v1/channels", {"channel": channel}, headers)


Reader = Callable[[], Coroutine[Any, Any, Headers]]


def problem_of(reply: Reply) -> Problem | None:
    """Returns the problem document of a reply, or `None`."""
    try:
        return Problem.parse(json.loads(reply.body))
    except (ValueError, RecursionError):
        return None


def read_json(reply: Reply) -> JSON:
    """Returns the JSON object of a reply. Raises `Refused` with a problem, `Untrusted` if it is unreadable."""
    if not reply.is_success:
        problem = problem_of(reply)
        if problem is None:
            raise Untrusted(f"status {reply.status} with an unreadable body")
        raise Refused(problem)
    try:
        document = object_of(json.loads(reply.body))
    except (ValueError, RecursionError):
        document = None
    if document is None:
        raise Untrusted(f"status {reply.status} with an unreadable body")
    return document
