use anchor_lang::error::ErrorCode;
use licensing::WorkStatus;
use motif_sdk::{
    channel::{PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    earnings::{claim, claim_batch, claim_to},
    pda,
};
use motif_tests::world::{Call, Person, RegisteredWork, World, token_account};

use super::FROZEN;

/// A work with two recipients and earnings of 1,001.
fn earned() -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let channel = world.channel().deposited(1_001).fee(0).open();
    let terms = world.terms(&work).price(1_001).publish();
    let license = world.accept(&channel, &terms);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(license, &work)]).assert_ok();
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
fn claim_pays_recipients_own_account() {
    let (mut world, work) = earned();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (500, 501));
    assert_eq!(world.balance(&work.recipients[1]), 0);
}

#[test]
fn recipient_is_paid_once() {
    let (mut world, work) = earned();
    world.claim(&work, &work.recipients[0]).assert_ok();
    let again = world.claim(&work, &work.recipients[0]);
    again.assert_err(PaymentsError::NothingToClaim);
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (500, 501));
}

#[test]
fn creator_is_no_recipient_by_default() {
    let (mut world, work) = earned();
    world.claim(&work, &work.creator).assert_err(PaymentsError::RecipientNotFound);
    let stranger = world.person();
    world.claim(&work, &stranger).assert_err(PaymentsError::RecipientNotFound);
    nothing_paid(&world, &work);
}

