//! P14: remaining accounts are counted, and each is checked against its role.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::PaymentsError,
    licensing::{Derivatives, LicensingError, Purpose},
    pda,
};
use motif_tests::world::{OpenedChannel, RegisteredWork, World};
use solana_instruction::AccountMeta;

type Change<'a> = &'a dyn Fn(&mut Vec<AccountMeta>);

fn settled() -> (World, OpenedChannel, Vec<RegisteredWork>) {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let works: Vec<_> = (0..3).map(|_| world.licensed(&channel, 10).0).collect();
    world.settle(&channel, &[(0, 1), (1, 2), (2, 3)]).assert_ok();
    for work in &works {
        world.open_earnings(work);
    }
    (world, channel, works)
}

#[test]
fn wrong_earnings_accounts_are_rejected() {
    let (mut world, channel, works) = settled();
    let stranger = world.work().register();
    world.open_earnings(&stranger);
    let foreign = pda::earnings(&stranger.address, &world.currency.mint);
    let entries: Vec<_> = works.iter().enumerate().map(|(i, work)| (i as u16, work)).collect();
    let call = channel.collecting(&entries);
    let meta = call.instructions[0].accounts[1].clone();
    let changes: [Change; 5] = [
        &|accounts| accounts.swap(1, 2),
        &|accounts| accounts[2] = accounts[1].clone(),
        &|accounts| accounts.push(meta.clone()),
        &|accounts| accounts.truncate(3),
        &|accounts| accounts[3].pubkey = foreign,
    ];
    for change in changes {
        let call = call.clone().changed(|calls| change(&mut calls[0].accounts));
        world.send(call).assert_err(PaymentsError::InvalidEarningsAccounts);
    }
    assert!(works.iter().all(|work| world.earnings(work).earnings.earned == 0));
    assert_eq!(world.earnings(&stranger).earnings.earned, 0);
    world.send(call).assert_ok();
    let earned: Vec<_> = works.iter().map(|work| world.earnings(work).earnings.earned).collect();
    assert_eq!(earned, [10, 20, 30]);
}

#[test]
fn earnings_at_other_address_are_rejected() {
    let (mut world, channel, works) = settled();
    let own = pda::earnings(&works[0].address, &world.currency.mint);
    let mut copy = world.account(&own);
    copy.owner = licensing::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, copy);
    let call = channel.collecting(&[(0, &works[0])]).instead_of(own, elsewhere);
    world.send(call).assert_err(ErrorCode::AccountOwnedByWrongProgram);
    assert_eq!(world.read(&channel).channel.collected, 0);
}

#[test]
fn wrong_parent_accounts_are_rejected() {
    let mut world = World::new();
    let (one, other) = (world.work().register(), world.work().register());
    let stranger = world.person();
    let builder = world.work().parent(&one, 1_000).parent(&other, 1_000);
    let address = builder.address();
    let call = builder.call();
    let crossed = call.clone().changed(|calls| calls[0].accounts.swap(6, 8));
    // Each owner signs for the other's work.
    world.send(crossed).assert_err(LicensingError::MissingApproval);
    let foreign = call
        .instead_of(one.creator.key(), stranger.key())
        .unsigned_by(&one.creator)
        .signed_by(&stranger);
    world.send(foreign).assert_err(LicensingError::MissingApproval);
    assert!(world.find(&address).is_none());
}

/// A derivative by terms, by approval and by license: eight remaining accounts.
fn derivative_by_every_right() -> (World, motif_tests::world::Call, solana_pubkey::Pubkey) {
    let mut world = World::new();
    let channel = world.channel().open();
    let payer = channel.payer.clone();
    let (one, two) = (world.work().register(), world.work().register());
    world.terms(&one).publish();
    world.terms(&two).with(|offer| offer.derivatives = Derivatives::WithApproval).publish();
    world.send(two.approving(1, &payer, Purpose::Derivative)).assert_ok();
    let (three, license) = world.licensed(&channel, 10);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    let child = world.work().by(&payer).parent_by_terms(&one, 1, 1);
    let child = child.parent_by_approval(&two, 1, 1);
    let child = child.parent_by_license(&three, 1, 1, &channel, license);
    let (call, address) = (child.call(), child.address());
    (world, call, address)
}

#[test]
fn altered_parent_accounts_are_rejected() {
    let (mut world, call, address) = derivative_by_every_right();
    let first = call.instructions[0].accounts.len() - 8;
    for one in first..first + 8 {
        for other in first..one {
            let swapped = call.clone().changed(|calls| calls[0].accounts.swap(one, other));
            assert!(!world.send(swapped).is_ok(), "accounts {one} and {other} swapped");
        }
        let truncated = call.clone().changed(|calls| calls[0].accounts.truncate(one));
        assert!(!world.send(truncated).is_ok(), "nothing from account {one} on");
        let repeated = call.clone().changed(|calls| {
            let account = calls[0].accounts[one].clone();
            calls[0].accounts.insert(one, account);
        });
        assert!(!world.send(repeated).is_ok(), "account {one} repeated");
    }
    let extended = call.clone().changed(|calls| {
        let account = calls[0].accounts[first].clone();
        calls[0].accounts.push(account);
    });
    world.send(extended).assert_err(LicensingError::InvalidParentAccounts);
    let missing = call.clone().changed(|calls| calls[0].accounts.truncate(first + 7));
    world.send(missing).assert_err(LicensingError::InvalidParentAccounts);
    assert!(world.find(&address).is_none());
    world.send(call).assert_ok();
}
