use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{Approval, Derivatives, LicensingError, Purpose, Work, WorkStatus, grant_approval},
    pda,
};
use motif_tests::world::{Call, Person, RegisteredWork, World};
use solana_pubkey::Pubkey;

use super::{EXISTS, read};

/// An image whose terms require approval, and a grantee.
fn asked() -> (World, RegisteredWork, Person) {
    let mut world = World::new();
    let image = world.work().register();
    let offer = |offer: &mut motif_sdk::licensing::Offer| {
        offer.derivatives = Derivatives::WithApproval;
        offer.derivative_share_bps = 2_000;
    };
    world.terms(&image).with(offer).publish();
    let grantee = world.person();
    (world, image, grantee)
}

fn address(image: &RegisteredWork, grantee: &Person, purpose: Purpose) -> Pubkey {
    pda::approval(&pda::terms(&image.address, 1), &grantee.key(), purpose)
}

#[test]
fn approval_stores_its_fields() {
    let (mut world, image, grantee) = asked();
    world.send(image.approving(1, &grantee, Purpose::License)).assert_ok();
    let stored: Approval = read(&world, &address(&image, &grantee, Purpose::License));
    assert_eq!(stored.terms, pda::terms(&image.address, 1));
    assert_eq!((stored.grantee, stored.purpose), (grantee.key(), Purpose::License));
    assert_eq!((stored.granted_by, stored.granted_at), (image.creator.key(), World::NOW));
    // The address depends on the purpose.
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
}

#[test]
fn approval_allows_many_derivatives() {
    let (mut world, image, grantee) = asked();
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
    for digest in [[1; 32], [2; 32]] {
        let child = world.work().by(&grantee).parent_by_approval(&image, 2_000, 1);
        let child = child.with(|work| work.content_digest = digest).register();
        let stored: Work = read(&world, &child.address);
        assert_eq!(stored.parents[0].terms_number, 1);
    }
}

#[test]
fn approval_counts_under_open_terms() {
    let mut world = World::new();
    let image = world.work().register();
    world.terms(&image).publish();
    let grantee = world.person();
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
    world.work().by(&grantee).parent_by_approval(&image, 0, 1).register();
}

#[test]
fn approval_keeps_terms_requirements() {
    let (mut world, image, grantee) = asked();
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
    let child = world.work().by(&grantee).parent_by_approval(&image, 1_999, 1);
    child.attempt().assert_err(LicensingError::ParentShareTooSmall);
    world.terms(&image).with(|offer| offer.derivatives = Derivatives::Forbidden).publish();
    let old = world.work().by(&grantee).parent_by_approval(&image, 2_000, 1);
    old.attempt().assert_err(LicensingError::NotLatestTerms);
    world.send(image.approving(2, &grantee, Purpose::Derivative)).assert_ok();
    let new = world.work().by(&grantee).parent_by_approval(&image, 2_000, 2);
    new.attempt().assert_err(LicensingError::DerivativesForbidden);
}

#[test]
fn mismatched_approval_is_rejected() {
    let (mut world, image, grantee) = asked();
    let stranger = world.person();
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
    world.send(image.approving(1, &stranger, Purpose::License)).assert_ok();
    let call = world.work().by(&stranger).parent_by_approval(&image, 2_000, 1).call();
    let own = address(&image, &stranger, Purpose::Derivative);
    for purpose in [Purpose::Derivative, Purpose::License] {
        let grantee = if purpose == Purpose::License { &stranger } else { &grantee };
        let call = call.clone().instead_of(own, address(&image, grantee, purpose));
        world.send(call).assert_err(LicensingError::MissingApproval);
    }
    let other = world.work().register();
    world.terms(&other).publish();
    world.send(other.approving(1, &stranger, Purpose::Derivative)).assert_ok();
    let foreign = call.clone().instead_of(own, address(&other, &stranger, Purpose::Derivative));
    world.send(foreign).assert_err(LicensingError::MissingApproval);
    world.send(call).assert_err(ErrorCode::AccountNotInitialized);
}

#[test]
fn former_owners_approval_is_void() {
    let (mut world, image, grantee) = asked();
    let heir = world.person();
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
    world.send(image.offering_to(Some(&heir))).assert_ok();
    world.send(image.accepting(&heir, WorkStatus::Active, 1, 0)).assert_ok();
    let child = world.work().by(&grantee).parent_by_approval(&image, 2_000, 1);
    child.attempt().assert_err(LicensingError::MissingApproval);
}

#[test]
fn only_owner_grants_approval() {
    let (mut world, image, grantee) = asked();
    let approve =
        grant_approval(&grantee.key(), &image.address, 1, &grantee.key(), Purpose::License);
    let call = Call::new([approve], &[&grantee]);
    world.send(call).assert_err(LicensingError::NotOwner);
    let unsigned = image.approving(1, &grantee, Purpose::License);
    let unsigned = unsigned.signed_by(&grantee).unsigned_by(&image.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn other_works_terms_are_rejected() {
    let (mut world, image, grantee) = asked();
    let other = world.work().by(&image.creator).with(|work| work.content_digest = [1; 32]);
    let other = other.register();
    let call = other.approving(1, &grantee, Purpose::License);
    let foreign = pda::terms(&image.address, 1);
    // The approval's address is that for the foreign terms.
    let own = pda::approval(&pda::terms(&other.address, 1), &grantee.key(), Purpose::License);
    let call = call.instead_of(own, address(&image, &grantee, Purpose::License));
    let call = call.instead_of(pda::terms(&other.address, 1), foreign);
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
}

#[test]
fn duplicate_approval_is_rejected() {
    let (mut world, image, grantee) = asked();
    world.send(image.approving(1, &grantee, Purpose::License)).assert_ok();
    world.send(image.approving(1, &grantee, Purpose::License)).assert_err(EXISTS);
}

#[test]
fn disputed_work_grants_no_approval() {
    let (mut world, image, grantee) = asked();
    world.dispute(&image);
    let call = image.approving(1, &grantee, Purpose::License);
    world.send(call).assert_err(LicensingError::WorkDisputed);
}
