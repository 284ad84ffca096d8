"""Golden vectors of the repository, read by the rules in wasmtime. None was made by the rules."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey
from wasmtime import Engine, wat2wasm
from world import REPOSITORY

from motif_sdk import Keypair, Receipt, ReceiptKey, _core, _module, base58, sha256
from motif_sdk.errors import InvalidInput, ReceiptInvalid

JSON = dict[str, Any]

VOUCHER: JSON = json.loads((REPOSITORY / "tests/golden/voucher.json").read_text())
RECEIPT: JSON = json.loads((REPOSITORY / "tests/golden/receipt.json").read_text())
FIXTURES = sorted((REPOSITORY / "tests/fixtures/accounts").glob("*.*.json"))


def call(name: str, raw: bytes = b"", **arguments: Any) -> Any:
    return _core.shared().call(name, raw, **arguments)


def receipt_parts(golden: JSON) -> JSON:
    names = "channel opened_slot statement position license units terms_number work request_digest output_digest"
    parts = {name: golden[name] for name in (*names.split(), "issued_at", "digest", "signature")}
    return parts | {"amount": str(golden["amount"]), "cumulative": str(golden["cumulative"])}


def test_receipt_bytes_match_golden_vector() -> None:
    made = call("receipt.digest", receipt=receipt_parts(RECEIPT))
    assert (made["bytes"], made["digest"]) == (RECEIPT["bytes"], RECEIPT["digest"])


def test_golden_receipt_verifies() -> None:
    receipt = Receipt.from_parts(receipt_parts(RECEIPT))
    keys = [ReceiptKey(RECEIPT["operator"])]
    receipt.verify(keys)
    bundled = receipt.parts | {"signature": RECEIPT["bundle"]["signature"], "bundle": RECEIPT["bundle"]["siblings"]}
    Receipt.from_parts(bundled).verify(keys)


@pytest.mark.parametrize("field", ["amount", "cumulative", "units", "position", "license", "statement", "issued_at"])
def test_changed_golden_receipt_is_rejected(field: str) -> None:
    parts = receipt_parts(RECEIPT)
    value = parts[field]
    changed = parts | {field: str(int(value) + 1) if isinstance(value, str) else value + 1}
    with pytest.raises(ReceiptInvalid):
        Receipt.from_parts(changed).verify([ReceiptKey(RECEIPT["operator"])])


def test_bundle_with_other_siblings_is_rejected() -> None:
    siblings = list(reversed(RECEIPT["bundle"]["siblings"]))
    parts = receipt_parts(RECEIPT) | {"signature": RECEIPT["bundle"]["signature"], "bundle": siblings}
    with pytest.raises(ReceiptInvalid):
        Receipt.from_parts(parts).verify([ReceiptKey(RECEIPT["operator"])])


def voucher_parts(golden: JSON) -> JSON:
    names = ("cluster", "channel", "opened_slot", "statement", "statement_digest", "expires_at", "signature")
    return {name: golden[name] for name in names} | {"cumulative": str(golden["cumulative"])}


def test_voucher_bytes_match_golden_vector() -> None:
    assert call("voucher.bytes", voucher=voucher_parts(VOUCHER))["bytes"] == VOUCHER["bytes"]


def test_python_signature_matches_golden_voucher() -> None:
    key = Keypair.from_seed(bytes.fromhex(VOUCHER["secret_key"]))
    assert key.sign(bytes.fromhex(VOUCHER["bytes"])).hex() == VOUCHER["signature"]
    call("voucher.verify", voucher=voucher_parts(VOUCHER), key=key.address)
    with pytest.raises(ReceiptInvalid):
        call("voucher.verify", voucher=voucher_parts(VOUCHER) | {"cumulative": "1"}, key=key.address)


def test_request_digest_matches_document() -> None:
    """Computed by an independent program from docs/formats.md."""
    made = call("request.digest", b'{"prompt":"New York"}', method="POST", target="/images?size=1")["digest"]
    assert made == "0d4f7adf583d4d21791014a30ec36787105cfa9246b77c9da2e7e2dd9be83ae6"


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_account_fixture_is_decoded(path: Path) -> None:
    fixture = json.loads(path.read_text())
    if fixture["type"] == "StatementBuffer":
        pytest.skip("a statement buffer is no account that clients read")
    decoded = call("account.decode", bytes.fromhex(fixture["data"]))
    expected = {"SplitChange": "split_change"}.get(fixture["type"], fixture["type"].lower())
    assert decoded["kind"] == expected


@pytest.mark.parametrize("data", [b"", b"\0" * 8, bytes(range(200))])
def test_unknown_account_is_rejected(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        call("account.decode", data)


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\0", "1"), (b"\0\0\1", "112"), (bytes([255]) * 4, "7YXq9G"), (b"Hello World!", "2NEpo7TZRRrLZSi2U")],
)
def test_base58_matches_known_vectors(data: bytes, text: str) -> None:
    assert (base58.encode(data), base58.decode(text, len(data))) == (text, data)


@pytest.mark.parametrize("text", ["0", "I", "O", "l", "1" * 31, "1" * 33, "é"])
def test_invalid_base58_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput):
        base58.decode(text, 32)


@pytest.mark.parametrize(
    ("name", "arguments"), [("no.such.call", {}), ("price.quote", {"price": 1}), ("version", {"x": 1})]
)
def test_invalid_call_is_an_error(name: str, arguments: JSON) -> None:
    with pytest.raises(InvalidInput):
        call(name, **arguments)
    assert call("version")["abi"] == 1


def test_modules_have_no_imports() -> None:
    assert list(_module.load(_core.CORE)[1].imports) == []
    assert list(_module.load(_core.CONTENT, is_interruptible=True)[1].imports) == []


def test_compiled_modules_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MOTIF_CACHE_DIR", str(folder))
    engine, wasm = Engine(), bytes(wat2wasm("(module)"))
    _module._compiled(engine, wasm, False)
    (stored,) = folder.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, stored)] == [0o700, 0o600]
    # A file that others can write is compiled again instead of being executed.
    good = stored.read_bytes()
    stored.write_bytes(b"not compiled code")
    stored.chmod(0o666)
    _module._compiled(engine, wasm, False)
    assert stored.read_bytes()[:4] == good[:4]
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    folder.chmod(0o777)
    assert _module.cache_folder() is None
    link = tmp_path / "link"
    os.symlink(folder, link)
    monkeypatch.setenv("MOTIF_CACHE_DIR", str(link))
    assert _module.cache_folder() is None


def test_digest_helper_hashes_text_as_utf8() -> None:
    assert sha256("abc") == sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert base64.b64encode(bytes.fromhex(sha256("é"))) != base64.b64encode(bytes.fromhex(sha256("e")))


SALE: JSON = json.loads((REPOSITORY / "tests/golden/sale.json").read_text())


def test_addresses_match_documented_seeds() -> None:
    """Derived by solders from docs/formats.md."""
    payments = Pubkey.from_string(call("version")["programs"]["payments"])
    shares, mint = SALE["shares"], Pubkey.from_string(SALE["mint"])
    operator = Pubkey.from_string(shares["operator"])
    digest = bytes.fromhex(shares["digest"])
    till, _ = Pubkey.find_program_address([b"till", bytes(operator), bytes(mint), digest], payments)
    named = {name: shares[name] for name in ("operator", "operator_parts", "works")}
    assert call("address.till", shares=named, mint=str(mint))["address"] == str(till)
    account, _ = Pubkey.find_program_address([b"operator", bytes(operator)], payments)
    assert call("address.operator", authority=str(operator))["address"] == str(account)


def test_second_implementation_stays_independent() -> None:
    text = (REPOSITORY / "tests/second_implementation/formats.py").read_text()
    assert "motif_sdk" not in text
    own = [path.read_text() for path in (REPOSITORY / "sdk/python").rglob("*.py") if path != Path(__file__)]
    assert not [one for one in own if "second_implementation" in one]
