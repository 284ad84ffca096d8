"""Transactions of the rules' instructions, by solders."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Sequence
from typing import Any

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import Transaction

from .. import _core
from ..errors import InvalidInput, SignerFailed
from ..signer import Signer


def instructions(name: str, /, **arguments: Any) -> list[Instruction]:
    """Returns the instructions of a name, such as `register_work`, with its arguments in JSON's types.

    Raises `InvalidInput` for other names and arguments.
    """
    found = _core.shared().call(f"instruction.{name}", **arguments)["instructions"]
    return [_instruction(one) for one in found]


def _instruction(document: dict[str, Any]) -> Instruction:
    accounts = [
        AccountMeta(Pubkey.from_string(one["address"]), bool(one["is_signer"]), bool(one["is_writable"]))
        for one in document["accounts"]
    ]
    return Instruction(Pubkey.from_string(document["program"]), base64.b64decode(document["data"]), accounts)


def signed(made: Sequence[Instruction], fee_payer: Signer, signers: Sequence[Signer], blockhash: str) -> Transaction:
    """Returns a transaction with the signatures of all keys that it needs.

    Raises `InvalidInput` if a signer is missing; `SignerFailed`.
    """
    payer = Pubkey.from_string(fee_payer.address)
    message = Message.new_with_blockhash(list(made), payer, Hash.from_string(blockhash))
    known = {signer.address: signer for signer in (*signers, fee_payer)}
    count, signatures = message.header.num_required_signatures, list[Signature]()
    for key in message.account_keys[:count]:
        signer = known.get(str(key))
        if signer is None:
            raise InvalidInput(f"the transaction needs the signature of {key}: expected its signer")
        signatures.append(_signature(signer, bytes(message)))
    return Transaction.populate(message, signatures)


def _signature(signer: Signer, message: bytes) -> Signature:
    signature = signer.sign(message)
    if inspect.isawaitable(signature):
        raise SignerFailed("transactions need a signer that is not asynchronous")
    return Signature.from_bytes(signature)
