use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{Config, InitializeArgs, LicensingError, PROGRAM_ID, initialize},
    pda,
};
use motif_tests::world::{CLUSTER, Call, Person, World};
use solana_pubkey::Pubkey;

use super::{EXISTS, read};

const UPGRADEABLE_LOADER: Pubkey =
    Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");

fn args() -> InitializeArgs {
    InitializeArgs {
        cluster: CLUSTER,
        arbiter: Pubkey::new_from_array([0xA5; 32]),
        dispute_bond_lamports: 2_000_000,
        dispute_seconds: 86_400,
    }
}

fn call(authority: &Person) -> Call {
    Call::new([initialize(&authority.key(), args())], &[authority])
}

fn program_data() -> Pubkey {
    Pubkey::find_program_address(&[PROGRAM_ID.as_ref()], &UPGRADEABLE_LOADER).0
}

/// Writes the upgrade authority into the program's loader account.
fn give_upgrade_authority(world: &mut World, authority: &Pubkey) {
    let mut account = world.account(&program_data());
    account.data[12] = 1;
    account.data[13..45].copy_from_slice(authority.as_ref());
    world.set(program_data(), account);
}

#[test]
fn config_stores_its_fields() {
    let mut world = World::without_config();
    let host = world.host.clone();
    world.send(call(&host)).assert_ok();
    let config: Config = read(&world, &pda::config());
    assert_eq!((config.cluster, config.authority), (CLUSTER, host.key()));
    assert_eq!((config.arbiter, config.dispute_bond_lamports), (args().arbiter, 2_000_000));
    assert_eq!(config.dispute_seconds, 86_400);
    assert_eq!(config.pending_authority, None);
}

#[test]
fn invalid_config_is_rejected() {
    let mut world = World::without_config();
    let host = world.host.clone();
    let mut refused = |change: fn(&mut InitializeArgs), expected: LicensingError| {
        let mut args = args();
        change(&mut args);
        let call = Call::new([initialize(&host.key(), args)], &[&host]);
        world.send(call).assert_err(expected);
        assert!(world.find(&pda::config()).is_none());
    };
    // The rent of an empty account.
    refused(|args| args.dispute_bond_lamports = 890_879, LicensingError::BondTooSmall);
    refused(|args| args.dispute_seconds = 86_399, LicensingError::InvalidDisputeLength);
    refused(|args| args.dispute_seconds = 60 * 86_400 + 1, LicensingError::InvalidDisputeLength);
}

#[test]
fn second_initialization_is_rejected() {
    let mut world = World::new();
    let stranger = world.person();
    let before: Config = read(&world, &pda::config());
    for authority in [world.host.clone(), stranger] {
        world.send(call(&authority)).assert_err(EXISTS);
    }
    let after: Config = read(&world, &pda::config());
    assert_eq!(before.authority, after.authority);
}

#[test]
fn only_upgrade_authority_initializes() {
    let mut world = World::without_config();
    let (owner, stranger) = (world.person(), world.person());
    give_upgrade_authority(&mut world, &owner.key());
    world.send(call(&stranger)).assert_err(LicensingError::NotUpgradeAuthority);
    assert!(world.find(&pda::config()).is_none());
    world.send(call(&owner)).assert_ok();
}

/// Local networks write the system program's address for a missing upgrade authority.
#[test]
fn immutable_program_initializes_freely() {
    for authority in [None, Some(Pubkey::default())] {
        let mut world = World::without_config();
        let stranger = world.person();
        if let Some(authority) = authority {
            give_upgrade_authority(&mut world, &authority);
        }
        world.send(call(&stranger)).assert_ok();
        let config: Config = read(&world, &pda::config());
        assert_eq!(config.authority, stranger.key());
    }
}

#[test]
fn forged_program_data_is_rejected() {
    let mut world = World::without_config();
    let (owner, stranger) = (world.person(), world.person());
    give_upgrade_authority(&mut world, &stranger.key());
    let forged = world.account(&program_data());
    give_upgrade_authority(&mut world, &owner.key());
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let call = call(&stranger).instead_of(program_data(), elsewhere);
    world.send(call).assert_err(LicensingError::NotUpgradeAuthority);
}

#[test]
fn other_programs_data_is_rejected() {
    let mut world = World::without_config();
    let host = world.host.clone();
    let call = call(&host).instead_of(PROGRAM_ID, payments::ID);
    // The program id is not an account of the instruction, so it is passed.
    world.send(call).assert_err(ErrorCode::ConstraintAddress);
}

#[test]
fn unsigned_initialization_is_rejected() {
    let mut world = World::without_config();
    let authority = world.person();
    let call = call(&authority).unsigned_by(&authority);
    world.send(call).assert_err(ErrorCode::AccountNotSigner);
    assert!(world.find(&pda::config()).is_none());
}
