use motif_interface::licensing::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{Digest, Digests, Findings, Provenance, ReceiptParts, WorkFacts};

/// Perceptual fingerprint of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FingerprintParts {
    /// Number of the scheme: 1, 2 and 5 for images, 3 and 6 for audio, 4 for text.
    pub scheme: u16,
    /// 256 bits of the fingerprint.
    pub bits: Digest,
}

/// Request to authenticate content by its digests and fingerprints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthenticationRequest {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// SHA-256 of the content without its content credentials, if it carries any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare_digest: Option<Digest>,
    /// At most 64 fingerprints to look up: that of the content, and guesses at the image of which
    /// it is a crop.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 64))]
    pub fingerprints: Vec<FingerprintParts>,
}

/// Result of content authentication: owners, terms and receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Authentication {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Media type, detected from the content; `null` if only fingerprints were sent.
    pub media_type: Option<String>,
    /// Reason why similar works were not searched; `null` if they were.
    pub unreadable: Option<String>,
    /// Content credentials (C2PA) and the result of checking them; `null` if the content carries
    /// none or was not sent.
    pub credentials: Option<CredentialsFacts>,
    /// Works with exactly this content, with or without its credentials, earliest registration
    /// first. A match proves identity.
    pub exact: Vec<WorkFacts>,
    /// Whether the content was registered more than once.
    pub conflict: bool,
    /// Whether several registrations share the earliest second, so that their order is unknown;
    /// they are then in the order of their addresses.
    pub first_unknown: bool,
    /// Works with similar content, nearest first. A match is a hint, never proof.
    pub alike: Vec<AlikeWork>,
    /// Receipts of generations with exactly this output, with or without its credentials, earliest
    /// first.
    pub receipts: Vec<OutputReceipt>,
    /// Whether there are more matches than are listed.
    pub truncated: bool,
    /// Number of works in the index.
    pub works: u64,
    /// Unix second of the index's last read from the chain.
    pub read_at: i64,
}

/// Content credentials of a file, before their claims are checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Whether file and manifest are unchanged since signing.
    pub state: CredentialsState,
    /// SHA-256 of the file without its credentials.
    pub bare_digest: Digest,
    /// Signer; `None` if it cannot be read.
    pub signer: Option<CredentialsSigner>,
    /// Validation failures, as status codes of the C2PA specification, without duplicates.
    pub faults: Vec<String>,
    /// Claims of the signer, if the credentials are Motif's.
    pub provenance: Option<Provenance>,
}

/// Whether a file and its manifest are as they were signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CredentialsState {
    /// The signature is valid for file and manifest.
    Intact,
    /// File or manifest was changed after signing.
    Altered,
    /// Nothing was changed, and another rule is violated, such as the certificate's expiry.
    Invalid,
    /// The credentials cannot be parsed.
    Unreadable,
}

/// Signer of credentials, from the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialsSigner {
    /// Common name of the certificate.
    pub name: Option<String>,
    /// Organization of the certificate.
    pub organisation: Option<String>,
    /// Signature algorithm, such as `Es256`.
    pub algorithm: Option<String>,
    /// Whether the certificate is signed by an anchor that the reader trusts. Otherwise the name is
    /// unverified.
    pub trusted: bool,
}

/// Content credentials of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialsFacts {
    /// Whether file and manifest are unchanged since signing.
    pub state: CredentialsState,
    /// SHA-256 of the file without its credentials.
    pub bare_digest: Digest,
    /// Signer; `null` if it cannot be read.
    pub signer: Option<CredentialsSigner>,
    /// Validation failures, as status codes of the C2PA specification.
    pub faults: Vec<String>,
    /// Claims of the signer; `null` if the credentials are not Motif's.
    pub provenance: Option<Provenance>,
    /// Result of checking the claims on chain; `null` without claims.
    pub findings: Option<Findings>,
}

/// Work with similar content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlikeWork {
    /// The work.
    pub work: WorkFacts,
    /// Number of the fingerprint scheme.
    pub scheme: u16,
    /// Distance of the fingerprints.
    pub distance: u32,
    /// Maximum distance of the scheme.
    pub distance_at_most: u32,
    /// Measured number of 1,000 modified copies within this distance; `null` for schemes that are
    /// no longer registered.
    pub copies_per_mille: Option<u16>,
    /// Measured maximum number of 1,000,000,000 unrelated works within this distance. Deliberate
    /// collisions are not counted.
    pub strangers_per_billion: Option<u32>,
}

/// Receipt for an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutputReceipt {
    /// Receipt signed by this gateway.
    pub receipt: ReceiptParts,
    /// Whether its statement has settled, so that `/v1/receipts/{receipt}/proof` proves it.
    pub settled: bool,
}

impl Credentials {
    /// Returns credentials that cannot be parsed.
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
    /// Combines credentials with the result of checking them.
    pub fn new(credentials: Credentials, findings: Option<Findings>) -> Self {
        let Credentials { state, bare_digest, signer, faults, provenance } = credentials;
        Self { state, bare_digest, signer, faults, provenance, findings }
    }
}

impl AuthenticationRequest {
    /// Returns the digests of the content.
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
