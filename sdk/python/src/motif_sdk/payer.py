"""Payer of a channel, for threads. `motif_sdk.AsyncPayer` is the same for asyncio."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar

import httpx

from . import _core, wire
from ._calls import GatewayCalls
from ._core import check_range
from ._engine import Engine, HostT, Paid, generation_of
from ._holds import HeldGeneration, capture, place, release
from ._hosts import SyncHost
from ._machine import JSON, Machine, Policy
from ._rpc import RpcCalls, address_of, check_address
from ._sansio import Blocking
from ._statefile import StateFile
from .errors import InvalidInput, LicenseNotFound, MotifError
from .receipts import KeptReceipt, Receipt, ReceiptKey
from .signer import Key, Signer, signer_of

T = TypeVar("T")
Digest = bytes | str
"""SHA-256 as 32 bytes or 64 hexadecimal digits."""


@dataclass(frozen=True)
class License:
    """License on a channel. Amounts are base units; `None` limits nothing."""

    index: int
    work: str
    use: str
    unit: str
    price: int
    """Price of a unit, without the operator's fee."""
    terms_number: int
    expires_at: int | None


@dataclass(frozen=True)
class Generation:
    """Generation to pay for with others, all or none."""

    license: int
    units: int
    request_digest: Digest
    output_digest: Digest
    hold: HeldGeneration | None = None
    """Hold that the payment captures."""

    def document(self) -> JSON:
        """Returns the generation as the rules read it."""
        license, units = check_range("license", self.license, 16), check_range("units", self.units, 32)
        document = generation_of(license, units, hex_of(self.request_digest), hex_of(self.output_digest))
        return document if self.hold is None else {**document, "captures": {"hold": self.hold.hold}}


