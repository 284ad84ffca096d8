use anchor_lang::error::ErrorCode;
use anchor_spl::metadata::mpl_token_metadata::{
    accounts::{MasterEdition, Metadata},
    types::TokenStandard,
};
use motif_sdk::{channel::Currency, licensing::LicensingError, pda};
use motif_tests::world::{RegisteredWork, World};

use super::EXISTS;

const URI: &str = "https://example.org/song.json";

fn registered(split: &[u16]) -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(split).with(|work| work.metadata_uri = URI.into()).register();
    (world, work)
}

fn metadata(world: &World, work: &RegisteredWork) -> Metadata {
    let address = pda::metadata(&pda::certificate(&work.address));
    Metadata::safe_deserialize(&world.account(&address).data).unwrap()
}

/// Returns address, verification and percentage of a certificate's creators.
fn creators(world: &World, work: &RegisteredWork) -> Vec<(solana_pubkey::Pubkey, bool, u8)> {
    let creators = metadata(world, work).creators.unwrap();
    creators.iter().map(|one| (one.address, one.verified, one.share)).collect()
}

#[test]
fn certificate_supply_is_one() {
    let (mut world, work) = registered(&[10_000]);
    let before = world.read_work(&work);
    let landed = world.send(work.certifying("Coffee")).assert_ok();
    println!("issue_certificate: {} CU", landed.units_of(&licensing::ID));
    let mint = pda::certificate(&work.address);
    let expected = motif_sdk::licensing::Work { certificate: Some(mint), ..before };
    assert_eq!(world.read_work(&work), expected);

    let tokens = Currency::spl(mint).tokens(&work.creator.key());
    assert_eq!(world.balance_of(&tokens), 1);
    let mint_data = world.account(&mint).data;
    let edition = pda::edition(&mint);
    assert_eq!(mint_data[4..36], edition.to_bytes(), "the mint authority is the edition");
    assert_eq!(u64::from_le_bytes(mint_data[36..44].try_into().unwrap()), 1);
    assert_eq!(mint_data[44], 0, "whole");
    let edition = MasterEdition::safe_deserialize(&world.account(&edition).data).unwrap();
    assert_eq!((edition.supply, edition.max_supply), (0, Some(0)));

    let metadata = metadata(&world, &work);
    assert_eq!(metadata.update_authority, work.address);
    assert_eq!(metadata.name.trim_end_matches('\0'), "Coffee");
    assert_eq!(metadata.uri.trim_end_matches('\0'), URI);
    assert_eq!(metadata.token_standard, Some(TokenStandard::NonFungible));
}

#[test]
fn certificate_verifies_creator() {
    let (mut world, work) = registered(&[6_000, 4_000]);
    world.send(work.certifying("Coffee")).assert_ok();
    let [one, other] = [&work.recipients[0], &work.recipients[1]].map(|person| person.key());
    let expected = [(one, false, 60), (other, false, 40), (work.creator.key(), true, 0)];
    assert_eq!(creators(&world, &work), expected);
}

#[test]
fn certificate_lists_five_recipients() {
    let (mut world, work) = registered(&[500, 3_000, 500, 2_000, 1_500, 1_000, 1_500]);
    world.send(work.certifying("Coffee")).assert_ok();
    let key = |place: usize| work.recipients[place].key();
    // 3,000, 2,000, 1,500 and 1,500 of 8,000; the creator without a share is fifth.
    let expected = [
        (key(1), false, 37),
        (key(3), false, 25),
        (key(4), false, 19),
        (key(6), false, 19),
        (work.creator.key(), true, 0),
    ];
    assert_eq!(creators(&world, &work), expected);
}

#[test]
fn sold_work_leaves_creator_unverified() {
    let (mut world, mut work) = registered(&[10_000]);
    let heir = world.person();
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&heir)).assert_ok();
    let creator = std::mem::replace(&mut work.creator, heir.clone());
    world.send(work.certifying("Coffee")).assert_ok();
    let expected = [(work.recipients[0].key(), false, 100), (creator.key(), false, 0)];
    assert_eq!(creators(&world, &work), expected);
    let tokens = Currency::spl(pda::certificate(&work.address)).tokens(&heir.key());
    assert_eq!(world.balance_of(&tokens), 1);
}

#[test]
fn second_certificate_is_rejected() {
    let (mut world, work) = registered(&[10_000]);
    world.send(work.certifying("Coffee")).assert_ok();
    world.send(work.certifying("Coffee")).assert_err(EXISTS);
}

#[test]
fn certificate_name_length_is_bounded() {
    let (mut world, work) = registered(&[10_000]);
    for name in ["", &"n".repeat(33)] {
        world.send(work.certifying(name)).assert_err(LicensingError::InvalidCertificateName);
    }
    world.send(work.certifying(&"n".repeat(32))).assert_ok();
}

#[test]
fn only_owner_issues_certificate() {
    let (mut world, work) = registered(&[10_000]);
    let thief = RegisteredWork { creator: world.person(), ..work.clone() };
    world.send(thief.certifying("Coffee")).assert_err(LicensingError::NotOwner);
    let unsigned = work.certifying("Coffee").signed_by(&thief.creator).unsigned_by(&work.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn disputed_work_gets_no_certificate() {
    let (mut world, work) = registered(&[10_000]);
    world.dispute(&work);
    world.send(work.certifying("Coffee")).assert_err(LicensingError::WorkDisputed);
}

#[test]
fn foreign_metadata_program_is_rejected() {
    let (mut world, work) = registered(&[10_000]);
    let metadata = motif_sdk::licensing::TOKEN_METADATA_PROGRAM;
    let call = work.certifying("Coffee").instead_of(metadata, payments::ID);
    world.send(call).assert_err(ErrorCode::InvalidProgramId);
}

#[test]
fn prefunded_mint_is_certified() {
    for lamports in [1, 10_000_000] {
        let (mut world, work) = registered(&[10_000]);
        let gift = solana_account::Account { lamports, ..solana_account::Account::default() };
        world.set(pda::certificate(&work.address), gift);
        world.send(work.certifying("Coffee")).assert_ok();
    }
}
