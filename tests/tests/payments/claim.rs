use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    earnings::{claim, claim_to},
    pda,
};
use motif_tests::world::{Call, Person, RegisteredWork, World, token_account};

use super::FROZEN;

/// A work of two that has earned 1,001.
fn earned() -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let channel = world.channel().deposited(1_001).fee(0).open();
    let terms = world.terms(&work).price(1_001).publish();
    let licence = world.accept(&channel, &terms);
    world.settle(&channel, &[(licence, 1)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(licence, &work)]).assert_ok();
    (world, work)
}

fn call(world: &World, work: &RegisteredWork, recipient: &Person) -> Call {
    Call::new([claim(&work.address, &recipient.key(), &world.currency)], &[])
}

#[track_caller]
fn nothing_paid(world: &World, work: &RegisteredWork) {
    assert_eq!(world.vault_balance(), 1_001);
    assert!(world.earnings(work).recipients.iter().all(|part| part.taken == 0));
    assert!(work.recipients.iter().all(|person| world.balance(person) == 0));
}

#[test]
fn anybody_has_a_recipient_paid_at_its_own_account() {
    let (mut world, work) = earned();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (500, 501));
    assert_eq!(world.balance(&work.recipients[1]), 0);
}

#[test]
fn a_recipient_is_paid_once() {
    let (mut world, work) = earned();
    world.claim(&work, &work.recipients[0]).assert_ok();
    let again = world.claim(&work, &work.recipients[0]);
    again.assert_err(PaymentsError::NothingToClaim);
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (500, 501));
}

#[test]
fn the_creator_of_a_work_is_no_recipient_by_that() {
    let (mut world, work) = earned();
    world.claim(&work, &work.creator).assert_err(PaymentsError::NotARecipient);
    let stranger = world.person();
    world.claim(&work, &stranger).assert_err(PaymentsError::NotARecipient);
    nothing_paid(&world, &work);
}

#[test]
fn a_recipient_that_signs_is_paid_wherever_it_says() {
    let (mut world, work) = earned();
    let [recipient, _] = &work.recipients[..] else { panic!("two recipients") };
    let friend = world.person();
    let currency = world.currency;
    let destination = currency.tokens(&friend.key());
    let call = claim_to(&work.address, &recipient.key(), &currency, destination);
    world.send(Call::new([call], &[recipient])).assert_ok();
    assert_eq!((world.balance(&friend), world.balance(recipient)), (500, 0));
}

#[test]
fn without_its_signature_a_recipient_is_paid_nowhere_else() {
    let (mut world, work) = earned();
    let [recipient, other] = &work.recipients[..] else { panic!("two recipients") };
    let currency = world.currency;
    let own = currency.tokens(&recipient.key());
    // Another's account, and a second one of its own.
    let second = world.person().key();
    world.set(second, token_account(&currency, &recipient.key(), 0));
    for destination in [currency.tokens(&other.key()), second] {
        let call = call(&world, &work, recipient).instead_of(own, destination);
        world.send(call).assert_err(PaymentsError::DestinationNotCanonical);
    }
    nothing_paid(&world, &work);
}

#[test]
fn a_canonical_account_that_was_given_away_is_not_paid() {
    let (mut world, work) = earned();
    let recipient = &work.recipients[0];
    let thief = world.person();
    let currency = world.currency;
    let own = currency.tokens(&recipient.key());
    world.set(own, token_account(&currency, &thief.key(), 0));
    let refused = world.claim(&work, recipient);
    refused.assert_err(PaymentsError::DestinationNotCanonical);
    assert_eq!((world.balance_of(&own), world.vault_balance()), (0, 1_001));
}

#[test]
fn a_frozen_account_is_not_paid_and_its_money_stays_claimable() {
    let (mut world, work) = earned();
    let recipient = &work.recipients[0];
    let own = world.currency.tokens(&recipient.key());
    let thawed = world.account(&own);
    let mut frozen = thawed.clone();
    frozen.data[108] = 2;
    world.set(own, frozen);
    world.claim(&work, recipient).assert_err(FROZEN);
    world.claim(&work, &work.recipients[1]).assert_ok();
    world.set(own, thawed);
    world.claim(&work, recipient).assert_ok();
    assert_eq!(world.balance(recipient), 500);
}

#[test]
fn an_account_that_does_not_exist_is_not_paid_and_its_money_stays_claimable() {
    let (mut world, work) = earned();
    let recipient = &work.recipients[0];
    let own = world.currency.tokens(&recipient.key());
    let account = world.account(&own);
    world.set(own, solana_account::Account::default());
    world.claim(&work, recipient).assert_err(ErrorCode::AccountNotInitialized);
    world.set(own, account);
    world.claim(&work, recipient).assert_ok();
    assert_eq!(world.balance(recipient), 500);
}

#[test]
fn a_work_that_earned_nothing_pays_nothing() {
    let mut world = World::new();
    let work = world.work().register();
    world.open_earnings(&work);
    world.claim(&work, &work.recipients[0]).assert_err(PaymentsError::NothingToClaim);
}

#[test]
fn every_account_of_a_claim_is_pinned() {
    let (mut world, work) = earned();
    let recipient = &work.recipients[0];
    let other = world.other_currency();
    let currency = world.currency;
    world.fund(recipient, &other, 0);
    let own = currency.tokens(&recipient.key());
    let earnings = pda::earnings(&work.address, &currency.mint);
    let (vault, vault_tokens) = (pda::vault(&currency.mint), world.vault_tokens(&currency));
    let thiefs = currency.tokens(&world.person().key());
    let mut forged = world.account(&earnings);
    forged.owner = licensing::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let cases = [
        (currency.mint, other.mint, ErrorCode::ConstraintHasOne),
        (own, other.tokens(&recipient.key()), ErrorCode::ConstraintTokenMint),
        (earnings, elsewhere, ErrorCode::AccountOwnedByWrongProgram),
        (earnings, vault, ErrorCode::AccountDiscriminatorMismatch),
        (vault, pda::vault(&other.mint), ErrorCode::ConstraintHasOne),
        (vault, earnings, ErrorCode::AccountDiscriminatorMismatch),
        (vault_tokens, thiefs, ErrorCode::ConstraintTokenOwner),
        (vault_tokens, world.vault_tokens(&other), ErrorCode::ConstraintTokenOwner),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintHasOne),
        (own, vault_tokens, ErrorCode::ConstraintDuplicateMutableAccount),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work, recipient).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_paid(&world, &work);
}

#[test]
fn a_gift_to_the_vault_is_nobodys() {
    let (mut world, work) = earned();
    world.gift_to_vault(10_000);
    world.claim(&work, &work.recipients[0]).assert_ok();
    world.claim(&work, &work.recipients[1]).assert_ok();
    let again = world.claim(&work, &work.recipients[0]);
    again.assert_err(PaymentsError::NothingToClaim);
    assert_eq!(world.vault_balance(), 10_001);
}
