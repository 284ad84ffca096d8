//! Writing and closing statement buffers: `create_statement_buffer`, `write_statement_buffer` and
//! `close_statement_buffer`.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{
        PaymentsError, StatementBuffer, buffer_statement, close_statement_buffer,
        write_statement_buffer,
    },
    pda,
};
use motif_tests::world::{Call, OpenedChannel, Person, World};

use super::EXISTS;

fn opened() -> (World, OpenedChannel, Call) {
    let mut world = World::new();
    let channel = world.channel().open();
    let open = buffer_statement(&channel.operator.key(), &channel.address, &[]);
    let open = Call::new(open, &[&channel.operator]);
    world.send(open.clone()).assert_ok();
    (world, channel, open)
}

fn part(channel: &OpenedChannel, offset: u32, bytes: &[u8]) -> Call {
    let operator = &channel.operator;
    let part = write_statement_buffer(&operator.key(), &channel.address, offset, bytes.to_vec());
    Call::new([part], &[operator])
}

fn staged(world: &World, channel: &OpenedChannel) -> Vec<u8> {
    let address = pda::statement_buffer(&channel.address, &channel.operator.key());
    world.account(&address).data.split_off(StatementBuffer::HEADER_SPACE)
}

#[test]
fn parts_append_and_overwrite() {
    let (mut world, channel, _) = opened();
    assert!(staged(&world, &channel).is_empty());
    world.send(part(&channel, 0, b"abcdef")).assert_ok();
    world.send(part(&channel, 6, b"ghi")).assert_ok();
    world.send(part(&channel, 2, b"CD")).assert_ok();
    assert_eq!(staged(&world, &channel), b"abCDefghi");
}

#[test]
fn part_beyond_bounds_is_rejected() {
    let (mut world, channel, _) = opened();
    world.send(part(&channel, 0, b"abc")).assert_ok();
    for offset in [4, 5, u32::MAX] {
        let refused = world.send(part(&channel, offset, b"d"));
        refused.assert_err(PaymentsError::InvalidBufferPart);
    }
    assert_eq!(staged(&world, &channel), b"abc");
    let address = pda::statement_buffer(&channel.address, &channel.operator.key());
    let last = StatementBuffer::MAX_BYTES as u32 - 1;
    world.operate(&address, |data| {
        data.resize(StatementBuffer::HEADER_SPACE + StatementBuffer::MAX_BYTES - 1, 0)
    });
    let refused = world.send(part(&channel, last, b"de"));
    refused.assert_err(PaymentsError::InvalidBufferPart);
    world.send(part(&channel, last, b"d")).assert_ok();
    assert_eq!(staged(&world, &channel).len(), StatementBuffer::MAX_BYTES);
}

#[test]
fn second_buffer_is_rejected() {
    let (mut world, _, open) = opened();
    world.send(open).assert_err(EXISTS);
}

#[test]
fn foreign_buffer_is_rejected() {
    let (mut world, channel, _) = opened();
    world.send(part(&channel, 0, b"abc")).assert_ok();
    let operator = &channel.operator;
    let stranger: Person = world.person();
    let own = pda::statement_buffer(&channel.address, &operator.key());
    let strangers = pda::statement_buffer(&channel.address, &stranger.key());
    let write = write_statement_buffer(&stranger.key(), &channel.address, 0, b"xyz".to_vec());
    let write = Call::new([write], &[&stranger]).instead_of(strangers, own);
    world.send(write).assert_err(ErrorCode::ConstraintHasOne);
    let take = close_statement_buffer(&stranger.key(), &channel.address);
    let take = Call::new([take], &[&stranger]).instead_of(strangers, own);
    world.send(take).assert_err(ErrorCode::ConstraintHasOne);
    let unsigned = part(&channel, 0, b"xyz").unsigned_by(operator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(staged(&world, &channel), b"abc");
}

#[test]
fn closed_buffer_returns_rent() {
    let (mut world, channel, open) = opened();
    world.send(part(&channel, 0, &[7; 600])).assert_ok();
    let operator = &channel.operator;
    let address = pda::statement_buffer(&channel.address, &operator.key());
    let rent = world.account(&address).lamports;
    let before = world.account(&operator.key()).lamports;
    let take = Call::new([close_statement_buffer(&operator.key(), &channel.address)], &[operator]);
    let landed = world.send(take).assert_ok();
    assert!(world.find(&address).is_none());
    assert_eq!(world.account(&operator.key()).lamports, before + rent - landed.fee);
    world.send(open).assert_ok();
}

#[test]
fn buffer_accounts_are_pinned() {
    let mut world = World::new();
    let (channel, other) = (world.channel().open(), world.channel().open());
    let operator = &channel.operator;
    let open = buffer_statement(&operator.key(), &channel.address, &[]);
    let open = Call::new(open, &[operator]);
    let vault = pda::vault(&world.currency.mint);
    let cases = [
        (channel.address, other.address, ErrorCode::ConstraintSeeds),
        (channel.address, vault, ErrorCode::AccountDiscriminatorMismatch),
        (channel.address, pda::config(), ErrorCode::AccountOwnedByWrongProgram),
    ];
    for (account, other, expected) in cases {
        world.send(open.clone().instead_of(account, other)).assert_err(expected);
    }
    world.send(open).assert_ok();
    let own = pda::statement_buffer(&channel.address, &operator.key());
    let wrong = part(&channel, 0, b"abc").instead_of(own, other.address);
    world.send(wrong).assert_err(ErrorCode::AccountDiscriminatorMismatch);
}
