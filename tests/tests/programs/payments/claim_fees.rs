use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, claim_fees},
    operator::OperatorTerms,
    pda,
};
use motif_tests::world::{Call, OpenedChannel, World};

/// A channel with a deposit of 10,000, and prices of 1,000 and a fee of 50 settled.
fn settled() -> (World, OpenedChannel, u16) {
    let mut world = World::new();
    let channel = world.channel().deposited(10_000).fee(500).open();
    let (_, license) = world.licensed(&channel, 100);
    world.settle(&channel, &[(license, 10)]).assert_ok();
    (world, channel, license)
}

#[track_caller]
fn nothing_moved(world: &World, channel: &OpenedChannel) {
    assert_eq!((world.balance(&channel.operator), world.vault_balance()), (0, 10_000));
    assert_eq!(world.read(channel).channel.fees_claimed, 0);
}

#[test]
fn operator_gets_floor_of_fees() {
    let (mut world, channel, license) = settled();
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!((world.balance(&channel.operator), world.vault_balance()), (50, 9_950));
    world.settle(&channel, &[(license, 1)]).assert_ok();
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!(world.balance(&channel.operator), 55);
}

#[test]
fn fees_are_paid_once() {
    let (mut world, channel, _) = settled();
    world.send(channel.claiming_fees()).assert_ok();
    world.send(channel.claiming_fees()).assert_err(PaymentsError::NothingToClaim);
    assert_eq!((world.balance(&channel.operator), world.vault_balance()), (50, 9_950));
}

#[test]
fn unsettled_channel_owes_no_fees() {
    let mut world = World::new();
    let channel = world.channel().deposited(10_000).open();
    world.send(channel.claiming_fees()).assert_err(PaymentsError::NothingToClaim);
    nothing_moved(&world, &channel);
}

#[test]
fn fees_are_paid_after_withdrawal() {
    let (mut world, channel, _) = settled();
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!((world.balance(&channel.operator), world.vault_balance()), (50, 1_000));
}

#[test]
fn third_party_cannot_redirect_fees() {
    let (mut world, channel, _) = settled();
    let mut forged = channel.clone();
    for thief in [world.person(), channel.payer.clone(), channel.voucher_key.clone()] {
        world.register_operator(&thief);
        forged.operator = thief.clone();
        let refused = world.send(forged.claiming_fees());
        refused.assert_err(PaymentsError::InvalidOperatorAccount);
        let operator = channel.operator.key();
        let call = channel.claiming_fees().instead_of(operator, thief.key());
        world.send(call).assert_err(ErrorCode::ConstraintHasOne);
        let currency = world.currency;
        let own = currency.tokens(&operator);
        let call = channel.claiming_fees().instead_of(own, currency.tokens(&thief.key()));
        world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
    }
    nothing_moved(&world, &channel);
}

#[test]
fn fees_follow_the_fee_owner() {
    let (mut world, channel, license) = settled();
    let owner = world.person();
    let terms = OperatorTerms::new(owner.key());
    world.send(world.updating_operator(&channel.operator, terms)).assert_ok();
    let (operator, currency) = (channel.operator.key(), world.currency);
    let stale = channel.claiming_fees();
    world.send(stale).assert_err(ErrorCode::ConstraintHasOne);
    nothing_moved(&world, &channel);
    let claim = claim_fees(&channel.address, &operator, &owner.key(), &currency);
    world.send(Call::new([claim.clone()], &[])).assert_ok();
    assert_eq!((world.balance(&owner), world.balance(&channel.operator)), (50, 0));
    world.settle(&channel, &[(license, 1)]).assert_ok();
    world.send(Call::new([claim], &[])).assert_ok();
    assert_eq!((world.balance(&owner), world.vault_balance()), (55, 9_945));
}

#[test]
fn fee_claim_accounts_are_pinned() {
    let (mut world, channel, _) = settled();
    let other = world.other_currency();
    let currency = world.currency;
    let operator = channel.operator.key();
    world.fund(&channel.operator, &other, 0);
    let own = currency.tokens(&operator);
    let (vault, vault_tokens) = (pda::vault(&currency.mint), world.vault_tokens(&currency));
    let thiefs = currency.tokens(&world.person().key());
    let cases = [
        (currency.mint, other.mint, ErrorCode::ConstraintHasOne),
        (own, other.tokens(&operator), ErrorCode::ConstraintAssociated),
        (vault, pda::vault(&other.mint), ErrorCode::ConstraintHasOne),
        (vault_tokens, thiefs, ErrorCode::ConstraintTokenOwner),
        (vault_tokens, world.vault_tokens(&other), ErrorCode::ConstraintTokenOwner),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintAssociatedTokenTokenProgram),
        (channel.address, vault, ErrorCode::AccountDiscriminatorMismatch),
        (own, vault_tokens, ErrorCode::ConstraintDuplicateMutableAccount),
    ];
    for (account, other, expected) in cases {
        let call = channel.claiming_fees().instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_moved(&world, &channel);
}
