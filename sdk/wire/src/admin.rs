use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// A channel, as its operator oversees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelSummary {
    /// Its address.
    pub channel: Address,
    /// Who funds it.
    pub payer: Address,
    /// The mint of the amounts.
    pub mint: Address,
    /// Vouched for since opening, settled or not.
    pub cumulative: Amount,
    /// What generations can still be paid from.
    pub available: Amount,
    /// Vouched for and not settled.
    pub exposed: Amount,
    /// Receipts that have not settled.
    pub unsettled_receipts: u32,
    /// Unix second by which the open statement has to settle; `null` while it is empty.
    pub settle_before: Option<i64>,
    /// Unix seconds from which nothing settles; `null` while the channel is open.
    pub closes_at: Option<i64>,
    /// The most it may be used for here; `null` for its whole deposit.
    pub budget: Option<Amount>,
}

/// Channels a gateway serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelList {
    /// The channels, by address.
    pub channels: Vec<ChannelSummary>,
}

/// Fees that were paid to the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeeClaim {
    /// How much.
    pub claimed: Amount,
    /// The transaction, base58.
    pub signature: String,
}
