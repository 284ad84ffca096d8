//! P22, P23: instructions on withdrawn and disputed works, and until when they are accepted.

use licensing::WorkStatus;
use motif_sdk::channel::PaymentsError;
use motif_tests::world::{Code, OpenedChannel, PublishedTerms, RegisteredWork, World};

use super::read;

/// A licensed work with earnings of 1,000 and valid terms.
fn earned() -> (World, OpenedChannel, RegisteredWork, PublishedTerms) {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let work = world.work().register();
    let terms = world.terms(&work).price(1).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&work);
    world.settle(&channel, &[(0, 1_000)]).assert_ok();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    (world, channel, work, terms)
}

#[test]
fn work_state_permits_listed_calls() {
    use PaymentsError::{DisputeNotApplied, WorkNotActive};
    type Refusal = Option<PaymentsError>;
    // Accepting, settling, collecting, claiming.
    let table: [(WorkStatus, [Refusal; 4]); 3] = [
        (WorkStatus::Active, [None, None, None, None]),
        (WorkStatus::Withdrawn, [Some(WorkNotActive), None, None, None]),
        (WorkStatus::Disputed, [Some(WorkNotActive), None, None, Some(DisputeNotApplied)]),
    ];
    for (status, cells) in table {
        let (mut world, channel, work, terms) = earned();
        world.set_status(&work, status);
        let accepting = channel.accepting(&terms).call();
        let settling = world.statement(&channel, &[(0, 5)]).call();
        let collecting = channel.collecting(&[(0, &work)]);
        let claiming = world.claiming(&work, &[&work.recipients[0]]);
        for (call, refusal) in [accepting, settling, collecting, claiming].into_iter().zip(cells) {
            let outcome = world.send(call);
            match refusal {
                None => drop(outcome.assert_ok()),
                Some(error) => outcome.assert_err(Code::from(error)),
            }
        }
        let paid = if status == WorkStatus::Disputed { 0 } else { 1_005 };
        assert_eq!(world.balance(&work.recipients[0]), paid, "{status:?}");
    }
}

#[test]
fn unapplied_withdrawal_ends_no_license() {
    let (mut world, channel, work, _) = earned();
    world.withdraw_work(&work);
    world.pass(365 * 86_400);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    world.settle(&channel, &[(0, 1)]).assert_ok();
    world.pass(channel.grace_seconds + 1);
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::LicenseExpired);
}

#[test]
fn dispute_keeps_work_withdrawn() {
    let (mut world, channel, work, _) = earned();
    world.withdraw_work(&work);
    world.set_status(&work, WorkStatus::Disputed);
    world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
    assert_eq!(world.read(&channel).licenses[0].expires_at, World::NOW + 86_400);
}

#[test]
fn child_dispute_contests_parents() {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let image = world.work().register();
    let model = world.work().parent(&image, 2_000).register();
    let terms = world.terms(&model).price(1).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&image);
    world.open_earnings(&model);
    world.settle(&channel, &[(0, 1_000)]).assert_ok();
    world.collect(&channel, &[(0, &model)]).assert_ok();
    world.set_status(&model, WorkStatus::Disputed);
    world.pull(&model, &image).assert_err(PaymentsError::DisputeNotApplied);
    world.apply_dispute(&model).assert_ok();
    world.pull(&model, &image).assert_ok();
    world.claim(&image, &image.recipients[0]).assert_ok();
    assert_eq!(world.balance(&image.recipients[0]), 200);
    // Later earnings wait for the verdict, the parent's share included.
    world.settle(&channel, &[(0, 1_000)]).assert_ok();
    world.collect(&channel, &[(0, &model)]).assert_ok();
    world.pull(&model, &image).assert_err(PaymentsError::NothingToClaim);
    // A verdict that keeps the parent pays it in full.
    let claimant = world.person();
    world.uphold(&model, &claimant);
    world.pull(&model, &image).assert_err(PaymentsError::SplitNotApplied);
    world.apply_split(&model).assert_ok();
    world.pull(&model, &image).assert_ok();
    world.claim(&image, &image.recipients[0]).assert_ok();
    world.claim(&model, &claimant).assert_ok();
    let paid = (world.balance(&image.recipients[0]), world.balance(&claimant));
    assert_eq!((paid, world.vault_balance()), ((400, 800), 1_000_000 - 1_200));
}

#[test]
fn disputed_earnings_wait_for_verdict() {
    let (mut world, channel, work, _) = earned();
    let recipient = work.recipients[0].clone();
    world.set_status(&work, WorkStatus::Disputed);
    world.claim(&work, &recipient).assert_err(PaymentsError::DisputeNotApplied);
    world.apply_dispute(&work).assert_ok();
    world.open_till(&work);
    world.pay_into_till(&work, 50);
    world.sweep_till(&work).assert_ok();
    world.settle(&channel, &[(0, 10)]).assert_ok();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    let claimable = |world: &World| {
        let present: licensing::Work = read(world, &work.address);
        world.earnings(&work).claimable(0, &present.head())
    };
    // Earlier earnings are still paid.
    assert_eq!(claimable(&world), 1_000);
    world.claim(&work, &recipient).assert_ok();
    assert_eq!(world.balance(&recipient), 1_000);
    assert_eq!(claimable(&world), 0);
    world.claim(&work, &recipient).assert_err(PaymentsError::NothingToClaim);
    world.set_status(&work, WorkStatus::Active);
    assert_eq!(claimable(&world), 60);
    world.claim(&work, &recipient).assert_ok();
    assert_eq!(world.balance(&recipient), 1_060);
}
