use anchor_lang::prelude::*;
use licensing::{Offer, Use};

/// Marks that a payer has its one license of one use of one version of terms.
///
/// Seeds: `["licensee", terms, payer, [use]]`. Free units and caps per licensee would mean
/// nothing if a payer could accept the same terms twice. It is never closed: not even a payer
/// that closes its channel starts over.
#[account]
#[derive(Debug, InitSpace)]
pub struct Licensee {
    pub version: u8,
    pub bump: u8,
    pub terms: Pubkey,
    pub payer: Pubkey,
    /// `licensing::Use` as its byte.
    pub licensed_use: u8,
}

impl Licensee {
    pub const SEED: &'static [u8] = b"licensee";
    pub const VERSION: u8 = 1;
    pub const SPACE: usize = Self::DISCRIMINATOR.len() + Self::INIT_SPACE;

    /// Whether an offer gives each licensee something once.
    pub fn needed_by(offer: &Offer) -> bool {
        let caps = &offer.caps;
        offer.free_units > 0 || caps.licensee_units.is_some() || caps.daily_units.is_some()
    }

    /// The byte that stands for a use in the address.
    pub fn use_byte(licensed_use: Use) -> u8 {
        licensed_use as u8
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(Licensee::SPACE == 75);
