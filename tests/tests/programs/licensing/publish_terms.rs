use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{LicensingError, Offer, Terms, Unit, Use, UsePrice, Work},
    pda,
};
use motif_tests::world::{RegisteredWork, World};
use solana_instruction::error::InstructionError;
use solana_pubkey::Pubkey;
use solana_transaction::TransactionError;

use super::{read, rewrite};

fn world() -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().register();
    (world, work)
}

#[track_caller]
fn refused(expected: LicensingError, change: impl FnOnce(&mut Offer)) {
    let (mut world, work) = world();
    world.terms(&work).with(change).attempt().assert_err(expected);
    assert!(world.find(&pda::terms(&work.address, 1)).is_none());
    let stored: Work = read(&world, &work.address);
    assert_eq!(stored.latest_terms, 0);
}

fn use_of(licensed_use: Use, price: u64) -> UsePrice {
    UsePrice { licensed_use, unit: Unit::Second, price }
}

#[test]
fn terms_are_stored_and_numbered() {
    let (mut world, work) = world();
    let offer = |offer: &mut Offer| {
        offer.uses = vec![use_of(Use::Generate, 3), use_of(Use::Train, 0)];
        offer.upfront_fee = 5;
        offer.caps.daily_units = Some(7);
        offer.expires_at = Some(World::NOW + 1);
        offer.legal_uri = "https://example.org/legal".into();
        offer.operators = vec![Pubkey::new_from_array([5; 32]); 1];
    };
    let terms = world.terms(&work).with(offer).publish();
    let stored: Terms = read(&world, &terms.address);
    assert_eq!((stored.number, stored.work), (1, work.address));
    assert_eq!((stored.currency, stored.published_at), (world.currency.mint, World::NOW));
    let Offer { uses, upfront_fee, caps, expires_at, operators, legal_uri, .. } = stored.offer;
    assert_eq!(operators, [Pubkey::new_from_array([5; 32])]);
    assert_eq!(uses, [use_of(Use::Generate, 3), use_of(Use::Train, 0)]);
    assert_eq!((upfront_fee, caps.daily_units), (5, Some(7)));
    assert_eq!(expires_at, Some(World::NOW + 1));
    assert_eq!(legal_uri, "https://example.org/legal");
    let stored: Work = read(&world, &work.address);
    assert_eq!(stored.latest_terms, 1);
}

#[test]
fn second_version_keeps_the_first() {
    let (mut world, work) = world();
    let first = world.terms(&work).price(1).publish();
    let before = world.account(&first.address);
    let second = world.terms(&work).price(2).publish();
    assert_eq!(second.number, 2);
    assert_eq!(world.account(&first.address), before);
}

#[test]
fn largest_terms_fit_their_account() {
    let (mut world, work) = world();
    let uses = [Use::Generate, Use::StyleTransfer, Use::VoiceConvert, Use::Train];
    let uses = uses.into_iter().chain([Use::FineTune, Use::Play]);
    let offer = |offer: &mut Offer| {
        offer.uses = uses.map(|licensed_use| use_of(licensed_use, u64::MAX)).collect();
        offer.legal_uri = "u".repeat(200);
    };
    world.terms(&work).with(offer).publish();
}

#[test]
fn only_owner_publishes_terms() {
    let (mut world, work) = world();
    let stranger = world.person();
    world.terms(&work).by(&stranger).attempt().assert_err(LicensingError::NotOwner);
    assert!(world.find(&pda::terms(&work.address, 1)).is_none());
}

