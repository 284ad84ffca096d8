use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    pda,
};
use motif_tests::world::{OpenedChannel, World};

use super::TOO_FEW_TOKENS;

/// A channel with a deposit of 1,000, whose payer has 500 left.
fn world() -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000).out_of(1_500).open();
    (world, channel)
}

#[track_caller]
fn nothing_moved(world: &World, channel: &OpenedChannel) {
    assert_eq!(world.read(channel).channel.deposited, 1_000);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (500, 1_000));
}

#[test]
fn top_up_adds_to_deposit() {
    let (mut world, channel) = world();
    world.send(channel.topping_up(300)).assert_ok();
    assert_eq!(world.read(&channel).channel.deposited, 1_300);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (200, 1_300));
}

#[test]
fn top_up_changes_only_balances() {
    let (mut world, channel) = world();
    let before = world.snapshot();
    world.send(channel.topping_up(300)).assert_ok();
    let mut changed = world.changed_since(&before);
    let currency = world.currency;
    let (payer, vault) = (currency.tokens(&channel.payer.key()), world.vault_tokens(&currency));
    let mut expected = vec![channel.address, payer, vault];
    expected.sort();
    changed.sort();
    assert_eq!(changed, expected);
}

#[test]
fn zero_top_up_is_rejected() {
    let (mut world, channel) = world();
    world.send(channel.topping_up(0)).assert_err(PaymentsError::EmptyAmount);
}

#[test]
fn top_up_above_balance_is_rejected() {
    let (mut world, channel) = world();
    world.send(channel.topping_up(501)).assert_err(TOO_FEW_TOKENS);
    nothing_moved(&world, &channel);
}

#[test]
fn closing_channel_takes_no_top_up() {
    let (mut world, channel) = world();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.send(channel.topping_up(1)).assert_err(PaymentsError::ChannelClosing);
    nothing_moved(&world, &channel);
}

#[test]
fn only_payer_tops_up() {
    let (mut world, channel) = world();
    let mut forged = channel.clone();
    forged.payer = world.person();
    let currency = world.currency;
    world.fund(&forged.payer, &currency, 100);
    world.send(forged.topping_up(1)).assert_err(PaymentsError::NotPayer);
    let unsigned = channel.topping_up(1).unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    nothing_moved(&world, &channel);
}

#[test]
fn overflowing_deposit_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().deposited(u64::MAX).fee(0).open();
    let currency = world.currency;
    // The first deposit has left the vault through a work that the payer owns.
    let work = world.work().by(&channel.payer).register();
    let terms = world.terms(&work).price(u64::MAX).publish();
    let license = world.accept(&channel, &terms);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(license, &work)]).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!(world.vault_balance(), 0);
    world.fund(&channel.payer, &currency, 1);
    world.send(channel.topping_up(1)).assert_err(PaymentsError::Overflow);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (1, 0));
}

#[test]
fn top_up_accounts_are_pinned() {
    let (mut world, channel) = world();
    let other = world.other_currency();
    let currency = world.currency;
    let payer = channel.payer.key();
    let thief = world.person();
    world.fund(&channel.payer, &other, 100);
    let (vault, vault_tokens) = (pda::vault(&currency.mint), world.vault_tokens(&currency));
    let other_tokens = other.tokens(&payer);
    let thiefs_tokens = currency.tokens(&thief.key());
    let cases = [
        (currency.mint, other.mint, ErrorCode::ConstraintHasOne),
        (vault, pda::vault(&other.mint), ErrorCode::ConstraintHasOne),
        (vault_tokens, world.vault_tokens(&other), ErrorCode::ConstraintTokenOwner),
        (vault_tokens, thiefs_tokens, ErrorCode::ConstraintTokenOwner),
        (currency.tokens(&payer), other_tokens, ErrorCode::ConstraintTokenMint),
        (currency.tokens(&payer), thiefs_tokens, ErrorCode::ConstraintTokenOwner),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintHasOne),
        (channel.address, vault, ErrorCode::AccountDiscriminatorMismatch),
    ];
    for (account, other, expected) in cases {
        let call = channel.topping_up(1).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_moved(&world, &channel);
}
