use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// Vouchers, statements, receipts and the chain, held against each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// Whether everything agrees, to the unit.
    pub exact: bool,
    /// The channels, by address.
    pub channels: Vec<ReconciledChannel>,
}

/// One channel's books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReconciledChannel {
    /// Its address.
    pub channel: Address,
    /// The mint of the amounts.
    pub mint: Address,
    /// Receipts that were given.
    pub receipts: u64,
    /// What the receipts add up to, without the operator's fees.
    pub receipts_prices: Amount,
    /// What the receipts add up to, with the operator's fees.
    pub receipts_charged: Amount,
    /// The total of the newest voucher.
    pub vouched: Amount,
    /// Statements that have settled, by the chain.
    pub settled_statements: u64,
    /// Prices and fees that have settled, by the chain.
    pub settled: Amount,
    /// Vouched for and not settled.
    pub exposed: Amount,
    /// What does not agree, in words; empty where everything does.
    pub differences: Vec<String>,
}
