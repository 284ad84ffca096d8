"""A paywall that lies to the transports: wrong price, other output, replayed due. No signature leaves."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from gateway_double import GatewayDouble
from paywall_double import PaywallDouble, refusal
from world import World

from motif_sdk import AsyncMotifTransport, AsyncPayer, Keypair, MotifAuth, MotifTransport, Payer, Policy, _purchase
from motif_sdk.asgi import write_header
from motif_sdk.errors import (
    LicenseNotFound,
    MotifError,
    NotPayable,
    OutcomeUnknown,
    OverBudget,
    PriceTooHigh,
    Refused,
    Unreachable,
    Untrusted,
)
from motif_sdk.requests_adapter import MotifAdapter

JSON = dict[str, Any]
FOREIGN = Keypair.from_seed(bytes([99]) * 32)


@pytest.fixture
def paywall(gateway: GatewayDouble) -> PaywallDouble:
    return PaywallDouble(gateway)


@pytest.fixture
def payer(gateway: GatewayDouble, world: World) -> Iterator[Payer]:
    with Payer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=0) as opened:
        yield opened


def buy(payer: Payer, paywall: PaywallDouble, **options: Any) -> httpx.Response:
    with httpx.Client(transport=MotifTransport(payer, **{"max_price": None, **options})) as client:
        return client.post(paywall.url, json={"prompt": "New York"})


def buy_with_auth(payer: Payer, paywall: PaywallDouble, **options: Any) -> httpx.Response:
    with httpx.Client(auth=MotifAuth(payer, **{"max_price": None, **options})) as client:
        return client.post(paywall.url, json={"prompt": "New York"})


def buy_with_requests(payer: Payer, paywall: PaywallDouble, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.mount("http://", MotifAdapter(payer, **{"max_price": None, **options}))
        return session.post(paywall.url, json={"prompt": "New York"})


BUYERS = pytest.mark.parametrize("buyer", [buy, buy_with_auth, buy_with_requests])


@BUYERS
def test_honest_paywall_is_paid_once(payer: Payer, paywall: PaywallDouble, buyer: Any) -> None:
    receipts = list[Any]()
    answer = buyer(payer, paywall, on_receipt=receipts.append)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"a picture", "image/png")
    assert [(one.units, one.amount, one.cumulative) for one in receipts] == [(2, 200, 204)]
    assert payer.spent == 204
    assert len(paywall.gateway.batches) == 1


def test_receipt_is_in_extensions(payer: Payer, paywall: PaywallDouble) -> None:
    answer = buy(payer, paywall)
    assert [one.amount for one in answer.extensions["motif_receipts"]] == [200]


@BUYERS
@pytest.mark.parametrize(
    "lie", [{"operator": FOREIGN.address}, {"cluster": "00" * 32}, {"most_units": 0}], ids=lambda lie: next(iter(lie))
)
def test_foreign_price_tag_is_not_paid(payer: Payer, paywall: PaywallDouble, buyer: Any, lie: JSON) -> None:
    paywall.tag_lies = lie
    with pytest.raises(MotifError) as caught:
        buyer(payer, paywall)
    assert isinstance(caught.value, (NotPayable, LicenseNotFound))
    assert paywall.asks == []


@pytest.mark.parametrize(
    "lie", [{"work": FOREIGN.address}, {"use": "train"}, {"currency": FOREIGN.address}], ids=lambda lie: next(iter(lie))
)
def test_unlicensed_use_is_not_paid(payer: Payer, paywall: PaywallDouble, lie: JSON) -> None:
    paywall.quote_lies = lie
    with pytest.raises((NotPayable, LicenseNotFound)):
        buy(payer, paywall)
    assert paywall.asks == []


def test_lower_price_on_tag_is_ignored(payer: Payer, paywall: PaywallDouble) -> None:
    """A tag that names a lower price than the license's does not lower the maximum that is compared."""
    paywall.quote_lies = {"price": "1", "price_with_fee": "1"}
    with pytest.raises(PriceTooHigh) as caught:
        buy(payer, paywall, max_price=100)
    assert (caught.value.price, caught.value.max_price) == (408, 100)
    assert paywall.asks == []


def test_answer_at_maximum_price_is_paid(payer: Payer, paywall: PaywallDouble) -> None:
    assert buy(payer, paywall, max_price=408).status_code == 200


