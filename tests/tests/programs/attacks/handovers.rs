//! P24: authority and works are transferred in two steps, never to a mistyped key.

use motif_sdk::{
    licensing::{
        Config, LicensingError, Verdict, accept_authority, offer_authority, update_config,
    },
    pda,
};
use motif_tests::world::{Call, Person, World};
use solana_pubkey::Pubkey;

fn offering(authority: &Person, to: Option<Pubkey>) -> Call {
    Call::new([offer_authority(&authority.key(), to)], &[authority])
}

fn accepting(accepter: &Person) -> Call {
    Call::new([accept_authority(&accepter.key())], &[accepter])
}

fn authority(world: &World) -> Pubkey {
    let data = world.account(&pda::config()).data;
    let config: Config = anchor_lang::AccountDeserialize::try_deserialize(&mut &data[..]).unwrap();
    config.authority
}

#[test]
fn mistyped_offer_keeps_authority() {
    let mut world = World::new();
    let (host, heir) = (world.host.clone(), world.person());
    world.send(offering(&host, Some(Pubkey::new_from_array([9; 32])))).assert_ok();
    assert_eq!(authority(&world), host.key());
    world.send(offering(&host, Some(heir.key()))).assert_ok();
    world.send(accepting(&heir)).assert_ok();
    assert_eq!(authority(&world), heir.key());
}

#[test]
fn stale_authority_offer_is_rejected() {
    let mut world = World::new();
    let (host, one, other) = (world.host.clone(), world.person(), world.person());
    world.send(offering(&host, Some(one.key()))).assert_ok();
    world.send(offering(&host, None)).assert_ok();
    world.send(accepting(&one)).assert_err(LicensingError::NotOffered);
    world.send(offering(&host, Some(one.key()))).assert_ok();
    world.send(offering(&host, Some(other.key()))).assert_ok();
    world.send(accepting(&one)).assert_err(LicensingError::NotOffered);
    world.send(accepting(&other)).assert_ok();
    world.send(accepting(&other)).assert_err(LicensingError::NotOffered);
    // The old authority has no rights and cannot revoke the transfer.
    world.send(offering(&host, Some(host.key()))).assert_err(LicensingError::NotAuthority);
    let args = motif_sdk::licensing::UpdateConfigArgs {
        arbiter: host.key(),
        dispute_bond_lamports: World::BOND,
        dispute_seconds: 86_400,
    };
    let update = Call::new([update_config(&host.key(), args)], &[&host]);
    world.send(update).assert_err(LicensingError::NotAuthority);
    assert_eq!(authority(&world), other.key());
}

#[test]
fn stale_ownership_offer_is_rejected() {
    let mut world = World::new();
    let (work, one, other) = (world.work().register(), world.person(), world.person());
    world.send(work.offering_to(Some(&one))).assert_ok();
    world.send(work.offering_to(None)).assert_ok();
    world.send(work.accepting_by(&one)).assert_err(LicensingError::NotOffered);
    world.send(work.offering_to(Some(&one))).assert_ok();
    world.send(work.offering_to(Some(&other))).assert_ok();
    world.send(work.accepting_by(&one)).assert_err(LicensingError::NotOffered);
    world.send(work.accepting_by(&other)).assert_ok();
    world.send(work.accepting_by(&other)).assert_err(LicensingError::NotOffered);
    world.send(work.offering_to(Some(&one))).assert_err(LicensingError::NotOwner);
    assert_eq!(world.read_work(&work).owner, other.key());
}

/// An upheld dispute cancels a pending transfer.
#[test]
fn offer_dies_with_upheld_verdict() {
    let mut world = World::new();
    let (work, accomplice) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&accomplice))).assert_ok();
    let claimant = world.dispute(&work);
    world.send(work.accepting_by(&accomplice)).assert_err(LicensingError::WorkDisputed);
    let arbiter = world.host.clone();
    world.pass(World::HEARING_SECONDS);
    world.send(work.deciding(&arbiter, &claimant, Verdict::UPHELD)).assert_ok();
    world.send(work.accepting_by(&accomplice)).assert_err(LicensingError::NotOffered);
    assert_eq!(world.read_work(&work).owner, claimant.key());
}

/// A rejected dispute keeps a pending transfer.
#[test]
fn offer_survives_rejected_dispute() {
    let mut world = World::new();
    let (work, heir) = (world.work().register(), world.person());
    world.send(work.offering_to(Some(&heir))).assert_ok();
    let claimant = world.dispute(&work);
    let arbiter = world.host.clone();
    world.send(work.deciding(&arbiter, &claimant, Verdict::Rejected)).assert_ok();
    world.send(work.accepting_by(&heir)).assert_ok();
    assert_eq!(world.read_work(&work).owner, heir.key());
}
