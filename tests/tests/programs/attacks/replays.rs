//! P11: a voucher is valid for one statement of one incarnation of one channel of
//! one program on one cluster.

use ed25519_dalek::Signer as _;
use motif_sdk::channel::PaymentsError;
use motif_tests::world::World;

use super::{licensed, nothing_settled};

#[test]
fn other_channels_voucher_is_rejected() {
    let (mut world, channel, _) = licensed();
    // The same parties, key, license and statement number with another salt.
    let twin = world
        .channel()
        .payer(&channel.payer)
        .operator(&channel.operator)
        .voucher_key(&channel.voucher_key)
        .with(|args| args.salt = 1)
        .open();
    world.licensed(&twin, 10);
    let statement = world.statement(&channel, &[(0, 25)]);
    let call = statement.call().instead_of(channel.address, twin.address);
    world.send(call).assert_err(PaymentsError::VoucherChannelMismatch);
    nothing_settled(&world, &twin);
    world.send(statement.call()).assert_ok();
    nothing_settled(&world, &twin);
}

#[test]
fn other_clusters_voucher_is_rejected() {
    let (mut world, channel, _) = licensed();
    let statement = world.statement(&channel, &[(0, 25)]).with(|voucher| voucher.cluster[31] ^= 1);
    world.send(statement.call()).assert_err(PaymentsError::VoucherChannelMismatch);
    nothing_settled(&world, &channel);
}

#[test]
fn other_incarnations_voucher_fails() {
    let (mut world, channel, _) = licensed();
    let statement = world.statement(&channel, &[(0, 25)]);
    for opened_slot in [statement.voucher.opened_slot + 1, u64::MAX] {
        let other = statement.clone().with(|voucher| voucher.opened_slot = opened_slot);
        world.send(other.call()).assert_err(PaymentsError::VoucherChannelMismatch);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn other_programs_voucher_is_rejected() {
    let (mut world, channel, _) = licensed();
    let statement = world.statement(&channel, &[(0, 25)]);
    let mut message = statement.voucher.to_bytes();
    message[48..80].copy_from_slice(licensing::ID.as_ref());
    let signature = channel.voucher_key.signing_key().sign(&message).to_bytes();
    let call = statement.call().changed(|calls| {
        calls[0].data[48..112].copy_from_slice(&signature);
        calls[0].data[112..].copy_from_slice(&message);
    });
    world.send(call).assert_err(PaymentsError::MissingVoucherProof);
    nothing_settled(&world, &channel);
}

#[test]
fn earlier_statements_voucher_fails() {
    let (mut world, channel, _) = licensed();
    let small = world.statement(&channel, &[(0, 1)]);
    let large = world.statement(&channel, &[(0, 25)]);
    world.send(large.call()).assert_ok();
    let before = world.account(&channel.address);
    world.send(small.call()).assert_err(PaymentsError::VoucherStatementMismatch);
    world.send(large.call()).assert_err(PaymentsError::VoucherStatementMismatch);
    assert_eq!(world.account(&channel.address), before);
}

#[test]
fn early_voucher_settles_in_order() {
    let (mut world, channel, _) = licensed();
    let ahead = world.statement(&channel, &[(0, 5)]).with(|voucher| {
        voucher.statement = 1;
        voucher.cumulative = 303;
    });
    world.send(ahead.call()).assert_err(PaymentsError::VoucherStatementMismatch);
    nothing_settled(&world, &channel);
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.send(ahead.call()).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 300);
}

#[test]
fn channel_takes_cluster_from_config() {
    let (mut world, channel, _) = licensed();
    assert_eq!(world.read(&channel).channel.cluster, motif_tests::world::CLUSTER);
    world.set_time(World::NOW + 1);
    world.settle(&channel, &[(0, 1)]).assert_ok();
}
