"""Receipts: what was paid, signed by the operator. Amounts are base units."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import _core, wire
from .errors import InvalidInput

JSON = dict[str, Any]


@dataclass(frozen=True)
class ReceiptKey:
    """Key that signs an operator's receipts from a unix second on."""

    key: str
    valid_from: int = 0

    def document(self) -> JSON:
        """Returns the key as the rules read it."""
        return {"key": self.key, "valid_from": self.valid_from}


@dataclass(frozen=True)
class Receipt:
    """Receipt of a generation. Digests and signatures are hex, addresses base58."""

    digest: str
    """SHA-256 of the receipt's bytes, which identifies it."""
    channel: str
    work: str
    license: int
    """Index of the license on the channel."""
    units: int
    amount: int
    """Price of this generation, without the operator's fee."""
    cumulative: int
    """Total of the voucher that paid."""
    statement: int
    position: int
    terms_number: int
    opened_slot: int
    request_digest: str
    output_digest: str
    issued_at: int
    """Unix second at the gateway."""
    signature: str
    parts: JSON = field(repr=False, compare=False)
    """JSON of the receipt, as gateways send it."""

    @classmethod
    def from_parts(cls, parts: JSON) -> Receipt:
        """Creates a receipt from its JSON, unverified. Raises `InvalidInput`."""
        numbers = ("license", "units", "statement", "position", "terms_number", "opened_slot", "issued_at")
        texts = ("digest", "channel", "work", "request_digest", "output_digest", "signature")
        try:
            values: JSON = {name: int(parts[name]) for name in (*numbers, "amount", "cumulative")}
            values |= {name: str(parts[name]) for name in texts}
            return cls(**values, parts=parts)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"invalid receipt: expected the JSON of a gateway, not {error}") from None

    @classmethod
    def from_header(cls, header: str) -> Receipt:
        """Reads the header `motif-receipt`, unverified. Raises `InvalidInput`."""
        return cls.from_parts(_core.shared().call("receipt.read", header=header)["receipt"])

    def verify(self, keys: Sequence[ReceiptKey]) -> None:
        """Verifies the signature by the operator's receipt keys. Raises `ReceiptInvalid`."""
        documents = [key.document() for key in keys]
        _core.shared().call("receipt.verify", receipt=self.parts, keys=documents)


@dataclass(frozen=True)
class KeptReceipt:
    """Receipt in a payer's state file that was not exported."""

    number: int
    """Number, ascending from 1 over all receipts of the state."""
    tag: str | None
    charged: int
    """Amount charged, fees included."""
    receipt: Receipt


def verify_proof(proof: wire.ReceiptProofParts, address: str, account: bytes, keys: Sequence[ReceiptKey]) -> None:
    """Verifies that a receipt is part of what settled, by the data of its channel's account.

    `proof` is that of `GatewayClient.proof`. Raises `ReceiptInvalid`.
    """
    documents = [key.document() for key in keys]
    channel = base64.b64encode(account).decode()
    _core.shared().call("proof.verify", proof=proof, address=address, channel=channel, keys=documents)
