//! Token programs, and a mint with the program that owns it.

use solana_pubkey::Pubkey;

use crate::pda;

/// The SPL Token program.
pub const TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// The Token-2022 program.
pub const TOKEN_2022_PROGRAM: Pubkey =
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
/// The Associated Token Account program.
pub const ASSOCIATED_TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// Metaplex Token Metadata, the program of certificates.
pub const TOKEN_METADATA_PROGRAM: Pubkey =
    Pubkey::from_str_const("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s");

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

    pub(crate) fn vault_tokens(&self) -> Pubkey {
        pda::vault_tokens(&self.mint, &self.token_program)
    }
}
