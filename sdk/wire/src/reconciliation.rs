use serde::{Deserialize, Serialize};

use super::{Address, Amount, QuarantinedChannel};

/// Vouchers, statements, receipts and the chain, held against each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// Whether everything agrees, to the unit.
    pub exact: bool,
    /// Channels, ordered by address.
    pub channels: Vec<ReconciledChannel>,
    /// Channels that this process cannot compare, because their stored state is corrupt.
    #[serde(default)]
    pub quarantined: Vec<QuarantinedChannel>,
    /// What the operator paid for transactions, by kind.
    #[serde(default)]
    pub expenses: Vec<ExpenseSummary>,
}

/// What the operator paid for the transactions of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpenseSummary {
    /// `settle`, `close`, `claim`, `sale` or `sponsorship`.
    pub kind: String,
    /// Number of confirmed transactions; of sponsorships, those that a node took.
    pub transactions: u64,
    /// Sum of their fees; of sponsorships, with the rent that was paid.
    pub fee_lamports: u64,
}

/// Reconciliation of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReconciledChannel {
    /// Address of the channel.
    pub channel: Address,
    /// Mint of the amounts.
    pub mint: Address,
    /// Number of receipts.
    pub receipts: u64,
    /// Sum of the receipts, without operator fees.
    pub receipts_prices: Amount,
    /// Sum of the receipts, with operator fees.
    pub receipts_charged: Amount,
    /// Total of the newest voucher.
    pub vouched: Amount,
    /// Number of statements settled on chain.
    pub settled_statements: u64,
    /// Prices and fees settled on chain.
    pub settled: Amount,
    /// Vouched and not settled.
    pub exposed: Amount,
    /// Descriptions of all differences.
    pub differences: Vec<String>,
}
