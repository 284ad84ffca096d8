//! P13: one account in two positions.

use anchor_lang::error::ErrorCode;
use motif_sdk::{channel::PaymentsError, licensing::Verdict, pda};
use motif_tests::world::World;

use super::{licensed, nothing_settled};

#[test]
fn self_operated_channel_takes_nothing() {
    let mut world = World::new();
    let payer = world.person();
    let channel = world.channel().payer(&payer).operator(&payer).fee(5_000).open();
    let (work, license) = world.licensed(&channel, 10);
    world.settle(&channel, &[(license, 25)]).assert_ok();
    world.send(channel.claiming_fees()).assert_ok();
    assert_eq!(world.balance(&payer), 125);
    world.send(channel.closing_by(&payer)).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&payer), 1_000_000 - 250);
    world.open_earnings(&work);
    world.collect(&channel, &[(license, &work)]).assert_ok();
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (250, 0));
}

#[test]
fn duplicate_license_entry_is_rejected() {
    let (mut world, channel, _) = licensed();
    let twice = world.settle(&channel, &[(0, 5), (0, 5)]);
    twice.assert_err(PaymentsError::InvalidStatement);
    nothing_settled(&world, &channel);
}

#[test]
fn vault_as_destination_is_rejected() {
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
fn two_licenses_of_work_both_pay() {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let work = world.work().register();
    let terms = world.terms(&work).price(10).publish();
    let licenses = [world.accept(&channel, &terms), world.accept(&channel, &terms)];
    world.settle(&channel, &[(licenses[0], 1), (licenses[1], 2)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(licenses[1], &work), (licenses[0], &work)]).assert_ok();
    assert_eq!(world.earnings(&work).earnings.earned, 30);
}

#[test]
fn same_signer_everywhere_signs_once() {
    let mut world = World::new();
    let parent = world.work().register();
    let creator = parent.creator.clone();
    let child = world.work().by(&creator).of(&creator).parent(&parent, 1_000);
    let child = child.with(|work| work.content_digest = [1; 32]).register();
    let stored = world.read_work(&child);
    assert_eq!((stored.owner, stored.parents.len()), (creator.key(), 1));
    assert_eq!(stored.consent.unwrap().person, creator.key());
}

#[test]
fn arbiter_as_party_gets_partys_pay() {
    let mut world = World::new();
    let host = world.host.clone();
    let (work, claimant) = (world.work().by(&host).register(), world.person());
    world.send(work.disputing_by(&claimant)).assert_ok();
    let before = world.lamports(&host);
    let call = work.deciding(&host, &claimant, Verdict::Rejected);
    let fee = world.send(call).assert_ok().fee;
    assert_eq!(world.lamports(&host), before + World::BOND - fee);
}

#[test]
fn dispute_as_winner_is_rejected() {
    let mut world = World::new();
    let (work, claimant) = world.disputed();
    let host = world.host.clone();
    let dispute = pda::dispute(&work.address);
    let call = work.deciding(&host, &claimant, Verdict::Rejected);
    for party in [work.creator.key(), claimant.key()] {
        let call = call.clone().instead_of(party, dispute);
        world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    }
}
