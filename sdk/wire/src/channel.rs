use motif_interface::{
    licensing::{Unit, Use},
    voucher::SignedVoucher,
};
use serde::{Deserialize, Serialize};

use super::{Address, Amount, Digest, voucher};

/// Request to serve a channel, or to read it again after a top-up or an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenChannel {
    /// Address of the channel.
    pub channel: Address,
}

/// State of a channel at its gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelState {
    /// Address of the channel.
    pub channel: Address,
    /// Key that funds the channel.
    pub payer: Address,
    /// Authority of the operator that meters and settles the channel.
    pub operator: Address,
    /// Mint of all amounts.
    pub mint: Address,
    /// Key that signs vouchers.
    pub voucher_key: Address,
    /// Cluster tag of its vouchers.
    pub cluster: Digest,
    /// Slot of opening, which distinguishes channels at the same address.
    pub opened_slot: u64,
    /// Operator's fee, in addition to prices.
    pub operator_fee_bps: u16,
    /// Time between the start of closing and the last settlement.
    pub grace_seconds: u32,
    /// Unix second from which nothing settles; `null` while the channel is open.
    #[serde(default)]
    pub closes_at: Option<i64>,
    /// Deposits since opening.
    pub deposited: Amount,
    /// Fees charged at acceptance.
    pub upfront_fees: Amount,
    /// Total of the newest voucher since opening, settled or not.
    pub cumulative: Amount,
    /// Balance available for generations.
    pub available: Amount,
    /// Licenses, by index.
    pub licenses: Vec<LicenseState>,
    /// Closed statements that are not settled yet, oldest first.
    pub unsettled: Vec<StatementState>,
    /// Statement of the next generation.
    pub open: StatementState,
}

/// License on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenseState {
    /// Index on the channel.
    pub license: u16,
    /// Licensed work.
    pub work: Address,
    /// Version of the work's terms.
    pub terms_number: u32,
    /// Licensed use; `null` if this gateway does not know it.
    #[serde(rename = "use")]
    #[serde(default)]
    pub licensed_use: Option<Use>,
    /// Unit of the use; `null` if this gateway does not know it.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// Price of one unit.
    pub price: Amount,
    /// Settled units.
    pub settled_units: u64,
    /// Free units left after the last settlement.
    pub free_units_left: u64,
    /// Last unix second of the license; `null` for no expiry.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// State of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementState {
    /// Number of the statement.
    pub statement: u64,
    /// Number of receipts.
    pub receipts: u32,
    /// Sum of its generations' prices.
    pub prices: Amount,
    /// Total of the channel with this statement.
    pub cumulative: Amount,
    /// Units used, by license.
    pub entries: Vec<StatementEntry>,
    /// Newest voucher; `null` before the first generation.
    #[serde(default, with = "voucher::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<voucher::VoucherParts>))]
    pub voucher: Option<SignedVoucher>,
}

/// Units used under one license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementEntry {
    /// Index of the license on the channel.
    pub license: u16,
    /// Number of units.
    pub units: u32,
}
