use serde::{Deserialize, Serialize};

use super::{Address, Amount, Digest, UnitWord, UseWord, VoucherParts};

/// Asks a gateway to serve a channel, or to read it again after a top-up or an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenChannel {
    /// The channel.
    pub channel: Address,
}

/// A channel as its gateway has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelState {
    /// Its address.
    pub channel: Address,
    /// Who funds it.
    pub payer: Address,
    /// Who meters and settles it.
    pub operator: Address,
    /// The mint all amounts are in.
    pub mint: Address,
    /// Signs its vouchers.
    pub voucher_key: Address,
    /// Names the cluster in its vouchers.
    pub cluster: Digest,
    /// Which incarnation of the address this is.
    pub opened_slot: u64,
    /// The operator's fee, on top of prices.
    pub operator_fee_bps: u16,
    /// From closing to the last settlement.
    pub grace_seconds: u32,
    /// Unix seconds from which nothing settles; `null` while the channel is open.
    pub closes_at: Option<i64>,
    /// Escrowed since opening.
    pub deposited: Amount,
    /// Charged by acceptances.
    pub upfront_fees: Amount,
    /// Vouched for since opening, settled or not.
    pub cumulative: Amount,
    /// What generations can still be paid from.
    pub available: Amount,
    /// What it licenses.
    pub licenses: Vec<LicenseState>,
    /// Statements that no longer grow and have not settled yet, oldest first.
    pub unsettled: Vec<StatementState>,
    /// The statement that the next generation is part of.
    pub open: StatementState,
}

/// One license of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LicenseState {
    /// Its index on the channel.
    pub license: u16,
    /// The licensed work.
    pub work: Address,
    /// Version of the work's terms.
    pub terms_number: u32,
    /// What is licensed; `null` for a use this gateway does not know.
    #[serde(rename = "use")]
    pub licensed_use: Option<UseWord>,
    /// How it is counted; `null` for a unit this gateway does not know.
    pub unit: Option<UnitWord>,
    /// For one unit.
    pub price: Amount,
    /// Units settled so far.
    pub settled_units: u64,
    /// Units that were still free after the last settlement.
    pub free_units_left: u64,
    /// Last unix second of the license; `null` for no end.
    pub expires_at: Option<i64>,
}

/// What a statement states so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementState {
    /// Its number.
    pub statement: u64,
    /// Receipts in it.
    pub receipts: u32,
    /// Prices of its generations.
    pub prices: Amount,
    /// The channel's total with it.
    pub cumulative: Amount,
    /// Units used.
    pub entries: Vec<StatementEntry>,
    /// The newest voucher for it; `null` before its first generation.
    pub voucher: Option<VoucherParts>,
}

/// Units used of one license.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatementEntry {
    /// Index of the license on the channel.
    pub license: u16,
    /// Units.
    pub units: u32,
}
