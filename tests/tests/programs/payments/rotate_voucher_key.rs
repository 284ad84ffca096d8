use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{Cosigners, PaymentsError, rotate_voucher_key},
    pda,
};
use motif_tests::world::{Call, OpenedChannel, Person, World};

fn licensed() -> (World, OpenedChannel, Person) {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    world.licensed(&channel, 10);
    let new = world.person();
    (world, channel, new)
}

/// Returns whether a voucher of this key settles one unit.
fn settles(world: &mut World, channel: &OpenedChannel, key: &Person) -> bool {
    let statement = world.statement(channel, &[(0, 1)]).signed_by(key);
    let outcome = world.send(statement.call());
    if outcome.is_ok() {
        return true;
    }
    outcome.assert_err(PaymentsError::VoucherSignerMismatch);
    false
}

#[test]
fn new_key_signs_after_grace() {
    let (mut world, channel, new) = licensed();
    world.send(channel.rotating(&new)).assert_ok();
    world.pass(channel.grace_seconds - 1);
    assert!(!settles(&mut world, &channel, &new));
    assert!(settles(&mut world, &channel, &channel.voucher_key));
    world.pass(1);
    assert!(!settles(&mut world, &channel, &channel.voucher_key));
    assert!(settles(&mut world, &channel, &new));
    assert_eq!(world.read(&channel).channel.prices, 20);
}

#[test]
fn operator_agreement_rotates_at_once() {
    let (mut world, channel, new) = licensed();
    world.send(channel.rotating_at_once(&new)).assert_ok();
    assert!(!settles(&mut world, &channel, &channel.voucher_key));
    assert!(settles(&mut world, &channel, &new));
    let state = world.read(&channel).channel;
    assert_eq!((state.voucher_key, state.rotates_at), (new.key(), i64::MAX));
}

#[test]
fn watcher_must_agree_to_rotate_at_once() {
    let mut world = World::new();
    let (watcher, new) = (world.person(), world.person());
    let channel = world.channel().fee(0).watched_by(&watcher).open();
    world.licensed(&channel, 10);
    // Without the watcher, the rotation waits like one without the operator.
    world.send(channel.rotating_at_once(&new)).assert_ok();
    assert!(settles(&mut world, &channel, &channel.voucher_key));
    let agreed = Cosigners { party: Some(channel.operator.key()), watcher: Some(watcher.key()) };
    let payer = channel.payer.key();
    let rotate = rotate_voucher_key(&payer, &agreed, &channel.address, new.key());
    let call = Call::new([rotate], &[&channel.payer, &channel.operator, &watcher]);
    let unsigned = call.clone().unsigned_by(&watcher);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    world.send(call).assert_ok();
    assert!(settles(&mut world, &channel, &new));
}

#[test]
fn rotation_waits_for_slots_after_halt() {
    let (mut world, channel, new) = licensed();
    world.send(channel.rotating(&new)).assert_ok();
    world.halt(10 * channel.grace_seconds);
    assert!(!settles(&mut world, &channel, &new));
    assert!(settles(&mut world, &channel, &channel.voucher_key));
    world.pass(channel.grace_seconds);
    assert!(settles(&mut world, &channel, &new));
}

#[test]
fn later_rotation_replaces_earlier() {
    let (mut world, channel, first) = licensed();
    let second = world.person();
    world.send(channel.rotating(&first)).assert_ok();
    world.pass(channel.grace_seconds - 1);
    world.send(channel.rotating(&second)).assert_ok();
    world.pass(channel.grace_seconds - 1);
    assert!(!settles(&mut world, &channel, &first));
    assert!(settles(&mut world, &channel, &channel.voucher_key));
    world.pass(1);
    assert!(settles(&mut world, &channel, &second));
}

#[test]
fn finished_rotation_starts_next() {
    let (mut world, channel, first) = licensed();
    let second = world.person();
    world.send(channel.rotating(&first)).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(channel.rotating(&second)).assert_ok();
    assert!(!settles(&mut world, &channel, &channel.voucher_key));
    assert!(settles(&mut world, &channel, &first));
}

#[test]
fn only_parties_rotate_voucher_key() {
    let (mut world, channel, new) = licensed();
    let mut forged = channel.clone();
    for stranger in [world.person(), channel.operator.clone(), channel.voucher_key.clone()] {
        forged.payer = stranger;
        world.send(forged.rotating(&new)).assert_err(PaymentsError::NotPayer);
    }
    let unsigned = channel.rotating(&new).unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    let mut forged = channel.clone();
    for stranger in [world.person(), channel.payer.clone()] {
        forged.operator = stranger;
        let refused = world.send(forged.rotating_at_once(&new));
        refused.assert_err(PaymentsError::NotOperator);
    }
    let unsigned = channel.rotating_at_once(&new).unsigned_by(&channel.operator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert!(settles(&mut world, &channel, &channel.voucher_key));
}

#[test]
fn invalid_new_key_is_rejected() {
    let (mut world, channel, new) = licensed();
    let refused = world.send(channel.rotating(&channel.payer));
    refused.assert_err(PaymentsError::InvalidVoucherKey);
    let call = channel.rotating(&new).changed(|calls| {
        calls[0].data[8..40].copy_from_slice(pda::config().as_ref());
    });
    world.send(call).assert_err(PaymentsError::InvalidVoucherKey);
    assert_eq!(world.read(&channel).channel.rotates_at, i64::MAX);
}

#[test]
fn overflowing_rotation_is_rejected() {
    let (mut world, channel, new) = licensed();
    world.set_time(i64::MAX - channel.grace_seconds + 1);
    world.send(channel.rotating(&new)).assert_err(PaymentsError::Overflow);
}
