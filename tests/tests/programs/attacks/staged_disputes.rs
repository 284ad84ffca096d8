//! P32, P33: disputes that are staged, and verdicts without a hearing.

use motif_sdk::{
    channel::PaymentsError,
    licensing::{LicensingError, UpdateConfigArgs, Verdict, update_config},
    pda,
};
use motif_tests::world::{Call, RegisteredWork, World};

/// A work of two halves that has earned 1,000.
fn earned() -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    world.open_earnings(&work);
    world.open_till(&work);
    world.pay_into_till(&work, 1_000);
    world.sweep_till(&work).assert_ok();
    (world, work)
}

/// An arbiter, or a thief of its key, opens a dispute and decides it at once.
#[test]
fn verdict_before_hearing_takes_nothing() {
    let (mut world, work) = earned();
    let (arbiter, accomplice) = (world.host.clone(), world.person());
    let before = world.read_work(&work);
    let open = work.disputing_by(&accomplice);
    let decide = work.deciding(&arbiter, &accomplice, Verdict::UPHELD);
    let at_once = open.clone().then(decide.clone());
    world.send(at_once).assert_err(LicensingError::HearingOpen);
    assert_eq!(world.read_work(&work), before);
    world.send(open).assert_ok();
    world.pass(World::HEARING_SECONDS - 1);
    world.send(decide.clone()).assert_err(LicensingError::HearingOpen);
    // Meanwhile any signer tells the account, and the recipients are paid.
    world.apply_dispute(&work).assert_ok();
    for recipient in &work.recipients {
        world.claim(&work, recipient).assert_ok();
        assert_eq!(world.balance(recipient), 500);
    }
    world.pass(1);
    world.send(decide).assert_ok();
    world.apply_split(&work).assert_ok();
    world.claim(&work, &accomplice).assert_err(PaymentsError::NothingToClaim);
    assert_eq!(world.balance(&accomplice), 0);
}

/// A claim that is not true can be turned down at once.
#[test]
fn rejection_needs_no_hearing() {
    let (mut world, work) = earned();
    let (arbiter, claimant) = (world.host.clone(), world.dispute(&work));
    world.send(work.deciding(&arbiter, &claimant, Verdict::Rejected)).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
}

/// The authority raises the bond just before a claim lands.
#[test]
fn raised_bond_is_not_taken() {
    let (mut world, work) = earned();
    let (claimant, host) = (world.person(), world.host.clone());
    let raised = UpdateConfigArgs {
        arbiter: host.key(),
        dispute_bond_lamports: World::BOND + 1,
        dispute_seconds: 86_400,
    };
    world.send(Call::new([update_config(&host.key(), raised)], &[&host])).assert_ok();
    let (before, owners) = (world.lamports(&claimant), world.lamports(&work.creator));
    let dispute = work.disputing_by(&claimant).signed_by(&host).paid_by(&host.key());
    let opened = world.send(dispute);
    opened.assert_err(LicensingError::BondAboveMaximum);
    assert_eq!((world.lamports(&claimant), world.lamports(&work.creator)), (before, owners));
    assert!(world.find(&pda::dispute(&work.address)).is_none());
}

/// An owner that withdraws its work and has it disputed cannot run out the notice of a licensee.
#[test]
fn staged_dispute_keeps_license_right() {
    let mut world = World::new();
    let channel = world.channel().open();
    let (work, license) = world.licensed(&channel, 10);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    let accomplice = world.person();
    world.send(work.withdrawing()).assert_ok();
    world.send(work.disputing_by(&accomplice)).assert_ok();
    world.pass(86_400);
    let payer = channel.payer.clone();
    let song = world.work().by(&payer).parent_by_license(&work, 1_000, 1, &channel, license);
    song.register();
    let late = world.work().by(&accomplice).parent(&work, 1_000);
    late.attempt().assert_err(LicensingError::ParentDisputed);
}
