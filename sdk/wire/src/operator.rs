use serde::{Deserialize, Serialize};

use super::{Address, Digest};

/// Operator of a gateway, and its conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operator {
    /// Authority of the operator, which a channel names at opening. Its account on chain has the
    /// keys that settle and sign receipts.
    pub operator: Address,
    /// Cluster tag of vouchers.
    pub cluster: Digest,
    /// Licensing program.
    pub licensing_program: Address,
    /// Payments program.
    pub payments_program: Address,
    /// Minimum operator fee of a channel, in addition to prices.
    pub operator_fee_bps: u16,
    /// Minimum grace period of a channel.
    pub min_grace_seconds: u32,
    /// Minimum remaining validity of a voucher.
    pub min_voucher_seconds: u32,
    /// Mints of the channels it serves; empty for all mints.
    pub mints: Vec<Address>,
}
