use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// Channel in an operator's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelSummary {
    /// Address of the channel.
    pub channel: Address,
    /// Key that funds the channel.
    pub payer: Address,
    /// Mint of the amounts.
    pub mint: Address,
    /// Total of the newest voucher since opening, settled or not.
    pub cumulative: Amount,
    /// Balance available for generations.
    pub available: Amount,
    /// Vouched and not settled.
    pub exposed: Amount,
    /// Number of receipts that are not settled.
    pub unsettled_receipts: u32,
    /// Latest unix second to settle the open statement; `null` while it is empty.
    pub settle_before: Option<i64>,
    /// Unix second from which nothing settles; `null` while the channel is open.
    pub closes_at: Option<i64>,
    /// Maximum spending through this gateway; `null` for the whole deposit.
    pub budget: Option<Amount>,
    /// Number of transactions signed to settle the oldest statement; 0 if nothing is being settled.
    pub settlement_attempts: u32,
    /// Slug of the problem that the last settlement ended with; `null` if it succeeded.
    pub settlement_problem: Option<String>,
}

/// Channels that a gateway serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelList {
    /// Channels, ordered by address.
    pub channels: Vec<ChannelSummary>,
    /// Channels that are not served because their stored state is corrupt.
    #[serde(default)]
    pub quarantined: Vec<QuarantinedChannel>,
}

/// Channel whose stored state is corrupt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuarantinedChannel {
    /// Number in the store's table `channels`.
    pub id: i64,
    /// Address, if it can be read.
    pub channel: Option<Address>,
    /// What is wrong with the stored state.
    pub reason: String,
}

/// Claim of operator fees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeeClaim {
    /// Amount claimed.
    pub claimed: Amount,
    /// Signature of the transaction, base58.
    pub signature: String,
}
