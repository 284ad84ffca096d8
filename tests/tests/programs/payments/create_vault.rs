use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{Currency, PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, Vault, create_vault},
    pda,
};
use motif_tests::world::{Call, World, mint_data, token_account};
use solana_instruction::error::InstructionError;
use solana_transaction::TransactionError;

use super::{EXISTS, read};

/// A Token-2022 mint with one extension of its actual size.
fn extended(world: &mut World, extension: u16, bytes: usize) -> Currency {
    let currency = world.mint_of(&TOKEN_2022_PROGRAM);
    let mut account = world.account(&currency.mint);
    account.data = mint_data(0);
    account.data.resize(165, 0);
    account.data.push(1); // a mint, not a token account
    account.data.extend(extension.to_le_bytes());
    account.data.extend((bytes as u16).to_le_bytes());
    // Bytes of 2: the default state "frozen"; arbitrary for others.
    account.data.resize(account.data.len() + bytes, 2);
    world.set(currency.mint, account);
    currency
}

fn call(world: &World, currency: &Currency) -> Call {
    Call::new([create_vault(&world.host.key(), currency)], &[&world.host])
}

#[test]
fn plain_mints_are_admitted() {
    for token_program in [TOKEN_PROGRAM, TOKEN_2022_PROGRAM] {
        let mut world = World::new();
        let currency = world.mint_of(&token_program);
        world.admit(&currency).assert_ok();
        let vault: Vault = read(&world, &pda::vault(&currency.mint));
        assert_eq!((vault.mint, vault.token_program), (currency.mint, token_program));
        let tokens = world.account(&world.vault_tokens(&currency));
        assert_eq!(tokens.owner, token_program);
        assert_eq!(tokens.data[32..64], *pda::vault(&currency.mint).as_array());
    }
}

#[test]
fn mint_is_admitted_once() {
    let mut world = World::new();
    let currency = world.currency;
    world.admit(&currency).assert_err(EXISTS);
}

#[test]
fn metadata_extensions_are_admitted() {
    for (extension, bytes) in [(18, 64), (20, 64), (22, 64)] {
        let mut world = World::new();
        let currency = extended(&mut world, extension, bytes);
        world.admit(&currency).assert_ok();
    }
}

/// Every extension outside the list. The runtime's token program
/// rejects the last one, which is unknown to it, first.
#[test]
fn risky_mint_is_rejected() {
    let extensions = [
        ("transfer fee", 1, 108),
        ("mint close authority", 3, 32),
        ("confidential transfer", 4, 65),
        ("default account state", 6, 1),
        ("non-transferable", 9, 0),
        ("interest bearing", 10, 52),
        ("permanent delegate", 12, 32),
        ("transfer hook", 14, 64),
        ("confidential transfer fee", 16, 129),
        ("confidential mint and burn", 24, 196),
        ("scaled amount", 25, 56),
        ("pausable", 26, 33),
    ];
    for (name, extension, bytes) in extensions {
        let mut world = World::new();
        let currency = extended(&mut world, extension, bytes);
        println!("{name}");
        world.admit(&currency).assert_err(PaymentsError::UnsupportedMintExtension);
        assert!(world.find(&pda::vault(&currency.mint)).is_none(), "{name}");
    }
}

#[test]
fn unknown_mint_extension_is_rejected() {
    let mut world = World::new();
    let currency = extended(&mut world, 999, 8);
    let outcome = world.admit(&currency);
    assert!(!outcome.is_ok());
    assert!(world.find(&pda::vault(&currency.mint)).is_none());
}

#[test]
fn existing_vault_account_is_adopted() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let vault = pda::vault(&currency.mint);
    world.set(world.vault_tokens(&currency), token_account(&currency, &vault, 0));
    world.admit(&currency).assert_ok();
}

#[test]
fn wrong_token_program_is_rejected() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let misnamed = Currency { token_program: TOKEN_2022_PROGRAM, ..currency };
    let wrong_program = InstructionError::IncorrectProgramId;
    let refused = TransactionError::InstructionError(0, wrong_program);
    world.admit(&misnamed).assert_refused(&refused);
    assert!(world.find(&pda::vault(&currency.mint)).is_none());
}

#[test]
fn non_mint_gets_no_vault() {
    let mut world = World::new();
    let wallet = world.person().key();
    let currency = Currency::spl(wallet);
    world.admit(&currency).assert_err(ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn vault_tokens_have_one_address() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let mine = world.person();
    world.fund(&mine, &currency, 0);
    let vault_tokens = world.vault_tokens(&currency);
    let call = call(&world, &currency).instead_of(vault_tokens, currency.tokens(&mine.key()));
    world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
}

#[test]
fn vault_at_wrong_address_is_rejected() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let elsewhere = pda::vault(&world.person().key());
    let call = call(&world, &currency).instead_of(pda::vault(&currency.mint), elsewhere);
    world.send(call).assert_err(ErrorCode::ConstraintSeeds);
}

#[test]
fn unsigned_funder_is_rejected() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let funder = world.person();
    let call = Call::new([create_vault(&funder.key(), &currency)], &[&funder]);
    world.send(call.unsigned_by(&funder)).assert_err(ErrorCode::AccountNotSigner);
}
