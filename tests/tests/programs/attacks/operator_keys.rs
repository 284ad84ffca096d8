//! P35: an operator that is hostile or dead, or whose key was stolen.

use motif_sdk::channel::{Cosigners, PaymentsError, rotate_voucher_key};
use motif_tests::world::{Call, OpenedChannel, Person, World};

use super::licensed;

/// A channel of 1,000,000 without a fee, one license at 10, and its watcher.
fn watched() -> (World, OpenedChannel, Person) {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().watched_by(&watcher).fee(0).open();
    world.licensed(&channel, 10);
    (world, channel, watcher)
}

#[test]
fn lone_operator_ends_no_paid_license() {
    let (mut world, channel, _) = licensed();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| {
        offer.upfront_fee = 500_000;
        offer.free_units = 100;
    });
    let terms = terms.publish();
    let license = world.accept(&channel, &terms);
    world.send(channel.closing_by(&channel.operator)).assert_ok();
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 1_500_000));
    // What was paid for is used, and what was served is settled.
    world.pass(channel.grace_seconds - 1);
    world.settle(&channel, &[(0, 10), (license, 100)]).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 100);
}

#[test]
fn lone_operator_takes_no_live_quota() {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.caps.total_units = Some(100)).publish();
    world.accept_quota(&channel, &terms, 100, 0);
    let taken = world.send(channel.releasing_quota(&channel.operator, 0, &terms));
    taken.assert_err(PaymentsError::LicenseInUse);
    // Nor does the payer alone, who would void a voucher of its operator's.
    let taken = world.send(channel.releasing_quota(&channel.payer, 0, &terms));
    taken.assert_err(PaymentsError::LicenseInUse);
    world.settle(&channel, &[(0, 100)]).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 1_000);
}

#[test]
fn colluding_parties_cannot_close_over_watcher() {
    let (mut world, channel, watcher) = watched();
    let creditors = world.statement(&channel, &[(0, 90_000)]).sent_by(&watcher);
    world.send(channel.closing_at_once()).assert_ok(); // starts the grace period
    world.send(channel.closing_at_once()).assert_err(PaymentsError::ChannelClosing);
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 1_000_000));
    world.pass(channel.grace_seconds / 2);
    world.send(creditors.call()).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (100_000, 900_000));
}

#[test]
fn colluding_parties_cannot_rotate_over_watcher() {
    let (mut world, channel, watcher) = watched();
    let creditors = world.statement(&channel, &[(0, 90_000)]).sent_by(&watcher);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    let new = world.person();
    let forged = Cosigners { party: Some(channel.operator.key()), watcher: Some(new.key()) };
    let payer = channel.payer.key();
    let rotate = rotate_voucher_key(&payer, &forged, &channel.address, new.key());
    let call = Call::new([rotate], &[&channel.payer, &channel.operator, &new]);
    for call in [channel.rotating_at_once(&new), call] {
        world.send(call).assert_ok(); // waits for the grace period
    }
    world.pass(channel.grace_seconds / 2);
    world.send(creditors.call()).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 900_000);
}

#[test]
fn dead_operator_keeps_no_rent() {
    let (mut world, channel, work) = licensed();
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    // From here on the operator signs nothing.
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(channel.withdrawing()).assert_ok();
    world.next_slot();
    world.send(channel.removing()).assert_err(PaymentsError::ChannelNotEmpty);
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!((world.balance(&channel.operator), world.vault_balance()), (2, 250));
    world.remove(&channel).assert_ok();
    assert!(world.find(&channel.address).is_none());
}