def sha256(data: bytes | str) -> str:
    """Returns the SHA-256 of bytes, or of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def hex_of(digest: Digest) -> str:
    """Returns a digest in hexadecimal. Raises `InvalidInput`."""
    text: Any = digest.hex() if isinstance(digest, bytes) else digest
    if not isinstance(text, str) or len(text) != 64 or not all(letter in "0123456789abcdefABCDEF" for letter in text):
        raise InvalidInput("invalid digest: expected 32 bytes or 64 hexadecimal digits")
    return text.lower()


class PayerBase(Generic[HostT]):
    """What both payers read from memory."""

    def __init__(self, engine: Engine[HostT]) -> None:
        # Of this package only.
        self.engine: Engine[HostT] = engine
        self.tag: str | None = None

    @property
    def channel(self) -> str:
        """Address of the channel."""
        return self.engine.channel

    @property
    def spent(self) -> int:
        """Spending since the payer was opened, or since its state file was created, fees included."""
        return int(self.engine.machine.status()["spent"])

    @property
    def cumulative(self) -> int:
        """Total of the newest receipt: prices and fees since the channel opened."""
        return int(self.engine.machine.status()["cumulative"])

    @property
    def available(self) -> int:
        """Part of the deposit that is neither owed nor signed."""
        return int(self.engine.machine.status()["available"])

    @property
    def is_unanswered(self) -> bool:
        """Whether the outcome of a batch is unknown."""
        return bool(self.engine.machine.status()["is_unanswered"])

    @property
    def licenses(self) -> list[License]:
        """Licenses of the channel, by index."""
        count = int(self.engine.machine.status()["licenses"])
        return [self._license(index) for index in range(count)]

    def license_for(self, work: str, use: str = "generate") -> License:
        """Returns the newest license of a work and a use. Raises `LicenseNotFound`."""
        for license in reversed(self.licenses):
            if (license.work, license.use) == (work, use):
                return license
        raise LicenseNotFound(f"the channel has no license to {use} with {work}")

    def receipts(self) -> list[KeptReceipt]:
        """Returns the receipts in the state file that were not exported, oldest first."""
        kept: list[JSON] = self.engine.machine.call("payer.receipts")["receipts"]
        return [
            KeptReceipt(one["number"], one.get("tag"), int(one["charged"]), Receipt.from_parts(one["receipt"]))
            for one in kept
        ]

    def spent_on(self, day: int, tag: str | None = None) -> int:
        """Returns the spending of a UTC day, the number of days since 1970, fees included."""
        tagged = {} if tag is None else {"tag": tag}
        return int(self.engine.machine.call("payer.spent_on", day=day, **tagged)["spent"])

    def _license(self, index: int) -> License:
        license = self.engine.machine.call("payer.license", license=index)["license"]
        ends = license.get("expires_at")
        return License(
            index=index,
            work=license["work"],
            use=license["use"],
            unit=license["unit"],
            price=int(license["price"]),
            terms_number=license["terms_number"],
            expires_at=ends,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channel})"


class Payer(PayerBase[SyncHost]):
    """Payer of a channel, for any number of threads.

    While one request is under way, payments gather; they leave together with one voucher. A payment that is refused
    fails alone. The payer accepts only receipts that it verifies and vouchers that its key has signed. With a state
    file, what was signed is on disk before it is sent, and an unanswered payment is repeated with the same bytes.
    """

    @classmethod
    def open(
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
        client: httpx.Client | None = None,
    ) -> Payer:
        """Opens the payer of a channel with its voucher key: a signer, or the path of a keypair file.

        `gateway` and `rpc` are URLs, by default those of `MOTIF_GATEWAY_URL` and `MOTIF_RPC_URL`, or on this machine.
        The channel and its operator's receipt keys are read from the node at `rpc`, unless `account` has the channel's
        data; the operator's authority is then the only receipt key by default. `patience` is the time in seconds for
        which unanswered requests are repeated, and `rpc_timeout` that of a request to the node. `state` is the path of
        the state file, which one process at a time has. A process that forks opens its payer after the fork.

        Raises `StateLocked`, `StateInvalid`, `AccountNotFound`, `RpcError`; `InvalidInput` for another key than the
        channel's; `Untrusted` if the gateway claims a statement that the key did not sign.
        """
        host = SyncHost(client)
        file: list[StateFile] = []
        try:
            check_address("channel", channel)
            calls = GatewayCalls(gateway, api_key, patience)
            node = None if account is not None else RpcCalls(rpc, patience, rpc_timeout)
            options = (signer_of(key), state, policy or Policy(), account, receipt_keys)
            engine = host.run(open_engine(host, calls, node, channel, options, file))
        except BaseException:
            host.close()
            for one in file:
                one.close()
            raise
        return cls(engine)

    def tagged(self, tag: str) -> Payer:
        """Returns a handle whose payments carry a tag, such as a caller's name. It is kept with each receipt and can
        have a budget."""
        tagged = copy.copy(self)
        tagged.tag = tag
        return tagged

    def generate(self, license: int, units: int, request_digest: Digest, output_digest: Digest) -> Receipt:
        """Pays for units of a license; returns the verified receipt.

        Raises `InvalidInput`, `OverBudget`, `PriceTooHigh`, `LicenseNotFound`, `LicenseRefuses`, `Unanswered`: nothing
        was signed. Raises `Refused`: nothing was charged. Raises `Unreachable`, `Untrusted`, `OutcomeUnknown`,
        `StateFailed`: the next payment, or `resume`, repeats the request first and does not pay twice.
        """
        return self.generate_batch([Generation(license, units, request_digest, output_digest)])[0]

    def generate_batch(self, generations: Sequence[Generation]) -> list[Receipt]:
        """Pays for several generations with one voucher, all or none; returns their verified receipts in order.

        Raises as `generate`.
        """
        return self._pay([one.document() for one in generations]).receipts

    def hold(self, license: int, units: int, request_digest: Digest, seconds: int = 600) -> Hold:
        """Holds funds for a generation of at most `units`, whose number is not known yet. Nothing is paid. Budgets must
        cover all units.

        Use it as a context manager: what is not captured is released at its end. Raises as `generate`.
        """
        check_range("units", units, 32)
        placing = place(self.engine, license, units, hex_of(request_digest), seconds, self.tag)
        return Hold(self, self._run(placing))

    def resume(self) -> list[Receipt]:
        """Repeats an unanswered batch; returns the receipts of payments whose callers had stopped waiting."""
        return self._run(self.engine.resume())

    def refresh(self, account: bytes | None = None) -> None:
        """Adds licenses and deposits that are new on chain. `account` is the channel's data, by default as the node has
        it."""
        self._run(self.engine.refresh(account))

    def forget_receipts(self, through: int) -> None:
        """Forgets exported receipts up to this number, durably."""
        effects = self.engine.machine.effects("payer.forget_receipts", through=through)
        self._run(self.engine.change_state(effects))

    def settle(self) -> list[wire.SettlementReport]:
        """Has the gateway settle the channel on chain; returns its settlement reports."""
        return self._run(settle(self.engine))

    def close_channel(self) -> wire.Closing:
        """Has the gateway settle and close the channel, whose payer has started closing it on chain."""
        return self._run(close_channel(self.engine))

    def state(self) -> wire.ChannelState:
        """Returns the channel's state at the gateway."""
        return self._run(self.engine.read(""))

    def usage(self, by: Literal["day", "work", "api-key"] = "day") -> wire.UsageReport:
        """Returns use and spending by `day`, `work` or `api-key`, as the gateway reports them."""
        return self._run(self.engine.read(f"/usage?by={by}"))

    def close(self) -> None:
        """Waits for payments under way, and gives up the state file and connections. Not for tagged handles."""
        try:
            self.engine.host.close()
        finally:
            if self.engine.file is not None:
                self.engine.file.close()

    def __enter__(self) -> Payer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pay(self, generations: list[JSON]) -> Paid:
        return self._run(self.engine.pay(generations, self.tag))

    def _run(self, protocol: Coroutine[Any, Any, T]) -> T:
        return self.engine.host.run(protocol)


