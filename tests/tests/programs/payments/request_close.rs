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
    world.send(channel.closing_by(&channel.operator)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW);

    let channel = world.channel().open();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(5);
    world.send(channel.closing_by(&channel.operator)).assert_ok();
    assert_eq!(world.read(&channel).channel.closes_at, World::NOW + 5);
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
