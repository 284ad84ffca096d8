//! P17: an attacker's cost is at least its victims' cost.

use motif_sdk::{channel::PaymentsError, licensing::Offer, pda};
use motif_tests::world::{OpenedChannel, Person, PublishedTerms, World};
use payments::Issuance;

fn lamports(world: &World, person: &Person) -> u64 {
    world.account(&person.key()).lamports
}

#[test]
fn dust_channel_costs_operator_nothing() {
    let mut world = World::new();
    let (attacker, victim) = (world.person(), world.person());
    let before = (lamports(&world, &attacker), lamports(&world, &victim));
    for salt in 0..10 {
        let dust = world.channel().payer(&attacker).operator(&victim).deposited(1);
        dust.with(|args| args.salt = salt).open();
    }
    let cost = before.0 - lamports(&world, &attacker);
    let rent =
        world.account(&pda::channel(&attacker.key(), &victim.key(), &world.currency.mint, 0));
    assert!(cost >= 10 * rent.lamports, "the attacker paid {cost} lamports");
    assert_eq!(lamports(&world, &victim), before.1);
    assert_eq!(world.vault_balance(), 10);
}

#[test]
fn dust_voucher_is_bound_by_deposit() {
    let mut world = World::new();
    let channel = world.channel().deposited(1).fee(0).open();
    world.licensed(&channel, 1);
    world.settle(&channel, &[(0, 2)]).assert_err(PaymentsError::InsufficientDeposit);
    world.settle(&channel, &[(0, 1)]).assert_ok();
}

#[test]
fn account_growth_is_paid_by_caller() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let terms = world.terms(&work).publish();
    let operator = lamports(&world, &channel.operator);
    let (payer, account) = (lamports(&world, &channel.payer), channel.address);
    let rent = world.account(&account).lamports;
    for _ in 0..5 {
        world.accept(&channel, &terms);
    }
    let grown = world.account(&account).lamports - rent;
    assert!(grown > 0 && payer - lamports(&world, &channel.payer) >= grown);
    assert_eq!(lamports(&world, &channel.operator), operator);
}

/// Publishes terms with a shared cap of 100 units, at 10 base units each.
fn capped(change: impl FnOnce(&mut Offer)) -> (World, PublishedTerms) {
    let mut world = World::new();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| {
        offer.caps.total_units = Some(100);
        change(offer);
    });
    let terms = terms.publish();
    (world, terms)
}

fn issued(world: &World, terms: &PublishedTerms) -> u64 {
    super::read::<Issuance>(world, &pda::issuance(&terms.address)).units
}

fn squatted(world: &mut World, terms: &PublishedTerms) -> OpenedChannel {
    let squatter = world.channel().deposited(1_000).grace(900).open();
    world.send(squatter.accepting(terms).quota(100, 0).call()).assert_ok();
    squatter
}

#[test]
fn quota_needs_covering_deposit() {
    let (mut world, terms) = capped(|_| {});
    let squatter = world.channel().deposited(999).open();
    let refused = world.send(squatter.accepting(&terms).quota(100, 0).call());
    refused.assert_err(PaymentsError::QuotaExceedsDeposit);
    let squatter = squatted(&mut world, &terms);
    // The amount stays reserved while the quota is held.
    world.send(squatter.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
}

#[test]
fn withdrawn_squatter_loses_quota() {
    let (mut world, terms) = capped(|_| {});
    let squatter = squatted(&mut world, &terms);
    let honest = world.channel().open();
    let refused = world.send(honest.accepting(&terms).quota(1, 0).call());
    refused.assert_err(PaymentsError::QuotaExceedsCap);
    world.send(squatter.closing_by(&squatter.payer)).assert_ok();
    world.pass(squatter.grace_seconds);
    world.send(squatter.withdrawing()).assert_ok();
    world.send(squatter.releasing_quota(&honest.payer, 0, &terms)).assert_ok();
    assert_eq!(issued(&world, &terms), 0);
    world.send(honest.accepting(&terms).quota(100, 0).call()).assert_ok();
}

#[test]
fn squatter_is_bound_by_licensee_cap() {
    let (mut world, terms) = capped(|offer| offer.caps.licensee_units = Some(10));
    squatted(&mut world, &terms);
    assert_eq!(issued(&world, &terms), 10);
}
