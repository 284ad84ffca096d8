use licensing::Fingerprint;
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Digest, ReceiptParts, WorkFacts};
use crate::{
    client::CatalogueEntry,
    credentials::{
        Credentials, CredentialsSigner, CredentialsState, Digests, Findings, Provenance,
    },
    fingerprint::{Confidence, Likeness},
    recognition::Recognised,
};

/// What content looks, sounds or reads like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FingerprintParts {
    /// How it was made: 1, 2 and 5 for images, 3 and 6 for audio, 4 for text.
    pub scheme: u16,
    /// Its 256 bits.
    pub bits: Digest,
}

/// Content to be recognised, without the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthenticationRequest {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// SHA-256 of the content without its content credentials, where it carries any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare_digest: Option<Digest>,
    /// What to look for, 64 at most: the content's own fingerprint, and guesses at the whole of
    /// which it is a crop.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 64))]
    pub fingerprints: Vec<FingerprintParts>,
}

/// Whose content is, on what terms, and whether it was paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Authentication {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// What the content is, by its own bytes; `null` where only its fingerprint was sent.
    pub media_type: Option<String>,
    /// Why look-alikes could not be looked for; `null` where they were.
    pub unreadable: Option<String>,
    /// What the content says of itself, signed (C2PA), and what the chain says to that; `null`
    /// where it carries no credentials, or was not sent.
    pub credentials: Option<CredentialsFacts>,
    /// Works of exactly this content, with its credentials or without, earliest registration
    /// first. This is proof.
    pub exact: Vec<WorkFacts>,
    /// Whether the content was registered more than once; the first registration is named first.
    pub conflict: bool,
    /// Whether more than one of these registrations is of the chain's earliest second, so that
    /// nobody can tell which came first; they are in the order of their addresses.
    pub first_unknown: bool,
    /// Works that look, sound or read like it, nearest first. This is a hint, and never proof.
    pub alike: Vec<AlikeWork>,
    /// Receipts of generations whose output was exactly this, with its credentials or without,
    /// earliest first.
    pub receipts: Vec<OutputReceipt>,
    /// Whether there are more works like it than are named.
    pub truncated: bool,
    /// How many works it was compared with.
    pub works: u64,
    /// When all of those were last read from the chain, unix seconds.
    pub read_at: i64,
}

/// The content credentials of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialsFacts {
    /// Whether file and manifest are as they were signed.
    pub state: CredentialsState,
    /// SHA-256 of the file without its credentials.
    pub bare_digest: Digest,
    /// Who signed; `null` where that cannot be read.
    pub signer: Option<CredentialsSigner>,
    /// What is wrong, in the words of C2PA's specification.
    pub faults: Vec<String>,
    /// What they name: the signer's word. `null` where they are not Motif's.
    pub provenance: Option<Provenance>,
    /// What the chain says to that; `null` where nothing is named.
    pub findings: Option<Findings>,
}

/// A work that content is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlikeWork {
    /// The work.
    pub work: WorkFacts,
    /// How its fingerprint was made.
    pub scheme: u16,
    /// How far apart the fingerprints are.
    pub distance: u32,
    /// The distance of fingerprints that have nothing in common.
    pub distance_at_most: u32,
    /// Of 1,000 copies that were changed on their way, how many were this near or nearer when
    /// that was measured; `null` for fingerprints that nothing is registered with any more.
    pub copies_per_mille: Option<u16>,
    /// Of 1,000,000,000 unrelated works, how many are this near or nearer at most, as far as that
    /// was measured; works made to be alike are not in it.
    pub strangers_per_billion: Option<u32>,
}

/// A receipt for an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutputReceipt {
    /// The receipt, signed by this gateway.
    pub receipt: ReceiptParts,
    /// Whether its statement has settled, so that `/v1/receipts/{receipt}/proof` proves it.
    pub settled: bool,
}

impl CredentialsFacts {
    /// Credentials, and what became of what they name.
    pub fn new(credentials: Credentials, findings: Option<Findings>) -> Self {
        let Credentials { state, bare_digest, signer, faults, provenance } = credentials;
        Self { state, bare_digest, signer, faults, provenance, findings }
    }
}

impl AuthenticationRequest {
    /// What the content is found by.
    pub fn digests(&self) -> Digests {
        Digests { whole: self.digest.0, bare: self.bare_digest.map(|digest| digest.0) }
    }
}

impl Authentication {
    /// What an index knows of what was asked, in the words of its works' accounts: `entries` are
    /// those of [`Recognised::works`], in any order. A work whose account is gone is left out. Of
    /// the content's kind, its credentials and receipts it says nothing yet.
    pub fn new(
        request: &AuthenticationRequest,
        recognised: &Recognised,
        entries: &[CatalogueEntry],
        works: u64,
        read_at: i64,
    ) -> Self {
        let facts = |work: &Pubkey| {
            entries.iter().find(|entry| entry.address == *work).map(WorkFacts::from)
        };
        let exact: Vec<_> =
            recognised.exact.iter().filter_map(|registered| facts(&registered.work)).collect();
        let alike = recognised.alike.iter().filter_map(|found| {
            Some(AlikeWork::new(facts(&found.registered.work)?, found.likeness))
        });
        Self {
            digest: request.digest,
            media_type: None,
            unreadable: None,
            credentials: None,
            conflict: exact.len() > 1,
            first_unknown: matches!(
                &exact[..],
                [first, second, ..] if first.registered_at == second.registered_at
            ),
            exact,
            alike: alike.collect(),
            receipts: Vec::new(),
            truncated: recognised.is_truncated,
            works,
            read_at,
        }
    }
}

impl AlikeWork {
    /// A work as near as this.
    pub fn new(work: WorkFacts, likeness: Likeness) -> Self {
        let confidence = likeness.confidence();
        Self {
            work,
            scheme: likeness.scheme as u16,
            distance: likeness.distance,
            distance_at_most: likeness.of(),
            copies_per_mille: confidence.map(|confidence| confidence.copies_per_mille),
            strangers_per_billion: confidence.map(|confidence| confidence.strangers_per_billion),
        }
    }

    /// What the distance is worth; `None` where that is not known.
    pub fn confidence(&self) -> Option<Confidence> {
        let (copies, strangers) = (self.copies_per_mille, self.strangers_per_billion);
        let (copies_per_mille, strangers_per_billion) = copies.zip(strangers)?;
        Some(Confidence { copies_per_mille, strangers_per_billion })
    }
}

impl From<&Fingerprint> for FingerprintParts {
    fn from(fingerprint: &Fingerprint) -> Self {
        Self { scheme: fingerprint.scheme, bits: Digest(fingerprint.bits) }
    }
}

impl From<&FingerprintParts> for Fingerprint {
    fn from(parts: &FingerprintParts) -> Self {
        Self { scheme: parts.scheme, bits: parts.bits.0 }
    }
}
