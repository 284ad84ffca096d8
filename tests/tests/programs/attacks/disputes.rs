//! P23: disputes as a nuisance, and arbiters that never decide.

use motif_sdk::{
    licensing::{LicensingError, UpdateConfigArgs, Verdict, Work, update_config},
    pda,
};
use motif_tests::world::{Call, World};

#[test]
fn absent_arbiter_releases_at_deadline() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let before = world.read_work(&work);
    let owners = world.lamports(&work.creator);
    world.send(work.disputing_by(&claimant)).assert_ok();
    for seconds in [0, World::DISPUTE_SECONDS] {
        world.set_time(World::NOW + seconds);
        world.send(work.expiring(&claimant)).assert_err(LicensingError::DisputeOpen);
    }
    world.pass(1);
    // Any signer may expire it; no party has to sign.
    world.send(work.expiring(&claimant)).assert_ok();
    assert_eq!(world.read_work(&work), Work { disputes: 1, ..before });
    assert_eq!(world.lamports(&work.creator), owners + World::BOND);
    assert!(world.find(&pda::dispute(&work.address)).is_none());
    world.terms(&work).publish();
}

#[test]
fn repeated_dispute_costs_a_bond_each() {
    let mut world = World::new();
    let (work, griever, arbiter) = (world.work().register(), world.person(), world.host.clone());
    let before = world.read_work(&work);
    let (owners, grievers) = (world.lamports(&work.creator), world.lamports(&griever));
    let rounds = 5;
    let mut fees = 0;
    for round in 0..rounds {
        fees += world.send(work.disputing_by(&griever)).assert_ok().fee;
        if round % 2 == 0 {
            world.send(work.deciding(&arbiter, &griever, Verdict::Rejected)).assert_ok();
        } else {
            world.pass(World::DISPUTE_SECONDS + 1);
            world.send(work.expiring(&griever)).assert_ok();
        }
    }
    assert_eq!(world.read_work(&work), Work { disputes: rounds as u32, ..before });
    assert_eq!(world.lamports(&griever), grievers - rounds * World::BOND - fees);
    assert_eq!(world.lamports(&work.creator), owners + rounds * World::BOND);
}

#[test]
fn dispute_keeps_opening_config() {
    let mut world = World::new();
    let (work, claimant, host) = (world.work().register(), world.person(), world.host.clone());
    let claimants = world.lamports(&claimant);
    let fee = world.send(work.disputing_by(&claimant)).assert_ok().fee;
    let args = UpdateConfigArgs {
        arbiter: host.key(),
        dispute_bond_lamports: 50 * World::BOND,
        dispute_seconds: 60 * 86_400,
    };
    world.send(Call::new([update_config(&host.key(), args)], &[&host])).assert_ok();
    world.pass(World::DISPUTE_SECONDS + 1);
    let late = work.deciding(&host, &claimant, Verdict::UPHELD);
    world.send(late).assert_err(LicensingError::DisputeOverdue);
    world.send(work.expiring(&claimant)).assert_ok();
    assert_eq!(world.lamports(&claimant), claimants - World::BOND - fee);
}

#[test]
fn verdict_applies_once() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    let arbiter = world.host.clone();
    let verdict = work.deciding(&arbiter, &claimant, Verdict::UPHELD);
    world.pass(World::HEARING_SECONDS);
    world.send(verdict.clone()).assert_ok();
    let after = world.read_work(&work);
    let nothing_there = anchor_lang::error::ErrorCode::AccountNotInitialized;
    let again = verdict.instead_of(work.creator.key(), claimant.key());
    world.send(again).assert_err(nothing_there);
    assert_eq!(world.read_work(&work), after);
}

#[test]
fn former_owner_can_dispute() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    let arbiter = world.host.clone();
    world.pass(World::HEARING_SECONDS);
    world.send(work.deciding(&arbiter, &claimant, Verdict::UPHELD)).assert_ok();
    world.send(work.disputing_by(&claimant)).assert_err(LicensingError::OwnerCannotDispute);
    world.send(work.disputing_by(&work.creator)).assert_ok();
}

#[test]
fn split_before_verdict_is_stale() {
    let mut world = World::new();
    let (work, friend) = (world.work().register(), world.person());
    let split = motif_tests::world::shares(&[(&friend, 10_000)]);
    world.propose_split(&work, &split);
    let claimant = world.dispute(&work);
    let arbiter = world.host.clone();
    world.pass(World::HEARING_SECONDS);
    world.send(work.deciding(&arbiter, &claimant, Verdict::UPHELD)).assert_ok();
    let applied = world.send(work.applying_split(&friend));
    applied.assert_err(LicensingError::StaleSplitChange);
    assert_eq!(world.read_work(&work).split[0].recipient, claimant.key());
    // It does not block the new owner.
    world.send(work.cancelling_split_by(&claimant)).assert_ok();
}

/// A license accepted before the dispute stays valid.
#[test]
fn false_owners_terms_are_void() {
    let mut world = World::new();
    let work = world.work().register();
    let terms = world.terms(&work).publish();
    let claimant = world.dispute(&work);
    let arbiter = world.host.clone();
    world.pass(World::HEARING_SECONDS);
    world.send(work.deciding(&arbiter, &claimant, Verdict::UPHELD)).assert_ok();
    let child = world.work().parent_by_terms(&work, 0, terms.number);
    child.attempt().assert_err(LicensingError::NotLatestTerms);
    let child = world.work().parent(&work, 0);
    child.attempt().assert_err(LicensingError::MissingApproval);
}
