use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{Currency, PaymentsError, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, Vault, create_vault},
    pda,
};
use motif_tests::world::{Call, World, mint_data, token_account};
use solana_instruction::error::InstructionError;
use solana_transaction::TransactionError;

use super::{EXISTS, read};

/// A Token-2022 mint with one extension, of the bytes it really has.
fn extended(world: &mut World, extension: u16, bytes: usize) -> Currency {
    let currency = world.mint_of(&TOKEN_2022_PROGRAM);
    let mut account = world.account(&currency.mint);
    account.data = mint_data(0);
    account.data.resize(165, 0);
    account.data.push(1); // a mint, not a token account
    account.data.extend(extension.to_le_bytes());
    account.data.extend((bytes as u16).to_le_bytes());
    // Twos: a default state of "frozen", and otherwise anything.
    account.data.resize(account.data.len() + bytes, 2);
    world.set(currency.mint, account);
    currency
}

fn call(world: &World, currency: &Currency) -> Call {
    Call::new([create_vault(&world.host.key(), currency)], &[&world.host])
}

#[test]
fn anybody_admits_a_plain_mint_of_either_token_program() {
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
fn a_mint_is_admitted_once() {
    let mut world = World::new();
    let currency = world.currency;
    world.admit(&currency).assert_err(EXISTS);
}

#[test]
fn metadata_and_groups_harm_nobody() {
    for (extension, bytes) in [(18, 64), (20, 64), (22, 64)] {
        let mut world = World::new();
        let currency = extended(&mut world, extension, bytes);
        world.admit(&currency).assert_ok();
    }
}

/// Every extension a mint can have that is not on the list; the runtime's own token program
/// refuses the last one, which it does not know, before this program is asked.
#[test]
fn a_mint_that_could_take_or_block_money_is_refused() {
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
fn a_mint_with_an_extension_nobody_knows_is_refused() {
    let mut world = World::new();
    let currency = extended(&mut world, 999, 8);
    let outcome = world.admit(&currency);
    assert!(!outcome.is_ok());
    assert!(world.find(&pda::vault(&currency.mint)).is_none());
}

#[test]
fn a_vaults_token_account_made_beforehand_is_taken_over() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let vault = pda::vault(&currency.mint);
    world.set(world.vault_tokens(&currency), token_account(&currency, &vault, 0));
    world.admit(&currency).assert_ok();
}

#[test]
fn a_mint_of_another_token_program_than_named_is_refused() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let misnamed = Currency { token_program: TOKEN_2022_PROGRAM, ..currency };
    let wrong_program = InstructionError::IncorrectProgramId;
    let refused = TransactionError::InstructionError(0, wrong_program);
    world.admit(&misnamed).assert_refused(&refused);
    assert!(world.find(&pda::vault(&currency.mint)).is_none());
}

#[test]
fn something_that_is_no_mint_gets_no_vault() {
    let mut world = World::new();
    let wallet = world.person().key();
    let currency = Currency::spl(wallet);
    world.admit(&currency).assert_err(ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn a_vault_keeps_its_tokens_at_its_own_address_only() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let mine = world.person();
    world.fund(&mine, &currency, 0);
    let vault_tokens = world.vault_tokens(&currency);
    let call = call(&world, &currency).instead_of(vault_tokens, currency.tokens(&mine.key()));
    world.send(call).assert_err(ErrorCode::ConstraintTokenOwner);
}

#[test]
fn a_vault_cannot_be_written_to_another_address() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let elsewhere = pda::vault(&world.person().key());
    let call = call(&world, &currency).instead_of(pda::vault(&currency.mint), elsewhere);
    world.send(call).assert_err(ErrorCode::ConstraintSeeds);
}

#[test]
fn a_funder_who_does_not_sign_funds_nothing() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let funder = world.person();
    let call = Call::new([create_vault(&funder.key(), &currency)], &[&funder]);
    world.send(call.unsigned_by(&funder)).assert_err(ErrorCode::AccountNotSigner);
}
