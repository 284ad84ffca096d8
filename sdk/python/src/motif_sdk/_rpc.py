"""Calls of a Solana JSON-RPC node, as protocols."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass
from typing import Any

from . import _core, base58
from ._calls import BUSY, FIRST_PAUSE, LONGEST_PAUSE, checked_url
from ._hosts import shown
from ._json import object_of, visible
from ._log import log
from ._sansio import Exchange, Reply, Sleep
from .errors import AccountNotFound, InvalidInput, RpcError, TransactionFailed, Unreachable, Untrusted

JSON = dict[str, Any]

LOCALNET = "http://127.0.0.1:8899"
TIMEOUT = 15.0
"""Time limit of an attempt, seconds."""


@dataclass(frozen=True)
class Account:
    """Account on the cluster."""

    address: str
    owner: str
    """Program that owns the account."""
    lamports: int
    data: bytes


class RpcCalls:
    """Node at `url`. Errors show its origin only, because the rest may have a provider's key.

    Requests that are not answered within `timeout`, or that the node has no capacity for, are repeated for `patience`
    seconds; those that could have an effect twice, only if the node has refused them.
    """

    def __init__(self, url: str | None = None, patience: float = 10.0, timeout: float = TIMEOUT) -> None:
        self._url = checked_url(url or os.environ.get("MOTIF_RPC_URL") or LOCALNET, "node")
        self._shown, self._patience, self._timeout = shown(self._url), patience, timeout
        self.commitment: str = "confirmed"

    async def call(self, method: str, params: list[Any]) -> Any:
        """Returns the result of a call. Raises `RpcError`."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        reply = await self._reply(body, is_read=method.startswith("get"))
        try:
            document = object_of(json.loads(reply.body))
        except (ValueError, RecursionError):
            raise RpcError(f"the node at {self._shown} answered {reply.status} without JSON") from None
        if document is None or not document.keys() & {"result", "error"}:
            raise RpcError(f"the node at {self._shown} answered {reply.status} without a result")
        if "error" in document:
            failed = object_of(document["error"]) or {}
            logs: list[str] = (object_of(failed.get("data")) or {}).get("logs") or []
            if method == "sendTransaction":
                raise TransactionFailed(visible(str(failed.get("message"))), tuple(logs))
            raise RpcError(visible(f"{method}: {failed.get('message')}"))
        return document.get("result")

    async def _reply(self, body: bytes, is_read: bool) -> Reply:
        """Returns the answer to a request, repeated while the patience lasts."""
        deadline, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            try:
                reply = await Exchange("POST", self._url, {"content-type": "application/json"}, body, self._timeout)
                if reply.status not in BUSY:
                    return reply
                failed = RpcError(f"the node at {self._shown} answered {reply.status}")
            except (Unreachable, Untrusted) as error:
                reason = str(error).split(": ", 1)[-1]
                failed = RpcError(f"the node at {self._shown} did not answer: {reason}")
                if not is_read or isinstance(error, Untrusted):
                    raise failed from None
            if time.monotonic() >= deadline:
                raise failed
            log.debug("a request is repeated: %s", failed)
            await Sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def value(self, method: str, params: list[Any]) -> Any:
        """Returns the value of a call's result, which has a context beside it. Raises `RpcError`."""
        result = object_of(await self.call(method, params))
        if result is None or "value" not in result:
            raise RpcError(f"{method}: the node at {self._shown} returned no value")
        return result["value"]

    async def account(self, address: str) -> Account | None:
        """Returns an account, or `None` if it does not exist. Raises `InvalidInput` if the address is none."""
        check_address("account", address)
        options = {"encoding": "base64", "commitment": self.commitment}
        value = await self.value("getAccountInfo", [address, options])
        if value is None:
            return None
        try:
            return Account(address, str(value["owner"]), int(value["lamports"]), base64.b64decode(value["data"][0]))
        except (KeyError, TypeError, ValueError, IndexError):
            raise RpcError(f"the node at {self._shown} returned no account: expected JSON-RPC") from None

    async def decoded(self, address: str, kind: str) -> tuple[JSON, bytes]:
        """Returns an account of Motif's programs as the rules decode it, and its data.

        Raises `AccountNotFound` if it does not exist or is of another kind or program.
        """
        account = await self.account(address)
        programs = programs_of()
        if account is None or account.owner not in (programs["licensing"], programs["payments"]):
            raise AccountNotFound(f"{address} is no {kind} of Motif's programs")
        decoded: JSON = _core.shared().call("account.decode", account.data)
        if decoded["kind"] != kind:
            raise AccountNotFound(f"{address} is a {decoded['kind']}, expected a {kind}")
        return decoded, account.data

    async def confirm(self, signature: str, seconds: float = 45.0) -> None:
        """Waits until a transaction is confirmed. Raises `TransactionFailed`, `RpcError` after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            statuses: list[JSON | None] = await self.value("getSignatureStatuses", [[signature]])
            status = statuses[0] if statuses else None
            if status is not None and status.get("err") is not None:
                raise TransactionFailed(f"transaction {signature} failed: {json.dumps(status['err'])}")
            if status is not None and status.get("confirmationStatus") in ("confirmed", "finalized"):
                return
            await Sleep(0.05)
        raise RpcError(f"transaction {signature} was not confirmed within {seconds:.0f} seconds")


def check_address(name: str, address: str) -> None:
    """Raises `InvalidInput` if a text is no address."""
    try:
        base58.decode(address, 32)
    except (InvalidInput, TypeError):
        raise InvalidInput(f"invalid {name}: {address!r}, expected an address in base58") from None


def programs_of() -> dict[str, str]:
    """Returns the ids of the programs."""
    return _core.shared().call("version")["programs"]


def address_of(kind: str, **seeds: Any) -> str:
    """Returns a derived address, such as `address_of("operator", authority=...)`."""
    return _core.shared().call(f"address.{kind}", **seeds)["address"]
