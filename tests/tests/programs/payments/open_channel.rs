use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{OpenChannelArgs, PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    pda,
};
use motif_tests::world::{CLUSTER, World};
use solana_pubkey::Pubkey;

use super::{EXISTS, FROZEN, TOO_FEW_TOKENS};

#[track_caller]
fn refused(expected: PaymentsError, change: impl FnOnce(&mut OpenChannelArgs)) {
    let mut world = World::new();
    let payer = world.person();
    let (call, channel) = world.channel().payer(&payer).with(change).call();
    let funds = world.balance(&payer);
    world.send(call).assert_err(expected);
    assert!(world.find(&channel.address).is_none());
    assert_eq!((world.balance(&payer), world.vault_balance()), (funds, 0));
}

#[test]
fn channel_stores_fields_and_deposit() {
    let mut world = World::new();
    world.set_slot(321);
    let channel = world.channel().deposited(1_000).fee(250).grace(3_600).out_of(1_500).open();
    let stored = world.read(&channel);
    assert!(stored.licenses.is_empty());
    let stored = stored.channel;
    assert_eq!((stored.payer, stored.operator), (channel.payer.key(), channel.operator.key()));
    assert_eq!((stored.mint, stored.cluster), (world.currency.mint, CLUSTER));
    assert_eq!(stored.voucher_key, channel.voucher_key.key());
    assert_eq!((stored.operator_fee_bps, stored.grace_seconds), (250, 3_600));
    assert_eq!((stored.opened_slot, stored.closes_at), (321, i64::MAX));
    assert_eq!((stored.deposited, stored.charged().unwrap()), (1_000, 0));
    assert_eq!(stored.statements.length, 0);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (500, 1_000));
}

#[test]
fn salts_distinguish_channels() {
    let mut world = World::new();
    let one = world.channel().open();
    let other = world.channel().payer(&one.payer).operator(&one.operator);
    let other = other.with(|args| args.salt = 1).open();
    assert_ne!(one.address, other.address);
    assert_eq!(world.vault_balance(), 2_000_000);
}

#[test]
fn duplicate_channel_is_rejected() {
    let mut world = World::new();
    let one = world.channel().open();
    let again = world.channel().payer(&one.payer).operator(&one.operator);
    again.attempt().assert_err(EXISTS);
    assert_eq!((world.vault_balance(), world.balance(&one.payer)), (1_000_000, 1_000_000));
}

#[test]
fn empty_deposit_is_rejected() {
    refused(PaymentsError::EmptyDeposit, |args| args.deposit = 0);
}

#[test]
fn operator_fee_is_bounded() {
    refused(PaymentsError::FeeTooHigh, |args| args.operator_fee_bps = 5_001);
    refused(PaymentsError::FeeTooHigh, |args| args.operator_fee_bps = u16::MAX);
    World::new().channel().fee(5_000).open();
}

#[test]
fn grace_period_is_bounded() {
    for grace in [0, 899, 30 * 86_400 + 1, u32::MAX] {
        refused(PaymentsError::InvalidGracePeriod, |args| args.grace_seconds = grace);
    }
    for grace in [900, 30 * 86_400] {
        World::new().channel().grace(grace).open();
    }
}

#[test]
fn off_curve_voucher_key_is_rejected() {
    let off_curve = pda::config();
    assert!(!off_curve.is_on_curve());
    refused(PaymentsError::InvalidVoucherKey, |args| args.voucher_key = off_curve);
}

#[test]
fn payer_as_voucher_key_is_rejected() {
    let mut world = World::new();
    let payer = world.person();
    let channel = world.channel().payer(&payer).voucher_key(&payer);
    channel.attempt().assert_err(PaymentsError::InvalidVoucherKey);
    assert_eq!((world.balance(&payer), world.vault_balance()), (1_000_000, 0));
}

#[test]
fn deposit_above_balance_is_rejected() {
    let mut world = World::new();
    let payer = world.person();
    let channel = world.channel().payer(&payer).deposited(1_000).out_of(999);
    channel.attempt().assert_err(TOO_FEW_TOKENS);
    assert_eq!((world.balance(&payer), world.vault_balance()), (999, 0));
}

#[test]
fn frozen_account_deposits_nothing() {
    let mut world = World::new();
    let payer = world.person();
    let (call, _) = world.channel().payer(&payer).call();
    let tokens = world.currency.tokens(&payer.key());
    let mut frozen = world.account(&tokens);
    frozen.data[108] = 2;
    world.set(tokens, frozen);
    world.send(call).assert_err(FROZEN);
}

