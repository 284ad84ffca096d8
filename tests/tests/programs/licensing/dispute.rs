//! `open_dispute`, `decide_dispute` and `expire_dispute`.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{
        Dispute, LicensingError, OpenDisputeArgs, Purpose, Share, Verdict, Work, WorkStatus,
        open_dispute,
    },
    pda,
};
use motif_tests::world::{Call, World, shares};

use super::{read, rewrite};

#[test]
fn dispute_stores_its_fields() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let before = (world.read_work(&work), world.lamports(&claimant));
    let landed = world.send(work.disputing_by(&claimant)).assert_ok();
    let account = world.account(&pda::dispute(&work.address));
    let dispute: Dispute = read(&world, &pda::dispute(&work.address));
    assert_eq!((dispute.work, dispute.claimant), (work.address, claimant.key()));
    assert_eq!((dispute.bond_lamports, dispute.opened_at), (World::BOND, World::NOW));
    assert_eq!(dispute.deadline, World::NOW + World::DISPUTE_SECONDS);
    assert_eq!(dispute.status_before, WorkStatus::Active);
    assert_eq!(dispute.evidence_digest, [0xED; 32]);
    assert_eq!(dispute.evidence_uri, "https://example.org/evidence");
    assert_eq!(world.lamports(&claimant), before.1 - account.lamports - landed.fee);
    assert_eq!(
        world.read_work(&work),
        Work { status: WorkStatus::Disputed, disputes: 1, ..before.0 }
    );
}

#[test]
fn dispute_counter_overflow_is_rejected() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    rewrite(&mut world, &work, |stored| stored.disputes = u32::MAX);
    let lamports = world.lamports(&claimant);
    let opened = world.send(work.disputing_by(&claimant));
    opened.assert_err(LicensingError::CounterOverflow);
    assert_eq!(world.read_work(&work).status, WorkStatus::Active);
    assert!(lamports - world.lamports(&claimant) < World::BOND, "the bond stays");
}

#[test]
fn rejected_dispute_pays_bond_to_owner() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let before = world.read_work(&work);
    let (owners, claimants) = (world.lamports(&work.creator), world.lamports(&claimant));
    let opening = world.send(work.disputing_by(&claimant)).assert_ok().fee;
    let arbiter = world.host.clone();
    world.send(work.deciding(&arbiter, &claimant, Verdict::Rejected)).assert_ok();
    assert_eq!(world.read_work(&work), Work { disputes: 1, ..before });
    assert_eq!(world.lamports(&work.creator), owners + World::BOND);
    assert_eq!(world.lamports(&claimant), claimants - World::BOND - opening);
    assert!(world.find(&pda::dispute(&work.address)).is_none());
}

#[test]
fn upheld_dispute_transfers_work() {
    let mut world = World::new();
    let work = world.work().split(&[6_000, 4_000]).register();
    let (claimant, heir) = (world.person(), world.person());
    world.terms(&work).publish();
    world.send(work.offering_to(Some(&heir))).assert_ok();
    let before = world.read_work(&work);
    let (owners, claimants) = (world.lamports(&work.creator), world.lamports(&claimant));
    let opening = world.send(work.disputing_by(&claimant)).assert_ok().fee;
    let arbiter = world.host.clone();
    world.pass(World::HEARING_SECONDS);
    world.send(work.deciding(&arbiter, &claimant, Verdict::UPHELD)).assert_ok();
    let expected = Work {
        owner: claimant.key(),
        pending_owner: None,
        split: vec![Share { recipient: claimant.key(), share_bps: 10_000 }],
        split_version: 1,
        verdict_version: 1,
        disputes: 1,
        verdict_dispute: 1,
        verdict_terms: 2,
        latest_terms: 2,
        ..before
    };
    assert_eq!(world.read_work(&work), expected);
    assert_eq!(world.lamports(&work.creator), owners);
    assert_eq!(world.lamports(&claimant), claimants - opening);
    // The old terms are not the latest, and the new owner publishes the next.
    let channel = world.channel().open();
    let terms = world.terms(&work).by(&claimant).publish();
    assert_eq!(terms.number, 3);
    world.accept(&channel, &terms);
    world.terms(&work).attempt().assert_err(LicensingError::NotOwner);
}

#[test]
fn work_stays_withdrawn_after_dispute() {
    for verdict in [Verdict::Rejected, Verdict::UPHELD] {
        let mut world = World::new();
        let work = world.work().register();
        world.send(work.withdrawing()).assert_ok();
        let claimant = world.dispute(&work);
        let arbiter = world.host.clone();
        world.pass(World::HEARING_SECONDS);
        world.send(work.deciding(&arbiter, &claimant, verdict)).assert_ok();
        let after = world.read_work(&work);
        assert_eq!((after.status, after.withdrawn_at), (WorkStatus::Withdrawn, World::NOW));
    }
}

