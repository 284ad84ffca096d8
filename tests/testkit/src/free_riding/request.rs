use std::collections::BTreeMap;

use motif_sdk::{Pubkey, receipt::SignedReceipt};

/// Paying request with its known outcome.
#[derive(Clone, Debug)]
pub struct Asked {
    pub channel: Pubkey,
    pub path: String,
    /// Idempotency key; `None` for captures.
    pub key: Option<String>,
    pub body: Vec<u8>,
    pub claim: Claim,
    /// Reason why it must be rejected, if any.
    pub forged: Option<&'static str>,
    /// Whether its response was read; before that it may have been served.
    pub is_answered: bool,
    /// Receipts.
    pub receipts: Vec<SignedReceipt>,
}

/// Content of a request's voucher.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    pub statement: u64,
    /// The channel's total, base units.
    pub cumulative: u64,
    /// Units of the statement by license.
    pub entries: BTreeMap<u16, u32>,
    /// Licenses and units of the request.
    pub items: Vec<(u16, u32)>,
}
