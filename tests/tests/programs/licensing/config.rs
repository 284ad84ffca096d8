//! `update_config`, `offer_authority` and `accept_authority`.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{
        Config, LicensingError, UpdateConfigArgs, accept_authority, offer_authority, update_config,
    },
    pda,
};
use motif_tests::world::{Call, Person, World};
use solana_pubkey::Pubkey;

use super::read;

fn args() -> UpdateConfigArgs {
    UpdateConfigArgs {
        arbiter: Pubkey::new_from_array([0xA6; 32]),
        dispute_bond_lamports: 5_000_000,
        dispute_seconds: 60 * 86_400,
    }
}

fn updating(authority: &Person, args: UpdateConfigArgs) -> Call {
    Call::new([update_config(&authority.key(), args)], &[authority])
}

fn offering(authority: &Person, to: Option<&Person>) -> Call {
    Call::new([offer_authority(&authority.key(), to.map(Person::key))], &[authority])
}

fn accepting(accepter: &Person) -> Call {
    Call::new([accept_authority(&accepter.key())], &[accepter])
}

fn config(world: &World) -> Config {
    read(world, &pda::config())
}

#[test]
fn authority_updates_config() {
    let mut world = World::new();
    let host = world.host.clone();
    let before = config(&world);
    world.send(updating(&host, args())).assert_ok();
    let UpdateConfigArgs { arbiter, dispute_bond_lamports, dispute_seconds } = args();
    let expected = Config { arbiter, dispute_bond_lamports, dispute_seconds, ..before };
    assert_eq!(config(&world), expected);
}

#[test]
fn only_authority_updates_config() {
    let mut world = World::new();
    let stranger = world.person();
    world.send(updating(&stranger, args())).assert_err(LicensingError::NotAuthority);
    let host = world.host.clone();
    let unsigned = updating(&host, args()).signed_by(&stranger).unsigned_by(&host);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn invalid_config_is_rejected() {
    let mut world = World::new();
    let host = world.host.clone();
    let small = UpdateConfigArgs { dispute_bond_lamports: 890_879, ..args() };
    world.send(updating(&host, small)).assert_err(LicensingError::BondTooSmall);
    for dispute_seconds in [0, 86_399, 60 * 86_400 + 1] {
        let call = updating(&host, UpdateConfigArgs { dispute_seconds, ..args() });
        world.send(call).assert_err(LicensingError::InvalidDisputeLength);
    }
    let least = UpdateConfigArgs { dispute_bond_lamports: 890_880, ..args() };
    world.send(updating(&host, least)).assert_ok();
}

#[test]
fn authority_passes_on_acceptance() {
    let mut world = World::new();
    let (host, heir) = (world.host.clone(), world.person());
    world.send(offering(&host, Some(&heir))).assert_ok();
    assert_eq!(config(&world).authority, host.key());
    assert_eq!(config(&world).pending_authority, Some(heir.key()));
    world.send(accepting(&heir)).assert_ok();
    assert_eq!(config(&world).authority, heir.key());
    assert_eq!(config(&world).pending_authority, None);
    world.send(updating(&host, args())).assert_err(LicensingError::NotAuthority);
    world.send(updating(&heir, args())).assert_ok();
}

#[test]
fn only_authority_offers_itself() {
    let mut world = World::new();
    let stranger = world.person();
    let offer = offering(&stranger, Some(&stranger));
    world.send(offer).assert_err(LicensingError::NotAuthority);
}

#[test]
fn unoffered_authority_is_rejected() {
    let mut world = World::new();
    let (host, heir, stranger) = (world.host.clone(), world.person(), world.person());
    world.send(accepting(&stranger)).assert_err(LicensingError::NotOffered);
    world.send(offering(&host, Some(&heir))).assert_ok();
    world.send(accepting(&stranger)).assert_err(LicensingError::NotOffered);
    let unsigned = accepting(&heir).signed_by(&stranger).unsigned_by(&heir);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}
