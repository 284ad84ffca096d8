use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::PaymentsError,
    pda,
    till::{self, Till, TillShare, TillShares},
};
use motif_tests::world::{Call, RegisteredWork, World, token_account};

use super::{EXISTS, read};

fn call(world: &World, work: &RegisteredWork) -> Call {
    opening(world, &work.till())
}

fn opening(world: &World, shares: &TillShares) -> Call {
    Call::new([till::open(&world.host.key(), shares, &world.currency)], &[&world.host])
}

#[test]
fn till_owns_a_token_account() {
    let mut world = World::new();
    let work = world.work().register();
    world.open_till(&work);
    let address = pda::till(&work.till(), &world.currency.mint);
    let till: Till = read(&world, &address);
    assert_eq!((till.shares, till.mint), (work.till(), world.currency.mint));
    assert_eq!((till.works_paid, till.operator_paid), (vec![0], 0));
    let tokens = world.account(&till::tokens(&work.till(), &world.currency));
    assert_eq!(tokens.data[32..64], *address.as_ref());
}

#[test]
fn largest_till_fits_its_account() {
    let mut world = World::new();
    let operator = world.person();
    world.operator(&operator).register();
    let works = (1..=8).map(|parts| TillShare { work: world.work().register().address, parts });
    let shares = TillShares::new(works.collect(), Some((operator.key(), 9)));
    world.send(opening(&world, &shares)).assert_ok();
    let address = pda::till(&shares, &world.currency.mint);
    assert_eq!(read::<Till>(&world, &address).shares, shares);
    assert_eq!(world.account(&address).data.len(), Till::space(8));
}

#[test]
fn existing_till_account_is_adopted() {
    let mut world = World::new();
    let work = world.work().register();
    let till = pda::till(&work.till(), &world.currency.mint);
    let tokens = till::tokens(&work.till(), &world.currency);
    world.set(tokens, token_account(&world.currency, &till, 7));
    world.open_till(&work);
    assert_eq!(world.balance_of(&tokens), 7);
}

#[test]
fn till_opens_once_in_admitted_mint() {
    let mut world = World::new();
    let work = world.work().register();
    world.open_till(&work);
    let again = call(&world, &work);
    world.send(again).assert_err(EXISTS);
    let unknown = world.mint_of(&world.currency.token_program.clone());
    let open = till::open(&world.host.key(), &work.till(), &unknown);
    let host = world.host.clone();
    world.send(Call::new([open], &[&host])).assert_err(ErrorCode::AccountNotInitialized);
}

#[test]
fn till_has_one_form_of_shares() {
    let mut world = World::new();
    let (one, other) = (world.work().register(), world.work().register());
    let operator = world.person();
    world.operator(&operator).register();
    let share = |work: &RegisteredWork, parts| TillShare { work: work.address, parts };
    let works = vec![share(&one, 2), share(&other, 1)];
    let good = TillShares::new(works, Some((operator.key(), 3)));
    let refused = |world: &mut World, change: fn(&mut TillShares)| {
        let mut shares = good.clone();
        change(&mut shares);
        let call = opening(world, &shares);
        world.send(call).assert_err(PaymentsError::InvalidTillShares);
        assert!(world.find(&pda::till(&shares, &world.currency.mint)).is_none());
    };
    refused(&mut world, |shares| shares.works.clear());
    refused(&mut world, |shares| shares.works.swap(0, 1));
    refused(&mut world, |shares| shares.works[1].work = shares.works[0].work);
    refused(&mut world, |shares| shares.works[0].parts = 0);
    refused(&mut world, |shares| {
        shares.operator_parts = 6;
        shares.works.iter_mut().for_each(|share| share.parts *= 2);
    });
    world.send(opening(&world, &good)).assert_ok();
}

#[test]
fn till_of_foreign_accounts_is_rejected() {
    let mut world = World::new();
    let (work, other) = (world.work().register(), world.work().register());
    let (operator, stranger) = (world.person(), world.person());
    world.operator(&operator).register();
    world.operator(&stranger).register();
    let works = vec![TillShare { work: work.address, parts: 1 }];
    let shares = TillShares::new(works, Some((operator.key(), 1)));
    let [own, foreign] = [&operator, &stranger].map(|person| pda::operator(&person.key()));
    let call = opening(&world, &shares);
    let swapped = call.clone().instead_of(own, foreign);
    world.send(swapped).assert_err(PaymentsError::InvalidOperatorAccount);
    let without = call.clone().instead_of(own, payments::ID);
    world.send(without).assert_err(PaymentsError::InvalidOperatorAccount);
    let elsewhere = call.clone().instead_of(work.address, other.address);
    world.send(elsewhere).assert_err(PaymentsError::InvalidWorkAccounts);
    let too_few = call.changed(|calls| _ = calls[0].accounts.pop());
    world.send(too_few).assert_err(PaymentsError::InvalidWorkAccounts);
    // A till of what is no work could never be swept.
    let config = TillShares::sole(pda::config());
    world.send(opening(&world, &config)).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    assert!(world.find(&pda::till(&shares, &world.currency.mint)).is_none());
}

#[test]
fn new_till_accounts_are_pinned() {
    let mut world = World::new();
    let (work, other) = (world.work().register(), world.work().register());
    let other_currency = world.other_currency();
    let mint = world.currency.mint;
    let (own, tokens) =
        (pda::till(&work.till(), &mint), till::tokens(&work.till(), &world.currency));
    let vault = pda::vault(&mint);
    let cases = [
        (vault, pda::vault(&other_currency.mint), ErrorCode::ConstraintHasOne),
        (own, pda::till(&other.till(), &mint), ErrorCode::ConstraintSeeds),
        (mint, other_currency.mint, ErrorCode::ConstraintSeeds),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    assert!(world.find(&own).is_none() && world.find(&tokens).is_none());
}
