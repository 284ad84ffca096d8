use serde::{Deserialize, Serialize};

use super::{Address, Digest};

/// Who runs this gateway, and which channels it serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operator {
    /// Signs receipts and settlements; a channel names it when it is opened.
    pub operator: Address,
    /// Names the cluster in every voucher.
    pub cluster: Digest,
    /// The licensing program.
    pub licensing_program: Address,
    /// The payments program.
    pub payments_program: Address,
    /// The least fee a channel must give this operator, on top of prices.
    pub operator_fee_bps: u16,
    /// The least grace period of a channel.
    pub min_grace_seconds: u32,
    /// The least a voucher must still be valid for.
    pub min_voucher_seconds: u32,
    /// Mints of the channels it serves; empty for any.
    pub mints: Vec<Address>,
}
