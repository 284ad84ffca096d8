use motif_interface::licensing::{Derivatives, Parent, Share, Terms, Work};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest, KindWord, StatusWord, UnitWord, UseWord};

/// A registered work, as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkFacts {
    /// Its address.
    pub work: Address,
    /// What it is.
    pub kind: KindWord,
    /// Whether it takes new licenses and derivatives.
    pub status: StatusWord,
    /// Who registered it.
    pub creator: Address,
    /// Who publishes its terms.
    pub owner: Address,
    /// Who was offered the work and may become its owner.
    pub pending_owner: Option<Address>,
    /// SHA-256 of its content.
    pub content_digest: Digest,
    /// Unix seconds on chain at registration.
    pub registered_at: i64,
    /// Unix seconds on chain of its withdrawal; licenses accepted before run on for their notice.
    pub withdrawn_at: Option<i64>,
    /// The person who consented to the use of its voice or likeness.
    pub consent: Option<ConsentFacts>,
    /// What a style model was made with.
    pub model: Option<ModelFacts>,
    /// Mint of its certificate.
    pub certificate: Option<Address>,
    /// Where its metadata is. Not fetched by anybody here.
    pub metadata_uri: String,
    /// SHA-256 of what is there.
    pub metadata_digest: Digest,
    /// Works it was made from.
    pub parents: Vec<ParentShare>,
    /// What their terms demand of its own.
    pub inherited: InheritedFacts,
    /// Who gets what of what the parents leave.
    pub split: Vec<RecipientShare>,
    /// Counts changes of the split.
    pub split_version: u32,
    /// The latest terms; `null` while there are none.
    pub terms: Option<TermsFacts>,
}

/// A person's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentFacts {
    /// Who consented.
    pub person: Address,
    /// Last unix second of the consent.
    pub expires_at: Option<i64>,
}

/// What a style model was made with, besides its parents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelFacts {
    /// The model it adapts, as its publisher calls it.
    pub base_model: String,
    /// Merkle root over the content digests of everything it was trained on.
    pub training_root: Digest,
    /// The style model it replaces.
    pub previous: Option<Address>,
}

/// What the terms of a work's parents demand of its own terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InheritedFacts {
    /// The latest that its terms may last, unix seconds.
    pub expires_at: Option<i64>,
    /// Whether they must allow derivatives on the same condition.
    pub share_alike: bool,
    /// Whether they must be non-commercial.
    pub non_commercial: bool,
}

/// Some works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkList {
    /// How many match.
    pub total: u64,
    /// How many of those come before the first one here.
    pub offset: u32,
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
    /// Number of the parent's terms that allowed it; 0 where the parent's owner signed.
    pub terms_number: u32,
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
    /// Units each license may use before it pays.
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
    /// Units each license may use before it pays.
    pub free_units: u64,
}

impl WorkFacts {
    /// States what an account says.
    pub fn new(address: Pubkey, work: &Work, terms: Option<TermsFacts>) -> Self {
        let consent = work.consent.map(|consent| ConsentFacts {
            person: Address(consent.person),
            expires_at: consent.expires_at,
        });
        let model = work.model.as_ref().map(|model| ModelFacts {
            base_model: model.base_model.clone(),
            training_root: Digest(model.training_root),
            previous: model.previous.map(Address),
        });
        let inherited = InheritedFacts {
            expires_at: work.inherited.expires_at,
            share_alike: work.inherited.share_alike,
            non_commercial: work.inherited.non_commercial,
        };
        Self {
            work: Address(address),
            kind: work.kind.into(),
            status: work.status.into(),
            creator: Address(work.creator),
            owner: Address(work.owner),
            pending_owner: work.pending_owner.map(Address),
            content_digest: Digest(work.content_digest),
            registered_at: work.registered_at,
            withdrawn_at: Some(work.withdrawn_at).filter(|at| *at != i64::MAX),
            consent,
            model,
            certificate: work.certificate.map(Address),
            metadata_uri: work.metadata_uri.clone(),
            metadata_digest: Digest(work.metadata_digest),
            parents: work.parents.iter().map(ParentShare::from).collect(),
            inherited,
            split: work.split.iter().map(RecipientShare::from).collect(),
            split_version: work.split_version,
            terms,
        }
    }
}

impl From<&Parent> for ParentShare {
    fn from(parent: &Parent) -> Self {
        let Parent { work, share_bps, terms_number } = *parent;
        Self { work: Address(work), share_bps, terms_number }
    }
}

impl From<&Share> for RecipientShare {
    fn from(share: &Share) -> Self {
        Self { recipient: Address(share.recipient), share_bps: share.share_bps }
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