#[test]
fn undecided_dispute_ends_as_rejected() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let before = world.read_work(&work);
    let (owners, claimants) = (world.lamports(&work.creator), world.lamports(&claimant));
    let opening = world.send(work.disputing_by(&claimant)).assert_ok().fee;
    world.pass(World::DISPUTE_SECONDS + 1);
    world.send(work.expiring(&claimant)).assert_ok();
    assert_eq!(world.read_work(&work), Work { disputes: 1, ..before });
    assert_eq!(world.lamports(&work.creator), owners + World::BOND);
    assert_eq!(world.lamports(&claimant), claimants - World::BOND - opening);
    assert!(world.find(&pda::dispute(&work.address)).is_none());
}

#[test]
fn deadline_is_arbiters_last_second() {
    let (mut world, arbiter) = (World::new(), World::new().host.clone());
    let (work, claimant) = world.disputed();
    world.pass(World::DISPUTE_SECONDS);
    world.send(work.expiring(&claimant)).assert_err(LicensingError::DisputeOpen);
    world.pass(1);
    let late = work.deciding(&arbiter, &claimant, Verdict::UPHELD);
    world.send(late.clone()).assert_err(LicensingError::DisputeOverdue);
    world.pass(-1);
    world.send(late).assert_ok();
}

#[test]
fn disputed_work_is_frozen() {
    let mut world = World::new();
    let (work, other) = (world.work().register(), world.person());
    world.terms(&work).publish();
    let split = shares(&[(&other, 10_000)]);
    world.propose_split(&work, &split);
    world.dispute(&work);
    let host = world.host.clone();
    let calls = [
        work.offering_to(Some(&other)),
        work.withdrawing(),
        work.approving(1, &other, Purpose::License),
        work.applying_split(&host),
        work.disputing_by(&other),
    ];
    for (place, call) in calls.into_iter().enumerate() {
        let outcome = world.send(call);
        if place == 4 {
            outcome.assert_err(super::EXISTS); // one dispute at a time
        } else {
            outcome.assert_err(LicensingError::WorkDisputed);
        }
    }
    world.terms(&work).attempt().assert_err(LicensingError::WorkDisputed);
    let child = world.work().parent(&work, 1);
    child.attempt().assert_err(LicensingError::ParentDisputed);
    let child = world.work().parent_by_terms(&work, 1, 1);
    child.attempt().assert_err(LicensingError::ParentDisputed);
}

#[test]
fn owner_dispute_is_rejected() {
    let mut world = World::new();
    let work = world.work().register();
    world.send(work.disputing_by(&work.creator)).assert_err(LicensingError::OwnerCannotDispute);
}

#[test]
fn creator_can_dispute_sold_work() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&heir)).assert_ok();
    world.send(work.disputing_by(&work.creator)).assert_ok();
}

#[test]
fn long_evidence_uri_is_rejected() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let claiming = |bytes: usize| {
        let args = OpenDisputeArgs {
            evidence_uri: "u".repeat(bytes),
            evidence_digest: [0; 32],
            max_bond: u64::MAX,
        };
        Call::new([open_dispute(&claimant.key(), &work.address, args)], &[&claimant])
    };
    world.send(claiming(201)).assert_err(LicensingError::UriTooLong);
    world.send(claiming(200)).assert_ok();
}

#[test]
fn only_arbiter_decides() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    let arbiter = world.host.clone();
    for signer in [&claimant, &work.creator] {
        let call = work.deciding(signer, &claimant, Verdict::UPHELD);
        world.send(call).assert_err(LicensingError::NotArbiter);
    }
    let unsigned = work.deciding(&arbiter, &claimant, Verdict::UPHELD);
    let unsigned = unsigned.signed_by(&claimant).unsigned_by(&arbiter);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn bond_goes_to_parties_only() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    let (arbiter, stranger) = (world.host.clone(), world.person());
    let decide = work.deciding(&arbiter, &claimant, Verdict::Rejected);
    for party in [work.creator.key(), claimant.key()] {
        let call = decide.clone().instead_of(party, stranger.key());
        world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    }
    world.pass(World::DISPUTE_SECONDS + 1);
    let expire = work.expiring(&claimant);
    for party in [work.creator.key(), claimant.key()] {
        let call = expire.clone().instead_of(party, stranger.key());
        world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    }
}

#[test]
fn other_works_dispute_is_rejected() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    let other = world.work().register();
    let arbiter = world.host.clone();
    let call = other.deciding(&arbiter, &claimant, Verdict::UPHELD);
    let (own, foreign) = (pda::dispute(&other.address), pda::dispute(&work.address));
    world.send(call.instead_of(own, foreign)).assert_err(ErrorCode::ConstraintHasOne);
}

#[test]
fn owner_without_lamports_gets_bond() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    world.set(work.creator.key(), solana_account::Account::default());
    world.pass(World::DISPUTE_SECONDS + 1);
    world.send(work.expiring(&claimant)).assert_ok();
    assert_eq!(world.lamports(&work.creator), World::BOND);
}
