use anchor_lang::error::ErrorCode;
use motif_sdk::{channel::PaymentsError, pda};
use motif_tests::world::World;

#[test]
fn payer_starts_grace_period() {
    let mut world = World::new();
    let channel = world.channel().grace(3_600).open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW + 3_600);
}

#[test]
fn operator_can_waive_grace() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(5);
    world.send(channel.closing_by(&channel.operator)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW + 5);
    world.send(channel.withdrawing()).assert_ok();
}

#[test]
fn parties_close_at_once_together() {
    let mut world = World::new();
    let channel = world.channel().open();
    let unsigned = channel.closing_at_once().unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    let mut forged = channel.clone();
    forged.payer = world.person();
    world.send(forged.closing_at_once()).assert_ok(); // as by the operator alone
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW + channel.grace_seconds);
    world.send(channel.closing_at_once()).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW);
    world.send(channel.withdrawing()).assert_ok();
}

#[test]
fn lone_operator_waits_for_grace() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.send(channel.closing_by(&channel.operator)).assert_ok();
    let closes_at = World::NOW + channel.grace_seconds;
    assert_eq!(world.read(&channel).channel.closes_at, closes_at);
    world.send(channel.closing_by(&channel.operator)).assert_err(PaymentsError::ChannelClosing);
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    // The payer joins, which moves nothing; then the operator can waive the rest.
    world.pass(5);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, closes_at);
    world.send(channel.closing_by(&channel.operator)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW + 5);
}

#[test]
fn watcher_must_agree_to_close_at_once() {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().watched_by(&watcher).open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    let closes_at = World::NOW + channel.grace_seconds;
    let stranger = world.person();
    world.send(channel.closing_at_once()).assert_err(PaymentsError::ChannelClosing);
    let forged = world.send(channel.closing_at_once_with(&stranger));
    forged.assert_err(PaymentsError::ChannelClosing);
    world.send(channel.closing_by(&watcher)).assert_err(PaymentsError::NotPayer);
    assert_eq!(world.read(&channel).channel.closes_at, closes_at);
    world.send(channel.closing_at_once_with(&watcher)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW);
}

#[test]
fn second_closing_keeps_grace_period() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    let closes_at = world.read(&channel).channel.closes_at;
    world.pass(10);
    world.send(channel.closing_by(&channel.payer)).assert_err(PaymentsError::ChannelClosing);
    assert_eq!(world.read(&channel).channel.closes_at, closes_at);
}

#[test]
fn closed_channel_cannot_close_again() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds);
    for caller in [&channel.payer, &channel.operator] {
        world.send(channel.closing_by(caller)).assert_err(PaymentsError::ChannelClosed);
    }
}

#[test]
fn third_party_closing_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().open();
    let stranger = world.person();
    world.send(channel.closing_by(&stranger)).assert_err(PaymentsError::NotPayer);
    let voucher_key = &channel.voucher_key;
    world.send(channel.closing_by(voucher_key)).assert_err(PaymentsError::NotPayer);
    let unsigned = channel.closing_by(&channel.payer).unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(world.read(&channel).channel.closes_at, i64::MAX);
}

#[test]
fn overflowing_grace_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.set_time(i64::MAX - 10);
    world.send(channel.closing_by(&channel.payer)).assert_err(PaymentsError::Overflow);
    assert_eq!(world.read(&channel).channel.closes_at, i64::MAX);
}

#[test]
fn non_channel_does_not_close() {
    let mut world = World::new();
    let channel = world.channel().open();
    let vault = pda::vault(&world.currency.mint);
    let call = channel.closing_by(&channel.payer).instead_of(channel.address, vault);
    world.send(call).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    let call = channel.closing_by(&channel.payer).instead_of(channel.address, pda::config());
    world.send(call).assert_err(ErrorCode::AccountOwnedByWrongProgram);
}
