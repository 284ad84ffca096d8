use anchor_lang::prelude::*;

use crate::error::PaymentsError;

/// Takes plain transfers for a work: x402 payments, a distributor's royalties.
///
/// Seeds: `["till", work, mint]`. The tokens rest in its associated token account until anybody
/// sweeps them into the work's earnings.
#[account]
#[derive(Debug, InitSpace)]
pub struct Till {
    pub version: u8,
    pub bump: u8,
    pub work: Pubkey,
    pub mint: Pubkey,
    /// Base units ever moved into earnings.
    pub swept: u64,
}

impl Till {
    pub const SEED: &'static [u8] = b"till";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;

    /// Counts `amount` base units as moved into earnings.
    pub fn sweep(&mut self, amount: u64) -> Result<()> {
        require!(amount > 0, PaymentsError::EmptyTill);
        self.swept = self.swept.checked_add(amount).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Till::SPACE == 82);
