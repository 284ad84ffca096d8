use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{
        Consent, Derivatives, Inherited, LicensingError, Parent, Share, Work, WorkKind, WorkStatus,
    },
    pda,
};
use motif_tests::world::{RegisteredWork, World};
use solana_instruction::AccountMeta;
use solana_pubkey::Pubkey;

use super::{EXISTS, read};

/// An image with terms that allow derivatives for a 20 % share.
fn parent(world: &mut World, derivatives: Derivatives) -> RegisteredWork {
    let image = world.work().register();
    let terms = world.terms(&image).with(|offer| {
        offer.derivatives = derivatives;
        offer.derivative_share_bps = 2_000;
    });
    terms.publish();
    image
}

fn shares(list: &[(u8, u16)]) -> Vec<Share> {
    let share = |&(recipient, share_bps): &(u8, u16)| Share {
        recipient: Pubkey::new_from_array([recipient; 32]),
        share_bps,
    };
    list.iter().map(share).collect()
}

#[track_caller]
fn refused_split(expected: LicensingError, list: &[(u8, u16)]) {
    let mut world = World::new();
    let builder = world.work().with(|args| args.split = shares(list));
    let address = builder.address();
    builder.attempt().assert_err(expected);
    assert!(world.find(&address).is_none());
}

#[test]
fn work_stores_its_fields() {
    let mut world = World::new();
    let builder = world.work().split(&[2_500, 7_500]).with(|args| {
        args.kind = WorkKind::Recording;
        args.metadata_uri = "https://example.org/song.json".into();
    });
    let work = builder.register();
    let stored: Work = read(&world, &work.address);
    assert_eq!((stored.creator, stored.owner), (work.creator.key(), work.creator.key()));
    assert_eq!((stored.kind, stored.status), (WorkKind::Recording, WorkStatus::Active));
    assert_eq!((stored.registered_at, stored.latest_terms), (World::NOW, 0));
    assert_eq!((stored.consent, stored.certificate, stored.pending_owner), (None, None, None));
    assert_eq!((stored.inherited, stored.model), (Inherited::default(), None));
    assert_eq!((stored.split_version, stored.verdict_version), (0, 0));
    assert_eq!(stored.withdrawn_at, i64::MAX);
    assert_eq!(stored.metadata_uri, "https://example.org/song.json");
    let split: Vec<_> = stored.split.iter().map(|share| share.share_bps).collect();
    assert_eq!(split, [2_500, 7_500]);
    assert_eq!(stored.split[1].recipient, work.recipients[1].key());
}

#[test]
fn voice_stores_consenting_person() {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().with(|args| args.kind = WorkKind::Voice).of(&person).register();
    let stored: Work = read(&world, &voice.address);
    let consent = Consent { person: person.key(), expires_at: None };
    assert_eq!(stored.consent, Some(consent));
}

#[test]
fn voice_without_consent_is_rejected() {
    let mut world = World::new();
    let voice = world.work().with(|args| args.kind = WorkKind::Voice);
    voice.attempt().assert_err(LicensingError::MissingConsent);
}

#[test]
fn unsigned_consent_is_rejected() {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().with(|args| args.kind = WorkKind::Voice).of(&person);
    let call = voice.call().unsigned_by(&person);
    world.send(call).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn owner_signature_overrides_terms() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Forbidden);
    let model = world.work().parent(&image, 1).register();
    let stored: Work = read(&world, &model.address);
    assert_eq!(stored.parents, [Parent { work: image.address, share_bps: 1, terms_number: 0 }]);
    assert_eq!(stored.own_bps(), 9_999);
}

#[test]
fn terms_allow_derivative() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Allowed);
    let before = world.account(&image.address);
    let model = world.work().parent_by_terms(&image, 2_000, 1).register();
    let stored: Work = read(&world, &model.address);
    let named = Parent { work: image.address, share_bps: 2_000, terms_number: 1 };
    assert_eq!(stored.parents, [named]);
    assert_eq!(world.account(&image.address), before);
}

#[test]
fn eight_parents_may_take_all() {
    let mut world = World::new();
    let parents: Vec<_> = (0..8).map(|_| world.work().register()).collect();
    let child = parents.iter().fold(world.work(), |work, parent| work.parent(parent, 1_250));
    let child = child.register();
    let stored: Work = read(&world, &child.address);
    assert_eq!((stored.parents.len(), stored.own_bps()), (8, 0));
}

