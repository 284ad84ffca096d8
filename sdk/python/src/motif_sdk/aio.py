"""Payer of a channel, for asyncio."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any, Literal

import httpx

from . import wire
from ._calls import GatewayCalls
from ._core import check_range
from ._engine import Paid
from ._holds import HeldGeneration, capture, place, release
from ._hosts import AsyncHost
from ._machine import JSON, Policy
from ._rpc import RpcCalls, check_address
from ._statefile import StateFile
from .errors import InvalidInput, MotifError
from .payer import Digest, Generation, PayerBase, close_channel, hex_of, open_engine, settle
from .receipts import Receipt, ReceiptKey
from .signer import Key, signer_of


class AsyncPayer(PayerBase[AsyncHost]):
    """Payer of a channel, for any number of tasks of one event loop. Its promises are those of `Payer`.

    Cancelling a method's task does not undo a payment: its receipt is kept for `resume`, and in the state file.
    """

    @classmethod
    async def open(
        cls,
        channel: str,
        key: Key,
        *,
        gateway: str | None = None,
        rpc: str | None = None,
        state: str | os.PathLike[str] | None = None,
        policy: Policy | None = None,
        api_key: str | None = None,
        patience: float = 10.0,
        rpc_timeout: float = 15.0,
        account: bytes | None = None,
        receipt_keys: Sequence[ReceiptKey] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> AsyncPayer:
        """Opens the payer of a channel, as `Payer.open`. The signer may be asynchronous."""
        host = AsyncHost(client)
        file: list[StateFile] = []
        try:
            check_address("channel", channel)
            calls = GatewayCalls(gateway, api_key, patience)
            node = None if account is not None else RpcCalls(rpc, patience, rpc_timeout)
            options = (signer_of(key), state, policy or Policy(), account, receipt_keys)
            engine = await host.run(open_engine(host, calls, node, channel, options, file))
        except BaseException:
            await host.close()
            for one in file:
                one.close()
            raise
        return cls(engine)

    def tagged(self, tag: str) -> AsyncPayer:
        """Returns a handle whose payments carry a tag, such as a caller's name."""
        tagged = copy.copy(self)
        tagged.tag = tag
        return tagged

    async def generate(self, license: int, units: int, request_digest: Digest, output_digest: Digest) -> Receipt:
        """Pays for units of a license; returns the verified receipt. Raises as `Payer.generate`."""
        return (await self.generate_batch([Generation(license, units, request_digest, output_digest)]))[0]

    async def generate_batch(self, generations: Sequence[Generation]) -> list[Receipt]:
        """Pays for several generations with one voucher, all or none; returns their verified receipts in order."""
        return (await self._pay([one.document() for one in generations])).receipts

    def hold(self, license: int, units: int, request_digest: Digest, seconds: int = 600) -> AsyncHold:
        """Returns a hold for a generation of at most `units`, placed by `async with` or `await`. Nothing is paid."""
        return AsyncHold(self, license, check_range("units", units, 32), hex_of(request_digest), seconds)

    async def resume(self) -> list[Receipt]:
        """Repeats an unanswered batch; returns the receipts of payments whose callers had stopped waiting."""
        return await self.engine.host.run(self.engine.resume())

    async def refresh(self, account: bytes | None = None) -> None:
        """Adds licenses and deposits that are new on chain, as `Payer.refresh`."""
        await self.engine.host.run(self.engine.refresh(account))

    async def forget_receipts(self, through: int) -> None:
        """Forgets exported receipts up to this number, durably."""
        effects = self.engine.machine.effects("payer.forget_receipts", through=through)
        await self.engine.host.run(self.engine.change_state(effects))

    async def settle(self) -> list[wire.SettlementReport]:
        """Has the gateway settle the channel on chain; returns its settlement reports."""
        return await self.engine.host.run(settle(self.engine))

    async def close_channel(self) -> wire.Closing:
        """Has the gateway settle and close the channel, whose payer has started closing it on chain."""
        return await self.engine.host.run(close_channel(self.engine))

    async def state(self) -> wire.ChannelState:
        """Returns the channel's state at the gateway."""
        return await self.engine.host.run(self.engine.read(""))

    async def usage(self, by: Literal["day", "work", "api-key"] = "day") -> wire.UsageReport:
        """Returns use and spending by `day`, `work` or `api-key`, as the gateway reports them."""
        return await self.engine.host.run(self.engine.read(f"/usage?by={by}"))

    async def close(self) -> None:
        """Waits for payments under way, and gives up the state file and connections. Not for tagged handles."""
        try:
            await self.engine.host.close()
        finally:
            if self.engine.file is not None:
                await asyncio.to_thread(self.engine.file.close)

    async def __aenter__(self) -> AsyncPayer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _pay(self, generations: list[JSON]) -> Paid:
        return await self.engine.host.run(self.engine.pay(generations, self.tag))


class AsyncHold:
    """Hold of an `AsyncPayer`, as an asynchronous context manager that releases what was not captured."""

    def __init__(self, payer: AsyncPayer, license: int, units: int, request_digest: str, seconds: int) -> None:
        self._payer, self._wanted = payer, (license, units, request_digest, seconds)
        self.receipt: Receipt | None = None
        """Receipt of the capture."""
        self._held: HeldGeneration | None = None
        self._is_done = False

    @property
    def held(self) -> HeldGeneration:
        """The hold, once it is placed."""
        if self._held is None:
            raise InvalidInput("the hold is not placed yet: expected `async with` or `await`")
        return self._held

    async def place(self) -> AsyncHold:
        """Places the hold, once."""
        if self._held is None:
            engine, tag = self._payer.engine, self._payer.tag
            self._held = await engine.host.run(place(engine, *self._wanted, tag))
        return self

    async def capture(self, output_digest: Digest, units: int | None = None) -> Receipt:
        """Pays for the units that were used, by default all; returns the verified receipt. Raises as `generate`."""
        engine, tag = self._payer.engine, self._payer.tag
        count = self.held.units if units is None else check_range("units", units, 32)
        try:
            paid = await engine.host.run(capture(engine, self.held, count, hex_of(output_digest), tag))
        except MotifError as error:
            # A payment that may have been made cannot be released.
            self._is_done = not error.is_definite
            raise
        self._is_done, self.receipt = True, paid.receipts[0]
        return self.receipt

    async def release(self) -> None:
        """Releases the hold without payment. Repeating is safe. Raises `Refused` if it was captured."""
        engine = self._payer.engine
        await engine.host.run(release(engine, self.held))
        self._is_done = True

    def __await__(self) -> Generator[Any, Any, AsyncHold]:
        return self.place().__await__()

    async def __aenter__(self) -> AsyncHold:
        return await self.place()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._is_done:
            return
        try:
            await self.release()
        except MotifError:
            if error is None:
                raise
