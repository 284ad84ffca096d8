use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use motif_interface::{
    channel, licensing,
    receipt::{SignedReceipt, proof::ReceiptProof},
};

use super::{Address, Digest, ReceiptParts, ReceiptProofParts, StatementRecordParts, SumSibling};

/// Claims of Motif credentials: an assertion of a C2PA manifest, encoded as CBOR with these field
/// names.
///
/// A signer can write anything into a manifest: check it against the chain and the operator's
/// signature with [`super::Findings`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provenance {
    /// Version of the layout: 1.
    pub version: u32,
    /// Tag of the cluster of all named accounts.
    pub cluster: Digest,
    /// Licensing program.
    pub licensing_program: Address,
    /// Payments program.
    pub payments_program: Address,
    /// SHA-256 of the bare content: the file without its credentials.
    pub content_digest: Digest,
    /// Origin of the content.
    pub origin: Origin,
    /// Work that the content is, or works that it was generated with.
    pub works: Vec<NamedWork>,
    /// Receipt of the generation whose output the content is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptParts>,
    /// What proves the receipt against the channel's account, where it had settled before the
    /// content was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<SettlementProof>,
}

/// Origin of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Origin {
    /// The content is a registered work.
    Registered,
    /// A model generated the content under licenses of works.
    Generated,
}

/// Work named by credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedWork {
    /// Address of the work.
    pub work: Address,
    /// SHA-256 of the work's content.
    pub content_digest: Digest,
    /// Version of the terms that was licensed, or was the latest; `null` without terms.
    pub terms_number: Option<u32>,
}

/// [`ReceiptProof`] without the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettlementProof {
    /// Siblings on the path to the root of the statement's receipts, lowest first.
    pub siblings: Vec<SumSibling>,
    /// Record of the settled statement.
    pub record: StatementRecordParts,
    /// Siblings on the path from the record to a peak of the channel's MMR, lowest first.
    pub range_siblings: Vec<Digest>,
}

/// Returns the URL that names content by its SHA-256, wherever it is stored (RFC 6920).
pub fn content_url(content_digest: &[u8; 32]) -> String {
    format!("ni:///sha-256;{}", BASE64_URL_SAFE_NO_PAD.encode(content_digest))
}

impl Provenance {
    /// Label of the assertion.
    pub const LABEL: &'static str = "org.motif.provenance";
    /// Layout version that is written.
    pub const VERSION: u32 = 1;
    /// Maximum number of works; credentials with more are not read.
    pub const MAX_WORKS: usize = 16;
    /// Maximum number of siblings of a kind in a proof: the height of a tree of 2^64 leaves.
    const MAX_SIBLINGS: usize = 64;

    /// Creates the provenance of a registered work's content.
    pub fn from_work(
        cluster: [u8; 32],
        work: &Pubkey,
        digest: [u8; 32],
        terms: Option<u32>,
    ) -> Self {
        let named =
            NamedWork { work: Address(*work), content_digest: Digest(digest), terms_number: terms };
        Self::new(cluster, digest, Origin::Registered, vec![named])
    }

    /// Creates the provenance of content generated with works; `digest` is that of the bare content.
    pub fn from_output(cluster: [u8; 32], digest: [u8; 32], works: Vec<NamedWork>) -> Self {
        Self::new(cluster, digest, Origin::Generated, works)
    }

    /// Adds the receipt of the generation.
    pub fn with_receipt(self, signed: &SignedReceipt) -> Self {
        Self { receipt: Some(signed.into()), proof: None, ..self }
    }

    /// Adds the receipt of the generation and its proof.
    pub fn with_proof(self, proof: &ReceiptProof) -> Self {
        let ReceiptProofParts { receipt, siblings, record, range_siblings } = proof.into();
        let proof = SettlementProof { siblings, record, range_siblings };
        Self { receipt: Some(receipt), proof: Some(proof), ..self }
    }

    /// Returns the proof of the receipt, if both are present.
    pub fn receipt_proof(&self) -> Option<ReceiptProof> {
        let SettlementProof { siblings, record, range_siblings } = self.proof.clone()?;
        let parts = ReceiptProofParts { receipt: self.receipt?, siblings, record, range_siblings };
        Some((&parts).into())
    }

    /// Whether layout version and sizes are supported.
    pub fn is_readable(&self) -> bool {
        let is_short = |proof: &SettlementProof| {
            proof.siblings.len().max(proof.range_siblings.len()) <= Self::MAX_SIBLINGS
        };
        self.version == Self::VERSION
            && self.works.len() <= Self::MAX_WORKS
            && self.proof.as_ref().is_none_or(is_short)
    }

    fn new(cluster: [u8; 32], digest: [u8; 32], origin: Origin, works: Vec<NamedWork>) -> Self {
        Self {
            version: Self::VERSION,
            cluster: Digest(cluster),
            licensing_program: Address(licensing::PROGRAM_ID),
            payments_program: Address(channel::PROGRAM_ID),
            content_digest: Digest(digest),
            origin,
            works,
            receipt: None,
            proof: None,
        }
    }
}
