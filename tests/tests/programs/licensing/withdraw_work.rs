use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{LicensingError, Purpose, Work, WorkStatus};
use motif_tests::world::World;

#[test]
fn withdrawal_is_dated_and_final() {
    let mut world = World::new();
    let work = world.work().register();
    let before = world.read_work(&work);
    world.pass(5);
    world.send(work.withdrawing()).assert_ok();
    let status = WorkStatus::Withdrawn;
    let after = Work { status, withdrawn_at: World::NOW + 5, ..before };
    assert_eq!(world.read_work(&work), after);
    world.pass(5);
    world.send(work.withdrawing()).assert_err(LicensingError::WorkNotActive);
    assert_eq!(world.read_work(&work), after);
}

#[test]
fn withdrawn_work_offers_nothing() {
    let mut world = World::new();
    let (work, grantee) = (world.work().register(), world.person());
    world.terms(&work).publish();
    world.send(work.withdrawing()).assert_ok();
    world.terms(&work).attempt().assert_err(LicensingError::WorkNotActive);
    let approving = work.approving(1, &grantee, Purpose::License);
    world.send(approving).assert_err(LicensingError::WorkNotActive);
    let child = world.work().parent(&work, 1);
    child.attempt().assert_err(LicensingError::ParentNotActive);
    let child = world.work().parent_by_terms(&work, 1, 1);
    child.attempt().assert_err(LicensingError::ParentNotActive);
}

#[test]
fn only_owner_withdraws_work() {
    let mut world = World::new();
    let (work, stranger) = (world.work().register(), world.person());
    let call = work.withdrawing();
    let forged = call.clone().unsigned_by(&work.creator).signed_by(&stranger);
    world.send(forged.clone()).assert_err(ErrorCode::AccountNotSigner);
    let forged = forged.instead_of(work.creator.key(), stranger.key());
    let forged = forged.changed(|calls| calls[0].accounts[0].is_signer = true);
    world.send(forged).assert_err(LicensingError::NotOwner);
}

#[test]
fn disputed_work_is_not_withdrawn() {
    let mut world = World::new();
    let (work, _) = world.disputed();
    world.send(work.withdrawing()).assert_err(LicensingError::WorkDisputed);
}
