//! Style models in `register_work`, and consent to likenesses.

use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{
    Consent, LicensingError, Model, ModelDeclaration, Registration, WorkKind,
};
use motif_tests::world::World;

#[track_caller]
fn refused(expected: LicensingError, change: impl FnOnce(&mut Registration)) {
    let mut world = World::new();
    let model = world.work().model().with(change);
    let address = model.address();
    model.attempt().assert_err(expected);
    assert!(world.find(&address).is_none());
}

fn described(change: impl FnOnce(&mut ModelDeclaration)) -> impl FnOnce(&mut Registration) {
    |work| change(work.model.as_mut().unwrap())
}

#[test]
fn model_stores_its_fields() {
    let mut world = World::new();
    let work = world.work().model().register();
    let expected = Model { base_model: "base".into(), training_root: [0x7A; 32], previous: None };
    assert_eq!(world.read_work(&work).model, Some(expected));
}

#[test]
fn missing_model_data_is_rejected() {
    refused(LicensingError::MissingModel, |work| work.model = None);
}

#[test]
fn model_data_on_image_is_rejected() {
    refused(LicensingError::UnexpectedModel, |work| work.kind = WorkKind::Image);
    let mut world = World::new();
    let model = world.work().model().register();
    let image = world.work().by(&model.creator);
    let image = image.with(|work| {
        work.content_digest = [1; 32];
        work.previous_model = Some(model.address);
    });
    image.attempt().assert_err(LicensingError::UnexpectedModel);
}

#[test]
fn base_model_name_is_bounded() {
    refused(LicensingError::InvalidBaseModelName, described(|model| model.base_model.clear()));
    refused(
        LicensingError::InvalidBaseModelName,
        described(|model| model.base_model = "m".repeat(65)),
    );
    let mut world = World::new();
    let longest = described(|model| model.base_model = "m".repeat(64));
    world.work().model().with(longest).register();
}

#[test]
fn model_replaces_own_predecessor() {
    let mut world = World::new();
    let first = world.work().model().register();
    let second = world.work().model().by(&first.creator).with(|work| {
        work.content_digest = [2; 32];
        work.previous_model = Some(first.address);
    });
    let second = second.register();
    let model = world.read_work(&second).model.unwrap();
    assert_eq!(model.previous, Some(first.address));
}

#[test]
fn foreign_predecessor_is_rejected() {
    let mut world = World::new();
    let others = world.work().model().register();
    let creator = world.person();
    let picture = world.work().by(&creator).with(|work| work.content_digest = [1; 32]);
    let picture = picture.register();
    for previous in [others.address, picture.address] {
        let model = world.work().model().by(&creator);
        let model = model.with(|work| work.previous_model = Some(previous));
        model.attempt().assert_err(LicensingError::InvalidPreviousModel);
    }
    let model = world.work().model().by(&creator);
    let wallet = creator.key();
    let model = model.with(|work| work.previous_model = Some(wallet));
    model.attempt().assert_err(ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn likeness_model_needs_consent() {
    refused(LicensingError::MissingConsent, described(|model| model.likeness = true));
    let mut world = World::new();
    let person = world.person();
    let model = world.work().model().with(described(|model| model.likeness = true)).of(&person);
    let model = model.register();
    let consent = Consent { person: person.key(), expires_at: None };
    assert_eq!(world.read_work(&model).consent, Some(consent));
}

#[test]
fn consent_needs_person_and_future_end() {
    refused(LicensingError::MissingConsent, |work| {
        work.consent_expires_at = Some(World::NOW + 1);
    });
    let mut world = World::new();
    let person = world.person();
    let past = world.work().of(&person).with(|work| work.consent_expires_at = Some(World::NOW));
    past.attempt().assert_err(LicensingError::InvalidConsentEnd);
    let future = Some(World::NOW + 1);
    let work = world.work().of(&person).with(|work| work.consent_expires_at = future).register();
    let consent = Consent { person: person.key(), expires_at: future };
    assert_eq!(world.read_work(&work).consent, Some(consent));
}
