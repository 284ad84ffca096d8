use serde::{Deserialize, Serialize};

use super::{Address, Amount, SignatureHex};

/// Proof of a payer's request: a signature over a `motif_sdk::gateway::PayerRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PayerProof {
    /// Signer: the channel's payer or its voucher key.
    pub signer: Address,
    /// Unix second at the payer.
    pub issued_at: i64,
    /// Signature over the request's 161 bytes.
    pub signature: SignatureHex,
}

/// Settlement of one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettlementReport {
    /// Signature of the transaction, base58.
    pub signature: String,
    /// Number of the statement.
    pub statement: u64,
    /// Sum of the statement's prices.
    pub prices: Amount,
    /// Operator's fee.
    pub fee: Amount,
    /// Prices and fees since the channel opened.
    pub cumulative: Amount,
    /// Number of receipts that the settlement commits to.
    pub receipts: u32,
    /// Compute units used.
    pub compute_units: u64,
    /// Transaction fee, lamports.
    pub fee_lamports: u64,
}

/// Settled statements, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settlements {
    /// One entry, and one transaction, for each statement.
    pub settlements: Vec<SettlementReport>,
}

/// Result of closing a channel. Its payer can withdraw at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Closing {
    /// Statements settled before closing, oldest first.
    pub settlements: Vec<SettlementReport>,
    /// Signature of the closing transaction, base58; `null` if the grace period was over.
    pub signature: Option<String>,
    /// Compute units used.
    pub compute_units: u64,
    /// Transaction fee, lamports.
    pub fee_lamports: u64,
    /// Unix second from which nothing settles.
    pub closes_at: i64,
}
