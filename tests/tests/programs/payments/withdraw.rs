use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    pda,
};
use motif_tests::world::{OpenedChannel, World};

/// A channel with a deposit of 1,000 and charges of 300, closed by its operator.
fn closed() -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000).fee(0).open();
    let (_, license) = world.licensed(&channel, 100);
    world.settle(&channel, &[(license, 3)]).assert_ok();
    world.send(channel.closing_at_once()).assert_ok();
    (world, channel)
}

#[track_caller]
fn nothing_moved(world: &World, channel: &OpenedChannel) {
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 1_000));
    assert_eq!(world.read(channel).channel.refunded, 0);
}

#[test]
fn withdrawal_refunds_uncharged_deposit() {
    let (mut world, channel) = closed();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (700, 300));
    assert_eq!(world.read(&channel).channel.refunded, 700);
}

#[test]
fn withdrawal_pays_any_payer_account() {
    let (mut world, channel) = closed();
    let friend = world.person();
    let currency = world.currency;
    let own = currency.tokens(&channel.payer.key());
    let call = channel.withdrawing().instead_of(own, currency.tokens(&friend.key()));
    world.send(call).assert_ok();
    assert_eq!((world.balance(&friend), world.balance(&channel.payer)), (700, 0));
}

#[test]
fn payer_withdraws_once() {
    let (mut world, channel) = closed();
    world.send(channel.withdrawing()).assert_ok();
    world.send(channel.withdrawing()).assert_err(PaymentsError::AlreadyWithdrawn);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (700, 300));
}

#[test]
fn empty_refund_is_allowed() {
    let mut world = World::new();
    let channel = world.channel().deposited(100).fee(0).open();
    let (_, license) = world.licensed(&channel, 100);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 100));
    world.send(channel.withdrawing()).assert_err(PaymentsError::AlreadyWithdrawn);
}

#[test]
fn open_channel_refunds_nothing() {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000).open();
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    nothing_moved(&world, &channel);
}

#[test]
fn closing_channel_refunds_after_grace() {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000).open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds - 1);
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    nothing_moved(&world, &channel);
    world.pass(1);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&channel.payer), 1_000);
}

#[test]
fn only_payer_withdraws() {
    let (mut world, channel) = closed();
    let mut forged = channel.clone();
    for thief in [world.person(), channel.operator.clone(), channel.voucher_key.clone()] {
        forged.payer = thief;
        world.send(forged.withdrawing()).assert_err(PaymentsError::NotPayer);
        assert_eq!(world.balance(&forged.payer), 0);
    }
    let unsigned = channel.withdrawing().unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    nothing_moved(&world, &channel);
}

#[test]
fn withdrawal_accounts_are_pinned() {
    let (mut world, channel) = closed();
    let other = world.other_currency();
    let currency = world.currency;
    world.fund(&channel.payer, &other, 0);
    let own = currency.tokens(&channel.payer.key());
    let (vault, vault_tokens) = (pda::vault(&currency.mint), world.vault_tokens(&currency));
    let thiefs = currency.tokens(&world.person().key());
    let cases = [
        (currency.mint, other.mint, ErrorCode::ConstraintHasOne),
        (own, other.tokens(&channel.payer.key()), ErrorCode::ConstraintTokenMint),
        (vault, pda::vault(&other.mint), ErrorCode::ConstraintHasOne),
        (vault_tokens, thiefs, ErrorCode::ConstraintTokenOwner),
        (vault_tokens, world.vault_tokens(&other), ErrorCode::ConstraintTokenOwner),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintHasOne),
        (channel.address, vault, ErrorCode::AccountDiscriminatorMismatch),
        (own, vault_tokens, ErrorCode::ConstraintDuplicateMutableAccount),
    ];
    for (account, other, expected) in cases {
        let call = channel.withdrawing().instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_moved(&world, &channel);
}
