"""Client of Motif's programs. Amounts are base units, shares basis points."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _core, terms
from .._rpc import address_of, programs_of
from ..content import Content, examine
from ..errors import AccountNotFound, InvalidInput
from ..receipts import ReceiptKey
from ..signer import Key, Signer, signer_of
from ._cluster import Account, Cluster, RpcCluster
from ._transactions import instructions

JSON = dict[str, Any]

CLAIM_BATCH = 10
COLLECT_BATCH = 25


@dataclass(frozen=True)
class Parent:
    """Parent of a work, with its share of the work's earnings."""

    work: str
    share_bps: int
    right: JSON | None = None
    """Right to derive; by default the owner's own, or that of the parent's latest terms."""


@dataclass(frozen=True)
class Acceptance:
    """License on a channel."""

    channel: str
    license: int
    """Index of the license."""


class Chain:
    """Client of a cluster, whose transactions `signer` signs and pays for.

    All methods raise `TransactionFailed` if the programs refuse, `AccountNotFound`, `RpcError`.
    """

    def __init__(self, signer: Key, cluster: Cluster | str | None = None) -> None:
        """Creates a client of a cluster, or of that behind the node at a URL, as `RpcCluster`."""
        self.cluster: Cluster = RpcCluster(cluster) if cluster is None or isinstance(cluster, str) else cluster
        self.signer: Signer = signer_of(signer)

    # Reads.

    def decoded(self, address: str, kind: str) -> JSON:
        """Returns an account of Motif's programs as the rules decode it, such as a `work` or a `channel`."""
        return _core.shared().call("account.decode", self._data(address, kind))

    def work(self, work: str) -> JSON:
        """Returns a work."""
        return self.decoded(work, "work")["work"]

    def channel(self, channel: str) -> JSON:
        """Returns a channel: `channel`, and its `licenses`."""
        return self.decoded(channel, "channel")

    def earnings(self, work: str, currency: str) -> JSON | None:
        """Returns the earnings of a work in a currency; `None` before its first credit."""
        address = address_of("earnings", work=work, mint=currency)
        return self.decoded(address, "earnings") if self._find(address) is not None else None

    def receipt_keys(self, operator: str) -> list[ReceiptKey]:
        """Returns the keys that sign an operator's receipts."""
        found = self.decoded(address_of("operator", authority=operator), "operator")["operator"]["receipt_keys"]
        return [ReceiptKey(one["key"], one["valid_from"]) for one in found]

    def balance(self, owner: str, currency: str) -> int:
        """Returns the balance of the owner's token account."""
        account = self._find(self._tokens(owner, currency))
        return 0 if account is None else int(_core.shared().call("token.amount", account.data)["amount"])

    # Works and terms.

    def register_work(
        self,
        content: bytes | Content,
        kind: str,
        *,
        split: Mapping[str, int] | None = None,
        parents: Sequence[Parent] = (),
        title: str | None = None,
        signers: Sequence[Signer] = (),
        **registration: Any,
    ) -> str:
        """Registers a work of a `kind` such as `image`, by its content; returns its address.

        `split` maps recipients to basis points, by default all to the signer. Other fields are those of a registration
        in the rules, such as `model` and `metadata_uri`.
        """
        found = content if isinstance(content, Content) else examine(content)
        registration |= {"kind": kind, "content_digest": found.digest}
        if found.fingerprint is not None:
            registration.setdefault("fingerprint", found.fingerprint.document())
        if title is not None:
            registration["title"] = title
        if split is not None:
            registration["split"] = [{"recipient": key, "share_bps": share} for key, share in split.items()]
        if parents:
            registration["parents"] = [self._parent(parent) for parent in parents]
        self._send("register_work", signers, creator=self.signer.address, registration=registration)
        return address_of("work", creator=self.signer.address, content_digest=found.digest)

    def publish_terms(self, work: str, offer: JSON | str, currency: str, *, decimals: int = 6) -> str:
        """Publishes the next version of a work's terms: an offer, or a document in TOML; returns their address.

        Raises `InvalidInput` with the linter's findings if a document cannot be published.
        """
        if isinstance(offer, str):
            parsed = terms.parse(offer, decimals=decimals)
            if parsed.offer is None or parsed.findings:
                raise InvalidInput("; ".join(finding.message for finding in parsed.findings) or "invalid terms")
            offer = parsed.offer
        latest = int(self.work(work)["latest_terms"])
        owner = self.signer.address
        self._send("publish_terms", work=work, owner=owner, latest_terms=latest, currency=currency, offer=offer)
        return address_of("terms", work=work, number=latest + 1)

    # Channels.

    def open_channel(
        self,
        operator: str,
        currency: str,
        deposit: int,
        voucher_key: str,
        *,
        operator_fee_bps: int | None = None,
        grace_seconds: int | None = None,
        salt: int | None = None,
    ) -> str:
        """Opens a channel with an operator and deposits into it; returns its address.

        `voucher_key` is the address of the key that signs vouchers, another one than the signer's. Fee and grace period
        are by default what the operator asks for. `salt` tells apart the channels of a payer with one operator; by
        default it is the lowest free one.
        """
        asked = self.decoded(address_of("operator", authority=operator), "operator")["operator"]
        payer = self.signer.address
        seeds: JSON = {"payer": payer, "operator": operator, "mint": currency}
        number = self._free_salt(seeds) if salt is None else _core.check_range("salt", salt, 64)
        seeds["salt"] = str(number)
        self._send(
            "open_channel",
            **seeds,
            token_program=self._token_program(currency),
            voucher_key=voucher_key,
            operator_fee_bps=asked["fee_bps"] if operator_fee_bps is None else operator_fee_bps,
            grace_seconds=max(3_600, int(asked["min_grace_seconds"])) if grace_seconds is None else grace_seconds,
            deposit=str(_core.check_range("deposit", deposit, 64)),
        )
        return address_of("channel", **seeds)

    def top_up(self, channel: str, amount: int) -> None:
        """Deposits another amount into a channel."""
        mint = self.channel(channel)["channel"]["mint"]
        amount = _core.check_range("amount", amount, 64)
        program = self._token_program(mint)
        payer = self.signer.address
        self._send("top_up", payer=payer, channel=channel, mint=mint, token_program=program, amount=str(amount))

    def accept(
        self,
        channel: str,
        work: str,
        *,
        use: str = "generate",
        max_price: int,
        signers: Sequence[Signer] = (),
        **more: Any,
    ) -> Acceptance:
        """Accepts a work's latest terms, at most `max_price` a unit, which adds a license to the channel.

        Others are those of `accept_terms` in the rules, such as `quota`, and `approver` with its signer in `signers`.
        """
        known = self.work(work)
        address = address_of("terms", work=work, number=known["latest_terms"])
        data = self._data(address, "terms")
        currency = _core.shared().call("account.decode", data)["terms"]["currency"]
        more.setdefault("token_program", self._token_program(currency))
        price = str(_core.check_range("max_price", max_price, 64))
        made: JSON = {"payer": self.signer.address, "channel": channel, "use": use, "max_price": price, **more}
        self._send("accept_terms", signers, terms=base64.b64encode(data).decode(), **made)
        return Acceptance(channel, len(self.channel(channel)["licenses"]) - 1)

    def request_close(self, channel: str) -> None:
        """Starts a channel's grace period. The gateway can close it at once: see `Payer.close_channel`."""
        self._send("request_close", caller=self.signer.address, channel=channel)

    def withdraw(self, channel: str) -> int:
        """Withdraws the rest of a closed channel's deposit; returns it."""
        mint, payer = self.channel(channel)["channel"]["mint"], self.signer.address
        before, program = self.balance(payer, mint), self._token_program(mint)
        made = instructions("create_tokens", funder=payer, owner=payer, mint=mint, token_program=program)
        made += instructions("withdraw", payer=payer, channel=channel, mint=mint, token_program=program)
        self.cluster.send(made, self.signer)
        return self.balance(payer, mint) - before

    # Earnings.

    def collect(self, channel: str) -> int:
        """Moves all new credit of a channel into its works' earnings; returns it. Opens missing earnings."""
        found = self.channel(channel)
        mint, pending, amount = found["channel"]["mint"], list[JSON](), 0
        for index, license in enumerate(found["licenses"]):
            new = int(license["settled"]) - int(license["collected"])
            if new > 0:
                pending.append({"index": index, "work": license["work"]})
                amount += new
        for work in dict.fromkeys(one["work"] for one in pending):
            self._open_earnings(work, mint)
        for batch in _batches(pending, COLLECT_BATCH):
            self._send("collect", channel=channel, mint=mint, licenses=batch)
        return amount

    def pull(self, child: str, currency: str) -> None:
        """Moves the parents' shares of a work's earnings into the parents' earnings."""
        for parent in self._owed(child, currency)["parents"]:
            if int(parent["amount"]) > 0:
                self._open_earnings(parent["work"], currency)
                self._send("pull", child=child, parent=parent["work"], mint=currency)

    def claim(self, work: str, currency: str) -> dict[str, int]:
        """Pays all recipients of a work their shares; returns what each received."""
        program = self._token_program(currency)
        owed = [one for one in self._owed(work, currency)["recipients"] if int(one["amount"]) > 0]
        funder = self.signer.address
        for one in owed:
            if self._find(self._tokens(one["recipient"], currency)) is None:
                owner = one["recipient"]
                self._send("create_tokens", funder=funder, owner=owner, mint=currency, token_program=program)
        for batch in _batches(owed, CLAIM_BATCH):
            recipients = [{"position": one["position"], "recipient": one["recipient"]} for one in batch]
            self._send("claim", work=work, recipients=recipients, mint=currency, token_program=program)
        return {one["recipient"]: int(one["amount"]) for one in owed}

    # Details.

    def _send(self, name: str, signers: Sequence[Signer] = (), /, **arguments: Any) -> None:
        self.cluster.send(instructions(name, **arguments), self.signer, signers)

    def _free_salt(self, seeds: JSON) -> int:
        salt = 0
        while self.cluster.account(address_of("channel", **seeds, salt=str(salt))) is not None:
            salt += 1
        return salt

    def _owed(self, work: str, currency: str) -> JSON:
        """Returns what parents can pull and recipients can claim now, by the present split."""
        address = address_of("earnings", work=work, mint=currency)
        found, known = self.earnings(work, currency), self.decoded(work, "work")["work"]
        if found is None:
            raise AccountNotFound(f"the work {work} has no earnings in {currency}")
        if found["earnings"].get("split_version") != known.get("split_version"):
            self._send("apply_split", funder=self.signer.address, work=work, mint=currency)
        data = base64.b64encode(self._data(work, "work")).decode()
        return _core.shared().call("earnings.owed", self._data(address, "earnings"), work=data)

    def _find(self, address: str) -> Account | None:
        account = self.cluster.account(address)
        return account if account is not None and account.data else None

    def _data(self, address: str, kind: str) -> bytes:
        account, programs = self._find(address), programs_of()
        if account is None or account.owner not in (programs["licensing"], programs["payments"]):
            raise AccountNotFound(f"{address} is no {kind} of Motif's programs")
        found = _core.shared().call("account.decode", account.data)["kind"]
        if found != kind:
            raise AccountNotFound(f"{address} is a {found}, expected a {kind}")
        return account.data

    def _token_program(self, currency: str) -> str:
        account = self._find(currency)
        if account is None:
            raise AccountNotFound(f"the mint {currency} does not exist")
        return account.owner

    def _tokens(self, owner: str, currency: str) -> str:
        return address_of("tokens", owner=owner, mint=currency, token_program=self._token_program(currency))

    def _parent(self, parent: Parent) -> JSON:
        right = parent.right
        if right is None:
            known, own = self.work(parent.work), self.signer.address
            right = {"owner_signs": own} if known["owner"] == own else {"terms": known["latest_terms"]}
        return {"work": parent.work, "share_bps": parent.share_bps, "right": right}

    def _open_earnings(self, work: str, currency: str) -> None:
        """Opens missing earnings of a work and all its ancestors."""
        ahead, seen = [work], set[str]()
        while ahead:
            one = ahead.pop()
            if one in seen:
                continue
            seen.add(one)
            ahead.extend(parent["work"] for parent in self.work(one)["parents"])
            if self._find(address_of("earnings", work=one, mint=currency)) is None:
                self._send("open_earnings", funder=self.signer.address, work=one, mint=currency)


def _batches(items: Sequence[JSON], size: int) -> Iterator[list[JSON]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
