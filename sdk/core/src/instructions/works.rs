use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::licensing::{
    self, Fingerprint, ModelDeclaration, Offer, ParentShare, Purpose, Registration, Right,
    UpdateMetadataArgs, WorkKind,
};
use motif_payer_calls::{Calls, Payers};
use motif_wire::{Address, Digest};
use serde::Deserialize;
use solana_pubkey::Pubkey;

use super::built;
use crate::parts::{OfferParts, ShareParts, key, sole, split};

pub(crate) const CALLS: Calls = &[
    ("instruction.register_work", register_work),
    ("instruction.publish_terms", publish_terms),
    ("instruction.update_metadata", update_metadata),
    ("instruction.offer_ownership", offer_ownership),
    ("instruction.withdraw_work", withdraw_work),
    ("instruction.set_consent_end", set_consent_end),
    ("instruction.grant_approval", grant_approval),
    ("instruction.revoke_approval", revoke_approval),
    ("instruction.issue_certificate", issue_certificate),
    ("instruction.propose_split", propose_split),
    ("instruction.approve_split_change", approve_split_change),
    ("instruction.apply_split_change", apply_split_change),
    ("instruction.cancel_split_change", cancel_split_change),
];

/// Work to register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistrationParts {
    kind: WorkKind,
    content_digest: Digest,
    #[serde(default)]
    fingerprint: Option<FingerprintParts>,
    #[serde(default)]
    metadata_digest: Option<Digest>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    metadata_uri: String,
    #[serde(default)]
    consent_expires_at: Option<i64>,
    #[serde(default)]
    model: Option<ModelParts>,
    #[serde(default)]
    previous_model: Option<Address>,
    #[serde(default)]
    min_expires_at: Option<i64>,
    #[serde(default)]
    parents: Vec<ParentParts>,
    #[serde(default)]
    split: Option<Vec<ShareParts>>,
}

/// Fingerprint of content.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FingerprintParts {
    scheme: u16,
    bits: Digest,
}

/// Origin of a style model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelParts {
    base_model: String,
    training_root: Digest,
    #[serde(default)]
    likeness: bool,
}

/// Parent, and the right to derive from it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParentParts {
    work: Address,
    share_bps: u16,
    right: RightParts,
}

/// Right to derive from a parent.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum RightParts {
    OwnerSigns(Address),
    Terms(u32),
    Approval(u32),
    License { terms_number: u32, channel: Address, index: u16 },
}

impl RightParts {
    fn right(self) -> Right {
        match self {
            Self::OwnerSigns(owner) => Right::OwnerSigns(owner.0),
            Self::Terms(number) => Right::Terms(number),
            Self::Approval(number) => Right::Approval(number),
            Self::License { terms_number, channel, index } => {
                Right::License { terms_number, channel: channel.0, index }
            }
        }
    }
}

impl RegistrationParts {
    fn registration(self, creator: &Pubkey) -> Registration {
        let fingerprint = self.fingerprint.map_or(Fingerprint::NONE, |parts| Fingerprint {
            scheme: parts.scheme,
            bits: parts.bits.0,
        });
        let parent =
            |parent: &ParentParts| ParentShare { work: parent.work.0, share_bps: parent.share_bps };
        let model = self.model.map(|parts| ModelDeclaration {
            base_model: parts.base_model,
            training_root: parts.training_root.0,
            likeness: parts.likeness,
        });
        Registration {
            kind: self.kind,
            content_digest: self.content_digest.0,
            fingerprint,
            metadata_digest: self.metadata_digest.map_or([0; 32], |digest| digest.0),
            title: self.title,
            metadata_uri: self.metadata_uri,
            consent_expires_at: self.consent_expires_at,
            model,
            previous_model: key(self.previous_model),
            min_expires_at: self.min_expires_at,
            parents: self.parents.iter().map(parent).collect(),
            split: self.split.map_or_else(|| sole(*creator), |shares| split(&shares)),
        }
    }
}

fn register_work(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        creator: Address,
        consent: Option<Address>,
        registration: RegistrationParts,
    });
    let rights: Vec<_> = registration.parents.iter().map(|parent| parent.right.right()).collect();
    let registration = registration.registration(&creator.0);
    built([licensing::register_work(&creator.0, key(consent), &registration, &rights)])
}

fn publish_terms(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        owner: Address,
        work: Address,
        latest_terms: u32,
        currency: Address,
        offer: OfferParts,
    });
    if latest_terms == u32::MAX {
        return Err(CallError::invalid_input("`latest_terms` is the highest number"));
    }
    let offer = Offer::from(offer);
    built([licensing::publish_terms(&owner.0, &work.0, latest_terms, &currency.0, offer)])
}

fn update_metadata(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        owner: Address,
        work: Address,
        title: String,
        metadata_uri: String,
        metadata_digest: Digest,
    });
    let new = UpdateMetadataArgs { title, metadata_uri, metadata_digest: metadata_digest.0 };
    built([licensing::update_metadata(&owner.0, &work.0, new)])
}

fn offer_ownership(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { owner: Address, work: Address, to: Option<Address> });
    built([licensing::offer_ownership(&owner.0, &work.0, key(to))])
}

fn withdraw_work(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { owner: Address, work: Address });
    built([licensing::withdraw_work(&owner.0, &work.0)])
}

fn set_consent_end(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { person: Address, work: Address, expires_at: Option<i64> });
    built([licensing::set_consent_end(&person.0, &work.0, expires_at)])
}

fn grant_approval(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        owner: Address,
        work: Address,
        terms_number: u32,
        grantee: Address,
        purpose: Purpose,
    });
    built([licensing::grant_approval(&owner.0, &work.0, terms_number, &grantee.0, purpose)])
}

fn revoke_approval(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        owner: Address,
        work: Address,
        terms_number: u32,
        grantee: Address,
        purpose: Purpose,
        granted_by: Address,
    });
    let (owner, work, grantee) = (&owner.0, &work.0, &grantee.0);
    let granted_by = &granted_by.0;
    built([licensing::revoke_approval(owner, work, terms_number, grantee, purpose, granted_by)])
}

fn issue_certificate(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { owner: Address, work: Address, name: String });
    built([licensing::issue_certificate(&owner.0, &work.0, &name)])
}

fn propose_split(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        owner: Address,
        work: Address,
        split: Vec<ShareParts>,
        expires_at: Option<i64>,
    });
    let shares = crate::parts::split(&split);
    built(licensing::propose_split_in_parts(&owner.0, &work.0, &shares, expires_at))
}

fn approve_split_change(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { recipient: Address, work: Address, split: Vec<ShareParts> });
    let shares = crate::parts::split(&split);
    built([licensing::approve_split_change(&recipient.0, &work.0, &shares)])
}

fn apply_split_change(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: Address, work: Address, proposer: Address });
    built([licensing::apply_split_change(&payer.0, &work.0, &proposer.0)])
}

fn cancel_split_change(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { owner: Address, work: Address, proposer: Address });
    built([licensing::cancel_split_change(&owner.0, &work.0, &proposer.0)])
}
