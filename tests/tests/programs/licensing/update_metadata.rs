//! `update_metadata`, and titles at registration.

use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{LicensingError, UpdateMetadataArgs, Work, update_metadata};
use motif_tests::world::{Call, Person, RegisteredWork, World};

const LONGEST: &str = "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt";

fn titled(title: &str) -> UpdateMetadataArgs {
    UpdateMetadataArgs {
        title: title.into(),
        metadata_uri: "https://example.org/song.json".into(),
        metadata_digest: [5; 32],
    }
}

fn editing(work: &RegisteredWork, owner: &Person, new: UpdateMetadataArgs) -> Call {
    Call::new([update_metadata(&owner.key(), &work.address, new)], &[owner])
}

#[test]
fn owner_changes_title_and_metadata() {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let before = world.read_work(&work);
    let space = world.account(&work.address).data.len();
    world.send(editing(&work, &work.creator, titled("Coffee"))).assert_ok();
    let expected = Work {
        title: "Coffee".into(),
        metadata_uri: "https://example.org/song.json".into(),
        metadata_digest: [5; 32],
        ..before.clone()
    };
    assert_eq!(world.read_work(&work), expected);
    // The account grows by what is longer, and never shrinks.
    let grown = space + 6 + 29 - before.metadata_uri.len();
    assert_eq!(world.account(&work.address).data.len(), grown);
    let empty = UpdateMetadataArgs::of(&before);
    world.send(editing(&work, &work.creator, empty)).assert_ok();
    assert_eq!(world.read_work(&work), before);
    assert_eq!(world.account(&work.address).data.len(), grown);
}

#[test]
fn work_is_registered_with_title() {
    let mut world = World::new();
    let work = world.work().with(|work| work.title = LONGEST[..64].into()).register();
    assert_eq!(world.read_work(&work).title, LONGEST[..64]);
}

#[test]
fn invalid_title_is_rejected() {
    for (title, error) in [
        (LONGEST, LicensingError::TitleTooLong),
        ("Cof\u{202E}eef", LicensingError::InvalidTitle),
        ("\u{1B}[2J", LicensingError::InvalidTitle),
    ] {
        let mut world = World::new();
        let registering = world.work().with(|work| work.title = title.into());
        let address = registering.address();
        registering.attempt().assert_err(error);
        assert!(world.find(&address).is_none());
        let work = world.work().register();
        let before = world.read_work(&work);
        world.send(editing(&work, &work.creator, titled(title))).assert_err(error);
        assert_eq!(world.read_work(&work), before);
    }
}

#[test]
fn long_metadata_uri_is_rejected() {
    let mut world = World::new();
    let work = world.work().register();
    let uri = |bytes| UpdateMetadataArgs { metadata_uri: "u".repeat(bytes), ..titled("") };
    let long = world.send(editing(&work, &work.creator, uri(201)));
    long.assert_err(LicensingError::UriTooLong);
    world.send(editing(&work, &work.creator, uri(200))).assert_ok();
}

#[test]
fn only_owner_changes_metadata() {
    let mut world = World::new();
    let (work, stranger) = (world.work().register(), world.person());
    let call = editing(&work, &stranger, titled("Mine"));
    world.send(call).assert_err(LicensingError::NotOwner);
    let unsigned = editing(&work, &work.creator, titled("Mine"));
    let unsigned = unsigned.signed_by(&stranger).unsigned_by(&work.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(world.read_work(&work).title, "");
}

#[test]
fn disputed_work_keeps_metadata() {
    let mut world = World::new();
    let (work, _) = world.disputed();
    let call = editing(&work, &work.creator, titled("Not stolen"));
    world.send(call).assert_err(LicensingError::WorkDisputed);
}

#[test]
fn withdrawn_work_can_be_retitled() {
    let mut world = World::new();
    let work = world.work().register();
    world.send(work.withdrawing()).assert_ok();
    world.send(editing(&work, &work.creator, titled("Gone"))).assert_ok();
    assert_eq!(world.read_work(&work).title, "Gone");
}
