"""A gateway that lies in every way that could make a platform pay. No signature leaves, and no receipt is taken."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway_double import GatewayDouble, Reply, problem
from world import World

from motif_sdk import Keypair, Payer, _core
from motif_sdk.errors import GatewayError, InvalidInput, MotifError, Unanswered, Untrusted

JSON = dict[str, Any]

REQUEST, OUTPUT = bytes([1]) * 32, bytes([2]) * 32
FOREIGN = Keypair.from_seed(bytes([99]) * 32)


@pytest.fixture
def truth(gateway: GatewayDouble, world: World) -> Iterator[GatewayDouble]:
    """The gateway with two generations in its open statement."""
    with open_payer(gateway, world) as payer:
        for number in range(2):
            payer.generate(0, 1, bytes([number]) * 32, OUTPUT)
    gateway.batches.clear()
    yield gateway


def open_payer(gateway: GatewayDouble, world: World) -> Payer:
    return Payer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=0)


def forge_voucher(state: JSON) -> None:
    voucher = state["open"]["voucher"] | {"cumulative": "900000"}
    message = _core.shared().call("voucher.bytes", voucher=voucher)["bytes"]
    state["open"]["voucher"] = voucher | {"signature": FOREIGN.sign(bytes.fromhex(message)).hex()}


def raise_units(state: JSON) -> None:
    state["open"]["entries"][0]["units"] = 9_000


def raise_total(state: JSON) -> None:
    state["open"]["voucher"]["cumulative"] = "900000"


def skip_statement(state: JSON) -> None:
    state["open"]["statement"] = 1


def add_unsigned_statement(state: JSON) -> None:
    state["unsettled"] = [copy.deepcopy(state["open"]) | {"voucher": None}]


def repeat_statement(state: JSON) -> None:
    state["unsettled"] = [copy.deepcopy(state["open"])]


@pytest.mark.parametrize(
    "lie", [raise_units, forge_voucher, raise_total, skip_statement, add_unsigned_statement, repeat_statement]
)
def test_foreign_statement_is_not_signed(truth: GatewayDouble, world: World, lie: Callable[[JSON], None]) -> None:
    def lying(state: JSON) -> JSON:
        said = copy.deepcopy(state)
        lie(said)
        assert said != state
        return said

    truth.state_of = lying
    with pytest.raises(Untrusted):
        open_payer(truth, world)
    assert truth.batches == []


def test_true_statement_is_resumed(truth: GatewayDouble, world: World) -> None:
    with open_payer(truth, world) as payer:
        assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 306


ENTRIES = [{"license": 0, "units": 9_000}]


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("wrong-price", {"statement": 0, "cumulative": "900000", "entries": ENTRIES}),
        ("voucher-not-newer", {"statement": 0, "cumulative": "900000", "entries": ENTRIES}),
        ("statement-closed", {"statement": 1, "cumulative": "900000", "entries": []}),
        ("statement-closed", {"statement": 1, "cumulative": "204", "entries": ENTRIES}),
        ("statement-closed", {"statement": 9, "cumulative": "204", "entries": []}),
        ("statement-closed", None),
        # A total below what was paid: nothing is signed again, and nothing is forgotten.
        ("wrong-price", {"statement": 0, "cumulative": "102", "entries": []}),
        ("voucher-not-newer", {"statement": 0, "cumulative": "0", "entries": []}),
    ],
)
def test_false_hint_changes_no_total(truth: GatewayDouble, world: World, slug: str, expected: JSON | None) -> None:
    with open_payer(truth, world) as payer:
        truth.answers.append(lambda _: (409, problem(slug, expected=expected)))
        with pytest.raises(GatewayError):
            payer.generate(0, 1, REQUEST, OUTPUT)
        # One signature, for one generation more than was paid.
        assert [totals(request) for request in truth.batches] == [(0, "306")]
        assert (payer.spent, payer.cumulative) == (0, 204)
        assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 306


def totals(request: JSON) -> tuple[int, str]:
    return request["voucher"]["statement"], request["voucher"]["cumulative"]


LIES: list[JSON] = [
    {"amount": "101"},
    {"amount": "99"},
    {"cumulative": "307"},
    {"cumulative": "204"},
    {"units": 2},
    {"license": 1},
    {"statement": 1},
    {"opened_slot": 999_999_999},
    {"terms_number": 2},
    {"work": FOREIGN.address},
    {"channel": FOREIGN.address},
    {"request_digest": "03" * 32},
    {"output_digest": "03" * 32},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
def test_mismatched_receipt_is_rejected(truth: GatewayDouble, world: World, lie: JSON) -> None:
    payer = open_payer(truth, world)
    truth.answers.append(lambda request: (200, {"receipts": [truth.receipt(request, **lie)]}))
    with pytest.raises(Untrusted):
        payer.generate(0, 1, REQUEST, OUTPUT)
    # The outcome is unknown, so that nothing else is signed before it is known.
    truth.answers.append(lambda request: (200, {"receipts": [truth.receipt(request, **lie)]}))
    with pytest.raises(Unanswered):
        payer.generate(0, 1, bytes([3]) * 32, bytes([4]) * 32)
    assert len(truth.batches) == 2
    assert truth.batches[0] == truth.batches[1]
    assert (payer.spent, payer.is_unanswered) == (0, True)
    payer.close()


def forged(truth: GatewayDouble) -> Callable[[JSON], Reply]:
    return lambda request: (200, {"receipts": [truth.receipt(request, signer=FOREIGN)]})


def of_another_bundle(truth: GatewayDouble) -> Callable[[JSON], Reply]:
    # Signed by the operator, but no Merkle path leads from this receipt to what is signed.
    sibling = {"hash": "11" * 32, "is_left": False}
    return lambda request: (200, {"receipts": [truth.receipt(request) | {"bundle": [sibling]}]})


def without_receipts(_: GatewayDouble) -> Callable[[JSON], Reply]:
    return lambda _: (200, {"receipts": []})


def unreadable(_: GatewayDouble) -> Callable[[JSON], Reply]:
    return lambda _: (200, ["no", "receipts"])


@pytest.mark.parametrize("lie", [forged, of_another_bundle, without_receipts, unreadable])
def test_forged_receipt_is_rejected(
    truth: GatewayDouble, world: World, lie: Callable[[GatewayDouble], Callable[[JSON], Reply]]
) -> None:
    with open_payer(truth, world) as payer:
        truth.answers.append(lie(truth))
        with pytest.raises(Untrusted):
            payer.generate(0, 1, REQUEST, OUTPUT)
        assert payer.spent == 0
        # The true receipt for the same bytes is taken, and paid for once.
        receipts = payer.resume()
        assert [receipt.cumulative for receipt in receipts] == [306]
        assert (payer.spent, payer.is_unanswered) == (102, False)
    assert truth.batches[0] == truth.batches[1]


def test_receipt_of_earlier_payment_is_rejected(truth: GatewayDouble, world: World) -> None:
    with open_payer(truth, world) as payer:
        first = payer.generate(0, 1, REQUEST, OUTPUT)
        truth.answers.append(lambda _: (200, {"receipts": [first.parts]}))
        with pytest.raises(Untrusted):
            payer.generate(0, 1, REQUEST, OUTPUT)
        assert payer.spent == 102


def test_other_voucher_key_is_refused(gateway: GatewayDouble, world: World) -> None:
    with pytest.raises(InvalidInput, match=f"the channel's is {world.voucher.address}"):
        Payer.open(world.channel, FOREIGN, gateway=gateway.url, account=world.account, patience=0)
    assert gateway.requests == []


@pytest.mark.parametrize("state", [{}, [], {"open": None}, "text", {"channel": 1}])
def test_unreadable_state_is_untrusted(gateway: GatewayDouble, world: World, state: Any) -> None:
    gateway.state_of = lambda _: state
    with pytest.raises(Untrusted):
        open_payer(gateway, world)
    assert gateway.batches == []


def test_secrets_of_urls_are_not_shown(world: World) -> None:
    url = "http://user:secret@127.0.0.1:1/path?token=secret"
    for options in ({"gateway": url, "account": world.account}, {"rpc": url}):
        with pytest.raises(MotifError) as caught:
            Payer.open(world.channel, world.voucher, patience=0, **options)
        assert "secret" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        (200, '{"a":' * 100_000),
        (500, "[" * 200_000),
        (421, '{"type":' + "[" * 200_000),
        (421, {"type": "channel-held-elsewhere", "status": 421, "holder": "http://[::1"}),
        (421, {"type": "channel-held-elsewhere", "status": 421, "holder": "http://127.0.0.1:99999999"}),
        (421, {"type": "channel-held-elsewhere", "status": 421, "holder": "http://a\r\nx: y"}),
    ],
    ids=range(6),
)
def test_odd_answer_is_a_typed_error(truth: GatewayDouble, world: World, answer: tuple[int, Any]) -> None:
    status, content = answer
    body = (content if isinstance(content, str) else json.dumps(content)).encode()
    with open_payer(truth, world) as payer:
        truth.others = lambda method, path, *_: (status, {}, body) if path.endswith("/batches") else None
        with pytest.raises(MotifError):
            payer.generate(0, 1, REQUEST, OUTPUT)
        truth.others = lambda *_: (status, {}, body)
        with pytest.raises(MotifError):
            open_payer(truth, world)
        truth.others = None
        payer.resume()
        assert payer.generate(0, 1, bytes([3]) * 32, OUTPUT).cumulative in (306, 408)
