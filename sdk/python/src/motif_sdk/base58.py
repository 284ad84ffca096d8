"""Base58 as Solana writes addresses and signatures."""

from __future__ import annotations

from .errors import InvalidInput

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Returns bytes as base58."""
    number, letters = int.from_bytes(data, "big"), ""
    while number:
        number, value = divmod(number, 58)
        letters = ALPHABET[value] + letters
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + letters


def decode(text: str, size: int) -> bytes:
    """Returns the `size` bytes of a base58 text.

    Raises `InvalidInput` if it is not base58 or has another size.
    """
    number = 0
    for letter in text:
        if letter not in _VALUES:
            raise InvalidInput(f"invalid base58: unexpected character {letter!r}")
        number = number * 58 + _VALUES[letter]
    zeros = len(text) - len(text.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) != size:
        raise InvalidInput(f"invalid base58: {len(data)} bytes, expected {size}")
    return data
