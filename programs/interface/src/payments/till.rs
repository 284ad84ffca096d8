use solana_pubkey::Pubkey;

use super::PaymentsError;
use crate::{codec::*, require};

/// Receiver of plain token transfers for a work, such as x402 payments or royalties.
///
/// Seeds: `["till", work, mint]`. Its associated token account holds the tokens until a sweep moves
/// them to the work's earnings.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Till {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Work that receives the tokens.
    pub work: Pubkey,
    /// Mint of the tokens.
    pub mint: Pubkey,
    /// Base units moved to earnings since opening.
    pub swept: u64,
}

impl Till {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"till";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes of the account.
    pub const SPACE: usize = 8 + 2 + 32 + 32 + 8;

    /// Records `amount` base units as moved to earnings.
    ///
    /// # Errors
    /// [`PaymentsError::EmptyTill`], [`PaymentsError::Overflow`].
    pub fn sweep(&mut self, amount: u64) -> Result<(), PaymentsError> {
        require!(amount > 0, PaymentsError::EmptyTill);
        self.swept = self.swept.checked_add(amount).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Till::SPACE == 82);
