//! P16: a payer that leaves still pays its debts.

use motif_sdk::channel::PaymentsError;
use motif_tests::world::World;

use super::{licensed, nothing_settled};

#[test]
fn closing_payer_owes_last_voucher() {
    let (mut world, channel, _) = licensed();
    let last = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    world.pass(channel.grace_seconds - 1);
    world.send(last.call()).assert_ok();
    world.pass(1);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&channel.payer), 1_000_000 - 252);
    assert_eq!(world.vault_balance(), 252);
}

#[test]
fn older_voucher_cannot_void_newer() {
    let (mut world, channel, _) = licensed();
    let oldest = world.statement(&channel, &[(0, 1)]).sent_by(&channel.payer);
    let newest = world.statement(&channel, &[(0, 25)]);
    world.send(oldest.call()).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds / 2 - 1);
    world.send(oldest.call()).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(newest.call()).assert_ok();
    world.pass(1);
    world.send(oldest.call()).assert_err(PaymentsError::SettlerNotAllowed);
    assert_eq!(world.read(&channel).channel.prices, 250);
}

#[test]
fn watcher_settles_for_dead_operator() {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().watched_by(&watcher).open();
    let (work, _) = world.licensed(&channel, 10);
    let last = world.statement(&channel, &[(0, 25)]).sent_by(&watcher);
    world.send(last.call()).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds / 2 - 1);
    world.send(last.call()).assert_err(PaymentsError::SettlerNotAllowed);
    nothing_settled(&world, &channel);
    world.pass(1);
    world.send(last.call()).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(channel.withdrawing()).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!(world.balance(&work.recipients[0]), 250);
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn payer_cannot_void_creditors_voucher() {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().watched_by(&watcher).deposited(1_000_000).fee(0).open();
    world.licensed(&channel, 10);
    let creditors = world.statement(&channel, &[(0, 90_000)]).sent_by(&watcher);
    let tiny = world.statement(&channel, &[(0, 1)]);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    // The first second of the second half, which both know.
    world.pass(channel.grace_seconds / 2);
    for settler in [&channel.payer, &channel.voucher_key, &world.person()] {
        let statement = tiny.clone().sent_by(settler);
        for call in [statement.call(), statement.cosigned_call()] {
            world.send(call).assert_err(PaymentsError::SettlerNotAllowed);
        }
    }
    nothing_settled(&world, &channel);
    world.send(creditors.call()).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (100_000, 900_000));
}

#[test]
fn halt_of_the_cluster_takes_no_grace() {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().watched_by(&watcher).grace(3_600).fee(0).open();
    world.licensed(&channel, 10);
    let first = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.halt(19 * 3_600);
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    let early = world.statement(&channel, &[(0, 1)]).sent_by(&watcher);
    world.send(early.call()).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(first.call()).assert_ok();
    // Slots pass, the second half begins, and the channel closes.
    world.pass(900);
    let last = world.statement(&channel, &[(0, 1)]).sent_by(&watcher);
    world.send(last.call()).assert_ok();
    world.send(channel.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    world.pass(900);
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::ChannelClosed);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (1_000_000 - 260, 260));
}

#[test]
fn late_operator_settlement_is_rejected() {
    let (mut world, channel, _) = licensed();
    let last = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds);
    world.send(last.call()).assert_err(PaymentsError::ChannelClosed);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (1_000_000, 0));
}

#[test]
fn credit_outlives_closed_channel() {
    let (mut world, channel, work) = licensed();
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    world.pass(10 * 365 * 86_400);
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!(world.balance(&work.recipients[0]), 250);
}

#[test]
fn clock_step_back_settles_nothing() {
    let (mut world, channel, _) = licensed();
    let late = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    let closes_at = world.read(&channel).channel.closes_at;
    world.set_time(closes_at);
    world.send(channel.withdrawing()).assert_ok();
    world.set_time(closes_at - 1);
    for call in [late.call(), late.cosigned_call()] {
        world.send(call).assert_err(PaymentsError::ChargedAboveDeposit);
    }
    nothing_settled(&world, &channel);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (1_000_000, 0));
}
