//! Errors that no call causes in a correct program. Accounts are changed
//! directly to reach them.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{PaymentsError, write_statement_buffer},
    pda,
};
use motif_tests::world::{Call, OpenedChannel, World};
use payments::{Channel, Earnings, StatementBuffer};

/// Offsets of a channel's totals in its account.
const DEPOSITED: usize = 8 + std::mem::offset_of!(Channel, deposited);
const COLLECTED: usize = 8 + std::mem::offset_of!(Channel, collected);
const STATEMENTS: usize = 8 + std::mem::offset_of!(Channel, statements);

fn settled() -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().deposited(10_000).open();
    let (_, license) = world.licensed(&channel, 100);
    world.settle(&channel, &[(license, 10)]).assert_ok();
    (world, channel)
}

fn write(world: &mut World, channel: &OpenedChannel, offset: usize, value: u64) {
    world.operate(&channel.address, |data| {
        data[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    });
}

#[test]
fn corrupted_offsets_are_right() {
    let (mut world, channel) = settled();
    write(&mut world, &channel, DEPOSITED, 77);
    write(&mut world, &channel, COLLECTED, 78);
    write(&mut world, &channel, STATEMENTS, 79);
    let state = world.read(&channel).channel;
    assert_eq!((state.deposited, state.collected, state.statements.length), (77, 78, 79));
}

#[test]
fn overdrawn_channel_pays_no_fees() {
    let (mut world, channel) = settled();
    write(&mut world, &channel, DEPOSITED, 1_009);
    let closing = world.send(channel.closing_by(&channel.payer));
    closing.assert_err(PaymentsError::ChargedAboveDeposit);
    let fees = world.send(channel.claiming_fees());
    fees.assert_err(PaymentsError::ChargedAboveDeposit);
    assert_eq!(world.balance(&channel.operator), 0);
}

#[test]
fn overcollected_channel_pays_no_fees() {
    let (mut world, channel) = settled();
    write(&mut world, &channel, COLLECTED, 1_011);
    let fees = world.send(channel.claiming_fees());
    fees.assert_err(PaymentsError::CollectedAboveCharged);
    assert_eq!(world.balance(&channel.operator), 0);
}

#[test]
fn broken_channel_length_is_rejected() {
    let (mut world, channel) = settled();
    let call = world.statement(&channel, &[(0, 1)]).call();
    world.operate(&channel.address, |data| data.push(0));
    world.send(call.clone()).assert_err(PaymentsError::InvalidChannelData);
    let (mut world, channel) = settled();
    let call = world.statement(&channel, &[(0, 1)]).call();
    world.operate(&channel.address, |data| data.truncate(Channel::HEADER_SPACE - 8));
    world.send(call).assert_err(PaymentsError::InvalidChannelData);
}

#[test]
fn broken_earnings_length_is_rejected() {
    for change in [
        |data: &mut Vec<u8>| data.push(0),
        |data: &mut Vec<u8>| data.truncate(Earnings::HEADER_SPACE + 20),
    ] {
        let (mut world, channel) = settled();
        let (work, license) = world.licensed(&channel, 100);
        world.open_earnings(&work);
        world.settle(&channel, &[(license, 1)]).assert_ok();
        world.collect(&channel, &[(license, &work)]).assert_ok();
        world.operate(&pda::earnings(&work.address, &world.currency.mint), change);
        let recipient = &work.recipients[0];
        world.claim(&work, recipient).assert_err(PaymentsError::InvalidEarningsData);
        assert_eq!(world.balance(recipient), 0);
    }
}

#[test]
fn full_statement_record_is_rejected() {
    let (mut world, channel) = settled();
    write(&mut world, &channel, STATEMENTS, (1 << 24) - 1);
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::StatementLimitReached);
    assert_eq!(world.read(&channel).channel.prices, 1_000);
}

#[test]
fn overflowing_fee_total_is_rejected() {
    let (mut world, channel) = settled();
    let prices = 8 + std::mem::offset_of!(Channel, prices);
    write(&mut world, &channel, prices, u64::MAX);
    world.send(channel.claiming_fees()).assert_err(PaymentsError::Overflow);
    assert_eq!(world.balance_of(&world.vault_tokens(&world.currency)), 10_000);
    assert!(world.find(&pda::vault(&world.currency.mint)).is_some());
}

#[test]
fn cut_statement_buffer_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().deposited(10_000).open();
    let (_, license) = world.licensed(&channel, 100);
    let statement = world.statement(&channel, &[(license, 1)]);
    for part in statement.buffer_instructions() {
        world.send(part).assert_ok();
    }
    let operator = &channel.operator;
    let address = pda::statement_buffer(&channel.address, &operator.key());
    world.operate(&address, |data| data.truncate(StatementBuffer::HEADER_SPACE - 1));
    let part = write_statement_buffer(&operator.key(), &channel.address, 0, vec![0]);
    let part = world.send(Call::new([part], &[operator]));
    part.assert_err(PaymentsError::InvalidStatementBuffer);
    world.send(statement.buffered_call()).assert_err(ErrorCode::AccountDidNotDeserialize);
    assert_eq!(world.read(&channel).channel.prices, 0);
}
