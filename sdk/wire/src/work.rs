use motif_interface::licensing::{
    Derivatives, Parent, Share, Terms, Unit, Use, Work, WorkKind, WorkStatus,
};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest};

/// Registered work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkFacts {
    /// Address of the work.
    pub work: Address,
    /// Kind of content.
    pub kind: WorkKind,
    /// Status.
    pub status: WorkStatus,
    /// Title as the owner states it, at most 64 bytes; possibly empty.
    pub title: String,
    /// Key that registered the work.
    pub creator: Address,
    /// Key that publishes its terms.
    pub owner: Address,
    /// Key that may accept the ownership.
    pub pending_owner: Option<Address>,
    /// SHA-256 of the content.
    pub content_digest: Digest,
    /// On-chain unix second of registration.
    pub registered_at: i64,
    /// On-chain unix second of withdrawal. Existing licenses continue for their notice.
    pub withdrawn_at: Option<i64>,
    /// Consent of the person whose voice or likeness it is.
    pub consent: Option<ConsentFacts>,
    /// Details of a style model.
    pub model: Option<ModelFacts>,
    /// Mint of the certificate.
    pub certificate: Option<Address>,
    /// URI of the metadata, which the gateway does not fetch.
    pub metadata_uri: String,
    /// SHA-256 of the metadata.
    pub metadata_digest: Digest,
    /// Parents.
    pub parents: Vec<ParentShare>,
    /// Conditions that the parents' terms set on its terms.
    pub inherited: InheritedFacts,
    /// Recipients of the earnings that remain after the parents' shares.
    pub split: Vec<RecipientShare>,
    /// Version of the split.
    pub split_version: u32,
    /// Latest terms; `null` if there are none.
    pub terms: Option<TermsFacts>,
}

/// Consent of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentFacts {
    /// Key of the person.
    pub person: Address,
    /// Last unix second of the consent; `null` for no expiry.
    pub expires_at: Option<i64>,
}

/// Details of a style model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelFacts {
    /// Name of the adapted model.
    pub base_model: String,
    /// Merkle root of the training set's content digests.
    pub training_root: Digest,
    /// Style model that it replaces.
    pub previous: Option<Address>,
}

/// Conditions that parents' terms set on a work's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InheritedFacts {
    /// Latest allowed expiry of its terms, unix seconds.
    pub expires_at: Option<i64>,
    /// Whether they must allow derivatives on the same condition.
    pub share_alike: bool,
    /// Whether they must be non-commercial.
    pub non_commercial: bool,
}

/// Page of works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkList {
    /// Number of matching works.
    pub total: u64,
    /// Number of skipped works.
    pub offset: u32,
    /// Works, earliest registration first.
    pub works: Vec<WorkFacts>,
}

/// Share of a parent in a work's earnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParentShare {
    /// Parent.
    pub work: Address,
    /// Share of everything that the work earns, basis points.
    pub share_bps: u16,
    /// Number of the parent's terms that allowed the derivative; 0 if the parent's owner signed.
    pub terms_number: u32,
}

/// Share of a recipient in a work's earnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientShare {
    /// Recipient.
    pub recipient: Address,
    /// Share of what remains after the parents' shares, basis points.
    pub share_bps: u16,
}

/// Version of a work's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TermsFacts {
    /// Number of the version.
    pub number: u32,
    /// Digest that an acceptance names.
    pub digest: Digest,
    /// Mint of all amounts.
    pub currency: Address,
    /// Licensed uses and prices.
    pub uses: Vec<PricedUse>,
    /// Whether commercial use is licensed.
    pub commercial: bool,
    /// Whether outputs must credit the creator.
    pub attribution: bool,
    /// Whether licensees may sublicense.
    pub sublicensing: bool,
    /// Whether each acceptance needs the owner's approval.
    pub approval_required: bool,
    /// Permission to register derivatives: `forbidden`, `approval` or `allowed`.
    pub derivatives: String,
    /// Minimum share in a derivative's earnings, basis points.
    pub derivative_share_bps: u16,
    /// Fee charged once at acceptance.
    pub upfront_fee: Amount,
    /// Free units of each license.
    pub free_units: u64,
    /// First unix second of acceptance.
    pub valid_from: i64,
    /// Last unix second of acceptance, use and settlement.
    pub expires_at: Option<i64>,
}

/// Price of one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PricedUse {
    /// Use.
    #[serde(rename = "use")]
    pub licensed_use: Use,
    /// Unit of the use.
    pub unit: Unit,
    /// Price of one unit.
    pub price: Amount,
}

/// Price of a use of a work through this gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// Work.
    pub work: Address,
    /// Use.
    #[serde(rename = "use")]
    pub licensed_use: Use,
    /// Unit of the use.
    pub unit: Unit,
    /// Price of one unit, paid to the creators.
    pub price: Amount,
    /// Operator's fee, in addition to the price, basis points.
    pub operator_fee_bps: u16,
    /// Price of one unit with the fee, rounded up. Fees are floors of totals, so many units
    /// cost at most this each.
    pub price_with_fee: Amount,
    /// Mint of the amounts.
    pub currency: Address,
    /// Number of the terms.
    pub terms_number: u32,
    /// Digest that an acceptance of these terms names.
    pub terms_digest: Digest,
    /// Fee charged once at acceptance.
    pub upfront_fee: Amount,
    /// Free units of each license.
    pub free_units: u64,
}

impl WorkFacts {
    /// Creates the description from an account.
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
            kind: work.kind,
            status: work.status,
            creator: Address(work.creator),
            owner: Address(work.owner),
            pending_owner: work.pending_owner.map(Address),
            content_digest: Digest(work.content_digest),
            registered_at: work.registered_at,
            withdrawn_at: Some(work.withdrawn_at).filter(|at| *at != i64::MAX),
            consent,
            model,
            certificate: work.certificate.map(Address),
            title: work.title.clone(),
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
    /// Creates the description from an account; `digest` is that of its data.
    pub fn new(terms: &Terms, digest: [u8; 32]) -> Self {
        let offer = &terms.offer;
        let derivatives = match offer.derivatives {
            Derivatives::Forbidden => "forbidden",
            Derivatives::WithApproval => "approval",
            Derivatives::Allowed => "allowed",
        };
        let uses = offer.uses.iter().map(|priced| PricedUse {
            licensed_use: priced.licensed_use,
            unit: priced.unit,
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
