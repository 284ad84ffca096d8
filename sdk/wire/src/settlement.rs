use serde::{Deserialize, Serialize};

use super::{Address, Amount, SignatureHex};

/// Proves that the payer asks: a signature over a `motif_sdk::gateway::PayerRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PayerProof {
    /// Who signs: the channel's payer or its voucher key.
    pub signer: Address,
    /// Unix seconds on the payer's machine.
    pub issued_at: i64,
    /// By the signer, over the request's 161 bytes.
    pub signature: SignatureHex,
}

/// A statement that is on chain now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettlementReport {
    /// The transaction, base58.
    pub signature: String,
    /// The statement's number.
    pub statement: u64,
    /// Prices of the statement.
    pub prices: Amount,
    /// The operator's fee for it.
    pub fee: Amount,
    /// Prices and fees since the channel opened.
    pub cumulative: Amount,
    /// Receipts the settlement committed to.
    pub receipts: u32,
    /// Compute units the transaction used.
    pub compute_units: u64,
    /// Lamports the operator paid for it.
    pub fee_lamports: u64,
}

/// What a settlement brought on chain, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settlements {
    /// One for each statement; each is a transaction.
    pub settlements: Vec<SettlementReport>,
}

/// A channel that is closed now: its payer can withdraw at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Closing {
    /// What had to be settled before, oldest first.
    pub settlements: Vec<SettlementReport>,
    /// The transaction that ended the grace period, base58; `null` when it was over already.
    pub signature: Option<String>,
    /// Compute units that transaction used.
    pub compute_units: u64,
    /// Lamports the operator paid for it.
    pub fee_lamports: u64,
    /// Unix seconds from which nothing settles.
    pub closes_at: i64,
}
