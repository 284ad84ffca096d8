"""Motif's signed formats, written a second time from docs/formats.md alone.

Reads one JSON document from stdin, {"vouchers": [...], "receipts": [...], "trees": [...],
"records": [...], "ranges": [...], "bundles": [...], "sales": [...]}, and answers with the same lists as bytes, digests and
signatures in hexadecimal. It shares no code with the Rust implementation: where the two differ,
one of them, or the description, is wrong.

Needs Python 3.9 and the package `cryptography`.
"""
import base64
import hashlib
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def address(text):
    """Returns the 32 bytes of a base58 address."""
    number = 0
    for character in text:
        number = number * 58 + ALPHABET.index(character)
    return number.to_bytes(32, "big")


def domain(name):
    """Returns the sixteen first bytes of a signed message, version 1."""
    return b"\xff" + name.encode("ascii") + b"\x00\x01"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def sign(secret, message):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"public_key": public.hex(), "signature": key.sign(message).hex()}


def voucher(case):
    statement = b"".join(struct.pack("<HI", e["license"], e["units"]) for e in case["entries"])
    message = b"".join([
        domain("motif-voucher"),
        bytes.fromhex(case["cluster"]),
        address(case["program"]),
        address(case["channel"]),
        struct.pack("<QQQ", case["opened_slot"], case["statement"], case["cumulative"]),
        sha256(statement),
        struct.pack("<q", case["expires_at"]),
    ])
    return {"statement_bytes": statement.hex(), "bytes": message.hex(), **sign(case["secret_key"], message)}


def receipt(case):
    message = b"".join([
        domain("motif-receipt"),
        address(case["channel"]),
        struct.pack("<QQ", case["opened_slot"], case["statement"]),
        struct.pack("<IHII", case["position"], case["license"], case["units"], case["terms_number"]),
        struct.pack("<QQ", case["amount"], case["cumulative"]),
        address(case["work"]),
        bytes.fromhex(case["request_digest"]),
        bytes.fromhex(case["output_digest"]),
        struct.pack("<q", case["issued_at"]),
    ])
    return {"bytes": message.hex(), "digest": sha256(message).hex(), **sign(case["secret_key"], message)}


def tree(leaves):
    """Root of a statement's receipts: leaves are (receipt digest, amount)."""
    amount = lambda value: struct.pack("<Q", value)
    level = [(sha256(b"\x00", bytes.fromhex(digest), amount(paid)), paid) for digest, paid in leaves]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [
            pair[0]
            if len(pair) == 1
            else (
                sha256(b"\x01", pair[0][0], amount(pair[0][1]), pair[1][0], amount(pair[1][1])),
                pair[0][1] + pair[1][1],
            )
            for pair in pairs
        ]
    return {"root": level[0][0].hex(), "sum": level[0][1]}


def bundle(case):
    """Returns one signature for several receipts, and each receipt's Merkle path."""
    level = [bytes.fromhex(digest) for digest in case["digests"]]
    places = list(range(len(level)))
    ways = [[] for _ in level]
    while len(level) > 1:
        for way, place in zip(ways, places):
            other = place ^ 1
            if other < len(level):
                way.append({"hash": level[other].hex(), "is_left": other < place})
        places = [place // 2 for place in places]
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [sha256(b"\x01", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return {"ways": ways, **sign(case["secret_key"], domain("motif-bundled") + level[0])}


def record(case):
    root = case["receipts_root"]
    return sha256(
        domain("motif-settled"),
        address(case["channel"]),
        struct.pack("<QQ", case["opened_slot"], case["statement"]),
        struct.pack("<QQQ", case["prices"], case["fee"], case["cumulative"]),
        bytes.fromhex(case["statement_digest"]),
        b"\x01" + bytes.fromhex(root) if root else bytes(33),
    ).hex()


def sale(case):
    """The memo that commits to a sale, and the digest of the shares of its till."""
    works = [(address(share["work"]), share["parts"]) for share in case["works"]]
    shares = sha256(
        struct.pack("<I", case["operator_parts"]),
        *(work + struct.pack("<I", parts) for work, parts in works),
    )
    terms = [(number, bytes.fromhex(digest)) for number, digest in case["terms"]]
    if len(works) == 1:
        subject, (number, digest) = works[0][0], terms[0]
    else:
        subject, number = shares, 0
        digest = sha256(*(struct.pack("<I", number) + digest for number, digest in terms))
    message = b"".join([
        domain("motif-accept"),
        bytes.fromhex(case["cluster"]),
        address(case["till"]),
        subject,
        address(case["mint"]),
        struct.pack("<I", number),
        digest,
        struct.pack("<BIQ", case["use"], case["units"], case["amount"]),
        bytes.fromhex(case["request_digest"]),
        address(case["operator"]),
        struct.pack("<qQ", case["not_after"], case["nonce"]),
    ])
    memo = base64.urlsafe_b64encode(sha256(message)[:24]).decode("ascii")
    return {"shares": shares.hex(), "bytes": message.hex(), "memo": memo}


def mmr(leaves):
    """Returns the trees of a range after all leaves were appended: {level: root}."""
    peaks = {}
    for leaf in map(bytes.fromhex, leaves):
        level = 0
        while level in peaks:
            leaf = sha256(b"\x01", peaks.pop(level), leaf)
            level += 1
        peaks[level] = leaf
    return {str(level): root.hex() for level, root in peaks.items()}


def main():
    cases = json.load(sys.stdin)
    answers = {
        "vouchers": [voucher(case) for case in cases["vouchers"]],
        "receipts": [receipt(case) for case in cases["receipts"]],
        "trees": [tree(leaves) for leaves in cases["trees"]],
        "records": [record(case) for case in cases["records"]],
        "bundles": [bundle(case) for case in cases["bundles"]],
        "sales": [sale(case) for case in cases["sales"]],
        "ranges": [mmr(leaves) for leaves in cases["ranges"]],
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
