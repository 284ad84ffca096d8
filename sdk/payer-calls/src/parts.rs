//! JSON of arguments and results that several calls share.

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_frame::CallError;
use motif_interface::{
    channel::License,
    licensing::{Unit, Use},
    operator::{ReceiptKey, ReceiptKeys},
    till::{TillShare, TillShares},
};
use motif_wire::{Address, Amount};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// Decodes standard base64.
pub fn data(text: &str, name: &str) -> Result<Vec<u8>, CallError> {
    BASE64_STANDARD.decode(text).map_err(|_| {
        CallError::invalid_input(format!("invalid `{name}`: expected standard base64"))
    })
}

/// Encodes standard base64.
pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Receipt key of an operator.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptKeyParts {
    pub(crate) key: Address,
    #[serde(default)]
    pub(crate) valid_from: i64,
}

/// Creates an operator's list of receipt keys.
pub fn receipt_keys(keys: &[ReceiptKeyParts]) -> ReceiptKeys {
    let key =
        |parts: &ReceiptKeyParts| ReceiptKey { key: parts.key.0, valid_from: parts.valid_from };
    ReceiptKeys { keys: keys.iter().map(key).collect() }
}

/// Division of a till.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharesParts {
    #[serde(default)]
    pub(crate) operator: Option<Address>,
    #[serde(default)]
    pub(crate) operator_parts: u32,
    pub(crate) works: Vec<TillShareParts>,
}

/// Parts of a work in a till.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TillShareParts {
    pub(crate) work: Address,
    pub(crate) parts: u32,
}

impl SharesParts {
    /// Returns the one form of the division.
    ///
    /// # Errors
    /// `invalid-input`.
    pub fn shares(&self) -> Result<TillShares, CallError> {
        let share = |parts: &TillShareParts| TillShare { work: parts.work.0, parts: parts.parts };
        let works = self.works.iter().map(share).collect();
        let operator = self.operator.map(|operator| (operator.0, self.operator_parts));
        let shares = TillShares::new(works, operator);
        shares.check().map_err(CallError::invalid_input)?;
        Ok(shares)
    }
}

impl From<&TillShares> for SharesParts {
    fn from(shares: &TillShares) -> Self {
        let share =
            |share: &TillShare| TillShareParts { work: Address(share.work), parts: share.parts };
        Self {
            operator: (shares.operator_parts > 0).then_some(Address(shares.operator)),
            operator_parts: shares.operator_parts,
            works: shares.works.iter().map(share).collect(),
        }
    }
}

/// License of a channel. Counters that may exceed 2^53 are strings of digits; `null` is unlimited.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseParts {
    pub(crate) work: Address,
    pub(crate) terms_number: u32,
    /// `null` if this version does not know the use.
    #[serde(rename = "use")]
    #[serde(default)]
    pub(crate) licensed_use: Option<Use>,
    /// `null` if this version does not know the unit.
    #[serde(default)]
    pub(crate) unit: Option<Unit>,
    pub(crate) holds_quota: bool,
    pub(crate) day: u32,
    pub(crate) notice_seconds: u32,
    pub(crate) price: Amount,
    pub(crate) quota_price: Amount,
    pub(crate) units: Amount,
    pub(crate) free_units_left: Amount,
    #[serde(default)]
    pub(crate) units_left: Option<Amount>,
    #[serde(default)]
    pub(crate) daily_units: Option<Amount>,
    pub(crate) units_today: Amount,
    #[serde(default)]
    pub(crate) revenue_left: Option<Amount>,
    #[serde(default)]
    pub(crate) expires_at: Option<i64>,
    pub(crate) settled: Amount,
    pub(crate) collected: Amount,
}

impl From<&License> for LicenseParts {
    fn from(license: &License) -> Self {
        let limit = |left: u64| (left != License::UNLIMITED).then_some(Amount(left));
        Self {
            work: Address(license.work),
            terms_number: license.terms_number,
            licensed_use: Use::VARIANTS.get(usize::from(license.licensed_use)).copied(),
            unit: Unit::VARIANTS.get(usize::from(license.unit)).copied(),
            holds_quota: license.holds_quota == 1,
            day: license.day,
            notice_seconds: license.notice_seconds,
            price: Amount(license.price),
            quota_price: Amount(license.quota_price),
            units: Amount(license.units),
            free_units_left: Amount(license.free_units_left),
            units_left: limit(license.units_left),
            daily_units: limit(license.daily_units),
            units_today: Amount(license.units_today),
            revenue_left: limit(license.revenue_left),
            expires_at: (license.expires_at != i64::MAX).then_some(license.expires_at),
            settled: Amount(license.settled),
            collected: Amount(license.collected),
        }
    }
}

impl From<&LicenseParts> for License {
    fn from(parts: &LicenseParts) -> Self {
        let limit = |left: Option<Amount>| left.map_or(Self::UNLIMITED, |left| left.0);
        Self {
            work: parts.work.0,
            terms_number: parts.terms_number,
            licensed_use: parts.licensed_use.map_or(u8::MAX, |licensed_use| licensed_use as u8),
            unit: parts.unit.map_or(u8::MAX, |unit| unit as u8),
            holds_quota: u8::from(parts.holds_quota),
            reserved: 0,
            day: parts.day,
            notice_seconds: parts.notice_seconds,
            price: parts.price.0,
            quota_price: parts.quota_price.0,
            units: parts.units.0,
            free_units_left: parts.free_units_left.0,
            units_left: limit(parts.units_left),
            daily_units: limit(parts.daily_units),
            units_today: parts.units_today.0,
            revenue_left: limit(parts.revenue_left),
            expires_at: parts.expires_at.unwrap_or(i64::MAX),
            settled: parts.settled.0,
            collected: parts.collected.0,
        }
    }
}