class Hold:
    """Hold of a `Payer`, as a context manager that releases what was not captured."""

    def __init__(self, payer: Payer, held: HeldGeneration) -> None:
        self.payer: Payer = payer
        self.held: HeldGeneration = held
        self.receipt: Receipt | None = None
        """Receipt of the capture."""
        self._is_done = False

    def capture(self, output_digest: Digest, units: int | None = None) -> Receipt:
        """Pays for the units that were used, by default all; returns the verified receipt. Raises as `generate`."""
        count = self.held.units if units is None else check_range("units", units, 32)
        payer = self.payer
        try:
            paid = payer.engine.host.run(capture(payer.engine, self.held, count, hex_of(output_digest), payer.tag))
        except MotifError as error:
            self.end(None, is_over=not error.is_definite)
            raise
        self.end(paid.receipts[0])
        return paid.receipts[0]

    def end(self, receipt: Receipt | None, is_over: bool = True) -> None:
        """Notes the receipt of a payment that captured the hold with others.

        A payment that may have been made cannot be released.
        """
        self._is_done, self.receipt = is_over, receipt

    def release(self) -> None:
        """Releases the hold without payment. Repeating is safe. Raises `Refused` if it was captured."""
        self.payer.engine.host.run(release(self.payer.engine, self.held))
        self._is_done = True

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._is_done:
            return
        try:
            self.release()
        except MotifError:
            if error is None:
                raise
            # The hold ends by itself; the caller's error says more.


Options = tuple[Signer, "str | os.PathLike[str] | None", Policy, "bytes | None", "Sequence[ReceiptKey] | None"]


async def open_engine(
    host: HostT, calls: GatewayCalls, rpc: RpcCalls | None, channel: str, options: Options, file: list[StateFile]
) -> Engine[HostT]:
    """Opens an engine. The state file is added to `file`, so that the caller closes it after an error."""
    signer, state, policy, account, keys = options
    core = await Blocking(_core.shared)
    if account is None and rpc is not None:
        account = (await rpc.decoded(channel, "channel"))[1]
    decoded = core.call("account.decode", account or b"")
    if decoded["kind"] != "channel":
        raise InvalidInput(f"the account is a {decoded['kind']}, expected a channel")
    voucher_key = decoded["channel"]["voucher_key"]
    if voucher_key != signer.address:
        raise InvalidInput(f"invalid voucher key {signer.address}: the channel's is {voucher_key}")
    documents: Any = None if keys is None else [key.document() for key in keys]
    if documents is None and rpc is not None:
        operator = address_of("operator", authority=decoded["channel"]["operator"])
        documents = (await rpc.decoded(operator, "operator"))[0]["operator"]["receipt_keys"]
    data = account or b""
    machine = await Blocking(lambda: _load(channel, data, documents, policy, state, file))
    engine = Engine(channel, machine, calls, signer, file[0] if file else None, host, rpc)
    await engine.open()
    return engine


def _load(
    channel: str,
    account: bytes,
    keys: Sequence[JSON] | None,
    policy: Policy,
    state: str | os.PathLike[str] | None,
    file: list[StateFile],
) -> Machine:
    """Returns the machine of a channel with what its state file has."""
    saved: bytes | None = None
    if state is not None:
        file.append(StateFile(state))
        saved = file[0].read()
    return Machine(channel, account, keys, policy, saved)


async def settle(engine: Engine[Any]) -> list[wire.SettlementReport]:
    """Has the gateway settle the channel."""
    proof = await engine.proof("settle")
    answer = await engine.calls.json("POST", f"/v1/channels/{engine.channel}/settlements", proof)
    return answer["settlements"]


async def close_channel(engine: Engine[Any]) -> wire.Closing:
    """Has the gateway settle and close the channel."""
    proof = await engine.proof("close")
    return await engine.calls.json("POST", f"/v1/channels/{engine.channel}/close", proof)
