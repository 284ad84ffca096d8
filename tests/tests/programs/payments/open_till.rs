use anchor_lang::error::ErrorCode;
use motif_sdk::{
    earnings::{Till, open_till, till_tokens},
    pda,
};
use motif_tests::world::{Call, RegisteredWork, World, token_account};

use super::{EXISTS, read};

fn call(world: &World, work: &RegisteredWork) -> Call {
    let open = open_till(&world.host.key(), &work.address, &world.currency);
    Call::new([open], &[&world.host])
}

#[test]
fn till_owns_a_token_account() {
    let mut world = World::new();
    let work = world.work().register();
    world.open_till(&work);
    let address = pda::till(&work.address, &world.currency.mint);
    let till: Till = read(&world, &address);
    assert_eq!((till.work, till.mint, till.swept), (work.address, world.currency.mint, 0));
    let tokens = world.account(&till_tokens(&work.address, &world.currency));
    assert_eq!(tokens.data[32..64], *address.as_ref());
}

#[test]
fn existing_till_account_is_adopted() {
    let mut world = World::new();
    let work = world.work().register();
    let till = pda::till(&work.address, &world.currency.mint);
    let tokens = till_tokens(&work.address, &world.currency);
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
    let open = open_till(&world.host.key(), &work.address, &unknown);
    let host = world.host.clone();
    world.send(Call::new([open], &[&host])).assert_err(ErrorCode::AccountNotInitialized);
}

#[test]
fn new_till_accounts_are_pinned() {
    let mut world = World::new();
    let (work, other) = (world.work().register(), world.work().register());
    let other_currency = world.other_currency();
    let mint = world.currency.mint;
    let (own, tokens) =
        (pda::till(&work.address, &mint), till_tokens(&work.address, &world.currency));
    let vault = pda::vault(&mint);
    let cases = [
        (work.address, other.address, ErrorCode::ConstraintSeeds),
        (work.address, pda::config(), ErrorCode::AccountDiscriminatorMismatch),
        (work.address, vault, ErrorCode::AccountOwnedByWrongProgram),
        (vault, pda::vault(&other_currency.mint), ErrorCode::ConstraintHasOne),
        (own, pda::till(&other.address, &mint), ErrorCode::ConstraintSeeds),
        (mint, other_currency.mint, ErrorCode::ConstraintSeeds),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    assert!(world.find(&own).is_none() && world.find(&tokens).is_none());
}
