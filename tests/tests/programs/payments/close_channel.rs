use anchor_lang::error::ErrorCode;
use motif_sdk::channel::{Channel, PaymentsError};
use motif_tests::world::{OpenedChannel, RegisteredWork, World};

/// A withdrawn channel after 250 settled and a fee of 2.
fn withdrawn() -> (World, OpenedChannel, RegisteredWork) {
    let mut world = World::new();
    let channel = world.channel().open();
    let (work, license) = world.licensed(&channel, 10);
    world.settle(&channel, &[(license, 25)]).assert_ok();
    world.open_earnings(&work);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    world.next_slot();
    (world, channel, work)
}

#[test]
fn closed_channel_returns_rent_only() {
    let (mut world, channel, work) = withdrawn();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.send(channel.claiming_fees()).assert_ok();
    let rent = world.account(&channel.address).lamports;
    let before = world.account(&channel.payer.key()).lamports;
    let landed = world.remove(&channel).assert_ok();
    assert!(world.find(&channel.address).is_none());
    let after = world.account(&channel.payer.key()).lamports;
    assert_eq!(after, before + rent - landed.fee);
    assert_eq!(world.vault_balance(), 250);
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (250, 0));
}

#[test]
fn uncollected_credit_blocks_close() {
    let (mut world, channel, work) = withdrawn();
    world.send(channel.claiming_fees()).assert_ok();
    world.send(channel.removing()).assert_err(PaymentsError::ChannelNotEmpty);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.remove(&channel).assert_ok();
}

#[test]
fn unclaimed_fees_block_close() {
    let (mut world, channel, work) = withdrawn();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.send(channel.removing()).assert_err(PaymentsError::ChannelNotEmpty);
    world.send(channel.claiming_fees()).assert_ok();
    world.remove(&channel).assert_ok();
}

/// The fee owner gives its token account away, so that no signer can pay it.
#[test]
fn unpayable_fees_delay_closing_only() {
    let (mut world, channel, work) = withdrawn();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    let thief = world.person().key();
    let address = world.currency.tokens(&channel.operator.key());
    let mut account = world.account(&address);
    account.data[32..64].copy_from_slice(thief.as_ref());
    world.set(address, account);
    let unpaid = world.send(channel.claiming_fees());
    unpaid.assert_err(ErrorCode::ConstraintTokenOwner);
    assert_eq!((world.read(&channel).channel.fees_claimed, world.vault_balance()), (0, 252));
    world.pass(Channel::FEE_CLAIM_SECONDS - 1);
    world.send(channel.removing()).assert_err(PaymentsError::ChannelNotEmpty);
    world.pass(1);
    let rent = world.account(&channel.address).lamports;
    let before = world.account(&channel.payer.key()).lamports;
    let landed = world.remove(&channel).assert_ok();
    let after = world.account(&channel.payer.key()).lamports;
    assert_eq!(after, before + rent - landed.fee);
    // The fee stays in the vault. The work keeps its money.
    world.claim(&work, &work.recipients[0]).assert_ok();
    assert_eq!((world.balance(&work.recipients[0]), world.vault_balance()), (250, 2));
}

#[test]
fn uncollected_credit_is_never_forfeited() {
    let (mut world, channel, work) = withdrawn();
    world.send(channel.claiming_fees()).assert_ok();
    world.pass(2 * Channel::FEE_CLAIM_SECONDS);
    world.send(channel.removing()).assert_err(PaymentsError::ChannelNotEmpty);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.remove(&channel).assert_ok();
    assert_eq!(world.vault_balance(), 250);
}

#[test]
fn unwithdrawn_deposit_blocks_close() {
    let mut world = World::new();
    let channel = world.channel().open();
    world.next_slot();
    world.send(channel.removing()).assert_err(PaymentsError::NotWithdrawn);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.removing()).assert_err(PaymentsError::NotWithdrawn);
    assert_eq!(world.vault_balance(), 1_000_000);
}

#[test]
fn held_quota_blocks_withdrawal() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.caps.total_units = Some(10)).publish();
    world.accept_quota(&channel, &terms, 5, 0);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_err(PaymentsError::QuotasHeld);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 1_000_050));
    world.send(channel.releasing_quota(&channel.payer, 0, &terms)).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (1_000_050, 0));
    world.next_slot();
    world.remove(&channel).assert_ok();
}

#[test]
fn close_in_opening_slot_is_rejected() {
    let mut world = World::new();
    world.set_slot(70);
    let channel = world.channel().open();
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    world.send(channel.removing()).assert_err(PaymentsError::SlotNotElapsed);
    world.set_slot(69);
    world.send(channel.removing()).assert_err(PaymentsError::SlotNotElapsed);
    world.set_slot(71);
    world.remove(&channel).assert_ok();
}

#[test]
fn only_payer_closes_channel() {
    let (mut world, channel, work) = withdrawn();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    world.send(channel.claiming_fees()).assert_ok();
    let mut forged = channel.clone();
    for stranger in [world.person(), channel.operator.clone()] {
        forged.payer = stranger;
        world.send(forged.removing()).assert_err(PaymentsError::NotPayer);
    }
    let unsigned = channel.removing().unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert!(world.find(&channel.address).is_some());
}
