//! Derivatives by a license, and conditions of parents' terms: `register_work` and
//! `publish_terms`.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{Derivatives, Inherited, LicensingError, Offer, Parent, WorkKind},
    pda,
};
use motif_tests::world::{OpenedChannel, Person, PublishedTerms, RegisteredWork, World};

/// A voice licensed to a platform that has used it once, on license 0.
struct Licensed {
    world: World,
    voice: RegisteredWork,
    terms: PublishedTerms,
    channel: OpenedChannel,
    platform: Person,
    person: Person,
}

fn licensed(offer: impl FnOnce(&mut Offer)) -> Licensed {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().with(|work| work.kind = WorkKind::Voice).of(&person).register();
    let terms = world.terms(&voice).with(|offer| offer.derivative_share_bps = 5_000);
    let terms = terms.with(offer).publish();
    let channel = world.channel().open();
    world.accept(&channel, &terms);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    let platform = channel.payer.clone();
    Licensed { world, voice, terms, channel, platform, person }
}

impl Licensed {
    #[track_caller]
    fn derive(&mut self) -> RegisteredWork {
        let work = self.world.work().by(&self.platform);
        work.parent_by_license(&self.voice, 5_000, 1, &self.channel, 0).register()
    }

    #[track_caller]
    fn refused(&mut self, expected: LicensingError) {
        let work = self.world.work().by(&self.platform);
        let work = work.parent_by_license(&self.voice, 5_000, 1, &self.channel, 0);
        let address = work.address();
        work.attempt().assert_err(expected);
        assert!(self.world.find(&address).is_none());
    }
}

#[test]
fn used_license_allows_derivative() {
    let mut licensed = licensed(|_| {});
    let song = licensed.derive();
    let stored = licensed.world.read_work(&song);
    let parent = Parent { work: licensed.voice.address, share_bps: 5_000, terms_number: 1 };
    assert_eq!(stored.parents, [parent]);
}

#[test]
fn accepted_terms_stay_as_they_were() {
    let mut licensed = licensed(|offer| offer.notice_seconds = 10 * 86_400);
    let stricter = licensed.world.terms(&licensed.voice);
    stricter.with(|offer| offer.derivatives = Derivatives::Forbidden).publish();
    let call = licensed.voice.withdrawing();
    licensed.world.send(call).assert_ok();
    licensed.world.pass(10 * 86_400);
    licensed.derive();
}

#[test]
fn withdrawal_ends_derivative_right() {
    for (notice_seconds, lasts) in [(0, 86_400), (100_000, 100_000)] {
        let mut licensed = licensed(|offer| offer.notice_seconds = notice_seconds);
        let call = licensed.voice.withdrawing();
        licensed.world.send(call).assert_ok();
        licensed.world.pass(lasts + 1);
        licensed.refused(LicensingError::LicenseEnded);
        licensed.world.pass(-1);
        licensed.derive();
    }
}

#[test]
fn derivative_right_ends_with_license() {
    let mut licensed = licensed(|offer| offer.expires_at = Some(World::NOW + 100));
    licensed.world.pass(101);
    licensed.refused(LicensingError::LicenseEnded);
    licensed.world.pass(-1);
    licensed.derive();
}

#[test]
fn license_outlives_consent() {
    let mut licensed = licensed(|_| {});
    let call = licensed.voice.ending_consent(&licensed.person, Some(World::NOW));
    licensed.world.send(call).assert_ok();
    licensed.world.pass(1);
    let song = licensed.derive();
    // No further terms can be published.
    let terms = licensed.world.terms(&song).with(|offer| offer.expires_at = Some(World::NOW + 9));
    terms.attempt().assert_err(LicensingError::TermsOutliveParent);
}

#[test]
fn unused_license_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().open();
    let (work, license) = world.licensed(&channel, 10);
    let payer = channel.payer.clone();
    let child = world.work().by(&payer).parent_by_license(&work, 0, 1, &channel, license);
    child.attempt().assert_err(LicensingError::LicenseUnused);
}

#[test]
fn other_payers_license_is_rejected() {
    let mut licensed = licensed(|_| {});
    licensed.platform = licensed.channel.operator.clone();
    licensed.refused(LicensingError::LicensePayerMismatch);
}

#[test]
fn license_of_other_terms_is_rejected() {
    let mut licensed = licensed(|_| {});
    let (other, _) = licensed.world.licensed(&licensed.channel, 10);
    let work = licensed.world.work().by(&licensed.platform);
    let of_other = work.parent_by_license(&other, 5_000, 1, &licensed.channel, 0);
    of_other.attempt().assert_err(LicensingError::LicenseTermsMismatch);
    licensed.world.terms(&licensed.voice).publish();
    let work = licensed.world.work().by(&licensed.platform);
    let of_new = work.parent_by_license(&licensed.voice, 5_000, 2, &licensed.channel, 0);
    of_new.attempt().assert_err(LicensingError::LicenseTermsMismatch);
}

#[test]
fn missing_license_is_rejected() {
    let mut licensed = licensed(|_| {});
    for index in [1, u16::MAX] {
        let work = licensed.world.work().by(&licensed.platform);
        let missing = work.parent_by_license(&licensed.voice, 5_000, 1, &licensed.channel, index);
        missing.attempt().assert_err(LicensingError::LicenseNotFound);
    }
}

