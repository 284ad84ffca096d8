//! `offer_ownership` and `accept_ownership`.

use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{LicensingError, Work, WorkStatus};
use motif_tests::world::World;

#[test]
fn ownership_passes_on_acceptance() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    let before = world.read_work(&work);
    world.send(work.offering_to(Some(&heir))).assert_ok();
    let offered = Work { pending_owner: Some(heir.key()), ..before.clone() };
    assert_eq!(world.read_work(&work), offered);
    world.send(work.accepting_by(&heir)).assert_ok();
    assert_eq!(world.read_work(&work), Work { owner: heir.key(), ..before });
}

#[test]
fn only_new_owner_publishes_terms() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.terms(&work).publish();
    world.send(work.accepting(&heir, WorkStatus::Active, 1, 0)).assert_ok();
    world.terms(&work).attempt().assert_err(LicensingError::NotOwner);
    world.terms(&work).by(&heir).publish();
}

#[test]
fn only_owner_offers_work() {
    let mut world = World::new();
    let (work, stranger) = (world.work().register(), world.person());
    let call = work.offering_to(Some(&stranger));
    let forged = call.clone().instead_of(work.creator.key(), stranger.key());
    let forged = forged.unsigned_by(&work.creator).signed_by(&stranger);
    let forged = forged.changed(|calls| calls[0].accounts[0].is_signer = true);
    world.send(forged).assert_err(LicensingError::NotOwner);
    let unsigned = call.signed_by(&stranger).unsigned_by(&work.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn unoffered_work_is_rejected() {
    let mut world = World::new();
    let (work, heir, stranger) = (world.work().register(), world.person(), world.person());
    world.send(work.accepting_by(&stranger)).assert_err(LicensingError::NotOffered);
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&stranger)).assert_err(LicensingError::NotOffered);
    let unsigned = work.accepting_by(&heir).signed_by(&stranger).unsigned_by(&heir);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn disputed_work_is_not_transferred() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.dispute(&work);
    world.send(work.accepting_by(&heir)).assert_err(LicensingError::WorkDisputed);
    world.send(work.offering_to(None)).assert_err(LicensingError::WorkDisputed);
}

#[test]
fn withdrawn_work_can_be_transferred() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.withdrawing()).assert_ok();
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting(&heir, WorkStatus::Withdrawn, 0, 0)).assert_ok();
    assert_eq!(world.read_work(&work).owner, heir.key());
}

#[test]
fn changed_work_is_not_accepted() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    let before = world.read_work(&work);
    let other = [
        work.accepting(&heir, WorkStatus::Withdrawn, 0, 0),
        work.accepting(&heir, WorkStatus::Active, 1, 0),
        work.accepting(&heir, WorkStatus::Active, 0, 1),
    ];
    for call in other {
        world.send(call).assert_err(LicensingError::WorkChanged);
        assert_eq!(world.read_work(&work), before);
    }
    world.send(work.accepting_by(&heir)).assert_ok();
}
