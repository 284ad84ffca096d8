//! JSON of arguments and results that several calls share.

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_frame::CallError;
use motif_interface::{
    Currency, TOKEN_PROGRAM,
    bps::WHOLE_BPS,
    channel::License,
    licensing::{Caps, Derivatives, Offer, Share, Unit, Use, UsePrice},
    operator::{ReceiptKey, ReceiptKeys},
    till::{TillShare, TillShares},
};
use motif_wire::{Address, Amount, Digest};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;
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

/// Creates a currency; SPL Token is the default program.
pub fn currency(mint: Address, token_program: Option<Address>) -> Currency {
    let token_program = token_program.map_or(TOKEN_PROGRAM, |program| program.0);
    Currency { mint: mint.0, token_program }
}

/// Returns the keys of optional addresses.
pub fn key(address: Option<Address>) -> Option<Pubkey> {
    address.map(|address| address.0)
}

/// Receipt key of an operator.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptKeyParts {
    pub key: Address,
    #[serde(default)]
    pub valid_from: i64,
}

/// Creates an operator's list of receipt keys.
pub fn receipt_keys(keys: &[ReceiptKeyParts]) -> ReceiptKeys {
    let key =
        |parts: &ReceiptKeyParts| ReceiptKey { key: parts.key.0, valid_from: parts.valid_from };
    ReceiptKeys { keys: keys.iter().map(key).collect() }
}

/// Share of a recipient.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareParts {
    pub recipient: Address,
    pub share_bps: u16,
}

/// Creates a split.
pub fn split(shares: &[ShareParts]) -> Vec<Share> {
    let share =
        |parts: &ShareParts| Share { recipient: parts.recipient.0, share_bps: parts.share_bps };
    shares.iter().map(share).collect()
}

/// Returns the split that gives everything to one recipient.
pub fn sole(recipient: Pubkey) -> Vec<Share> {
    vec![Share { recipient, share_bps: WHOLE_BPS }]
}

/// Division of a till.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharesParts {
    #[serde(default)]
    pub operator: Option<Address>,
    #[serde(default)]
    pub operator_parts: u32,
    pub works: Vec<TillShareParts>,
}

/// Parts of a work in a till.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TillShareParts {
    pub work: Address,
    pub parts: u32,
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
    pub work: Address,
    pub terms_number: u32,
    /// `null` if this version does not know the use.
    #[serde(rename = "use")]
    pub licensed_use: Option<Use>,
    /// `null` if this version does not know the unit.
    pub unit: Option<Unit>,
    pub holds_quota: bool,
    pub day: u32,
    pub notice_seconds: u32,
    pub price: Amount,
    pub quota_price: Amount,
    pub units: Amount,
    pub free_units_left: Amount,
    pub units_left: Option<Amount>,
    pub daily_units: Option<Amount>,
    pub units_today: Amount,
    pub revenue_left: Option<Amount>,
    pub expires_at: Option<i64>,
    pub settled: Amount,
    pub collected: Amount,
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

/// Content of terms. Fields that are absent have the values of [`Offer::new`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferParts {
    #[serde(default = "yes")]
    pub commercial: bool,
    #[serde(default)]
    pub attribution: bool,
    #[serde(default)]
    pub sublicensing: bool,
    #[serde(default)]
    pub approval_required: bool,
    #[serde(default = "forbidden")]
    pub derivatives: Derivatives,
    #[serde(default)]
    pub share_alike: bool,
    #[serde(default)]
    pub derivative_share_bps: u16,
    #[serde(default)]
    pub upfront_fee: Amount,
    #[serde(default)]
    pub free_units: Amount,
    #[serde(default)]
    pub caps: CapsParts,
    #[serde(default)]
    pub valid_from: i64,
    #[serde(default)]
    pub expires_at: Option<i64>,
    #[serde(default)]
    pub notice_seconds: u32,
    #[serde(default = "no_digest")]
    pub legal_digest: Digest,
    pub uses: Vec<UsePriceParts>,
    #[serde(default)]
    pub operators: Vec<Address>,
    #[serde(default)]
    pub legal_uri: String,
}

/// Limits of terms.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CapsParts {
    pub total_units: Option<Amount>,
    pub daily_units: Option<Amount>,
    pub licensee_units: Option<Amount>,
    pub revenue: Option<Amount>,
}

/// Price of one use.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsePriceParts {
    #[serde(rename = "use")]
    pub licensed_use: Use,
    pub unit: Unit,
    pub price: Amount,
}

fn yes() -> bool {
    true
}

fn forbidden() -> Derivatives {
    Derivatives::Forbidden
}

fn no_digest() -> Digest {
    Digest([0; 32])
}

impl From<&Offer> for OfferParts {
    fn from(offer: &Offer) -> Self {
        let price = |price: &UsePrice| UsePriceParts {
            licensed_use: price.licensed_use,
            unit: price.unit,
            price: Amount(price.price),
        };
        let Caps { total_units, daily_units, licensee_units, revenue } = offer.caps;
        Self {
            commercial: offer.commercial,
            attribution: offer.attribution,
            sublicensing: offer.sublicensing,
            approval_required: offer.approval_required,
            derivatives: offer.derivatives,
            share_alike: offer.share_alike,
            derivative_share_bps: offer.derivative_share_bps,
            upfront_fee: Amount(offer.upfront_fee),
            free_units: Amount(offer.free_units),
            caps: CapsParts {
                total_units: total_units.map(Amount),
                daily_units: daily_units.map(Amount),
                licensee_units: licensee_units.map(Amount),
                revenue: revenue.map(Amount),
            },
            valid_from: offer.valid_from,
            expires_at: offer.expires_at,
            notice_seconds: offer.notice_seconds,
            legal_digest: Digest(offer.legal_digest),
            uses: offer.uses.iter().map(price).collect(),
            operators: offer.operators.iter().copied().map(Address).collect(),
            legal_uri: offer.legal_uri.clone(),
        }
    }
}

impl From<OfferParts> for Offer {
    fn from(parts: OfferParts) -> Self {
        let price = |price: &UsePriceParts| UsePrice {
            licensed_use: price.licensed_use,
            unit: price.unit,
            price: price.price.0,
        };
        let cap = |cap: Option<Amount>| cap.map(|cap| cap.0);
        Self {
            commercial: parts.commercial,
            attribution: parts.attribution,
            sublicensing: parts.sublicensing,
            approval_required: parts.approval_required,
            derivatives: parts.derivatives,
            share_alike: parts.share_alike,
            derivative_share_bps: parts.derivative_share_bps,
            upfront_fee: parts.upfront_fee.0,
            free_units: parts.free_units.0,
            caps: Caps {
                total_units: cap(parts.caps.total_units),
                daily_units: cap(parts.caps.daily_units),
                licensee_units: cap(parts.caps.licensee_units),
                revenue: cap(parts.caps.revenue),
            },
            valid_from: parts.valid_from,
            expires_at: parts.expires_at,
            notice_seconds: parts.notice_seconds,
            legal_digest: parts.legal_digest.0,
            uses: parts.uses.iter().map(price).collect(),
            operators: parts.operators.iter().map(|operator| operator.0).collect(),
            legal_uri: parts.legal_uri,
        }
    }
}