#[test]
fn unsigned_publication_is_rejected() {
    let (mut world, work) = world();
    let call = world.terms(&work).call().unsigned_by(&work.creator);
    world.send(call).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn terms_without_use_are_rejected() {
    refused(LicensingError::InvalidUseCount, |offer| offer.uses.clear());
}

#[test]
fn ninth_use_is_rejected() {
    refused(LicensingError::InvalidUseCount, |offer| offer.uses = vec![offer.uses[0]; 9]);
}

#[test]
fn duplicate_use_is_rejected() {
    refused(LicensingError::DuplicateUse, |offer| offer.uses.push(use_of(Use::Generate, 1)));
}

#[test]
fn terms_must_end_in_the_future() {
    refused(LicensingError::InvalidTermsPeriod, |offer| offer.expires_at = Some(World::NOW));
    refused(LicensingError::InvalidTermsPeriod, |offer| offer.expires_at = Some(i64::MIN));
    let (mut world, work) = world();
    world.terms(&work).with(|offer| offer.expires_at = Some(World::NOW + 1)).publish();
}

#[test]
fn expiry_before_start_is_rejected() {
    refused(LicensingError::InvalidTermsPeriod, |offer| {
        offer.valid_from = World::NOW + 9;
        offer.expires_at = Some(World::NOW + 9);
    });
}

#[test]
fn every_zero_cap_is_rejected() {
    refused(LicensingError::EmptyCap, |offer| offer.caps.total_units = Some(0));
    refused(LicensingError::EmptyCap, |offer| offer.caps.daily_units = Some(0));
    refused(LicensingError::EmptyCap, |offer| offer.caps.licensee_units = Some(0));
    refused(LicensingError::EmptyCap, |offer| offer.caps.revenue = Some(0));
}

#[test]
fn derivative_share_is_bounded() {
    refused(LicensingError::InvalidDerivativeShare, |offer| offer.derivative_share_bps = 10_001);
}

#[test]
fn long_notice_is_rejected() {
    refused(LicensingError::NoticeTooLong, |offer| offer.notice_seconds = 366 * 86_400 + 1);
}

#[test]
fn excess_operators_are_rejected() {
    let keys = |count: u8| (0..count).map(|number| Pubkey::new_from_array([number; 32])).collect();
    refused(LicensingError::InvalidOperators, |offer| offer.operators = keys(5));
    refused(LicensingError::InvalidOperators, |offer| offer.operators = vec![Pubkey::default(); 2]);
}

#[test]
fn long_legal_uri_is_rejected() {
    refused(LicensingError::UriTooLong, |offer| offer.legal_uri = "u".repeat(201));
}

#[test]
fn terms_counter_overflow_is_rejected() {
    let (mut world, work) = world();
    rewrite(&mut world, &work, |stored| stored.latest_terms = u32::MAX);
    // The builder uses the next number; the program rejects it.
    let currency = world.currency.mint;
    let publish = motif_sdk::licensing::publish_terms(
        &work.creator.key(),
        &work.address,
        u32::MAX - 1,
        &currency,
        offer(),
    );
    let call = motif_tests::world::Call::new([publish], &[&work.creator]);
    world.send(call).assert_err(LicensingError::CounterOverflow);
}

#[test]
fn terms_at_wrong_number_are_rejected() {
    let (mut world, work) = world();
    let (next, skipped) = (pda::terms(&work.address, 1), pda::terms(&work.address, 2));
    let call = world.terms(&work).call().instead_of(next, skipped);
    world.send(call).assert_err(ErrorCode::ConstraintSeeds);
}

#[test]
fn terms_in_non_mint_are_rejected() {
    let (mut world, work) = world();
    let mint = world.currency.mint;
    let wallet = world.person().key();
    let call = world.terms(&work).call().instead_of(mint, wallet);
    world.send(call).assert_err(ErrorCode::AccountOwnedByWrongProgram);
    let tokens = world.currency.tokens(&wallet);
    let call = world.terms(&work).call().instead_of(mint, tokens);
    let not_a_mint = TransactionError::InstructionError(0, InstructionError::InvalidAccountData);
    world.send(call).assert_refused(&not_a_mint);
}

#[test]
fn terms_of_non_work_are_rejected() {
    let (mut world, work) = world();
    let call = world.terms(&work).call().instead_of(work.address, pda::config());
    world.send(call).assert_err(ErrorCode::AccountDiscriminatorMismatch);
}

fn offer() -> Offer {
    Offer {
        attribution: true,
        derivatives: motif_sdk::licensing::Derivatives::Allowed,
        ..Offer::new(vec![use_of(Use::Generate, 1)])
    }
}
