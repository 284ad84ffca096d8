//! JSON of arguments and results that several calls share.

use motif_interface::{
    Currency, TOKEN_PROGRAM,
    bps::WHOLE_BPS,
    licensing::{Caps, Derivatives, Offer, Share, Unit, Use, UsePrice},
};
use motif_wire::{Address, Amount, Digest};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

/// Creates a currency; SPL Token is the default program.
pub fn currency(mint: Address, token_program: Option<Address>) -> Currency {
    let token_program = token_program.map_or(TOKEN_PROGRAM, |program| program.0);
    Currency { mint: mint.0, token_program }
}

/// Returns the keys of optional addresses.
pub fn key(address: Option<Address>) -> Option<Pubkey> {
    address.map(|address| address.0)
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