@BUYERS
def test_wrong_price_is_not_paid(payer: Payer, paywall: PaywallDouble, buyer: Any) -> None:
    """The price is the license's own. The hint at another statement, with units that were not signed, is ignored."""
    entries = [{"license": 0, "units": 9}]
    paywall.due_lies = {"price": "2000", "expected": {"statement": 1, "cumulative": "2040", "entries": entries}}
    receipts = list[Any]()
    assert buyer(payer, paywall, on_receipt=receipts.append).content == b"a picture"
    assert [(one.amount, one.statement) for one in receipts] == [(200, 0)]
    assert (payer.spent, paywall.gateway.cumulative) == (204, 204)


FALSE_DUES = pytest.mark.parametrize(
    "lie",
    [
        {"answer": "11" * 32},
        {"part": 1},
        {"license": 1},
        {"units": 5},
        {"units": 0},
        {"request_digest": "11" * 32},
    ],
    ids=lambda lie: next(iter(lie)),
)


@BUYERS
@FALSE_DUES
def test_false_due_is_not_signed(payer: Payer, paywall: PaywallDouble, buyer: Any, lie: JSON) -> None:
    paywall.due_lies = lie
    with pytest.raises(Untrusted):
        buyer(payer, paywall)
    assert (paywall.gateway.batches, payer.spent) == ([], 0)


@FALSE_DUES
async def test_false_due_is_not_signed_by_task(gateway: GatewayDouble, world: World, lie: JSON) -> None:
    paywall = PaywallDouble(gateway)
    paywall.due_lies = lie
    async with await AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account) as payer:
        async with httpx.AsyncClient(transport=AsyncMotifTransport(payer, max_price=None)) as client:
            with pytest.raises(Untrusted):
                await client.post(paywall.url, json={"prompt": "New York"})
        assert (gateway.batches, payer.spent) == ([], 0)


def test_due_above_fixed_units_is_not_signed(payer: Payer, gateway: GatewayDouble) -> None:
    paywall = PaywallDouble(gateway, fixed=True)
    paywall.due_lies = {"units": 1}
    with pytest.raises(Untrusted):
        buy(payer, paywall)
    assert gateway.batches == []


@BUYERS
def test_replayed_due_is_not_signed_again(payer: Payer, paywall: PaywallDouble, buyer: Any) -> None:
    """A paywall that asks again for what was paid gets the same voucher, and no other."""
    buyer(payer, paywall)
    first = paywall.pays[0]["answer"]
    paywall.due_lies = {"answer": first}
    with pytest.raises(Untrusted):
        buyer(payer, paywall)
    assert len(paywall.gateway.batches) == 1
    assert payer.spent == 204


def test_due_in_place_of_price_is_not_signed(payer: Payer, paywall: PaywallDouble) -> None:
    due = paywall.due_lies = {"answer": "11" * 32}
    paywall.digests["11" * 32] = "22" * 32
    whole = paywall.due("11" * 32, {"license": 0, "expires_at": 2_000_000_000}) | due
    paywall.serve_first = None  # type: ignore[attr-defined]
    paywall.gateway.others = lambda *_: paywall.required({"due": whole}, "payment-due")
    with pytest.raises(Untrusted, match="before a price"):
        buy(payer, paywall)
    assert paywall.gateway.batches == []


@BUYERS
def test_other_output_is_not_returned(payer: Payer, paywall: PaywallDouble, buyer: Any) -> None:
    paywall.sent_body = b"another picture"
    with pytest.raises(Untrusted):
        buyer(payer, paywall)
    # The next equal request gets the answer that was paid for.
    paywall.sent_body = None
    assert buyer(payer, paywall).content == b"a picture"
    assert (payer.spent, len(paywall.gateway.batches), len(paywall.asks)) == (204, 1, 1)


