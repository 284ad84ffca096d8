//! P25: approvals of a split that are kept until they pay.

use motif_sdk::licensing::{LicensingError, ProposeSplitArgs, Share, propose_split};
use motif_tests::world::{Call, Person, RegisteredWork, World, shares};

/// A work of two, and a split under which the second loses all.
fn proposed(expires_at: Option<i64>) -> (World, RegisteredWork, Person, Vec<Share>) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let split = shares(&[(&work.recipients[0], 10_000)]);
    let args = ProposeSplitArgs { recipients: 1, expires_at, shares: split.clone() };
    let propose = propose_split(&work.creator.key(), &work.address, args);
    world.send(Call::new([propose], &[&work.creator])).assert_ok();
    let loser = work.recipients[1].clone();
    (world, work, loser, split)
}

/// A recipient that approved a change takes the approval back before the change is applied.
#[test]
fn revoked_approval_cannot_be_used() {
    let (mut world, work, loser, split) = proposed(None);
    let before = world.read_work(&work);
    world.send(work.approving_split(&loser, &split)).assert_ok();
    world.send(work.revoking_split(&loser)).assert_ok();
    let late = world.send(work.applying_split(&work.recipients[0]));
    late.assert_err(LicensingError::MissingRecipientApproval);
    assert_eq!(world.read_work(&work), before);
    world.send(work.approving_split(&loser, &split)).assert_ok();
    world.send(work.applying_split(&work.recipients[0])).assert_ok();
}

/// What a recipient approved for a week does not take its earnings months later.
#[test]
fn expired_change_is_not_applied() {
    let (mut world, work, loser, split) = proposed(Some(World::NOW + 100));
    world.open_earnings(&work);
    world.open_till(&work);
    world.pass(100);
    world.send(work.approving_split(&loser, &split)).assert_ok();
    world.pass(1);
    world.pay_into_till(&work, 1_000);
    let late = world.send(work.applying_split(&work.recipients[0]));
    late.assert_err(LicensingError::SplitChangeExpired);
    let approved = world.send(work.approving_split(&loser, &split));
    approved.assert_err(LicensingError::SplitChangeExpired);
    world.sweep_till(&work).assert_ok();
    world.claim(&work, &loser).assert_ok();
    assert_eq!(world.balance(&loser), 500);
    // The owner makes room for another proposal.
    world.send(work.cancelling_split()).assert_ok();
    world.propose_split(&work, &split);
}

#[test]
fn stranger_revokes_no_approval() {
    let (mut world, work, loser, split) = proposed(None);
    world.send(work.approving_split(&loser, &split)).assert_ok();
    let stranger = world.person();
    let revoked = world.send(work.revoking_split(&stranger));
    revoked.assert_err(LicensingError::RecipientNotFound);
    // One recipient does not revoke for another.
    world.send(work.revoking_split(&work.recipients[0])).assert_ok();
    world.send(work.applying_split(&work.recipients[0])).assert_ok();
}

#[test]
fn stale_approval_cannot_be_revoked() {
    let (mut world, work, loser, split) = proposed(None);
    let heir = world.person();
    world.send(work.approving_split(&loser, &split)).assert_ok();
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&heir)).assert_ok();
    let revoked = world.send(work.revoking_split(&loser));
    revoked.assert_err(LicensingError::StaleSplitChange);
}
