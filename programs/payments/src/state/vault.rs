use anchor_lang::prelude::*;

/// The one pool of a mint: all channels' deposits and all works' earnings in that mint.
///
/// Seeds: `["vault", mint]`. The tokens rest in its associated token account. What it takes to
/// move them is written down here, so that paying out derives and reads nothing else.
///
/// Always true: its token balance is at least what channels and earnings can still take.
#[account]
#[derive(Debug, InitSpace)]
pub struct Vault {
    pub version: u8,
    pub bump: u8,
    /// Of `mint`; a mint never changes them.
    pub decimals: u8,
    pub mint: Pubkey,
    pub token_program: Pubkey,
    /// Where the tokens rest.
    pub tokens: Pubkey,
}

impl Vault {
    pub const SEED: &'static [u8] = b"vault";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Vault::SPACE == 107);
