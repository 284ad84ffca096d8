use motif_interface::licensing::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{Digest, Digests, Findings, Provenance, ReceiptParts, WorkFacts};

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

/// What the credentials in a file are, and what they say; not whether it is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Whether file and manifest are as they were signed.
    pub state: CredentialsState,
    /// SHA-256 of the file without its credentials.
    pub bare_digest: Digest,
    /// Who signed; `None` where that cannot be read.
    pub signer: Option<CredentialsSigner>,
    /// What is wrong, in the words of C2PA's specification, each once.
    pub faults: Vec<String>,
    /// What they name, where they are Motif's.
    pub provenance: Option<Provenance>,
}

/// Whether a file and its manifest are as they were signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CredentialsState {
    /// The signature holds for the file and for all that is said of it.
    Intact,
    /// The file or what is said of it was changed after it was signed.
    Altered,
    /// Nothing was changed, and yet a rule is broken: an expired certificate, say.
    Invalid,
    /// There are credentials, and nobody can make sense of them.
    Unreadable,
}

/// Who signed credentials, as the certificate has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialsSigner {
    /// The certificate's common name.
    pub name: Option<String>,
    /// Its organisation.
    pub organisation: Option<String>,
    /// How it signs, such as `Es256`.
    pub algorithm: Option<String>,
    /// Whether an anchor that the reader trusts vouches for it. Without, the name may be
    /// anybody's invention.
    pub trusted: bool,
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

impl Credentials {
    /// Credentials of which no more is known than that the file carries them.
    pub fn unreadable(bare_digest: [u8; 32]) -> Self {
        Self {
            state: CredentialsState::Unreadable,
            bare_digest: Digest(bare_digest),
            signer: None,
            faults: Vec::new(),
            provenance: None,
        }
    }
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
