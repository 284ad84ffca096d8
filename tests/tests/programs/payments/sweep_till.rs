use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    earnings::{Till, sweep_till, till_tokens},
    pda,
};
use motif_tests::world::{Call, RegisteredWork, World};

use super::read;

/// A work with two recipients and a till with 1,001.
fn paid() -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    world.open_earnings(&work);
    world.open_till(&work);
    world.pay_into_till(&work, 1_001);
    (world, work)
}

fn call(world: &World, work: &RegisteredWork) -> Call {
    Call::new([sweep_till(&work.address, &world.currency)], &[])
}

#[test]
fn swept_till_becomes_earnings() {
    let (mut world, work) = paid();
    world.sweep_till(&work).assert_ok();
    assert_eq!(world.earnings(&work).earnings.earned, 1_001);
    assert_eq!(world.vault_balance(), 1_001);
    assert_eq!(world.balance_of(&till_tokens(&work.address, &world.currency)), 0);
    world.pay_into_till(&work, 9);
    world.sweep_till(&work).assert_ok();
    let till: Till = read(&world, &pda::till(&work.address, &world.currency.mint));
    assert_eq!(till.swept, 1_010);
    world.claim_all(&work, &[&work.recipients[0], &work.recipients[1]]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (505, 0));
}

#[test]
fn empty_till_is_rejected() {
    let (mut world, work) = paid();
    world.sweep_till(&work).assert_ok();
    world.sweep_till(&work).assert_err(PaymentsError::EmptyTill);
    assert_eq!(world.earnings(&work).earnings.earned, 1_001);
}

#[test]
fn overflowing_sweep_keeps_till() {
    let (mut world, work) = paid();
    world.sweep_till(&work).assert_ok();
    world.pay_into_till(&work, u64::MAX);
    world.sweep_till(&work).assert_err(PaymentsError::Overflow);
    assert_eq!(world.vault_balance(), 1_001);
}

#[test]
fn sweep_accounts_are_pinned() {
    let (mut world, work) = paid();
    let other = world.work().register();
    world.open_earnings(&other);
    world.open_till(&other);
    let other_currency = world.other_currency();
    let (currency, mint) = (world.currency, world.currency.mint);
    let own = pda::earnings(&work.address, &mint);
    let tokens = till_tokens(&work.address, &currency);
    let (vault, vault_tokens) = (pda::vault(&mint), world.vault_tokens(&currency));
    let thief = world.person();
    let cases = [
        (pda::till(&work.address, &mint), own, ErrorCode::AccountDiscriminatorMismatch),
        (tokens, till_tokens(&other.address, &currency), ErrorCode::ConstraintTokenOwner),
        (own, vault, ErrorCode::AccountDiscriminatorMismatch),
        (vault, pda::vault(&other_currency.mint), ErrorCode::ConstraintHasOne),
        (vault_tokens, currency.tokens(&thief.key()), ErrorCode::ConstraintAddress),
        (mint, other_currency.mint, ErrorCode::ConstraintHasOne),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintAssociatedTokenTokenProgram),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    let foreign = call(&world, &work).instead_of(own, pda::earnings(&other.address, &mint));
    world.send(foreign).assert_err(PaymentsError::InvalidEarningsAccounts);
    assert_eq!((world.balance_of(&tokens), world.vault_balance()), (1_001, 0));
    assert_eq!(world.earnings(&other).earnings.earned, 0);
}
