"""Reads a signed PNG, JPEG, WebP, WAV or MP3 with an independent C2PA reader, and verifies the receipt in
it from docs/formats.md alone.

    credentials.py FILE MEDIA_TYPE ANCHORS [OPERATOR]

ANCHORS is a file of certificates in PEM, OPERATOR the base-58 key that must have signed the receipt.
Answers with one JSON document: what the reader says of the file, what the assertion names, and
whether the receipt is signed and is of the file without its credentials.

Needs Python 3.10 and the packages `c2pa-python` and `cryptography`.
"""
import hashlib
import json
import struct
import sys

import c2pa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from formats import address, domain


def settings(anchors):
    return {
        "trust": {"trust_anchors": anchors},
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    }


def bare(content, media_type):
    """Returns the file without its credentials, as docs/formats.md describes."""
    if media_type == "image/png":
        kept, place = content[:8], 8
        while place < len(content):
            length = struct.unpack(">I", content[place : place + 4])[0] + 12
            if content[place + 4 : place + 8] != b"caBX":
                kept += content[place : place + length]
            place += length
        return kept
    if media_type == "image/jpeg":
        kept, place, instances = content[:2], 2, set()
        while content[place] == 0xFF and content[place + 1] != 0xDA:
            end = place + 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
            payload = content[place + 4 : end]
            if content[place + 1] == 0xEB and payload[:2] == b"JP":
                if payload[12:16] + payload[20:28] == b"jumbjumdc2pa":
                    instances.add(payload[2:4])
                if payload[2:4] in instances:
                    place = end
                    continue
            kept += content[place:end]
            place = end
        return kept + content[place:]
    if media_type in ("audio/wav", "image/webp"):
        kept, place = b"", 12
        while place < len(content):
            length = struct.unpack("<I", content[place + 4 : place + 8])[0]
            end = place + 8 + length + length % 2
            if content[place : place + 4] != b"C2PA":
                kept += content[place:end]
            place = end
        return b"RIFF" + struct.pack("<I", len(kept) + 4) + content[8:12] + kept
    if media_type == "audio/mpeg":
        syncsafe = lambda four: four[0] << 21 | four[1] << 14 | four[2] << 7 | four[3]
        tag_end, kept, place = 10 + syncsafe(content[6:10]), b"", 10
        while place < tag_end and content[place] != 0:
            size = content[place + 4 : place + 8]
            length = syncsafe(size) if content[3] == 4 else struct.unpack(">I", size)[0]
            end = place + 10 + length
            if not content[place:end].startswith(b"GEOB") or b"\0application/c2pa\0" not in content[place:end][:40]:
                kept += content[place:end]
            place = end
        kept += content[place:tag_end]
        size = bytes(len(kept) >> shift & 0x7F for shift in (21, 14, 7, 0))
        return (content[:6] + size + kept if kept else b"") + content[tag_end:]
    raise ValueError(media_type)


def message(receipt):
    return b"".join([
        domain("motif-receipt"),
        address(receipt["channel"]),
        struct.pack("<QQ", receipt["opened_slot"], receipt["statement"]),
        struct.pack("<IH", receipt["position"], receipt["license"]),
        struct.pack("<II", receipt["units"], receipt["terms_number"]),
        struct.pack("<QQ", int(receipt["amount"]), int(receipt["cumulative"])),
        address(receipt["work"]),
        bytes.fromhex(receipt["request_digest"]),
        bytes.fromhex(receipt["output_digest"]),
        struct.pack("<q", receipt["issued_at"]),
    ])


def is_signed(receipt, operator):
    key = Ed25519PublicKey.from_public_bytes(address(operator))
    try:
        key.verify(bytes.fromhex(receipt["signature"]), message(receipt))
        return True
    except InvalidSignature:
        return False


def main():
    path, media_type, anchors, *operator = sys.argv[1:]
    content = open(path, "rb").read()
    context = c2pa.Context(settings=c2pa.Settings.from_dict(settings(open(anchors).read())))
    with open(path, "rb") as stream:
        read = json.loads(c2pa.Reader(media_type, stream, context=context).json())
    manifest = read["manifests"][read["active_manifest"]]
    said = {assertion["label"]: assertion["data"] for assertion in manifest["assertions"]}
    answer = {
        "state": read["validation_state"],
        "failures": read["validation_results"]["activeManifest"]["failure"],
        "signer": manifest["signature_info"]["common_name"],
        "actions": [action["action"] for action in said["c2pa.actions.v2"]["actions"]],
        "mining": said.get("cawg.training-mining"),
        "provenance": said["org.motif.provenance"],
    }
    if operator and operator[0]:
        receipt = answer["provenance"]["receipt"]
        output = hashlib.sha256(bare(content, media_type)).hexdigest()
        answer["receipt_is_signed"] = is_signed(receipt, operator[0])
        answer["receipt_is_named"] = receipt["digest"] == hashlib.sha256(message(receipt)).hexdigest()
        answer["receipt_is_of_this"] = receipt["output_digest"] == output
    print(json.dumps(answer))


main()
