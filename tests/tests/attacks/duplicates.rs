//! P13: one account in two places.

use anchor_lang::error::ErrorCode;
use motif_sdk::channel::PaymentsError;
use motif_tests::world::World;

use super::{licensed, nothing_settled};

#[test]
fn a_payer_that_is_its_own_operator_takes_nothing_from_anybody() {
    let mut world = World::new();
    let payer = world.person();
    let channel = world.channel().payer(&payer).operator(&payer).fee(5_000).open();
    let (work, licence) = world.licensed(&channel, 10);
    world.settle(&channel, &[(licence, 25)]).assert_ok();
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!(world.balance(&payer), 125);
    world.send(channel.closing_by(&payer)).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&payer), 1_000_000 - 250);
    world.open_earnings(&work);
    world.collect(&channel, &[(licence, &work)]).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (250, 0));
}

#[test]
fn a_licence_twice_in_one_statement_is_not_charged_twice() {
    let (mut world, channel, _) = licensed();
    let twice = world.settle(&channel, &[(0, 5), (0, 5)]);
    twice.assert_err(PaymentsError::StatementMalformed);
    nothing_settled(&world, &channel);
}

#[test]
fn a_vault_that_pays_itself_pays_nothing() {
    let (mut world, channel, work) = licensed();
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    let recipient = work.recipients[0].clone();
    let vault_tokens = world.vault_tokens(&world.currency);
    let currency = world.currency;
    let claim =
        motif_sdk::earnings::claim_to(&work.address, &recipient.key(), &currency, vault_tokens);
    let claim = motif_tests::world::Call::new([claim], &[&recipient]);
    world.send(claim).assert_err(PaymentsError::DestinationIsVault);
    let own = currency.tokens(&channel.operator.key());
    let fees = channel.claiming_fees().instead_of(own, vault_tokens);
    world.send(fees).assert_err(ErrorCode::ConstraintDuplicateMutableAccount);
    assert_eq!(world.vault_balance(), 1_000_000);
}

#[test]
fn a_work_that_is_licensed_twice_is_paid_for_both() {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let work = world.work().register();
    let terms = world.terms(&work).price(10).publish();
    let licences = [world.accept(&channel, &terms), world.accept(&channel, &terms)];
    world.settle(&channel, &[(licences[0], 1), (licences[1], 2)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(licences[1], &work), (licences[0], &work)]).assert_ok();
    assert_eq!(world.earnings(&work).earnings.earned, 30);
}
