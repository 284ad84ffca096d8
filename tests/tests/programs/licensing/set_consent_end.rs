use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{Consent, LicensingError, WorkKind};
use motif_tests::world::{Person, RegisteredWork, World};

/// A voice and its person.
fn voice() -> (World, RegisteredWork, Person) {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().with(|work| work.kind = WorkKind::Voice).of(&person).register();
    (world, voice, person)
}

#[test]
fn person_ends_and_reopens_consent() {
    let (mut world, voice, person) = voice();
    for expires_at in [Some(World::NOW + 10), Some(World::NOW - 10), None] {
        world.send(voice.ending_consent(&person, expires_at)).assert_ok();
        let consent = Consent { person: person.key(), expires_at };
        assert_eq!(world.read_work(&voice).consent, Some(consent));
    }
}

#[test]
fn terms_need_running_consent() {
    let (mut world, voice, person) = voice();
    world.send(voice.ending_consent(&person, Some(World::NOW))).assert_ok();
    world.terms(&voice).publish();
    world.pass(1);
    world.terms(&voice).attempt().assert_err(LicensingError::ConsentEnded);
    world.send(voice.ending_consent(&person, None)).assert_ok();
    world.terms(&voice).publish();
}

#[test]
fn ended_consent_blocks_derivatives() {
    let (mut world, voice, person) = voice();
    world.terms(&voice).publish();
    world.send(voice.ending_consent(&person, Some(World::NOW))).assert_ok();
    world.work().parent(&voice, 1).register();
    world.pass(1);
    let signed = world.work().parent(&voice, 1);
    signed.attempt().assert_err(LicensingError::ParentConsentEnded);
    let by_terms = world.work().parent_by_terms(&voice, 1, 1);
    by_terms.attempt().assert_err(LicensingError::ParentConsentEnded);
}

#[test]
fn only_person_ends_consent() {
    let (mut world, voice, person) = voice();
    let creator = voice.creator.clone();
    let by_owner = voice.ending_consent(&creator, Some(0));
    world.send(by_owner).assert_err(LicensingError::NotConsentingPerson);
    let unsigned = voice.ending_consent(&person, Some(0)).signed_by(&creator).unsigned_by(&person);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    let image = world.work().register();
    let none_given = image.ending_consent(&image.creator, None);
    world.send(none_given).assert_err(LicensingError::NotConsentingPerson);
}

#[test]
fn dispute_leaves_consent_free() {
    let (mut world, voice, person) = voice();
    world.dispute(&voice);
    world.send(voice.ending_consent(&person, Some(0))).assert_ok();
}
