use anchor_lang::error::ErrorCode;
use motif_sdk::{channel::PaymentsError, pda};
use motif_tests::world::{OpenedChannel, RegisteredWork, World};

const DAY: i64 = 86_400;

/// A channel with a license of this notice period.
fn licensed(notice_seconds: u32) -> (World, OpenedChannel, RegisteredWork) {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.notice_seconds = notice_seconds).publish();
    world.accept(&channel, &terms);
    (world, channel, work)
}

fn ends(world: &World, channel: &OpenedChannel) -> i64 {
    world.read(channel).licenses[0].expires_at
}

#[test]
fn license_settles_until_notice_ends() {
    let (mut world, channel, work) = licensed(3 * DAY as u32);
    world.withdraw_work(&work);
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    assert_eq!(ends(&world, &channel), World::NOW + 3 * DAY);
    world.set_time(World::NOW + 3 * DAY);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    world.pass(1);
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::LicenseExpired);
}

#[test]
fn notice_is_at_least_a_day() {
    let (mut world, channel, work) = licensed(0);
    world.withdraw_work(&work);
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    assert_eq!(ends(&world, &channel), World::NOW + DAY);
}

#[test]
fn withdrawal_applied_within_notice_ends_with_it() {
    let (mut world, channel, work) = licensed(3 * DAY as u32);
    world.withdraw_work(&work);
    world.pass(3 * DAY - channel.grace_seconds);
    world.send(channel.applying_withdrawal(&[(0, &work), (0, &work)])).assert_ok();
    assert_eq!(ends(&world, &channel), World::NOW + 3 * DAY);
}

#[test]
fn withdrawal_applied_late_leaves_grace_period() {
    let (mut world, channel, work) = licensed(0);
    world.withdraw_work(&work);
    world.pass(DAY / 2);
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    let last = World::NOW + DAY / 2 + channel.grace_seconds;
    assert_eq!(ends(&world, &channel), last);
    world.pass(DAY);
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    assert_eq!(ends(&world, &channel), last);
}

#[test]
fn earlier_license_end_is_kept() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let soon = World::NOW + 60;
    let terms = world.terms(&work).with(|offer| offer.expires_at = Some(soon)).publish();
    world.accept(&channel, &terms);
    world.withdraw_work(&work);
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    assert_eq!(ends(&world, &channel), soon);
}

#[test]
fn active_work_ends_no_license() {
    let (mut world, channel, work) = licensed(0);
    let refused = world.send(channel.applying_withdrawal(&[(0, &work)]));
    refused.assert_err(PaymentsError::WorkNotWithdrawn);
    assert_eq!(ends(&world, &channel), i64::MAX);
}

#[test]
fn other_work_ends_no_license() {
    let (mut world, channel, work) = licensed(0);
    let other = world.work().register();
    world.withdraw_work(&other);
    let call = channel.applying_withdrawal(&[(0, &work)]);
    let foreign = call.clone().instead_of(work.address, other.address);
    world.send(foreign).assert_err(PaymentsError::InvalidWorkAccounts);
    world.withdraw_work(&work);
    let fewer = call.clone().changed(|calls| calls[0].accounts.truncate(1));
    world.send(fewer).assert_err(PaymentsError::InvalidWorkAccounts);
    let unknown = channel.applying_withdrawal(&[(1, &work)]);
    world.send(unknown).assert_err(PaymentsError::LicenseNotFound);
    let vault = pda::vault(&world.currency.mint);
    let wrong = call.instead_of(channel.address, vault);
    world.send(wrong).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    assert_eq!(ends(&world, &channel), i64::MAX);
}

#[test]
fn lookalike_work_is_rejected() {
    let (mut world, channel, work) = licensed(0);
    world.withdraw_work(&work);
    let mut account = world.account(&work.address);
    account.owner = payments::ID;
    world.set(work.address, account);
    let refused = world.send(channel.applying_withdrawal(&[(0, &work)]));
    refused.assert_err(ErrorCode::AccountOwnedByWrongProgram);
    assert_eq!(ends(&world, &channel), i64::MAX);
}
