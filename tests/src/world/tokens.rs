//! Mints and token accounts as bytes, so that tests get tokens without transactions.

use motif_sdk::channel::Currency;
use solana_account::Account;
use solana_pubkey::Pubkey;

const LAMPORTS: u64 = 10_000_000_000;
const AMOUNT_OFFSET: usize = 64;

/// Returns a mint with 6 decimals and without authorities.
pub fn mint_data(supply: u64) -> Vec<u8> {
    let mut data = vec![0; 82];
    data[36..44].copy_from_slice(&supply.to_le_bytes());
    data[44] = 6; // decimals
    data[45] = 1; // initialized
    data
}

/// Returns [`mint_data`] as an account of a token program.
pub fn mint_account(token_program: &Pubkey, supply: u64) -> Account {
    account(token_program, mint_data(supply))
}

/// Returns the bytes of an initialized token account without delegate and close authority.
pub fn token_data(mint: &Pubkey, owner: &Pubkey, amount: u64) -> Vec<u8> {
    let mut data = vec![0; 165];
    data[..32].copy_from_slice(mint.as_ref());
    data[32..64].copy_from_slice(owner.as_ref());
    data[AMOUNT_OFFSET..72].copy_from_slice(&amount.to_le_bytes());
    data[108] = 1; // initialized
    data
}

/// Returns [`token_data`] as an account of the currency's token program.
pub fn token_account(currency: &Currency, owner: &Pubkey, amount: u64) -> Account {
    account(&currency.token_program, token_data(&currency.mint, owner, amount))
}

pub(super) fn amount(data: &[u8]) -> u64 {
    let bytes = data.get(AMOUNT_OFFSET..72).and_then(|bytes| bytes.try_into().ok());
    u64::from_le_bytes(bytes.expect("a token account"))
}

fn account(owner: &Pubkey, data: Vec<u8>) -> Account {
    Account { lamports: LAMPORTS, data, owner: *owner, ..Account::default() }
}
