//! P31: limits of lists, each sound alone, that together would let no one be paid.

use licensing::WorkStatus;
use motif_sdk::{channel::PaymentsError, earnings::Earnings};
use motif_tests::world::{Person, RegisteredWork, World};

/// A work that has earned 320,000 with each of three splits among 32 recipients of its owner's.
fn crowded() -> (World, RegisteredWork, Vec<Person>) {
    let mut world = World::new();
    let work = world.work().register();
    world.open_earnings(&work);
    world.open_till(&work);
    let mut puppets = Vec::new();
    for _ in 0..3 {
        puppets.extend(crowd(&mut world, &work));
        world.apply_split(&work).assert_ok();
        earned(&mut world, &work, 320_000);
    }
    (world, work, puppets)
}

/// Gives the work 32 other recipients.
fn crowd(world: &mut World, work: &RegisteredWork) -> Vec<Person> {
    let people: Vec<_> = (0..32).map(|_| world.person()).collect();
    let split: Vec<_> = people.iter().zip([328].into_iter().chain([312; 31])).collect();
    world.resplit(work, &split);
    people
}

fn earned(world: &mut World, work: &RegisteredWork, amount: u64) {
    world.pay_into_till(work, amount);
    world.sweep_till(work).assert_ok();
}

#[test]
fn verdict_is_applied_beyond_the_limit() {
    let (mut world, work, puppets) = crowded();
    let claimant = world.dispute(&work);
    world.apply_dispute(&work).assert_ok();
    earned(&mut world, &work, 13_000);
    world.uphold(&work, &claimant);
    world.apply_split(&work).assert_ok();
    let parts = world.earnings(&work).recipients.len();
    assert_eq!(parts, Earnings::MAX_PARTS + 1);
    world.claim(&work, &claimant).assert_ok();
    assert_eq!(world.balance(&claimant), 13_000);
    for puppet in &puppets {
        world.claim(&work, puppet).assert_ok();
    }
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn agreed_change_keeps_to_the_limit() {
    let (mut world, work, puppets) = crowded();
    let heirs = crowd(&mut world, &work);
    world.apply_split(&work).assert_err(PaymentsError::TooManyParties);
    earned(&mut world, &work, 10_000);
    // The old split pays, and makes room.
    for puppet in &puppets {
        world.claim(&work, puppet).assert_ok();
    }
    assert_eq!(world.vault_balance(), 0);
    world.apply_split(&work).assert_ok();
    earned(&mut world, &work, 10_000);
    world.claim(&work, &heirs[1]).assert_ok();
    assert_eq!(world.balance(&heirs[1]), 312);
}

#[test]
fn disputes_lock_out_no_co_recipient() {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let co_recipient = work.recipients[1].clone();
    world.open_earnings(&work);
    world.open_till(&work);
    earned(&mut world, &work, 500_000);
    // The owner's half goes through puppets whose token accounts are another's by now.
    let pass_on = |world: &mut World| {
        let puppets: Vec<_> = (0..31).map(|_| world.person()).collect();
        let split = puppets.iter().zip([170].into_iter().chain([161; 30]));
        let split: Vec<_> = split.chain([(&co_recipient, 5_000)]).collect();
        world.resplit(&work, &split);
    };
    for _ in 0..3 {
        pass_on(&mut world);
        world.apply_split(&work).assert_ok();
        earned(&mut world, &work, 10_000);
    }
    pass_on(&mut world);
    world.apply_split(&work).assert_err(PaymentsError::TooManyParties);

    let accomplice = world.person();
    let mut owed = 515_000 - 250_000;
    for round in 0..5 {
        if round > 0 {
            world.pass(61 * 86_400);
            world.send(work.expiring(&accomplice)).assert_ok();
        }
        world.send(work.disputing_by(&accomplice)).assert_ok();
        world.claim(&work, &co_recipient).assert_err(PaymentsError::DisputeNotApplied);
        world.apply_dispute(&work).assert_ok();
        world.claim(&work, &co_recipient).assert_ok();
        assert_eq!(world.balance(&co_recipient), owed);
        // What is earned from here on waits for the end of this dispute.
        earned(&mut world, &work, 1_000);
        world.claim(&work, &co_recipient).assert_err(PaymentsError::NothingToClaim);
        owed += 500;
    }
}

#[test]
fn pending_verdict_is_applied_first() {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    world.open_earnings(&work);
    world.open_till(&work);
    earned(&mut world, &work, 1_000);
    let first = world.dispute(&work);
    world.apply_dispute(&work).assert_ok();
    earned(&mut world, &work, 100);
    world.uphold(&work, &first);
    // A second dispute, opened before the first verdict was applied, would hide its own sum.
    let second = world.person();
    world.amend(&work, |work| {
        work.status = WorkStatus::Disputed;
        work.disputes += 1;
    });
    world.apply_dispute(&work).assert_err(PaymentsError::SplitNotApplied);
    world.claim(&work, &work.recipients[1]).assert_err(PaymentsError::SplitNotApplied);
    world.apply_split(&work).assert_ok();
    world.apply_dispute(&work).assert_ok();
    earned(&mut world, &work, 10);
    for (person, paid) in [(&first, 100), (&work.recipients[0], 500), (&work.recipients[1], 500)] {
        world.claim(&work, person).assert_ok();
        assert_eq!(world.balance(person), paid);
    }
    world.uphold(&work, &second);
    world.apply_split(&work).assert_ok();
    world.claim(&work, &second).assert_ok();
    assert_eq!((world.balance(&second), world.vault_balance()), (10, 0));
}

#[test]
fn untold_verdict_leaves_secured_earnings() {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let [one, other] = [0, 1].map(|place| work.recipients[place].clone());
    world.open_earnings(&work);
    world.open_till(&work);
    earned(&mut world, &work, 1_000);
    world.claim(&work, &one).assert_ok();
    earned(&mut world, &work, 100);
    // Opened and upheld with no moment between, by an arbiter whose key was stolen.
    let thief = world.person();
    world.uphold(&work, &thief);
    world.apply_split(&work).assert_ok();
    world.claim(&work, &thief).assert_ok();
    world.claim(&work, &other).assert_ok();
    let balances = [&one, &other, &thief].map(|person| world.balance(person));
    assert_eq!((balances, world.vault_balance()), ([500, 500, 100], 0));
}
