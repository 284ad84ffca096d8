//! P17: an attacker's cost is at least its victims' cost.

use motif_sdk::{
    channel::{PaymentsError, TOKEN_PROGRAM, Unit, Use},
    licensing::{Offer, UsePrice},
    pda,
};
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

/// A channel that holds the whole cap. Its payer has put the price and the fee of 1 % aside.
fn squatted(world: &mut World, terms: &PublishedTerms) -> OpenedChannel {
    let squatter = world.channel().deposited(1).grace(900).open();
    world.accept_quota(&squatter, terms, 100, 0);
    squatter
}

#[test]
fn quota_needs_its_price() {
    let (mut world, terms) = capped(|_| {});
    let squatter = world.channel().deposited(1_000_000).open();
    let refused = world.send(squatter.accepting(&terms).quota(100, 0).call());
    refused.assert_err((TOKEN_PROGRAM, 1));
    assert_eq!((world.balance(&squatter.payer), world.vault_balance()), (0, 1_000_000));
    let squatter = squatted(&mut world, &terms);
    // The amount stays reserved while the quota is held.
    world.send(squatter.withdrawing()).assert_err(PaymentsError::ChannelStillOpen);
    assert_eq!(world.read(&squatter).channel.free().unwrap(), 1);
}

#[test]
fn earmarked_money_pays_nothing_else() {
    let (mut world, terms) = capped(|_| {});
    let own = world.work().register();
    let squatter = world.channel().payer(&own.creator).operator(&own.creator).fee(100).deposited(1);
    let squatter = squatter.open();
    world.accept_quota(&squatter, &terms, 100, 0);
    // Payer, operator and creator are one, and the money is borrowed.
    let dear = world.terms(&own).price(1_009).publish();
    world.accept(&squatter, &dear);
    let loan = world.statement(&squatter, &[(1, 1)]);
    world.send(loan.cosigned_call()).assert_err(PaymentsError::InsufficientDeposit);
    world.send(squatter.closing_by(&own.creator)).assert_ok();
    world.send(squatter.withdrawing()).assert_err(PaymentsError::QuotasHeld);
    assert_eq!((world.balance(&own.creator), world.vault_balance()), (0, 1_011));
    // Its money comes with the cap, which is everyone's again by then.
    let honest = world.channel().open();
    world.send(squatter.releasing_quota(&honest.payer, 0, &terms)).assert_ok();
    world.send(squatter.withdrawing()).assert_ok();
    assert_eq!((world.balance(&own.creator), issued(&world, &terms)), (1_011, 0));
    world.accept_quota(&honest, &terms, 100, 0);
}

#[test]
fn free_use_holds_cap_at_dearest_price() {
    let (mut world, terms) = capped(|offer| {
        let train = UsePrice { licensed_use: Use::Train, unit: Unit::TrainingRun, price: 0 };
        offer.uses.push(train);
    });
    let squatter = world.channel().deposited(1).fee(0).open();
    let free = squatter.accepting(&terms).quota(100, 0);
    let free = free.with(|args| (args.licensed_use, args.max_price) = (Use::Train, 0));
    let currency = world.currency;
    world.fund(&squatter.payer, &currency, 999);
    world.send(free.call()).assert_err((TOKEN_PROGRAM, 1));
    assert_eq!((world.balance(&squatter.payer), world.vault_balance()), (999, 1));
    world.fund(&squatter.payer, &currency, 1);
    world.send(free.call()).assert_ok();
    assert_eq!(world.read(&squatter).channel.earmarked, 1_000);
    // Used units free their part.
    world.settle(&squatter, &[(0, 40)]).assert_ok();
    let state = world.read(&squatter).channel;
    assert_eq!((state.earmarked, state.free().unwrap(), state.prices), (600, 401, 0));
}

#[test]
fn free_terms_hold_cap_for_a_unit_each() {
    let (mut world, terms) = capped(|offer| offer.uses[0].price = 0);
    let squatter = world.channel().deposited(1).fee(0).open();
    assert_eq!(world.fund_quota(&squatter, &terms, 100, 0), 100);
    world.send(squatter.accepting(&terms).quota(100, 0).call()).assert_ok();
    assert_eq!(world.read(&squatter).channel.earmarked, 100);
}

#[test]
fn quota_leaves_vouchers_settleable() {
    let (mut world, terms) = capped(|_| {});
    let channel = world.channel().fee(0).open();
    world.licensed(&channel, 10);
    let voucher = world.statement(&channel, &[(0, 100_000)]);
    world.accept_quota(&channel, &terms, 100, 0);
    assert_eq!(world.read(&channel).channel.free().unwrap(), 1_000_000);
    world.send(voucher.call()).assert_ok();
    // And the quota is charged to what was put aside for it.
    world.settle(&channel, &[(1, 100)]).assert_ok();
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::InsufficientDeposit);
    let state = world.read(&channel).channel;
    assert_eq!((state.prices, state.earmarked, state.free().unwrap()), (1_001_000, 0, 0));
}

#[test]
fn withdrawn_squatter_loses_quota() {
    let (mut world, terms) = capped(|_| {});
    let squatter = squatted(&mut world, &terms);
    let honest = world.channel().open();
    world.fund_quota(&honest, &terms, 100, 0);
    let refused = world.send(honest.accepting(&terms).quota(1, 0).call());
    refused.assert_err(PaymentsError::QuotaExceedsCap);
    world.send(squatter.closing_by(&squatter.payer)).assert_ok();
    world.pass(squatter.grace_seconds);
    world.send(squatter.withdrawing()).assert_err(PaymentsError::QuotasHeld);
    world.send(squatter.releasing_quota(&honest.payer, 0, &terms)).assert_ok();
    world.send(squatter.withdrawing()).assert_ok();
    assert_eq!(issued(&world, &terms), 0);
    world.send(honest.accepting(&terms).quota(100, 0).call()).assert_ok();
}

#[test]
fn squatter_is_bound_by_licensee_cap() {
    let (mut world, terms) = capped(|offer| offer.caps.licensee_units = Some(10));
    squatted(&mut world, &terms);
    assert_eq!(issued(&world, &terms), 10);
}
