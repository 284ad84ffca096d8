//! P3: a channel that is closed, refunded and opened again at the same address is a new
//! incarnation, on which earlier signatures are invalid.

use motif_sdk::channel::PaymentsError;
use motif_tests::world::{Call, OpenedChannel, SignedStatement, World};

/// Returns a closed and withdrawn channel with an unsettled voucher.
fn withdrawn() -> (World, OpenedChannel, SignedStatement) {
    let mut world = World::new();
    world.set_slot(50);
    let channel = world.channel().open();
    world.licensed(&channel, 10);
    world.forget();
    let old = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    (world, channel, old)
}

/// Returns the call that opens the same channel again.
fn again(world: &mut World, channel: &OpenedChannel) -> Call {
    let again = world.channel().payer(&channel.payer).operator(&channel.operator);
    let (call, opened) = again.voucher_key(&channel.voucher_key).call();
    assert_eq!(opened.address, channel.address);
    call
}

#[test]
fn old_voucher_dies_with_channel() {
    let (mut world, channel, old) = withdrawn();
    world.set_slot(51);
    let open = again(&mut world, &channel);
    let license = {
        let work = world.work().register();
        world.terms(&work).price(10).publish()
    };
    // Closed, opened and licensed again in one transaction.
    let call = channel.removing().then(open).then(channel.accepting(&license).call());
    world.send(call.clone()).assert_ok();
    assert_eq!(world.read(&channel).channel.opened_slot, 51);
    world.send(old.call()).assert_err(PaymentsError::VoucherChannelMismatch);
    let state = world.read(&channel).channel;
    assert_eq!((state.prices, state.statements.length), (0, 0));
    assert_eq!(world.vault_balance(), 1_000_000);
    // A voucher for the new incarnation settles.
    world.settle(&channel, &[(0, 25)]).assert_ok();
}

#[test]
fn reopened_channel_rejects_old_voucher() {
    let (mut world, channel, old) = withdrawn();
    world.set_slot(51);
    let open = again(&mut world, &channel);
    let work = world.work().register();
    let terms = world.terms(&work).price(10).publish();
    let call = channel.removing().then(open).then(channel.accepting(&terms).call());
    let refused = world.send(call.then(old.call()));
    refused.assert_err(PaymentsError::VoucherChannelMismatch);
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn incarnations_never_share_a_slot() {
    let (mut world, channel, _) = withdrawn();
    world.send(channel.removing()).assert_err(PaymentsError::SlotNotElapsed);
    world.set_slot(51);
    let open = again(&mut world, &channel);
    world.send(channel.removing().then(open)).assert_ok();
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    let open = again(&mut world, &channel);
    let refused = world.send(channel.removing().then(open));
    refused.assert_err(PaymentsError::SlotNotElapsed);
    assert_eq!(world.read(&channel).channel.opened_slot, 51);
}

#[test]
fn closed_channel_is_not_revived() {
    let (mut world, channel, _) = withdrawn();
    world.set_slot(51);
    // A lamport sent to the address would keep the emptied account.
    let host = world.host.clone();
    let gift = solana_system_interface::instruction::transfer(
        &host.key(),
        &channel.address,
        1_000_000_000,
    );
    let call = channel.removing().then(Call::new([gift], &[&host]));
    world.send(call).assert_ok();
    let left = world.account(&channel.address);
    assert_eq!((left.data.len(), left.owner), (0, solana_system_interface::program::ID));
}