@BUYERS
@pytest.mark.parametrize(
    "lie",
    [
        {"units": 1},
        {"amount": "1"},
        {"cumulative": "102"},
        {"cumulative": "205"},
        {"output_digest": "11" * 32},
        {"signature": "11" * 64},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_receipt_with_other_field_is_not_taken(payer: Payer, paywall: PaywallDouble, buyer: Any, lie: JSON) -> None:
    paywall.receipt_lies = lie
    receipts = list[Any]()
    with pytest.raises(Untrusted):
        buyer(payer, paywall, on_receipt=receipts.append)
    assert receipts == []
    paywall.receipt_lies = {}
    assert buyer(payer, paywall, on_receipt=receipts.append).content == b"a picture"
    assert [one.cumulative for one in receipts] == [204]
    assert (payer.spent, len(paywall.gateway.batches), len(paywall.asks)) == (204, 1, 1)


@BUYERS
def test_forged_receipt_header_is_not_returned(payer: Payer, paywall: PaywallDouble, buyer: Any, world: World) -> None:
    buy(payer, paywall)
    batch = paywall.gateway.batches[0]
    paywall.sent_receipt = write_header(paywall.gateway.receipt(batch, signer=FOREIGN))
    with pytest.raises(Untrusted):
        buyer(payer, paywall)
    paywall.sent_receipt = "not base64url of JSON"
    with pytest.raises(MotifError):
        buyer(payer, paywall)


def test_missing_receipt_is_not_returned(payer: Payer, paywall: PaywallDouble) -> None:
    paywall.pay_answers.append((200, {}, b"a picture"))
    with pytest.raises(Untrusted, match="no receipt"):
        buy(payer, paywall)


def test_answer_with_foreign_receipt_is_refused(payer: Payer, paywall: PaywallDouble) -> None:
    """An answer that claims to be paid for already carries a receipt of this request, or is refused."""
    buy(payer, paywall)
    receipt = write_header(paywall.receipts_of(paywall.gateway.batches[0])[0])
    paywall.ask_answers.append((200, {"motif-receipt": receipt}, b"another picture"))
    with pytest.raises(Untrusted):
        buy(payer, paywall)


@BUYERS
def test_refusal_after_payment_is_unknown(payer: Payer, paywall: PaywallDouble, buyer: Any) -> None:
    paywall.pay_answers.append(refusal("hold-mismatch", 409))
    with pytest.raises(OutcomeUnknown):
        buyer(payer, paywall)


def test_interrupted_purchase_is_paid_once(payer: Payer, paywall: PaywallDouble) -> None:
    transport = MotifTransport(payer, max_price=100_000)
    with httpx.Client(transport=transport) as client:
        paywall.pay_answers.append(refusal("internal", 500))
        with pytest.raises(OutcomeUnknown):
            client.post(paywall.url, json={"prompt": "New York"})
        answer = client.post(paywall.url, json={"prompt": "New York"})
        assert answer.content == b"a picture"
        assert (len(paywall.gateway.batches), payer.spent) == (1, 204)
        client.post(paywall.url, json={"prompt": "New York"})
        assert (len(paywall.gateway.batches), payer.spent) == (2, 408)


def test_refusal_of_server_is_free(payer: Payer, paywall: PaywallDouble) -> None:
    paywall.ask_answers.append((422, {"content-type": "text/plain"}, b"this prompt is too odd"))
    answer = buy(payer, paywall)
    assert (answer.status_code, answer.text) == (422, "this prompt is too odd")
    assert payer.spent == 0


def test_refusal_of_paywall_is_raised(payer: Payer, paywall: PaywallDouble) -> None:
    paywall.ask_answers.append(refusal("other-license", 422))
    with pytest.raises(Refused) as caught:
        buy(payer, paywall)
    assert (caught.value.type, caught.value.is_definite) == ("other-license", True)
    assert payer.spent == 0


def test_free_answer_is_passed_on(payer: Payer, paywall: PaywallDouble) -> None:
    with httpx.Client(transport=MotifTransport(payer, max_price=100_000)) as client:
        assert client.get(f"{paywall.gateway.url}/free").text == "free"
    assert paywall.asks == []


def test_stream_is_refused_by_auth(payer: Payer, paywall: PaywallDouble) -> None:
    paywall.tag_lies = {"streams": True}
    with pytest.raises(NotPayable, match="MotifTransport"):
        buy_with_auth(payer, paywall)
    assert paywall.asks == []


def test_used_up_budget_stops_before_request(gateway: GatewayDouble, world: World, paywall: PaywallDouble) -> None:
    policy = Policy(budget=300)
    with (
        Payer.open(
            world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=0, policy=policy
        ) as payer,
        pytest.raises(OverBudget),
    ):
        buy(payer, paywall)  # up to four units
    assert paywall.asks == []


@pytest.mark.parametrize(
    "required", ["", "e30", "not base64", write_header({"price-tag": {}}), write_header({"due": 1})]
)
def test_unreadable_requirement_is_untrusted(payer: Payer, paywall: PaywallDouble, required: str) -> None:
    paywall.gateway.others = lambda *_: (402, {"motif-payment-required": required}, b"")
    with pytest.raises(Untrusted):
        buy(payer, paywall)
    assert paywall.gateway.batches == []


@pytest.mark.parametrize("change", [{"units": "2"}, {"answer": "short"}, {"output_digest": None}, {"expected": None}])
def test_unreadable_due_is_untrusted(payer: Payer, paywall: PaywallDouble, change: JSON) -> None:
    paywall.due_lies = change
    with pytest.raises(Untrusted):
        buy(payer, paywall)
    assert paywall.gateway.batches == []


def test_lost_payment_is_resumed_for_its_request(payer: Payer, paywall: PaywallDouble) -> None:
    """The gateway's answer to the payment is lost: the next identical request shows the voucher that paid."""
    gateway = paywall.gateway
    accept = gateway.accept

    def accept_and_lose(request: JSON) -> Any:
        accept({"idempotency-key": gateway.requests[-1][2]["idempotency-key"]}, request)
        return 502, "lost"

    with httpx.Client(transport=MotifTransport(payer, max_price=100_000)) as client:
        gateway.answers.append(accept_and_lose)
        with pytest.raises(Unreachable):
            client.post(paywall.url, json={"prompt": "New York"})
        assert payer.is_unanswered
        answer = client.post(paywall.url, json={"prompt": "New York"})
        assert (answer.content, payer.spent, len(paywall.asks)) == (b"a picture", 204, 1)


def test_named_request_is_repeated_when_free(payer: Payer, paywall: PaywallDouble) -> None:
    with httpx.Client(
        transport=MotifTransport(payer, max_price=100_000), headers={"idempotency-key": "job-12345"}
    ) as client:
        paywall.ask_answers.append(refusal("upstream-failed", 502))
        with pytest.raises(Refused):
            client.post(paywall.url, json={"prompt": "New York"})
        first = client.post(paywall.url, json={"prompt": "New York"})
        again = client.post(paywall.url, json={"prompt": "New York"})
        assert (first.content, again.content, payer.spent) == (b"a picture", b"a picture", 204)


@BUYERS
@pytest.mark.parametrize("phase", ["ask", "pay"])
def test_encoded_answer_is_not_decoded(payer: Payer, paywall: PaywallDouble, buyer: Any, phase: str) -> None:
    """A few bytes that were not asked for may stand for gigabytes."""
    bomb = (422 if phase == "ask" else 200, {"content-encoding": "gzip"}, gzip.compress(bytes(1 << 20)))
    (paywall.ask_answers if phase == "ask" else paywall.pay_answers).append(bomb)
    with pytest.raises(Untrusted, match="encoded"):
        buyer(payer, paywall)


def test_encoded_price_is_not_decoded(payer: Payer, paywall: PaywallDouble) -> None:
    """httpx reads the 402 that an authentication answers, as it came."""
    required, serve = {"price-tag": paywall.tag()}, paywall.serve

    def bomb(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        if "motif-payment" in headers or not path.startswith("/sold"):
            return serve(method, path, headers, body)
        status, sent, _ = paywall.required(required, "payment-required")
        return status, sent | {"content-encoding": "gzip"}, gzip.compress(bytes(1 << 20))

    paywall.gateway.others = bomb
    with httpx.Client(auth=MotifAuth(payer, max_price=10_000, max_bytes=10_000)) as client:
        answer = client.post(paywall.url, json={"prompt": "New York"})
    assert (answer.content, len(answer.history[0].content) < 10_000) == (b"a picture", True)


@BUYERS
def test_slow_answer_is_given_up(
    payer: Payer, paywall: PaywallDouble, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_purchase, "READ_SECONDS", -1.0)
    with pytest.raises(Unreachable, match="takes too long"):
        buyer(payer, paywall)


@BUYERS
@pytest.mark.parametrize("text", ["[" * 200_000, '{"type":' * 100_000], ids=["array", "object"])
def test_deep_json_of_paywall_is_an_answer(payer: Payer, paywall: PaywallDouble, buyer: Any, text: str) -> None:
    paywall.ask_answers.append((422, {}, text.encode()))
    assert buyer(payer, paywall).status_code == 422
    paywall.pay_answers.append((422, {}, text.encode()))
    with pytest.raises(Untrusted):
        buyer(payer, paywall)


def test_control_characters_are_escaped(payer: Payer, paywall: PaywallDouble) -> None:
    """What a paywall says does not move the cursor of a terminal, or begin a line of a log."""
    detail = "no\x1b[2J\nERROR all is lost \u202eyenom \u00fc"
    body = json.dumps({"type": "other-license", "title": "", "status": 422, "detail": detail}).encode()
    paywall.ask_answers.append((422, {}, body))
    with pytest.raises(Refused) as caught:
        buy(payer, paywall)
    assert str(caught.value) == "other-license: no\\x1b[2J\\nERROR all is lost \\u202eyenom \u00fc"