#[test]
fn same_digest_registers_per_creator() {
    let mut world = World::new();
    let digest = [9; 32];
    let one = world.work().with(|args| args.content_digest = digest).register();
    let other = world.work().with(|args| args.content_digest = digest).register();
    assert_ne!(one.address, other.address);
}

#[test]
fn duplicate_digest_is_rejected() {
    let mut world = World::new();
    let digest = [9; 32];
    let work = world.work().with(|args| args.content_digest = digest).register();
    let again = world.work().by(&work.creator).with(|args| args.content_digest = digest);
    again.attempt().assert_err(EXISTS);
}

#[test]
fn recipient_count_is_bounded() {
    refused_split(LicensingError::InvalidSplitSize, &[]);
    let list: Vec<_> = (1..=33).map(|recipient| (recipient, 303)).collect();
    refused_split(LicensingError::InvalidSplitSize, &list);
    let mut world = World::new();
    let mut widest = [312; 32];
    widest[0] += 16;
    world.work().split(&widest).register();
}

#[test]
fn split_must_total_10000() {
    refused_split(LicensingError::InvalidSplitTotal, &[(1, 9_999)]);
    refused_split(LicensingError::InvalidSplitTotal, &[(1, 5_000), (2, 5_001)]);
    refused_split(LicensingError::InvalidSplitTotal, &[(1, u16::MAX), (2, u16::MAX)]);
}

#[test]
fn zero_share_is_rejected() {
    refused_split(LicensingError::EmptyShare, &[(1, 10_000), (2, 0)]);
}

#[test]
fn duplicate_recipient_is_rejected() {
    refused_split(LicensingError::DuplicateRecipient, &[(1, 5_000), (1, 5_000)]);
}

#[test]
fn ninth_parent_is_rejected() {
    let mut world = World::new();
    let parents: Vec<_> = (0..9).map(|_| world.work().register()).collect();
    let child = parents.iter().fold(world.work(), |work, parent| work.parent(parent, 1));
    child.attempt().assert_err(LicensingError::TooManyParents);
}

#[test]
fn duplicate_parent_is_rejected() {
    let mut world = World::new();
    let image = world.work().register();
    let child = world.work().parent(&image, 1).parent(&image, 1);
    child.attempt().assert_err(LicensingError::DuplicateParent);
}

#[test]
fn excess_parent_shares_are_rejected() {
    let mut world = World::new();
    let (one, other) = (world.work().register(), world.work().register());
    let child = world.work().parent(&one, 5_000).parent(&other, 5_001);
    child.attempt().assert_err(LicensingError::InvalidParentShares);
}

#[test]
fn parent_accounts_must_match_order() {
    let mut world = World::new();
    let one = parent(&mut world, Derivatives::Allowed);
    let other = parent(&mut world, Derivatives::Allowed);
    let child = world.work().parent_by_terms(&one, 2_000, 1).parent_by_terms(&other, 2_000, 1);
    let call = child.call();

    let missing = call.clone().changed(|calls| {
        calls[0].accounts.pop();
    });
    world.send(missing).assert_err(LicensingError::InvalidParentAccounts);
    let none = call.clone().changed(|calls| calls[0].accounts.truncate(5));
    world.send(none).assert_err(LicensingError::InvalidParentAccounts);
    let swapped = call.clone().changed(|calls| calls[0].accounts.swap(5, 7));
    world.send(swapped).assert_err(LicensingError::InvalidParentAccounts);
    let extended = call.clone().changed(|calls| {
        calls[0].accounts.push(AccountMeta::new_readonly(one.address, false));
        calls[0].accounts.push(AccountMeta::new_readonly(one.address, false));
    });
    world.send(extended).assert_err(LicensingError::InvalidParentAccounts);
    world.send(call).assert_ok();
}

#[test]
fn unnamed_parents_are_rejected() {
    let mut world = World::new();
    let image = world.work().register();
    let account = AccountMeta::new_readonly(image.address, false);
    let call = world.work().call().changed(|calls| {
        calls[0].accounts.extend([account.clone(), account]);
    });
    world.send(call).assert_err(LicensingError::InvalidParentAccounts);
}

#[test]
fn other_works_terms_allow_nothing() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Forbidden);
    let generous = parent(&mut world, Derivatives::Allowed);
    let call = world.work().parent_by_terms(&image, 2_000, 1).call();
    let (own, foreign) = (pda::terms(&image.address, 1), pda::terms(&generous.address, 1));
    world.send(call.instead_of(own, foreign)).assert_err(LicensingError::InvalidParentAccounts);
}

