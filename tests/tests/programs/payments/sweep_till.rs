use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    pda,
    till::{self, Till, TillShare, TillShares},
};
use motif_tests::world::{Call, Person, RegisteredWork, World, token_account};

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

/// A till of two works, 2 and 1 parts, and an operator, 1 part.
fn shared() -> (World, [RegisteredWork; 2], Person, TillShares) {
    let mut world = World::new();
    let works = [world.work().register(), world.work().register()];
    works.iter().for_each(|work| world.open_earnings(work));
    let operator = world.person();
    world.operator(&operator).register();
    let share = |position: usize, parts| TillShare { work: works[position].address, parts };
    let shares = TillShares::new(vec![share(0, 2), share(1, 1)], Some((operator.key(), 1)));
    let host = world.host.clone();
    let open = till::open(&host.key(), &shares, &world.currency);
    world.send(Call::new([open], &[&host])).assert_ok();
    (world, works, operator, shares)
}

/// Sends tokens to a till.
fn fill(world: &mut World, shares: &TillShares, amount: u64) {
    let currency = world.currency;
    let address = till::tokens(shares, &currency);
    let balance = world.balance_of(&address) + amount;
    let owner = pda::till(shares, &currency.mint);
    world.set(address, token_account(&currency, &owner, balance));
}

fn call(world: &World, work: &RegisteredWork) -> Call {
    Call::new([till::sweep(&work.till(), &world.currency, None)], &[])
}

#[test]
fn swept_till_becomes_earnings() {
    let (mut world, work) = paid();
    world.sweep_till(&work).assert_ok();
    assert_eq!(world.earnings(&work).earnings.earned, 1_001);
    assert_eq!(world.vault_balance(), 1_001);
    assert_eq!(world.balance_of(&till::tokens(&work.till(), &world.currency)), 0);
    world.pay_into_till(&work, 9);
    world.sweep_till(&work).assert_ok();
    let till: Till = read(&world, &pda::till(&work.till(), &world.currency.mint));
    assert_eq!(till.works_paid, [1_010]);
    world.claim_all(&work, &[&work.recipients[0], &work.recipients[1]]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (505, 0));
}

#[test]
fn till_divides_among_works_and_operator() {
    let (mut world, [one, other], operator, shares) = shared();
    let currency = world.currency;
    fill(&mut world, &shares, 1_003);
    let sweep = till::sweep(&shares, &currency, Some(operator.key()));
    world.send(Call::new([sweep.clone()], &[])).assert_ok();
    let earned = |world: &World, work| world.earnings(work).earnings.earned;
    assert_eq!((earned(&world, &one), earned(&world, &other)), (501, 250));
    assert_eq!((world.balance(&operator), world.vault_balance()), (250, 751));
    assert_eq!(world.balance_of(&till::tokens(&shares, &currency)), 2);
    // Floors are of totals: 1,003 and 1 pay what 1,004 pays.
    fill(&mut world, &shares, 1);
    world.send(Call::new([sweep], &[])).assert_ok();
    assert_eq!((earned(&world, &one), earned(&world, &other)), (502, 251));
    assert_eq!((world.balance(&operator), world.vault_balance()), (251, 753));
    assert_eq!(world.balance_of(&till::tokens(&shares, &currency)), 0);
}

#[test]
fn operator_cannot_block_a_sweep() {
    let (mut world, [one, other], operator, shares) = shared();
    let currency = world.currency;
    fill(&mut world, &shares, 1_000);
    // Its token account belongs to another key now.
    let thief = world.person();
    world.set(currency.tokens(&operator.key()), token_account(&currency, &thief.key(), 0));
    let sweep = till::sweep(&shares, &currency, Some(operator.key()));
    let refused = world.send(Call::new([sweep.clone()], &[]));
    refused.assert_err(ErrorCode::ConstraintTokenOwner);
    let without = till::sweep(&shares, &currency, None);
    world.send(Call::new([without.clone()], &[])).assert_ok();
    let earned = |work| world.earnings(work).earnings.earned;
    assert_eq!((earned(&one), earned(&other)), (500, 250));
    assert_eq!(world.balance_of(&till::tokens(&shares, &currency)), 250);
    world.send(Call::new([without], &[])).assert_err(PaymentsError::EmptyTill);
    world.set(currency.tokens(&operator.key()), token_account(&currency, &operator.key(), 0));
    world.send(Call::new([sweep], &[])).assert_ok();
    assert_eq!((world.balance(&operator), world.balance(&thief)), (250, 0));
}

