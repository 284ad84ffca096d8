//! `offer_ownership` and `accept_ownership`.

use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{LicensingError, Work};
use motif_tests::world::World;

#[test]
fn a_work_changes_hands_when_the_other_side_accepts() {
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
fn the_new_owner_publishes_terms_and_the_old_one_no_longer() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.terms(&work).publish();
    world.send(work.accepting_by(&heir)).assert_ok();
    world.terms(&work).attempt().assert_err(LicensingError::NotOwner);
    world.terms(&work).by(&heir).publish();
}

#[test]
fn nobody_but_the_owner_offers_a_work() {
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
fn nobody_takes_a_work_that_was_offered_to_somebody_else_or_to_nobody() {
    let mut world = World::new();
    let (work, heir, stranger) = (world.work().register(), world.person(), world.person());
    world.send(work.accepting_by(&stranger)).assert_err(LicensingError::NotOffered);
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&stranger)).assert_err(LicensingError::NotOffered);
    let unsigned = work.accepting_by(&heir).signed_by(&stranger).unsigned_by(&heir);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn a_disputed_work_is_neither_offered_nor_taken() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.dispute(&work);
    world.send(work.accepting_by(&heir)).assert_err(LicensingError::WorkDisputed);
    world.send(work.offering_to(None)).assert_err(LicensingError::WorkDisputed);
}

#[test]
fn a_withdrawn_work_still_changes_hands() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.withdrawing()).assert_ok();
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&heir)).assert_ok();
    assert_eq!(world.read_work(&work).owner, heir.key());
}
