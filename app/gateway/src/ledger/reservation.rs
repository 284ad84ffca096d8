//! Generations that a ledger has priced and not yet committed.

use std::collections::BTreeSet;

use motif_sdk::{
    Pubkey,
    voucher::{SignedVoucher, Statement},
};

use super::{HoldId, Item};

/// Generation that a voucher is to pay for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requested {
    /// License and units.
    pub item: Item,
    /// Hold that it captures.
    pub hold: Option<HoldId>,
    /// SHA-256 of the request, which that of the hold must equal.
    pub request_digest: [u8; 32],
}

/// Generations that a ledger accepts, with their prices. Valid until the ledger changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Number of the statement.
    pub statement: u64,
    /// Position of the first generation in the statement; the others follow.
    pub position: u32,
    /// The generations, in order.
    pub items: Vec<PricedItem>,
    /// Sum of prices, base units.
    pub price: u64,
    /// Amount added to the channel's total, base units, fees included.
    pub charged: u64,
    /// Total of the channel with the generations, base units.
    pub cumulative: u64,
    /// Voucher that pays for them.
    pub voucher: SignedVoucher,
    pub(super) units: Statement,
    pub(super) holds: BTreeSet<HoldId>,
}

impl Reservation {
    /// Returns the holds that the generations capture.
    pub fn holds(&self) -> impl Iterator<Item = HoldId> + '_ {
        self.holds.iter().copied()
    }
}

/// Priced units of one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PricedItem {
    /// License and units.
    pub item: Item,
    /// Price, base units.
    pub price: u64,
    /// Licensed work.
    pub work: Pubkey,
    /// Version of the work's terms.
    pub terms_number: u32,
}