#[test]
fn operators_part_goes_to_its_fee_owner() {
    let (mut world, _, operator, shares) = shared();
    let (thief, currency) = (world.person(), world.currency);
    world.operator(&thief).register();
    fill(&mut world, &shares, 1_000);
    let sweep = || Call::new([till::sweep(&shares, &currency, Some(operator.key()))], &[]);
    let (own, thiefs) = (pda::operator(&operator.key()), pda::operator(&thief.key()));
    let redirected = sweep()
        .instead_of(own, thiefs)
        .instead_of(operator.key(), thief.key())
        .instead_of(currency.tokens(&operator.key()), currency.tokens(&thief.key()));
    world.send(redirected).assert_err(PaymentsError::InvalidOperatorAccount);
    let other_owner = sweep().instead_of(operator.key(), thief.key());
    world.send(other_owner).assert_err(ErrorCode::ConstraintHasOne);
    let other_tokens =
        sweep().instead_of(currency.tokens(&operator.key()), currency.tokens(&thief.key()));
    world.send(other_tokens).assert_err(ErrorCode::ConstraintTokenOwner);
    let no_tokens = sweep().instead_of(currency.tokens(&operator.key()), payments::ID);
    world.send(no_tokens).assert_err(PaymentsError::InvalidOperatorAccount);
    let no_operator = sweep().instead_of(own, payments::ID);
    world.send(no_operator).assert_err(PaymentsError::InvalidOperatorAccount);
    assert_eq!((world.balance(&thief), world.vault_balance()), (0, 0));
    world.send(sweep()).assert_ok();
}

#[test]
fn sweep_credits_each_works_earnings() {
    let (mut world, [one, other], operator, shares) = shared();
    fill(&mut world, &shares, 1_000);
    let (currency, mint) = (world.currency, world.currency.mint);
    let sweep = || Call::new([till::sweep(&shares, &currency, Some(operator.key()))], &[]);
    let swapped = sweep().changed(|calls| calls[0].accounts.swap(9, 10));
    let repeated = sweep().changed(|calls| calls[0].accounts[10] = calls[0].accounts[9].clone());
    let missing = sweep().changed(|calls| _ = calls[0].accounts.pop());
    let read_only = sweep().changed(|calls| calls[0].accounts[9].is_writable = false);
    let surplus = sweep().changed(|calls| {
        let last = calls[0].accounts[10].clone();
        calls[0].accounts.push(last);
    });
    for call in [swapped, repeated, missing, read_only, surplus] {
        world.send(call).assert_err(PaymentsError::InvalidEarningsAccounts);
    }
    let own = pda::earnings(&one.address, &mint);
    let foreign = sweep().instead_of(own, pda::vault(&mint));
    world.send(foreign).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    let earned = |work| world.earnings(work).earnings.earned;
    assert_eq!((earned(&one), earned(&other), world.vault_balance()), (0, 0, 0));
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
    let tokens = till::tokens(&work.till(), &currency);
    let (vault, vault_tokens) = (pda::vault(&mint), world.vault_tokens(&currency));
    let thief = world.person();
    let cases = [
        (pda::till(&work.till(), &mint), own, ErrorCode::AccountDiscriminatorMismatch),
        (tokens, till::tokens(&other.till(), &currency), ErrorCode::ConstraintTokenOwner),
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
