use solana_pubkey::Pubkey;

use crate::codec::*;

/// Pool of a mint: the deposits of all channels and the earnings of all works in that mint.
///
/// Seeds: `["vault", mint]`. Its associated token account holds the tokens. The fields contain
/// everything that a transfer needs, so paying out derives and reads nothing else.
///
/// Invariant: the token balance is at least the total that channels and earnings can pay out.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Vault {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Decimals of `mint`, which never change.
    pub decimals: u8,
    /// Mint of the pool.
    pub mint: Pubkey,
    /// Token program that owns `mint`.
    pub token_program: Pubkey,
    /// Token account of the pool.
    pub tokens: Pubkey,
}

impl Vault {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"vault";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes of the account.
    pub const SPACE: usize = 8 + 3 + 32 + 32 + 32;
}

// The layout of existing accounts never changes.
const _: () = assert!(Vault::SPACE == 107);