#[test]
fn signing_recipient_picks_destination() {
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
fn unsigned_claim_needs_canonical_account() {
    let (mut world, work) = earned();
    let [recipient, other] = &work.recipients[..] else { panic!("two recipients") };
    let currency = world.currency;
    let own = currency.tokens(&recipient.key());
    // Another owner's account, and a second account of its own.
    let second = world.person().key();
    world.set(second, token_account(&currency, &recipient.key(), 0));
    for destination in [currency.tokens(&other.key()), second] {
        let call = call(&world, &work, recipient).instead_of(own, destination);
        world.send(call).assert_err(PaymentsError::DestinationNotCanonical);
    }
    nothing_paid(&world, &work);
}

#[test]
fn given_away_account_is_not_paid() {
    let (mut world, work) = earned();
    let recipient = &work.recipients[0];
    let thief = world.person();
    let currency = world.currency;
    let own = currency.tokens(&recipient.key());
    world.set(own, token_account(&currency, &thief.key(), 0));
    // The account's new owner is not a recipient.
    world.claim(&work, recipient).assert_err(PaymentsError::DestinationNotCanonical);
    assert_eq!((world.balance_of(&own), world.vault_balance()), (0, 1_001));
}

#[test]
fn frozen_account_stays_claimable() {
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
fn missing_account_stays_claimable() {
    let (mut world, work) = earned();
    let recipient = &work.recipients[0];
    let own = world.currency.tokens(&recipient.key());
    let account = world.account(&own);
    world.set(own, solana_account::Account::default());
    let refused = world.claim(&work, recipient);
    refused.assert_err(PaymentsError::DestinationNotCanonical);
    world.set(own, account);
    world.claim(&work, recipient).assert_ok();
    assert_eq!(world.balance(recipient), 500);
}

#[test]
fn empty_earnings_pay_nothing() {
    let mut world = World::new();
    let work = world.work().register();
    world.open_earnings(&work);
    world.claim(&work, &work.recipients[0]).assert_err(PaymentsError::NothingToClaim);
}

#[test]
fn claim_accounts_are_pinned() {
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
    let other_work = world.work().register();
    let cases = [
        (currency.mint, other.mint, ErrorCode::ConstraintHasOne),
        (earnings, elsewhere, ErrorCode::AccountOwnedByWrongProgram),
        (earnings, vault, ErrorCode::AccountDiscriminatorMismatch),
        (work.address, other_work.address, ErrorCode::ConstraintHasOne),
        (vault, pda::vault(&other.mint), ErrorCode::ConstraintHasOne),
        (vault, earnings, ErrorCode::AccountDiscriminatorMismatch),
        (vault_tokens, thiefs, ErrorCode::ConstraintAddress),
        (vault_tokens, world.vault_tokens(&other), ErrorCode::ConstraintAddress),
        (TOKEN_PROGRAM, TOKEN_2022_PROGRAM, ErrorCode::ConstraintHasOne),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work, recipient).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    let cases = [
        (other.tokens(&recipient.key()), PaymentsError::DestinationNotCanonical),
        (vault_tokens, PaymentsError::DestinationIsVault),
        (currency.mint, PaymentsError::DestinationNotCanonical),
        (recipient.key(), PaymentsError::DestinationNotCanonical),
    ];
    for (other, expected) in cases {
        let call = call(&world, &work, recipient).instead_of(own, other);
        world.send(call).assert_err(expected);
    }
    nothing_paid(&world, &work);
}

#[test]
fn claim_pays_in_vault_mint_only() {
    let (mut world, work) = earned();
    let recipient = work.recipients[0].clone();
    let other = world.other_currency();
    world.fund(&recipient, &other, 0);
    let currency = world.currency;
    let destination = other.tokens(&recipient.key());
    let call = claim_to(&work.address, &recipient.key(), &currency, destination);
    world.send(Call::new([call], &[&recipient])).assert_err((TOKEN_PROGRAM, 3));
    nothing_paid(&world, &work);
}

#[test]
fn foreign_signature_is_rejected() {
    let (mut world, work) = earned();
    let [recipient, other] = &work.recipients[..] else { panic!("two recipients") };
    let currency = world.currency;
    let destination = currency.tokens(&other.key());
    let call = claim_to(&work.address, &recipient.key(), &currency, destination);
    let unsigned = Call::new([call], &[recipient]).unsigned_by(recipient);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    let stranger = world.person();
    let call = claim_to(&work.address, &stranger.key(), &currency, destination);
    world.send(Call::new([call], &[&stranger])).assert_err(PaymentsError::RecipientNotFound);
    nothing_paid(&world, &work);
}

#[test]
fn batch_pays_each_recipient_once() {
    let (mut world, work) = earned();
    let [one, other] = &work.recipients[..] else { panic!("two recipients") };
    world.claim_all(&work, &[one, other, one]).assert_ok();
    assert_eq!((world.balance(one), world.balance(other), world.vault_balance()), (500, 500, 1));
    let again = world.claim_all(&work, &[one, other]);
    again.assert_err(PaymentsError::NothingToClaim);
}

#[test]
fn zero_claim_blocks_no_batch() {
    let (mut world, work) = earned();
    let [one, other] = &work.recipients[..] else { panic!("two recipients") };
    world.claim(&work, one).assert_ok();
    world.claim_all(&work, &[one, other]).assert_ok();
    assert_eq!((world.balance(one), world.balance(other)), (500, 500));
}

#[test]
fn wrong_position_hint_is_harmless() {
    let (mut world, work) = earned();
    let currency = world.currency;
    for (position, recipient) in [(255, &work.recipients[0]), (0, &work.recipients[1])] {
        let claim = claim_batch(&work.address, &[(position, recipient.key())], &currency);
        world.send(Call::new([claim], &[])).assert_ok();
        assert_eq!(world.balance(recipient), 500);
    }
}

#[test]
fn wrong_bump_is_rejected() {
    let (mut world, work) = earned();
    let claim = call(&world, &work, &work.recipients[0]);
    let bump = claim.instructions[0].data.len() - 1;
    for wrong in [1, 2, 128] {
        let claim = claim.clone().changed(|calls| {
            calls[0].data[bump] = calls[0].data[bump].wrapping_sub(wrong);
        });
        world.send(claim).assert_err(PaymentsError::DestinationNotCanonical);
    }
    nothing_paid(&world, &work);
}

#[test]
fn destination_count_must_match() {
    let (mut world, work) = earned();
    let [one, other] = &work.recipients[..] else { panic!("two recipients") };
    let both = world.claiming(&work, &[one, other]);
    let fewer = both.clone().changed(|calls| calls[0].accounts.truncate(8));
    world.send(fewer).assert_err(PaymentsError::InvalidDestinations);
    let more = both.changed(|calls| {
        let last = calls[0].accounts[7].clone();
        calls[0].accounts.push(last);
    });
    world.send(more).assert_err(PaymentsError::InvalidDestinations);
    nothing_paid(&world, &work);
    let empty = world.claiming(&work, &[]);
    world.send(empty).assert_err(PaymentsError::NothingToClaim);
}

#[test]
fn dispute_pays_earlier_earnings() {
    let (mut world, work) = earned();
    world.set_status(&work, WorkStatus::Disputed);
    let refused = world.claim(&work, &work.recipients[0]);
    refused.assert_err(PaymentsError::DisputeNotApplied);
    nothing_paid(&world, &work);
    world.apply_dispute(&work).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
    // A withdrawn work still pays.
    world.set_status(&work, WorkStatus::Withdrawn);
    world.claim(&work, &work.recipients[1]).assert_ok();
}

#[test]
fn unapplied_split_pays_old_shares() {
    let (mut world, work) = earned();
    let [one, other] = &work.recipients[..] else { panic!("two recipients") };
    world.resplit(&work, &[(one, 1), (other, 9_999)]);
    world.claim(&work, one).assert_ok();
    assert_eq!(world.balance(one), 500);
    world.apply_split(&work).assert_ok();
    world.claim(&work, one).assert_err(PaymentsError::NothingToClaim);
}

#[test]
fn unapplied_verdict_pays_nothing() {
    let (mut world, work) = earned();
    let claimant = world.person();
    world.uphold(&work, &claimant);
    let refused = world.claim(&work, &work.recipients[0]);
    refused.assert_err(PaymentsError::SplitNotApplied);
    nothing_paid(&world, &work);
}

#[test]
fn vault_gift_is_not_claimable() {
    let (mut world, work) = earned();
    world.gift_to_vault(10_000);
    world.claim(&work, &work.recipients[0]).assert_ok();
    world.claim(&work, &work.recipients[1]).assert_ok();
    let again = world.claim(&work, &work.recipients[0]);
    again.assert_err(PaymentsError::NothingToClaim);
    assert_eq!(world.vault_balance(), 10_001);
}
