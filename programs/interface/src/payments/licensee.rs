use solana_pubkey::Pubkey;

use crate::{
    codec::*,
    licensing::{Offer, Use},
};

/// Marker that a payer has its one license of one use of one version of terms.
///
/// Seeds: `["licensee", terms, payer, [licensed_use]]`. It enforces free units and caps per licensee, which
/// a second acceptance would evade. It is never closed, so closing a channel does not reset them.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug)]
pub struct Licensee {
    /// Layout version; 0 before the acceptance.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Accepted terms.
    pub terms: Pubkey,
    /// Payer that accepted them.
    pub payer: Pubkey,
    /// `licensing::Use` as its byte.
    pub licensed_use: u8,
}

impl Licensee {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"licensee";
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Bytes of the account.
    pub const SPACE: usize = 8 + 2 + 32 + 32 + 1;

    /// Returns whether an offer has free units or caps per licensee.
    pub fn needed_by(offer: &Offer) -> bool {
        let caps = &offer.caps;
        offer.free_units > 0 || caps.licensee_units.is_some() || caps.daily_units.is_some()
    }

    /// Returns the seed of a use.
    pub fn use_byte(licensed_use: Use) -> u8 {
        licensed_use as u8
    }
}

// The layout of existing accounts never changes.
const _: () = assert!(Licensee::SPACE == 75);
