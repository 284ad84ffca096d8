use anchor_lang::error::ErrorCode;
use motif_sdk::{channel::PaymentsError, licensing::Offer, pda};
use motif_tests::world::{OpenedChannel, PublishedTerms, World};
use payments::Issuance;

use super::read;

/// A channel whose license has a quota of 60 of 100 units and 600 of 1,000 in revenue.
fn licensed(change: impl FnOnce(&mut Offer)) -> (World, OpenedChannel, PublishedTerms) {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| {
        offer.caps.total_units = Some(100);
        offer.caps.revenue = Some(1_000);
        change(offer);
    });
    let terms = terms.publish();
    world.accept_quota(&channel, &terms, 60, 600);
    (world, channel, terms)
}

fn issued(world: &World, terms: &PublishedTerms) -> (u64, u64) {
    let issuance: Issuance = read(world, &pda::issuance(&terms.address));
    (issuance.units, issuance.revenue)
}

#[test]
fn unused_quota_is_reissued() {
    let (mut world, channel, terms) = licensed(|_| {});
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.send(channel.releasing_quota_together(0, &terms)).assert_ok();
    assert_eq!(issued(&world, &terms), (25, 250));
    let state = world.read(&channel);
    assert_eq!((state.licenses.len(), state.channel.quotas_held), (1, 0));
    // 60 units at 10 and the fee of 1 % were deposited; 25 were charged.
    assert_eq!((state.channel.earmarked, state.channel.free().unwrap()), (0, 1_000_606 - 252));
    let license = state.licenses[0];
    assert_eq!((license.units_left, license.revenue_left, license.holds_quota), (0, 0, 0));
    assert_eq!((license.units, license.settled), (25, 250));
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::UnitCapExceeded);
    let other = world.channel().open();
    world.accept_quota(&other, &terms, 75, 750);
    assert_eq!(issued(&world, &terms), (100, 1_000));
}

#[test]
fn quota_is_released_once() {
    let (mut world, channel, terms) = licensed(|_| {});
    world.send(channel.releasing_quota_together(0, &terms)).assert_ok();
    let again = world.send(channel.releasing_quota_together(0, &terms));
    again.assert_err(PaymentsError::NoQuota);
    assert_eq!(issued(&world, &terms), (0, 0));
}

#[test]
fn usable_quota_needs_both_signatures() {
    let end = World::NOW + 1_000;
    let (mut world, channel, terms) = licensed(|offer| offer.expires_at = Some(end));
    let stranger = world.person();
    world.set_time(end);
    for caller in [&stranger, &channel.payer, &channel.operator, &channel.voucher_key] {
        let refused = world.send(channel.releasing_quota(caller, 0, &terms));
        refused.assert_err(PaymentsError::LicenseInUse);
    }
    let mut forged = channel.clone();
    forged.operator = stranger.clone();
    let refused = world.send(forged.releasing_quota_together(0, &terms));
    refused.assert_err(PaymentsError::LicenseInUse);
    let unsigned = channel.releasing_quota_together(0, &terms).unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(issued(&world, &terms), (60, 600));
    world.pass(1);
    world.send(channel.releasing_quota(&stranger, 0, &terms)).assert_ok();
    assert_eq!(issued(&world, &terms), (0, 0));
}

#[test]
fn closed_channel_quota_is_permissionless() {
    let (mut world, channel, terms) = licensed(|_| {});
    let stranger = world.person();
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds - 1);
    let refused = world.send(channel.releasing_quota(&stranger, 0, &terms));
    refused.assert_err(PaymentsError::LicenseInUse);
    world.pass(1);
    world.send(channel.releasing_quota(&stranger, 0, &terms)).assert_ok();
    assert_eq!(issued(&world, &terms), (0, 0));
}

#[test]
fn licensee_cap_has_no_quota() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let capped = world.terms(&work).with(|offer| offer.caps.total_units = Some(9)).publish();
    world.accept_quota(&channel, &capped, 5, 0);
    let own = world.work().register();
    let terms = world.terms(&own).with(|offer| offer.caps.licensee_units = Some(9)).publish();
    world.accept(&channel, &terms);
    let call = channel.releasing_quota_together(1, &terms);
    world.send(call.clone()).assert_err(ErrorCode::AccountNotInitialized);
    let call = call.instead_of(pda::issuance(&terms.address), pda::issuance(&capped.address));
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    // The licensee's units stay.
    assert_eq!(world.read(&channel).licenses[1].units_left, 9);
}

#[test]
fn release_accounts_are_pinned() {
    let (mut world, channel, terms) = licensed(|_| {});
    let other = world.work().register();
    let others = world.terms(&other).with(|offer| offer.caps.total_units = Some(100)).publish();
    world.accept_quota(&channel, &others, 50, 0);
    let operator = channel.operator.clone();
    // The other license's terms with their issuance.
    let crossed = channel.releasing_quota_together(0, &others);
    world.send(crossed).assert_err(PaymentsError::LicenseTermsMismatch);
    let unknown = channel.releasing_quota_together(2, &terms);
    world.send(unknown).assert_err(PaymentsError::LicenseNotFound);
    let call = channel.releasing_quota_together(0, &terms);
    let (own, foreign) = (pda::issuance(&terms.address), pda::issuance(&others.address));
    let cases = [
        (own, foreign, ErrorCode::ConstraintHasOne),
        (own, channel.address, ErrorCode::AccountDiscriminatorMismatch),
        (terms.address, others.address, ErrorCode::ConstraintHasOne),
        (terms.address, pda::config(), ErrorCode::AccountDiscriminatorMismatch),
        (channel.address, pda::config(), ErrorCode::AccountOwnedByWrongProgram),
    ];
    for (account, other, expected) in cases {
        world.send(call.clone().instead_of(account, other)).assert_err(expected);
    }
    world.send(call.unsigned_by(&operator)).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!((issued(&world, &terms), issued(&world, &others)), ((60, 600), (50, 0)));
}
