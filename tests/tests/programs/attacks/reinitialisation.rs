//! P3: existing accounts cannot be created again.

use motif_sdk::{
    channel::{create_vault, open},
    earnings,
    licensing::{InitializeArgs, initialize},
    pda,
};
use motif_tests::world::{Call, World};
use payments::OpenChannelArgs;
use solana_pubkey::Pubkey;

use super::licensed;

const EXISTS: (Pubkey, u32) = (Pubkey::new_from_array([0; 32]), 0);

#[test]
fn existing_account_is_not_recreated() {
    let (mut world, channel, work) = licensed();
    world.open_earnings(&work);
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.collect(&channel, &[(0, &work)]).assert_ok();
    let before = world.snapshot();
    let host = world.host.clone();
    let currency = world.currency;
    world.fund(&channel.payer, &currency, 5);
    let args = InitializeArgs {
        cluster: [0; 32],
        arbiter: host.key(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    let open_args = OpenChannelArgs {
        salt: 0,
        voucher_key: host.key(),
        operator_fee_bps: 0,
        grace_seconds: 900,
        deposit: 5,
        watcher: None,
    };
    let calls = [
        Call::new([initialize(&host.key(), args)], &[&host]),
        Call::new([create_vault(&host.key(), &currency)], &[&host]),
        Call::new([earnings::open(&host.key(), &work.address, &currency.mint)], &[&host]),
        Call::new(
            [open(&channel.payer.key(), &channel.operator.key(), &currency, open_args)],
            &[&channel.payer],
        ),
    ];
    for call in calls {
        world.send(call).assert_err(EXISTS);
    }
    let payers_tokens = currency.tokens(&channel.payer.key());
    assert_eq!(world.changed_since(&before), [payers_tokens]);
    assert_eq!(world.balance(&channel.payer), 5);
}

#[test]
fn withdrawn_channel_cannot_reopen() {
    let (mut world, channel, _) = licensed();
    let unsettled = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    let again = world.channel().payer(&channel.payer).operator(&channel.operator);
    again.attempt().assert_err(EXISTS);
    let replay = world.send(unsettled.call());
    replay.assert_err(motif_sdk::channel::PaymentsError::ChannelClosed);
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn second_acceptance_keeps_issuance() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.caps.total_units = Some(10)).publish();
    world.accept_quota(&channel, &terms, 6, 0);
    let issuance = world.account(&pda::issuance(&terms.address));
    let again = world.send(channel.accepting(&terms).quota(6, 0).call());
    again.assert_err(motif_sdk::channel::PaymentsError::QuotaExceedsCap);
    assert_eq!(world.account(&pda::issuance(&terms.address)), issuance);
}
