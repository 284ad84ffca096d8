use licensing::{Derivatives, Terms, Work};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest, KindWord, UnitWord, UseWord};

/// A registered work, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkFacts {
    /// Its address.
    pub work: Address,
    /// What it is.
    pub kind: KindWord,
    /// Who registered it.
    pub creator: Address,
    /// Who publishes its terms.
    pub owner: Address,
    /// SHA-256 of its content.
    pub content_digest: Digest,
    /// Unix seconds on chain at registration.
    pub registered_at: i64,
    /// Where its metadata is. Not fetched by anybody here.
    pub metadata_uri: String,
    /// SHA-256 of what is there.
    pub metadata_digest: Digest,
    /// Works it was made from.
    pub parents: Vec<ParentShare>,
    /// Who gets what of what the parents leave.
    pub split: Vec<RecipientShare>,
    /// The latest terms; `null` while there are none, or where they were not asked for.
    pub terms: Option<TermsFacts>,
}

/// Some works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkList {
    /// The works, earliest registration first.
    pub works: Vec<WorkFacts>,
}

/// A parent's part of what a work earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParentShare {
    /// The parent.
    pub work: Address,
    /// Of everything the work earns.
    pub share_bps: u16,
}

/// A recipient's part of what a work keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientShare {
    /// Who.
    pub recipient: Address,
    /// Of what the parents leave.
    pub share_bps: u16,
}

/// One version of a work's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsFacts {
    /// Its number.
    pub number: u32,
    /// What an acceptance names, so that it accepts exactly these.
    pub digest: Digest,
    /// Mint of every amount.
    pub currency: Address,
    /// What may be done, at what price.
    pub uses: Vec<PricedUse>,
    /// Whether commercial use is licensed.
    pub commercial: bool,
    /// Whether the creator must be named.
    pub attribution: bool,
    /// Whether a licensee may license on.
    pub sublicensing: bool,
    /// Whether each acceptance needs the owner's signature.
    pub approval_required: bool,
    /// Whether works may be made from it: `forbidden`, `approval` or `allowed`.
    pub derivatives: String,
    /// The least share of a derivative's earnings.
    pub derivative_share_bps: u16,
    /// Charged once at acceptance.
    pub upfront_fee: Amount,
    /// Units each licence may use before it pays.
    pub free_units: u64,
    /// Unix seconds from which the terms can be accepted.
    pub valid_from: i64,
    /// Unix seconds after which nothing can be accepted, used or settled.
    pub expires_at: Option<i64>,
}

/// What one unit of one use costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PricedUse {
    /// What is done.
    #[serde(rename = "use")]
    pub licensed_use: UseWord,
    /// How it is counted.
    pub unit: UnitWord,
    /// For one unit.
    pub price: Amount,
}

/// What a use of a work costs through this gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// The work.
    pub work: Address,
    /// What is done.
    #[serde(rename = "use")]
    pub licensed_use: UseWord,
    /// How it is counted.
    pub unit: UnitWord,
    /// To the creators, for one unit.
    pub price: Amount,
    /// To this operator, on top.
    pub operator_fee_bps: u16,
    /// What one unit costs with the fee, rounded up. Fees are floors of totals, so many units
    /// cost at most this each.
    pub price_with_fee: Amount,
    /// Mint of the amounts.
    pub currency: Address,
    /// The terms this is from.
    pub terms_number: u32,
    /// What an acceptance of these terms names.
    pub terms_digest: Digest,
    /// Charged once at acceptance.
    pub upfront_fee: Amount,
    /// Units each licence may use before it pays.
    pub free_units: u64,
}

impl WorkFacts {
    /// States what an account says.
    pub fn new(address: Pubkey, work: &Work, terms: Option<TermsFacts>) -> Self {
        let parents = work.parents.iter();
        let split = work.split.iter();
        Self {
            work: Address(address),
            kind: work.kind.into(),
            creator: Address(work.creator),
            owner: Address(work.owner),
            content_digest: Digest(work.content_digest),
            registered_at: work.registered_at,
            metadata_uri: work.metadata_uri.clone(),
            metadata_digest: Digest(work.metadata_digest),
            parents: parents
                .map(|parent| ParentShare {
                    work: Address(parent.work),
                    share_bps: parent.share_bps,
                })
                .collect(),
            split: split
                .map(|share| RecipientShare {
                    recipient: Address(share.recipient),
                    share_bps: share.share_bps,
                })
                .collect(),
            terms,
        }
    }
}

impl TermsFacts {
    /// States what an account says; `digest` is that of its data.
    pub fn new(terms: &Terms, digest: [u8; 32]) -> Self {
        let offer = &terms.offer;
        let derivatives = match offer.derivatives {
            Derivatives::Forbidden => "forbidden",
            Derivatives::WithApproval => "approval",
            Derivatives::Allowed => "allowed",
        };
        let uses = offer.uses.iter().map(|priced| PricedUse {
            licensed_use: priced.licensed_use.into(),
            unit: priced.unit.into(),
            price: Amount(priced.price),
        });
        Self {
            number: terms.number,
            digest: Digest(digest),
            currency: Address(terms.currency),
            uses: uses.collect(),
            commercial: offer.commercial,
            attribution: offer.attribution,
            sublicensing: offer.sublicensing,
            approval_required: offer.approval_required,
            derivatives: derivatives.to_owned(),
            derivative_share_bps: offer.derivative_share_bps,
            upfront_fee: Amount(offer.upfront_fee),
            free_units: offer.free_units,
            valid_from: offer.valid_from,
            expires_at: offer.expires_at,
        }
    }
}
