//! P15: every boundary in time, one second on either side.

use motif_sdk::channel::PaymentsError;
use motif_tests::world::World;

use super::{licensed, nothing_settled};

#[test]
fn voucher_settles_until_last_second() {
    for (now, settles) in [(World::NOW - 1, true), (World::NOW, true), (World::NOW + 1, false)] {
        let (mut world, channel, _) = licensed();
        let statement = world.statement(&channel, &[(0, 25)]);
        let statement = statement.with(|voucher| voucher.expires_at = World::NOW);
        world.set_time(now);
        let outcome = world.send(statement.call());
        if settles {
            outcome.assert_ok();
        } else {
            outcome.assert_err(PaymentsError::VoucherExpired);
            nothing_settled(&world, &channel);
        }
    }
}

#[test]
fn negative_voucher_expiry_is_rejected() {
    let (mut world, channel, _) = licensed();
    for expires_at in [i64::MIN, -1, 0, World::NOW - 1] {
        let statement = world.statement(&channel, &[(0, 25)]);
        let statement = statement.with(|voucher| voucher.expires_at = expires_at);
        world.send(statement.call()).assert_err(PaymentsError::VoucherExpired);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn license_settles_until_last_second() {
    let last = World::NOW + 100;
    for (now, settles) in [(last - 1, true), (last, true), (last + 1, false)] {
        let mut world = World::new();
        let channel = world.channel().open();
        let work = world.work().register();
        let terms = world.terms(&work).with(|offer| offer.expires_at = Some(last)).publish();
        world.accept(&channel, &terms);
        world.set_time(now);
        let outcome = world.settle(&channel, &[(0, 25)]);
        if settles {
            outcome.assert_ok();
        } else {
            outcome.assert_err(PaymentsError::LicenseExpired);
            nothing_settled(&world, &channel);
        }
    }
}

#[test]
fn channel_settles_until_close() {
    for (late, settles) in [(-1, true), (0, false), (1, false)] {
        let (mut world, channel, _) = licensed();
        let statement = world.statement(&channel, &[(0, 25)]);
        world.send(channel.closing_by(&channel.payer)).assert_ok();
        world.pass(channel.grace_seconds + late);
        let outcome = world.send(statement.call());
        if settles {
            outcome.assert_ok();
            world.pass(1);
            world.send(channel.withdrawing()).assert_ok();
            assert_eq!(world.balance(&channel.payer), 1_000_000 - 252);
        } else {
            outcome.assert_err(PaymentsError::ChannelClosed);
            nothing_settled(&world, &channel);
            world.send(channel.withdrawing()).assert_ok();
            assert_eq!(world.balance(&channel.payer), 1_000_000);
        }
    }
}

#[test]
fn watcher_settles_in_second_half() {
    for (grace, half) in [(86_400, 43_200), (901, 451)] {
        for (late, settles) in [(-1, false), (0, true), (1, true)] {
            let mut world = World::new();
            let watcher = world.person();
            let channel = world.channel().grace(grace).watched_by(&watcher).open();
            world.licensed(&channel, 10);
            let statement = world.statement(&channel, &[(0, 25)]).sent_by(&watcher);
            world.send(channel.closing_by(&channel.payer)).assert_ok();
            world.pass(half + late);
            let outcome = world.send(statement.call());
            if settles {
                outcome.assert_ok();
            } else {
                outcome.assert_err(PaymentsError::SettlerNotAllowed);
                nothing_settled(&world, &channel);
            }
        }
    }
}

#[test]
fn extreme_clock_breaks_nothing() {
    for now in [i64::MIN, -1, 0, i64::MAX - 1] {
        let (mut world, channel, _) = licensed();
        world.set_time(now);
        world.settle(&channel, &[(0, 25)]).assert_ok();
        let withdrawn = world.send(channel.withdrawing());
        withdrawn.assert_err(PaymentsError::ChannelStillOpen);
    }
    // An open channel closes at the last possible second, in which nothing settles.
    let (mut world, channel, _) = licensed();
    world.set_time(i64::MAX);
    world.settle(&channel, &[(0, 25)]).assert_err(PaymentsError::ChannelClosed);
    nothing_settled(&world, &channel);
}

#[test]
fn zero_grace_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().grace(0);
    channel.attempt().assert_err(PaymentsError::InvalidGracePeriod);
    assert_eq!(world.vault_balance(), 0);
}
