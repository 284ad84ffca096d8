use std::collections::BTreeMap;

use motif_sdk::{Pubkey, receipt::SignedReceipt};

/// A request that pays, or pretends to, and everything known of it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub channel: Pubkey,
    pub path: String,
    /// Its idempotency key; captures have none.
    pub key: Option<String>,
    pub body: Vec<u8>,
    pub claim: Claim,
    /// Why it must not be served, if that is so.
    pub forged: Option<&'static str>,
    /// Whether its answer was read; until then it may have been served.
    pub is_answered: bool,
    /// What it got.
    pub receipts: Vec<SignedReceipt>,
}

/// What the voucher in a request was signed for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    pub statement: u64,
    /// The channel's total, base units.
    pub cumulative: u64,
    /// Units of the statement by license.
    pub entries: BTreeMap<u16, u32>,
    /// What is asked for: license and units each.
    pub items: Vec<(u16, u32)>,
}
