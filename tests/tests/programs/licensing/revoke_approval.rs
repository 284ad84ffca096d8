use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{LicensingError, Purpose, WorkStatus},
    pda,
};
use motif_tests::world::{Person, RegisteredWork, World};

fn approved() -> (World, RegisteredWork, Person) {
    let mut world = World::new();
    let (image, grantee) = (world.work().register(), world.person());
    world.terms(&image).publish();
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
    (world, image, grantee)
}

#[test]
fn revoked_approval_returns_rent() {
    let (mut world, image, grantee) = approved();
    let address =
        pda::approval(&pda::terms(&image.address, 1), &grantee.key(), Purpose::Derivative);
    let rent = world.account(&address).lamports;
    let before = world.lamports(&image.creator);
    let fee = world.send(image.revoking(1, &grantee, Purpose::Derivative)).assert_ok().fee;
    assert_eq!(world.lamports(&image.creator), before + rent - fee);
    let child = world.work().by(&grantee).parent_by_approval(&image, 0, 1);
    child.attempt().assert_err(ErrorCode::AccountNotInitialized);
    // Another one can be granted.
    world.send(image.approving(1, &grantee, Purpose::Derivative)).assert_ok();
}

#[test]
fn new_owner_revokes_old_approval() {
    let (mut world, image, grantee) = approved();
    let heir = world.person();
    world.send(image.offering_to(Some(&heir))).assert_ok();
    world.send(image.accepting(&heir, WorkStatus::Active, 1, 0)).assert_ok();
    let by_old = image.revoking(1, &grantee, Purpose::Derivative);
    world.send(by_old).assert_err(LicensingError::NotOwner);
    let before = world.lamports(&image.creator);
    let revoking = image.revoking_by(&heir, 1, &grantee, Purpose::Derivative);
    let to_itself = revoking.clone().changed(|calls| calls[0].accounts[4].pubkey = heir.key());
    world.send(to_itself).assert_err(ErrorCode::ConstraintHasOne);
    world.send(revoking).assert_ok();
    assert!(world.lamports(&image.creator) > before);
}

#[test]
fn only_owner_revokes() {
    let (mut world, image, grantee) = approved();
    let call = image.revoking_by(&grantee, 1, &grantee, Purpose::Derivative);
    world.send(call).assert_err(LicensingError::NotOwner);
    let unsigned = image.revoking(1, &grantee, Purpose::Derivative);
    let unsigned = unsigned.signed_by(&grantee).unsigned_by(&image.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn other_works_approval_is_kept() {
    let (mut world, image, grantee) = approved();
    let other = world.work().register();
    world.terms(&other).publish();
    let foreign =
        pda::approval(&pda::terms(&image.address, 1), &grantee.key(), Purpose::Derivative);
    let call = other.revoking(1, &grantee, Purpose::Derivative);
    let own = pda::approval(&pda::terms(&other.address, 1), &grantee.key(), Purpose::Derivative);
    let call = call.instead_of(own, foreign);
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
}

#[test]
fn disputed_work_can_revoke() {
    let (mut world, image, grantee) = approved();
    world.dispute(&image);
    world.send(image.revoking(1, &grantee, Purpose::Derivative)).assert_ok();
}
