"""The chain client against the committed programs: every balance to the unit."""

from __future__ import annotations

from typing import Any

import pytest
from world import World, content_of

from motif_sdk import Keypair, _core, terms
from motif_sdk._rpc import address_of
from motif_sdk.chain import Chain, Parent, instructions
from motif_sdk.errors import AccountNotFound, InvalidInput, TransactionFailed

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def market() -> World:
    """A world of this module's own, because its balances change."""
    return World()


def test_registered_work_and_terms_are_read_back(market: World) -> None:
    chain = market.chain
    work = chain.work(market.work)
    assert (work["creator"], work["kind"], work["title"], work["latest_terms"]) == (
        market.creator.address,
        "text",
        "London",
        1,
    )
    assert [(one["recipient"], one["share_bps"]) for one in work["split"]] == [
        (market.creator.address, 5_000),
        (market.partner.address, 5_000),
    ]
    published = chain.decoded(market.terms, "terms")["terms"]
    assert published["offer"]["uses"] == [{"use": "generate", "unit": "generation", "price": "100"}]


def test_opened_channel_holds_deposit(market: World) -> None:
    found = market.chain.channel(market.channel)
    assert (found["channel"]["operator"], found["channel"]["deposited"]) == (market.operator.address, "1000000")
    assert [(one["work"], one["use"], one["price"]) for one in found["licenses"]] == [(market.work, "generate", "100")]
    assert market.chain.balance(market.platform.address, market.mint) == 4_000_000
    vault = market.cluster.account(address_of("vault_tokens", mint=market.mint))
    assert vault is not None
    assert _core.shared().call("token.amount", vault.data)["amount"] == "1000000"


def settle(market: World, channel: str, units: int, price: int) -> None:
    """Settles units of license 0 with the voucher key's signature, as any holder of a voucher may."""
    account = market.chain.channel(channel)["channel"]
    statement = _core.shared().call("statement.digest", entries=[{"license": 0, "units": units}])
    total = int(account["cumulative"]) + units * price + units * price * 200 // 10_000
    voucher: JSON = {
        "cluster": account["cluster"],
        "channel": channel,
        "opened_slot": account["opened_slot"],
        "statement": account["statements"],
        "cumulative": str(total),
        "statement_digest": statement["digest"],
        "expires_at": 4_000_000_000,
    }
    message = _core.shared().call("voucher.bytes", voucher=voucher)["bytes"]
    signed = voucher | {"signature": market.voucher.sign(bytes.fromhex(message)).hex()}
    made = instructions(
        "settle",
        settler=market.operator.address,
        operator=market.operator.address,
        voucher=signed,
        voucher_key=market.voucher.address,
        statement=statement["bytes"],
    )
    market.cluster.send(made, market.operator)


def test_settled_units_are_claimed_to_the_unit(market: World) -> None:
    settle(market, market.channel, 7, 100)
    chain = market.chain
    assert chain.collect(market.channel) == 700
    assert chain.collect(market.channel) == 0
    assert chain.claim(market.work, market.mint) == {market.creator.address: 350, market.partner.address: 350}
    assert chain.claim(market.work, market.mint) == {}
    for recipient in (market.creator, market.partner):
        assert chain.balance(recipient.address, market.mint) == 350
    earned = chain.earnings(market.work, market.mint)
    assert earned is not None
    assert earned["earnings"]["earned"] == "700"


def test_parent_is_paid_its_share(market: World) -> None:
    """A derivative by terms: 20 % of 1,001 to the parent, 80 % to its creator, each rounded down."""
    creator = Chain(market.creator, market.cluster)
    offer: JSON = {
        "uses": [{"use": "style-transfer", "unit": "generation", "price": "100"}],
        "derivatives": "allowed",
        "derivative_share_bps": 2_000,
    }
    split = {market.creator.address: 5_000, market.partner.address: 5_000}
    parent = creator.register_work(content_of(b"a photograph of London"), "image", split=split)
    creator.publish_terms(parent, offer, market.mint)
    partner = Chain(market.partner, market.cluster)
    model: JSON = {"base_model": "stable-diffusion-xl", "training_root": "00" * 32, "likeness": False}
    child = partner.register_work(
        content_of(b"a style model"), "style-model", parents=[Parent(parent, 2_000)], model=model
    )
    uses: JSON = {"uses": [{"use": "generate", "unit": "generation", "price": "1001"}]}
    partner.publish_terms(child, uses, market.mint)
    chain = market.chain
    channel = chain.open_channel(market.operator.address, market.mint, 100_000, market.voucher.address)
    assert chain.accept(channel, child, max_price=1_001).license == 0
    settle(market, channel, 1, 1_001)
    assert chain.collect(channel) == 1_001
    chain.pull(child, market.mint)
    before = {key.address: chain.balance(key.address, market.mint) for key in (market.creator, market.partner)}
    assert chain.claim(child, market.mint) == {market.partner.address: 800}
    assert chain.claim(parent, market.mint) == {market.creator.address: 100, market.partner.address: 100}
    after = {
        key.address: chain.balance(key.address, market.mint) - before[key.address]
        for key in (market.creator, market.partner)
    }
    assert after == {market.creator.address: 100, market.partner.address: 900}


def test_higher_price_than_accepted_fails(market: World) -> None:
    with pytest.raises(TransactionFailed) as caught:
        market.chain.accept(market.channel, market.work, max_price=99)
    assert any("Error" in line for line in caught.value.logs)


def test_transaction_without_signer_is_refused(market: World) -> None:
    made = instructions("withdraw_work", owner=market.creator.address, work=market.work)
    with pytest.raises(InvalidInput, match="needs the signature"):
        market.cluster.send(made, market.platform)


def test_missing_account_is_named(market: World) -> None:
    with pytest.raises(AccountNotFound, match="no work"):
        market.chain.work(Keypair.from_seed(bytes([77]) * 32).address)
    with pytest.raises(AccountNotFound, match="is a work, expected a channel"):
        market.chain.channel(market.work)


def test_topped_up_channel_has_larger_deposit(market: World) -> None:
    before = int(market.chain.channel(market.channel)["channel"]["deposited"])
    market.chain.top_up(market.channel, 5)
    assert int(market.chain.channel(market.channel)["channel"]["deposited"]) == before + 5


def test_document_with_findings_is_not_published(market: World) -> None:
    creator = Chain(market.creator, market.cluster)
    with pytest.raises(InvalidInput):
        creator.publish_terms(market.work, 'uses = "none"', market.mint)


def test_preset_is_published_and_summarized(market: World) -> None:
    creator = Chain(market.creator, market.cluster)
    work = creator.register_work(content_of(b"another text"), "text")
    name, document = next(iter(terms.presets().items()))
    parsed = terms.parse(document)
    assert (name, parsed.findings) == (name, ())
    creator.publish_terms(work, document, market.mint)
    assert parsed.offer is not None
    assert len(terms.summary(parsed.offer, market.mint, name="USDC")) > 40


def test_unreadable_terms_have_findings() -> None:
    parsed = terms.parse("uses = [")
    assert parsed.offer is None
    assert parsed.findings


def test_price_is_charged_by_the_rules() -> None:
    assert terms.quote(150, 3, free_units=1, operator_fee_bps=200) == terms.Price(300, 6, 306)
