"""Clients of a gateway's public reads. The types of its JSON are those of `motif_sdk.wire`."""

from __future__ import annotations

import httpx

from . import wire
from ._calls import GatewayCalls
from ._hosts import AsyncHost, SyncHost
from ._sansio import Blocking
from .content import Content, examine


class GatewayClient:
    """Client of a gateway, by default that of `MOTIF_GATEWAY_URL`, or on this machine.

    All methods raise `Refused`, `Unreachable` or `Untrusted`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        patience: float = 10.0,
        client: httpx.Client | None = None,
    ) -> None:
        self._calls, self._host = GatewayCalls(url, api_key, patience), SyncHost(client)

    def operator(self) -> wire.Operator:
        """Returns the operator and its conditions."""
        return self._host.run(self._calls.operator())

    def work(self, work: str) -> wire.WorkDetailsFacts:
        """Returns a work with its terms, earnings, parents and children."""
        return self._host.run(self._calls.work(work))

    def works(self, **query: str) -> wire.WorkList:
        """Returns works of the catalogue, such as of a `creator`, a `kind`, or a `use`."""
        return self._host.run(self._calls.works(query))

    def quote(self, work: str, use: str = "generate") -> wire.Quote:
        """Returns the price of a use of a work."""
        return self._host.run(self._calls.quote(work, use))

    def paid_routes(self) -> wire.PaidRoutes:
        """Returns the routes behind the gateway's paywall with their present prices."""
        return self._host.run(self._calls.paid_routes())

    def proof(self, receipt: str) -> wire.ReceiptProofParts:
        """Returns the proof of a settled receipt, by the receipt's digest."""
        return self._host.run(self._calls.proof(receipt))

    def authenticate(self, content: bytes | Content) -> wire.Authentication:
        """Returns the registered works and receipts behind a file's content, which stays on this machine."""
        return self._host.run(_authenticate(self._calls, content))

    def close(self) -> None:
        """Closes the connections."""
        self._host.close()

    def __enter__(self) -> GatewayClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncGatewayClient:
    """Client of a gateway for asyncio, as `GatewayClient`."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        patience: float = 10.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._calls, self._host = GatewayCalls(url, api_key, patience), AsyncHost(client)

    async def operator(self) -> wire.Operator:
        """Returns the operator and its conditions."""
        return await self._host.run(self._calls.operator())

    async def work(self, work: str) -> wire.WorkDetailsFacts:
        """Returns a work with its terms, earnings, parents and children."""
        return await self._host.run(self._calls.work(work))

    async def works(self, **query: str) -> wire.WorkList:
        """Returns works of the catalogue, such as of a `creator`, a `kind`, or a `use`."""
        return await self._host.run(self._calls.works(query))

    async def quote(self, work: str, use: str = "generate") -> wire.Quote:
        """Returns the price of a use of a work."""
        return await self._host.run(self._calls.quote(work, use))

    async def paid_routes(self) -> wire.PaidRoutes:
        """Returns the routes behind the gateway's paywall with their present prices."""
        return await self._host.run(self._calls.paid_routes())

    async def proof(self, receipt: str) -> wire.ReceiptProofParts:
        """Returns the proof of a settled receipt, by the receipt's digest."""
        return await self._host.run(self._calls.proof(receipt))

    async def authenticate(self, content: bytes | Content) -> wire.Authentication:
        """Returns the registered works and receipts behind a file's content, which stays on this machine."""
        return await self._host.run(_authenticate(self._calls, content))

    async def close(self) -> None:
        """Closes the connections."""
        await self._host.close()

    async def __aenter__(self) -> AsyncGatewayClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _authenticate(calls: GatewayCalls, content: bytes | Content) -> wire.Authentication:
    found = await Blocking(lambda: examine(content)) if isinstance(content, bytes) else content
    return await calls.authenticate(found.digest, [probe.document() for probe in found.probes])