#[test]
fn forbidding_terms_allow_no_derivative() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Forbidden);
    let child = world.work().parent_by_terms(&image, 10_000, 1);
    child.attempt().assert_err(LicensingError::DerivativesForbidden);
}

#[test]
fn approval_terms_need_owner_signature() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::WithApproval);
    let child = world.work().parent_by_terms(&image, 10_000, 1);
    child.attempt().assert_err(LicensingError::MissingApproval);
    world.work().parent(&image, 1).register();
}

#[test]
fn unsigned_owner_is_no_approval() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Allowed);
    let call = world.work().parent(&image, 10_000).call().unsigned_by(&image.creator);
    world.send(call).assert_err(LicensingError::MissingApproval);
}

#[test]
fn small_parent_share_is_rejected() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Allowed);
    let child = world.work().parent_by_terms(&image, 1_999, 1);
    child.attempt().assert_err(LicensingError::ParentShareTooSmall);
}

#[test]
fn only_latest_parent_terms_count() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Allowed);
    world.terms(&image).with(|offer| offer.derivatives = Derivatives::Forbidden).publish();
    let by_old = world.work().parent_by_terms(&image, 2_000, 1);
    by_old.attempt().assert_err(LicensingError::NotLatestTerms);
    let by_new = world.work().parent_by_terms(&image, 2_000, 2);
    by_new.attempt().assert_err(LicensingError::DerivativesForbidden);
}

#[test]
fn parent_terms_period_is_inclusive() {
    let mut world = World::new();
    let image = world.work().register();
    let (first, last) = (World::NOW + 10, World::NOW + 20);
    let terms = world.terms(&image).with(|offer| {
        offer.valid_from = first;
        offer.expires_at = Some(last);
    });
    terms.publish();
    for now in [first - 1, last + 1] {
        world.set_time(now);
        let child = world.work().parent_by_terms(&image, 1, 1);
        child.attempt().assert_err(LicensingError::TermsNotValidNow);
    }
    for now in [first, last] {
        world.set_time(now);
        world.work().parent_by_terms(&image, 1, 1).register();
    }
}

#[test]
fn non_work_parent_is_rejected() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Allowed);
    let wallet = world.person().key();
    let cases = [
        (wallet, ErrorCode::AccountOwnedByWrongProgram),
        (pda::config(), ErrorCode::AccountDiscriminatorMismatch),
        (Pubkey::new_from_array([77; 32]), ErrorCode::AccountOwnedByWrongProgram),
    ];
    for (address, expected) in cases {
        let child = world.work().parent(&image, 1).with(|args| args.parents[0].work = address);
        child.attempt().assert_err(expected);
    }
}

#[test]
fn wrong_right_account_is_rejected() {
    let mut world = World::new();
    let image = parent(&mut world, Derivatives::Allowed);
    let terms = pda::terms(&image.address, 1);
    let call = world.work().parent_by_terms(&image, 2_000, 1).call();
    let config = call.clone().instead_of(terms, pda::config());
    world.send(config).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    let stranger = world.person();
    let by_stranger = call.instead_of(terms, stranger.key());
    world.send(by_stranger).assert_err(ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn zero_digest_is_rejected() {
    let mut world = World::new();
    let work = world.work().with(|args| args.content_digest = [0; 32]);
    work.attempt().assert_err(LicensingError::EmptyDigest);
}

#[test]
fn metadata_uri_length_is_bounded() {
    let mut world = World::new();
    let work = world.work().with(|args| args.metadata_uri = "u".repeat(201));
    work.attempt().assert_err(LicensingError::UriTooLong);
    world.work().with(|args| args.metadata_uri = "u".repeat(200)).register();
}

#[test]
fn work_at_wrong_address_is_rejected() {
    let mut world = World::new();
    let (mine, others) = (world.work().address(), world.work().address());
    let call = world.work().with(|args| args.content_digest = [3; 32]);
    let address = call.address();
    let call = call.call();
    for elsewhere in [mine, others] {
        let call = call.clone().instead_of(address, elsewhere);
        world.send(call).assert_err(ErrorCode::ConstraintSeeds);
    }
}

#[test]
fn unsigned_registration_is_rejected() {
    let mut world = World::new();
    let creator = world.person();
    let call = world.work().by(&creator).call().unsigned_by(&creator);
    world.send(call).assert_err(ErrorCode::AccountNotSigner);
}