#[test]
fn foreign_tokens_are_not_deposited() {
    let mut world = World::new();
    let victim = world.person();
    let currency = world.currency;
    world.fund(&victim, &currency, 5_000_000);
    let (call, channel) = world.channel().call();
    let own = currency.tokens(&channel.payer.key());
    let call = call.instead_of(own, currency.tokens(&victim.key()));
    world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
    assert_eq!((world.balance(&victim), world.vault_balance()), (5_000_000, 0));
}

#[test]
fn delegated_tokens_are_not_deposited() {
    let mut world = World::new();
    let victim = world.person();
    let currency = world.currency;
    world.fund(&victim, &currency, 5_000_000);
    let (call, channel) = world.channel().call();
    let victims_tokens = currency.tokens(&victim.key());
    let mut delegated = world.account(&victims_tokens);
    delegated.data[72] = 1;
    delegated.data[76..108].copy_from_slice(channel.payer.key().as_ref());
    delegated.data[121..129].copy_from_slice(&u64::MAX.to_le_bytes());
    world.set(victims_tokens, delegated);
    let call = call.instead_of(currency.tokens(&channel.payer.key()), victims_tokens);
    world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
    assert_eq!(world.balance(&victim), 5_000_000);
}

#[test]
fn other_mints_tokens_are_rejected() {
    let mut world = World::new();
    let other = world.other_currency();
    let (call, channel) = world.channel().call();
    let payer = channel.payer.key();
    world.fund(&channel.payer, &other, 1_000_000);
    let call = call.instead_of(world.currency.tokens(&payer), other.tokens(&payer));
    world.send(call).assert_err(ErrorCode::ConstraintTokenMint);
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn fake_mint_on_real_vault_is_rejected() {
    let mut world = World::new();
    let fake = world.mint_of(&TOKEN_PROGRAM);
    let real = world.currency;
    let (call, channel) = world.channel().currency(&fake).call();
    // The forged mint has no vault, so the attacker passes the real one.
    let call = call
        .instead_of(pda::vault(&fake.mint), pda::vault(&real.mint))
        .instead_of(world.vault_tokens(&fake), world.vault_tokens(&real));
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    assert!(world.find(&channel.address).is_none());
}

#[test]
fn unadmitted_mint_is_rejected() {
    let mut world = World::new();
    let unknown = world.mint_of(&TOKEN_PROGRAM);
    world.channel().currency(&unknown).attempt().assert_err(ErrorCode::AccountNotInitialized);
}

#[test]
fn deposit_goes_to_vault_account() {
    let mut world = World::new();
    let thief = world.person();
    let (call, _) = world.channel().call();
    let vault_tokens = world.vault_tokens(&world.currency);
    let thiefs = world.currency.tokens(&thief.key());
    let call = call.instead_of(vault_tokens, thiefs);
    world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
    // Even another account of the vault.
    let second = world.person().key();
    let vault = pda::vault(&world.currency.mint);
    world.set(second, motif_tests::world::token_account(&world.currency, &vault, 0));
    let (call, _) = world.channel().call();
    let call = call.instead_of(vault_tokens, second);
    world.send(call).assert_err(ErrorCode::ConstraintAssociated);
    assert_eq!(world.balance(&thief), 0);
}

#[test]
fn foreign_token_program_is_rejected() {
    let mut world = World::new();
    let (call, _) = world.channel().call();
    let call = call.instead_of(TOKEN_PROGRAM, TOKEN_2022_PROGRAM);
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    let (call, _) = world.channel().call();
    let call = call.instead_of(TOKEN_PROGRAM, motif_sdk::channel::PROGRAM_ID);
    world.send(call).assert_err(ErrorCode::InvalidProgramId);
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn foreign_config_is_rejected() {
    let mut world = World::new();
    let mut forged = world.account(&pda::config());
    forged.owner = payments::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let (call, channel) = world.channel().call();
    let call = call.instead_of(pda::config(), elsewhere);
    world.send(call).assert_err(ErrorCode::AccountOwnedByWrongProgram);
    assert!(world.find(&channel.address).is_none());
}

#[test]
fn channel_at_wrong_address_is_rejected() {
    let mut world = World::new();
    let existing = world.channel().open();
    let (call, channel) = world.channel().call();
    for elsewhere in [existing.address, Pubkey::new_from_array([8; 32])] {
        let call = call.clone().instead_of(channel.address, elsewhere);
        world.send(call).assert_err(ErrorCode::ConstraintSeeds);
    }
}

#[test]
fn unsigned_opening_is_rejected() {
    let mut world = World::new();
    let payer = world.person();
    let (call, _) = world.channel().payer(&payer).call();
    world.send(call.unsigned_by(&payer)).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!((world.balance(&payer), world.vault_balance()), (1_000_000, 0));
}
