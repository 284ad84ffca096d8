//! P34: a person's consent that an owner's signature would outlive.

use motif_sdk::licensing::{LicensingError, WorkKind};
use motif_tests::world::World;

const END: i64 = World::NOW + 86_400;

/// A label that owns a voice registers a model of it a day before the consent expires.
#[test]
fn owner_signature_keeps_consent_end() {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().of(&person).with(|work| work.kind = WorkKind::Voice).register();
    world.send(voice.ending_consent(&person, Some(END))).assert_ok();
    let model = world.work().by(&voice.creator).parent(&voice, 0).model().register();
    for expires_at in [None, Some(END + 1)] {
        let endless = world.terms(&model).with(|offer| offer.expires_at = expires_at);
        endless.attempt().assert_err(LicensingError::TermsOutliveParent);
    }
    assert_eq!(world.read_work(&model).latest_terms, 0);
}

/// The end travels on to works made from the model.
#[test]
fn grandchild_keeps_consent_end() {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().of(&person).with(|work| work.consent_expires_at = Some(END));
    let voice = voice.register();
    let model = world.work().parent(&voice, 0).model().register();
    let song = world.work().parent(&model, 0).register();
    assert_eq!(world.read_work(&song).inherited.expires_at, Some(END));
}
