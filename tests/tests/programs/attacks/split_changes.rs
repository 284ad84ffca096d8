//! P25: a change of split keeps earlier earnings.

use licensing::WorkStatus;
use motif_sdk::channel::PaymentsError;
use motif_tests::world::{OpenedChannel, Person, RegisteredWork, World};

/// A work with a split of 6,000 and 4,000, licensed at 1 without a fee, with earnings of 1,000.
fn earned() -> (World, OpenedChannel, RegisteredWork, [Person; 2]) {
    let mut world = World::new();
    let work = world.work().split(&[6_000, 4_000]).register();
    let channel = world.channel().fee(0).open();
    let terms = world.terms(&work).price(1).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&work);
    earn(&mut world, &channel, &work);
    let people = work.recipients.clone().try_into().unwrap();
    (world, channel, work, people)
}

fn earn(world: &mut World, channel: &OpenedChannel, work: &RegisteredWork) {
    world.settle(channel, &[(0, 1_000)]).assert_ok();
    world.collect(channel, &[(0, work)]).assert_ok();
}

#[test]
fn removed_recipient_keeps_past_earnings() {
    let (mut world, channel, work, [one, other]) = earned();
    world.resplit(&work, &[(&one, 10_000)]);
    world.apply_split(&work).assert_ok();
    earn(&mut world, &channel, &work);
    world.claim(&work, &other).assert_ok();
    assert_eq!(world.balance(&other), 400);
    world.claim(&work, &other).assert_err(PaymentsError::NothingToClaim);
    world.claim(&work, &one).assert_ok();
    assert_eq!(world.balance(&one), 1_600);
}

#[test]
fn earnings_are_paid_at_one_split() {
    let (mut world, channel, work, [one, other]) = earned();
    world.claim(&work, &one).assert_ok();
    // Removed and added again: paid amounts stay counted.
    world.resplit(&work, &[(&other, 10_000)]);
    world.apply_split(&work).assert_ok();
    world.resplit(&work, &[(&one, 10_000)]);
    world.apply_split(&work).assert_ok();
    world.claim(&work, &one).assert_err(PaymentsError::NothingToClaim);
    earn(&mut world, &channel, &work);
    world.claim_all(&work, &[&one, &other]).assert_ok();
    assert_eq!((world.balance(&one), world.balance(&other)), (1_600, 400));
    assert_eq!(world.vault_balance(), 1_000_000 - 2_000);
}

#[test]
fn split_timing_keeps_past_earnings() {
    let (mut world, channel, work, [one, other]) = earned();
    world.resplit(&work, &[(&other, 10_000)]);
    // A change takes effect when it is applied; early and late claims before it
    // pay the same.
    earn(&mut world, &channel, &work);
    world.claim(&work, &one).assert_ok();
    assert_eq!(world.balance(&one), 1_200);
    world.apply_split(&work).assert_ok();
    earn(&mut world, &channel, &work);
    world.claim(&work, &one).assert_err(PaymentsError::RecipientNotFound);
    world.claim(&work, &other).assert_ok();
    assert_eq!((world.balance(&one), world.balance(&other)), (1_200, 1_800));
}

#[test]
fn false_owner_loses_contested_earnings() {
    let (mut world, channel, work, [one, _]) = earned();
    let claimant = world.person();
    world.set_status(&work, WorkStatus::Disputed);
    world.claim(&work, &one).assert_err(PaymentsError::DisputeNotApplied);
    world.uphold(&work, &claimant);
    world.claim(&work, &one).assert_err(PaymentsError::SplitNotApplied);
    // `apply_dispute` was not called: everything unclaimed follows the verdict.
    world.apply_split(&work).assert_ok();
    world.claim(&work, &one).assert_err(PaymentsError::RecipientNotFound);
    earn(&mut world, &channel, &work);
    world.claim(&work, &claimant).assert_ok();
    assert_eq!((world.balance(&claimant), world.balance(&one)), (2_000, 0));
}

#[test]
fn verdict_keeps_earlier_earnings() {
    let (mut world, channel, work, [one, other]) = earned();
    let claimant = world.person();
    world.set_status(&work, WorkStatus::Disputed);
    world.apply_dispute(&work).assert_ok();
    earn(&mut world, &channel, &work);
    world.claim(&work, &one).assert_ok();
    assert_eq!(world.balance(&one), 600, "of the first 1,000");
    world.apply_split(&work).assert_err(PaymentsError::EarningsDisputed);
    world.uphold(&work, &claimant);
    world.claim(&work, &other).assert_err(PaymentsError::SplitNotApplied);
    world.apply_split(&work).assert_ok();
    world.claim_all(&work, &[&other, &claimant]).assert_ok();
    let paid = [&one, &other, &claimant].map(|person| world.balance(person));
    assert_eq!(paid, [600, 400, 1_000]);
}

/// The owner's second key opens one dispute after another; the arbiter never decides.
#[test]
fn serial_disputes_lock_no_old_earnings() {
    let (mut world, channel, work, [one, _]) = earned();
    for round in 1..=5 {
        world.set_status(&work, WorkStatus::Disputed);
        world.apply_dispute(&work).assert_ok();
        world.claim(&work, &one).assert_ok();
        assert_eq!(world.balance(&one), 600 * round);
        earn(&mut world, &channel, &work);
        world.claim(&work, &one).assert_err(PaymentsError::NothingToClaim);
        world.set_status(&work, WorkStatus::Active); // as after the deadline
    }
}
