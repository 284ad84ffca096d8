use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    pda,
};
use motif_tests::world::{OpenedChannel, World};

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
fn fees_need_no_signature() {
    let (mut world, channel, _) = settled();
    let operator = channel.operator.key();
    let elsewhere = world.currency.tokens(&world.person().key());
    let call = channel.claiming_fees().instead_of(world.currency.tokens(&operator), elsewhere);
    world.send(call).assert_err(PaymentsError::DestinationNotCanonical);
    nothing_moved(&world, &channel);
    // The operator does not sign.
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!((world.balance(&channel.operator), world.vault_balance()), (50, 9_950));
}

#[test]
fn signing_operator_chooses_destination() {
    let (mut world, channel, _) = settled();
    let friend = world.person();
    let elsewhere = world.currency.tokens(&friend.key());
    let unsigned = channel.claiming_fees_to(elsewhere).changed(|calls| {
        calls[0].accounts[0].is_signer = false;
    });
    let unsigned = unsigned.unsigned_by(&channel.operator);
    world.send(unsigned).assert_err(PaymentsError::DestinationNotCanonical);
    nothing_moved(&world, &channel);
    world.send(channel.claiming_fees_to(elsewhere)).assert_ok();
    assert_eq!((world.balance(&friend), world.vault_balance()), (50, 9_950));
}

#[test]
fn reassigned_fee_account_is_refused() {
    let (mut world, channel, _) = settled();
    let (operator, thief) = (channel.operator.key(), world.person().key());
    let address = world.currency.tokens(&operator);
    let mut account = world.account(&address);
    account.data[32..64].copy_from_slice(thief.as_ref());
    world.set(address, account);
    world.send(channel.claiming_fees()).assert_err(PaymentsError::DestinationNotCanonical);
    assert_eq!(world.read(&channel).channel.fees_claimed, 0);
    assert_eq!(world.vault_balance(), 10_000);
}

#[test]
fn only_operator_claims_fees() {
    let (mut world, channel, _) = settled();
    let mut forged = channel.clone();
    for thief in [world.person(), channel.payer.clone(), channel.voucher_key.clone()] {
        forged.operator = thief;
        world.send(forged.claiming_fees()).assert_err(PaymentsError::NotOperator);
    }
    nothing_moved(&world, &channel);
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
        (own, other.tokens(&operator), ErrorCode::ConstraintTokenMint),
        (vault, pda::vault(&other.mint), ErrorCode::ConstraintHasOne),
        (vault_tokens, thiefs, ErrorCode::ConstraintTokenOwner),
        (vault_tokens, world.vault_tokens(&other), ErrorCode::ConstraintTokenOwner),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintHasOne),
        (channel.address, vault, ErrorCode::AccountDiscriminatorMismatch),
        (own, vault_tokens, ErrorCode::ConstraintDuplicateMutableAccount),
    ];
    for (account, other, expected) in cases {
        let call = channel.claiming_fees().instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_moved(&world, &channel);
}
