use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{INSTRUCTIONS_SYSVAR, PaymentsError},
    licensing::Caps,
    pda,
};
use motif_tests::world::{OpenedChannel, SignedStatement, World};
use payments::{Channel, StatementBuffer};
use solana_compute_budget_interface::ComputeBudgetInstruction;

/// A channel with 150 licenses at 10 base units each, more than fit a packet's statement.
pub(super) fn licensed() -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    take_on(&mut world, &channel);
    (world, channel)
}

fn take_on(world: &mut World, channel: &OpenedChannel) {
    let work = world.work().register();
    let terms = world.terms(&work).price(10).publish();
    for _ in 0..150 {
        world.accept(channel, &terms);
    }
}

fn one_of_each(world: &World, channel: &OpenedChannel) -> SignedStatement {
    let entries: Vec<_> = (0..150).map(|license| (license, 1)).collect();
    world.statement(channel, &entries)
}

fn stage(world: &mut World, statement: &SignedStatement) {
    for part in statement.buffer_instructions() {
        assert!(world.packet_bytes(&part) <= 1_232);
        world.send(part).assert_ok();
    }
}

#[test]
fn large_statement_settles_and_cleans_up() {
    let (mut world, channel) = licensed();
    let statement = one_of_each(&world, &channel);
    assert!(world.packet_bytes(&statement.call()) > 1_232);
    stage(&mut world, &statement);
    let call = statement.buffered_call();
    assert!(world.packet_bytes(&call) <= 1_232);
    world.send(call).assert_ok();
    let state = world.read(&channel);
    assert_eq!((state.channel.prices, state.channel.statements.length), (1_500, 1));
    assert!(state.licenses.iter().all(|license| license.units == 1));
    assert!(
        world.find(&pda::statement_buffer(&channel.address, &channel.operator.key())).is_none()
    );
}

#[test]
fn buffered_record_equals_direct() {
    let (mut world, channel) = licensed();
    let statement = world.statement(&channel, &[(0, 5)]);
    stage(&mut world, &statement);
    let direct = {
        let mut world = licensed().0;
        world.send(statement.call()).assert_ok();
        world.read(&channel).channel.statements
    };
    world.send(statement.buffered_call()).assert_ok();
    assert_eq!(world.read(&channel).channel.statements, direct);
}

#[test]
fn altered_buffer_is_rejected() {
    let (mut world, channel) = licensed();
    let statement = one_of_each(&world, &channel);
    stage(&mut world, &statement);
    let address = pda::statement_buffer(&channel.address, &channel.operator.key());
    for length in [Some(899), Some(894), None] {
        let account = world.account(&address);
        let mut other = account.clone();
        match length {
            Some(length) => other.data.truncate(payments::StatementBuffer::space(length)),
            None => other.data.push(0),
        }
        world.set(address, other);
        let refused = world.send(statement.buffered_call());
        refused.assert_err(PaymentsError::StatementDigestMismatch);
        world.set(address, account);
    }
    assert_eq!(world.read(&channel).channel.prices, 0);
    world.send(statement.buffered_call()).assert_ok();
}

#[test]
fn largest_statement_of_dearest_licenses_settles() {
    let mut world = World::new();
    let channel = world.channel().fee(0).open();
    let work = world.work().register();
    let caps = |total| Caps {
        total_units: Some(total),
        daily_units: Some(90),
        licensee_units: Some(100),
        revenue: Some(total * 10),
    };
    let terms = world.terms(&work).with(|offer| offer.caps = caps(1_000_000)).publish();
    world.accept_quota(&channel, &terms, 100, 1_000);
    // As many licenses as a statement may name, each with its own quota and its price.
    let count = StatementBuffer::MAX_ENTRIES as u64;
    world.operate(&channel.address, |data| {
        let license = data[Channel::HEADER_SPACE..].to_vec();
        data.extend(license.repeat(count as usize - 1));
        let header = &mut data[8..Channel::HEADER_SPACE];
        let mut channel: Channel = bytemuck::pod_read_unaligned(header);
        channel.deposited += (count - 1) * channel.earmarked;
        channel.earmarked *= count;
        channel.quotas_held = count as u32;
        header.copy_from_slice(bytemuck::bytes_of(&channel));
    });
    // On a later day, which is dearer than the first.
    world.pass(2 * 86_400);
    let entries: Vec<_> = (0..count as u16).map(|license| (license, 95)).collect();
    let statement = world.statement(&channel, &entries);
    for part in statement.buffer_instructions() {
        world.send(part).assert_ok();
    }
    let budget = ComputeBudgetInstruction::set_compute_unit_limit(1_400_000);
    let call = statement.buffered_call().changed(|calls| calls.insert(0, budget));
    let units = world.send(call).assert_ok().units_of(&payments::ID);
    println!("settle_buffered, {count} licenses with every cap: {units} CU");
    let state = world.read(&channel).channel;
    assert_eq!((state.prices, state.earmarked), (count * 950, count * 50));
}

#[test]
fn buffered_settlers_are_the_same() {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().fee(0).watched_by(&watcher).open();
    take_on(&mut world, &channel);
    let statement = one_of_each(&world, &channel).sent_by(&watcher);
    stage(&mut world, &statement);
    world.send(statement.buffered_call()).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds / 2);
    world.send(statement.buffered_call()).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 1_500);
}

#[test]
fn buffered_settlement_needs_proof() {
    let (mut world, channel) = licensed();
    let statement = one_of_each(&world, &channel);
    stage(&mut world, &statement);
    let alone = statement.buffered_call().changed(|calls| drop(calls.remove(0)));
    world.send(alone).assert_err(PaymentsError::MissingVoucherProof);
    assert_eq!(world.read(&channel).channel.prices, 0);
}

#[test]
fn buffered_accounts_are_pinned() {
    let (mut world, channel) = licensed();
    let other = world.channel().operator(&channel.operator).open();
    let statement = one_of_each(&world, &channel);
    stage(&mut world, &statement);
    let mut others = statement.clone();
    others.voucher.channel = other.address;
    stage(&mut world, &others);
    let operator = channel.operator.key();
    let own = pda::statement_buffer(&channel.address, &operator);
    let fake_sysvar = world.person().key();
    let cases = [
        (INSTRUCTIONS_SYSVAR, fake_sysvar, ErrorCode::ConstraintAddress),
        (own, pda::statement_buffer(&other.address, &operator), ErrorCode::ConstraintHasOne),
        (own, other.address, ErrorCode::AccountDiscriminatorMismatch),
        (own, pda::config(), ErrorCode::AccountOwnedByWrongProgram),
        (channel.address, own, ErrorCode::AccountDiscriminatorMismatch),
    ];
    for (account, other, expected) in cases {
        let call = statement.buffered_call().instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    let unsigned = statement.buffered_call().unsigned_by(&channel.operator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(world.read(&channel).channel.prices, 0);
}
