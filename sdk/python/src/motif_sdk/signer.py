"""Keys and signers. Secrets are never part of errors, logs or representations."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import base58
from .errors import InvalidInput


@runtime_checkable
class Signer(Protocol):
    """Key that signs: in memory, in a wallet, or at a remote service.

    `sign` may return an awaitable for an `AsyncPayer`.
    """

    @property
    def address(self) -> str:
        """Public key, base58."""
        ...

    def sign(self, message: bytes) -> bytes | Awaitable[bytes]:
        """Returns the Ed25519 signature of a message, 64 bytes."""
        ...


class Keypair:
    """Ed25519 key in memory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._address = base58.encode(self.public_key)

    @classmethod
    def generate(cls) -> Keypair:
        """Creates a random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Keypair:
        """Creates the key of a seed of 32 bytes, or of the 64 bytes of a seed and its public key."""
        if len(seed) not in (32, 64):
            raise InvalidInput(f"invalid key: {len(seed)} bytes, expected 32 or 64")
        pair = cls(Ed25519PrivateKey.from_private_bytes(seed[:32]))
        if len(seed) == 64 and pair.public_key != seed[32:]:
            raise InvalidInput("invalid key: the public key does not belong to the secret one")
        return pair

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, create: bool = False) -> Keypair:
        """Reads a keypair file: a JSON array of 32 or 64 numbers, as Solana's command line writes it.

        With `create`, a missing file is first created with a new key. Raises `InvalidInput` if the file is not one;
        `OSError` if it cannot be read.
        """
        if create:
            with contextlib.suppress(FileExistsError):
                cls.generate().save(path)
        try:
            numbers: Any = json.loads(Path(path).read_text())
            seed = bytes(numbers)
        except (ValueError, TypeError):
            # The cause could show a part of the file.
            raise InvalidInput(f"{os.fspath(path)} is no keypair file: expected a JSON array of 64 bytes") from None
        return cls.from_seed(seed)

    @property
    def public_key(self) -> bytes:
        """Public key, 32 bytes."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def address(self) -> str:
        """Public key, base58."""
        return self._address

    def sign(self, message: bytes) -> bytes:
        """Returns the signature of a message, 64 bytes."""
        return self._key.sign(message)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a new keypair file that only its owner can read. Raises `FileExistsError` if it exists."""
        numbers = list(self._key.private_bytes_raw() + self.public_key)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(numbers, file)

    def __repr__(self) -> str:
        return f"Keypair({self._address})"


class CallableSigner:
    """Signer of a function, such as a call to a key service."""

    def __init__(self, address: str, sign: Callable[[bytes], bytes | Awaitable[bytes]]) -> None:
        base58.decode(address, 32)
        self._address, self._sign = address, sign

    @property
    def address(self) -> str:
        """Public key, base58."""
        return self._address

    def sign(self, message: bytes) -> bytes | Awaitable[bytes]:
        """Returns the function's signature of a message."""
        return self._sign(message)

    def __repr__(self) -> str:
        return f"CallableSigner({self._address})"


Key = Signer | Ed25519PrivateKey | str | os.PathLike[str]
"""Signer, key of the package `cryptography`, or path of a keypair file."""


def signer_of(key: Key) -> Signer:
    """Returns the signer of a key, or of the keypair file at a path."""
    if isinstance(key, Ed25519PrivateKey):
        return Keypair(key)
    if isinstance(key, (str, os.PathLike)):
        return Keypair.from_file(key)
    return key
