//! P6: tokens of other mints, and accounts of other owners.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{Currency, TOKEN_2022_PROGRAM},
    pda,
};
use motif_tests::world::{World, mint_account, token_account};

use super::licensed;

/// Offsets of the delegate, its allowance, and the close authority in SPL token accounts.
const DELEGATE: usize = 72;
const DELEGATED: usize = 121;
const CLOSE_AUTHORITY: usize = 129;

#[test]
fn lookalike_mint_opens_no_channel() {
    let mut world = World::new();
    let fake = world.mint_of(&motif_sdk::channel::TOKEN_PROGRAM);
    let real = world.currency;
    let (call, channel) = world.channel().call();
    // All accounts are of the real currency, except the mint and the payer's account.
    let own = real.tokens(&channel.payer.key());
    world.fund(&channel.payer, &fake, 1_000_000);
    let forged = call
        .clone()
        .instead_of(real.mint, fake.mint)
        .instead_of(own, fake.tokens(&channel.payer.key()));
    world.send(forged).assert_err(ErrorCode::ConstraintSeeds);
    let address = pda::channel(&channel.payer.key(), &channel.operator.key(), &fake.mint, 0);
    let forged = call
        .instead_of(real.mint, fake.mint)
        .instead_of(own, fake.tokens(&channel.payer.key()))
        .instead_of(channel.address, address);
    world.send(forged).assert_err(ErrorCode::ConstraintHasOne);
    assert_eq!(world.vault_balance(), 0);
}

#[test]
fn fake_mint_top_up_is_rejected() {
    let (mut world, channel, _) = licensed();
    let fake = world.mint_of(&motif_sdk::channel::TOKEN_PROGRAM);
    world.fund(&channel.payer, &fake, 1_000);
    let own = world.currency.tokens(&channel.payer.key());
    let call = channel.topping_up(1_000).instead_of(own, fake.tokens(&channel.payer.key()));
    world.send(call).assert_err(ErrorCode::ConstraintTokenMint);
    assert_eq!(world.read(&channel).channel.deposited, 1_000_000);
}

#[test]
fn token_program_distinguishes_mints() {
    let mut world = World::new();
    let mint = world.currency.mint;
    world.set(mint, mint_account(&TOKEN_2022_PROGRAM, 0));
    let moved = Currency { mint, token_program: TOKEN_2022_PROGRAM };
    let channel = world.channel().currency(&moved);
    // Its vault's token account would be another one, which does not exist.
    channel.attempt().assert_err(ErrorCode::AccountNotInitialized);
}

#[test]
fn delegate_deposit_is_rejected() {
    let (mut world, channel, _) = licensed();
    let victim = world.person();
    let currency = world.currency;
    let account = currency.tokens(&victim.key());
    // The victim approves the payer as delegate of its whole balance; only an owner may deposit.
    let mut tokens = token_account(&currency, &victim.key(), 1_000);
    tokens.data[DELEGATE] = 1;
    tokens.data[DELEGATE + 4..][..32].copy_from_slice(channel.payer.key().as_ref());
    tokens.data[DELEGATED..][..8].copy_from_slice(&1_000_u64.to_le_bytes());
    world.set(account, tokens);
    let own = currency.tokens(&channel.payer.key());
    let call = channel.topping_up(1_000).instead_of(own, account);
    world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
    assert_eq!(world.balance(&victim), 1_000);
}

#[test]
fn close_authority_takes_nothing() {
    let (mut world, channel, _) = licensed();
    let (currency, stranger) = (world.currency, world.person());
    let mut tokens = token_account(&currency, &channel.payer.key(), 1_000);
    tokens.data[CLOSE_AUTHORITY] = 1;
    tokens.data[CLOSE_AUTHORITY + 4..][..32].copy_from_slice(stranger.key().as_ref());
    world.set(currency.tokens(&channel.payer.key()), tokens);
    world.send(channel.topping_up(1_000)).assert_ok();
    assert_eq!(world.vault_balance(), 1_001_000);
    assert_eq!(world.read(&channel).channel.deposited, 1_001_000);
}
