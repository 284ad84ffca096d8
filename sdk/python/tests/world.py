"""A cluster in this process: the committed programs in LiteSVM, with a work, an operator and a channel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solders.account import Account as SolanaAccount
from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata

from motif_sdk import Content, Keypair, Signer, sha256
from motif_sdk._rpc import programs_of
from motif_sdk.chain import Account, Chain, instructions
from motif_sdk.chain._transactions import signed
from motif_sdk.errors import TransactionFailed

REPOSITORY = Path(__file__).parents[3]
TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SOL = 1_000_000_000


class SimulatedCluster:
    """LiteSVM with Motif's programs and their configuration."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        programs = programs_of()
        for name in ("licensing", "payments", "token_metadata"):
            file = REPOSITORY / "programs" / "artifacts" / f"{name}.so"
            self.svm.add_program(Pubkey.from_string(programs[name]), file.read_bytes())
        config = json.loads((REPOSITORY / "tests/fixtures/accounts/licensing.Config.json").read_text())
        self.put(config["address"], programs["licensing"], bytes.fromhex(config["data"]))

    def put(self, address: str, owner: str, data: bytes) -> None:
        """Writes an account."""
        lamports = self.svm.minimum_balance_for_rent_exemption(len(data))
        account = SolanaAccount(lamports, data, Pubkey.from_string(owner))
        self.svm.set_account(Pubkey.from_string(address), account)

    def account(self, address: str) -> Account | None:
        """Returns an account."""
        found = self.svm.get_account(Pubkey.from_string(address))
        return None if found is None else Account(address, str(found.owner), found.lamports, bytes(found.data))

    def send(self, made: Sequence[Instruction], fee_payer: Signer, signers: Sequence[Signer] = ()) -> str:
        """Executes a transaction."""
        transaction = signed(made, fee_payer, signers, str(self.svm.latest_blockhash()))
        assert len(bytes(transaction)) <= 1_232, "the transaction is larger than a packet"
        sent = self.svm.send_transaction(transaction)
        if isinstance(sent, FailedTransactionMetadata):
            raise TransactionFailed(str(sent.err()), tuple(sent.meta().logs()))
        self.svm.expire_blockhash()
        return str(sent.signature())

    def create_mint(self, mint: str, decimals: int = 6) -> None:
        """Creates a mint whose authority no key has."""
        supply = (1 << 60).to_bytes(8, "little")
        self.put(mint, TOKEN_PROGRAM, bytes(36) + supply + bytes([decimals, 1]) + bytes(36))

    def give_tokens(self, owner: str, mint: str, amount: int) -> None:
        """Sets the balance of the owner's token account."""
        from motif_sdk._rpc import address_of

        keys = bytes(Pubkey.from_string(mint)) + bytes(Pubkey.from_string(owner))
        data = keys + amount.to_bytes(8, "little") + bytes(36) + bytes([1]) + bytes(12 + 8 + 36)
        self.put(address_of("tokens", owner=owner, mint=mint), TOKEN_PROGRAM, data)

    def airdrop(self, key: Keypair) -> None:
        """Gives a key SOL."""
        self.svm.airdrop(Pubkey.from_string(key.address), 100 * SOL)


@dataclass
class World:
    """A work at 100 base units a generation, an operator with a fee of 2 %, and a channel that has accepted it."""

    cluster: SimulatedCluster = field(default_factory=SimulatedCluster)
    creator: Keypair = field(default_factory=lambda: Keypair.from_seed(bytes([1]) * 32))
    partner: Keypair = field(default_factory=lambda: Keypair.from_seed(bytes([2]) * 32))
    platform: Keypair = field(default_factory=lambda: Keypair.from_seed(bytes([3]) * 32))
    voucher: Keypair = field(default_factory=lambda: Keypair.from_seed(bytes([6]) * 32))
    operator: Keypair = field(default_factory=lambda: Keypair.from_seed(bytes([4]) * 32))
    mint: str = field(default_factory=lambda: Keypair.from_seed(bytes([5]) * 32).address)
    price: int = 100
    deposit: int = 1_000_000

    def __post_init__(self) -> None:
        cluster = self.cluster
        for key in (self.creator, self.partner, self.platform, self.operator):
            cluster.airdrop(key)
        cluster.create_mint(self.mint)
        cluster.give_tokens(self.platform.address, self.mint, 5_000_000)
        cluster.send(instructions("create_vault", funder=self.operator.address, mint=self.mint), self.operator)
        authority = self.operator.address
        registered: dict[str, Any] = {"authority": authority, "settle_key": authority, "receipt_key": authority}
        cluster.send(
            instructions(
                "register_operator",
                funder=authority,
                **registered,
                fee_bps=200,
                min_grace_seconds=3_600,
                fee_owner=authority,
                url="https://gateway.example",
            ),
            self.operator,
        )
        creator = Chain(self.creator, cluster)
        split = {self.creator.address: 5_000, self.partner.address: 5_000}
        self.work = creator.register_work(content_of(b"New York, same style"), "text", split=split, title="London")
        offer = {"uses": [{"use": "generate", "unit": "generation", "price": str(self.price)}]}
        self.terms = creator.publish_terms(self.work, offer, self.mint)
        self.chain = Chain(self.platform, cluster)
        self.channel = self.chain.open_channel(authority, self.mint, self.deposit, self.voucher.address)
        self.accepted = self.chain.accept(self.channel, self.work, max_price=self.price)

    @property
    def account(self) -> bytes:
        """Data of the channel's account."""
        found = self.cluster.account(self.channel)
        assert found is not None
        return found.data


def content_of(data: bytes) -> Content:
    """Returns content without a fingerprint, which no decoder has read."""
    return Content(sha256(data), "other", "application/octet-stream", None, ())
