//! Token programs, and a mint with the program that owns it.

use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use crate::{
    instruction::{readonly, writable, writable_signer},
    pda,
};

pub use crate::program_ids::{
    ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM,
};

/// A mint and the token program that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    /// The mint.
    pub mint: Pubkey,
    /// SPL Token or Token-2022.
    pub token_program: Pubkey,
}

impl Currency {
    /// Creates the currency of an SPL Token mint.
    pub fn spl(mint: Pubkey) -> Self {
        Self { mint, token_program: TOKEN_PROGRAM }
    }

    /// Returns the associated token account of `owner` in this currency.
    pub fn tokens(&self, owner: &Pubkey) -> Pubkey {
        pda::tokens(owner, &self.mint, &self.token_program)
    }

    /// Creates the instruction that creates the associated token account of `owner` unless it
    /// exists. Signed by `funder`, which pays the rent.
    pub fn create_tokens(&self, funder: &Pubkey, owner: &Pubkey) -> Instruction {
        const CREATE_IDEMPOTENT: u8 = 1;
        let accounts = vec![
            writable_signer(*funder),
            writable(self.tokens(owner)),
            readonly(*owner),
            readonly(self.mint),
            readonly(system_program::ID),
            readonly(self.token_program),
        ];
        let data = vec![CREATE_IDEMPOTENT];
        Instruction { program_id: ASSOCIATED_TOKEN_PROGRAM, accounts, data }
    }

    pub(crate) fn vault_tokens(&self) -> Pubkey {
        pda::vault_tokens(&self.mint, &self.token_program)
    }
}

/// Returns the decimals of a mint from its account's data; `None` if it is not a mint of either
/// token program.
pub fn mint_decimals(data: &[u8]) -> Option<u8> {
    const SPACE: usize = 82;
    let is_initialized = is_token_account_type(data, SPACE, 1) && data[45] == 1;
    is_initialized.then(|| data[44])
}

/// Returns the amount in a token account, base units, from its data; `None` if it is not a token
/// account of either token program.
pub fn token_amount(data: &[u8]) -> Option<u64> {
    let is_initialized = is_token_account_type(data, TOKEN_ACCOUNT_SPACE, 2) && data[108] != 0;
    let amount = data.get(64..)?.first_chunk()?;
    is_initialized.then(|| u64::from_le_bytes(*amount))
}

/// Bytes of a token account without extensions.
const TOKEN_ACCOUNT_SPACE: usize = 165;

/// Returns whether data has the length of a type without extensions, or names the type behind the
/// base layout as Token-2022 does for accounts with extensions.
fn is_token_account_type(data: &[u8], space: usize, account_type: u8) -> bool {
    data.len() == space || data.get(TOKEN_ACCOUNT_SPACE) == Some(&account_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_both_mint_layouts_are_read() {
        let mut mint = vec![0; 82];
        assert_eq!(mint_decimals(&mint), None, "uninitialized");
        (mint[44], mint[45]) = (6, 1);
        assert_eq!(mint_decimals(&mint), Some(6));
        mint.resize(300, 0);
        assert_eq!(mint_decimals(&mint), None, "no account type");
        mint[165] = 1;
        assert_eq!((mint_decimals(&mint), token_amount(&mint)), (Some(6), None));
    }

    #[test]
    fn amount_of_both_token_layouts_is_read() {
        let mut tokens = vec![0; 165];
        tokens[64] = 9;
        assert_eq!(token_amount(&tokens), None, "uninitialized");
        tokens[108] = 1;
        assert_eq!(token_amount(&tokens), Some(9));
        tokens.extend_from_slice(&[2, 0, 0]);
        assert_eq!((token_amount(&tokens), mint_decimals(&tokens)), (Some(9), None));
    }
}