#[test]
fn license_right_follows_its_terms() {
    let mut dear = licensed(|offer| offer.derivative_share_bps = 5_001);
    dear.refused(LicensingError::ParentShareTooSmall);
    let mut forbidden = licensed(|offer| offer.derivatives = Derivatives::Forbidden);
    forbidden.refused(LicensingError::DerivativesForbidden);
    let mut asked = licensed(|offer| offer.derivatives = Derivatives::WithApproval);
    asked.refused(LicensingError::MissingApproval);
}

#[test]
fn dispute_keeps_license_right() {
    let mut licensed = licensed(|_| {});
    licensed.world.dispute(&licensed.voice);
    licensed.derive();
}

#[test]
fn non_channel_account_is_rejected() {
    let mut licensed = licensed(|_| {});
    let Licensed { world, voice, terms, channel, platform, .. } = &mut licensed;
    let call = world.work().by(platform).parent_by_license(voice, 5_000, 1, channel, 0).call();
    let vault = pda::vault(&world.currency.mint);
    let not_a_channel = call.clone().instead_of(channel.address, vault);
    world.send(not_a_channel).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    let not_payments = call.clone().instead_of(channel.address, terms.address);
    world.send(not_payments).assert_err(ErrorCode::AccountOwnedByWrongProgram);
    // The bytes of the channel in an account of another program.
    let mut forged = world.account(&channel.address);
    forged.owner = licensing::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let forged = call.instead_of(channel.address, elsewhere);
    world.send(forged).assert_err(ErrorCode::AccountOwnedByWrongProgram);
}

/// Registers a derivative of works with these terms.
fn derived(offers: &[&dyn Fn(&mut Offer)]) -> (World, RegisteredWork) {
    let mut world = World::new();
    let mut parents = Vec::new();
    for offer in offers {
        let parent = world.work().register();
        world.terms(&parent).with(offer).publish();
        parents.push(parent);
    }
    let work = parents.iter().fold(world.work(), |work, parent| work.parent_by_terms(parent, 0, 1));
    let child = work.register();
    (world, child)
}

#[test]
fn derivative_inherits_strictest_terms() {
    let (world, child) = derived(&[
        &|offer| offer.expires_at = Some(World::NOW + 200),
        &|offer| offer.expires_at = Some(World::NOW + 100),
        &|offer| offer.share_alike = true,
        &|offer| offer.commercial = false,
    ]);
    let expected =
        Inherited { expires_at: Some(World::NOW + 100), share_alike: true, non_commercial: true };
    assert_eq!(world.read_work(&child).inherited, expected);
}

#[test]
fn owner_signature_inherits_nothing() {
    let mut world = World::new();
    let parent = world.work().register();
    let strict = world.terms(&parent).with(|offer| {
        offer.share_alike = true;
        offer.commercial = false;
        offer.expires_at = Some(World::NOW + 100);
    });
    strict.publish();
    let child = world.work().parent(&parent, 0).register();
    assert_eq!(world.read_work(&child).inherited, Inherited::default());
}

#[test]
fn voice_derivative_ends_with_consent() {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().of(&person).with(|work| work.kind = WorkKind::Voice);
    let voice = voice.with(|work| work.consent_expires_at = Some(World::NOW + 50)).register();
    world.terms(&voice).publish();
    let by_terms = world.work().parent_by_terms(&voice, 0, 1).register();
    let by_owner = world.work().parent(&voice, 0).register();
    for song in [by_terms, by_owner] {
        assert_eq!(world.read_work(&song).inherited.expires_at, Some(World::NOW + 50));
    }
}

#[test]
fn terms_end_with_parents_terms() {
    let end = World::NOW + 100;
    let (mut world, child) = derived(&[&|offer| offer.expires_at = Some(end)]);
    for expires_at in [None, Some(end + 1)] {
        let terms = world.terms(&child).with(|offer| offer.expires_at = expires_at);
        terms.attempt().assert_err(LicensingError::TermsOutliveParent);
    }
    assert_eq!(world.read_work(&child).latest_terms, 0);
    world.terms(&child).with(|offer| offer.expires_at = Some(end)).publish();
}

#[test]
fn share_alike_child_needs_same_terms() {
    let (mut world, child) = derived(&[&|offer| offer.share_alike = true]);
    let closed: [&dyn Fn(&mut Offer); 4] = [
        &|offer| offer.share_alike = false,
        &|offer| offer.derivatives = Derivatives::Forbidden,
        &|offer| offer.derivatives = Derivatives::WithApproval,
        &|offer| offer.approval_required = true,
    ];
    for close in closed {
        let terms = world.terms(&child).with(|offer| offer.share_alike = true).with(close);
        terms.attempt().assert_err(LicensingError::NotShareAlike);
    }
    world.terms(&child).with(|offer| offer.share_alike = true).publish();
}

#[test]
fn non_commercial_parent_binds_child() {
    let (mut world, child) = derived(&[&|offer| offer.commercial = false]);
    world.terms(&child).attempt().assert_err(LicensingError::ParentNotCommercial);
    world.terms(&child).with(|offer| offer.commercial = false).publish();
}
