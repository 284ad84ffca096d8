use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use motif_interface::{
    channel, licensing,
    receipt::{SignedReceipt, proof::ReceiptProof},
};

use super::{Address, Digest, ReceiptParts, ReceiptProofParts, StatementRecordParts, SumSibling};

/// What Motif's credentials name: an assertion of a C2PA manifest, in CBOR with these names.
///
/// Whoever signs a manifest can write anything into it. What it is worth is what the chain and
/// the operator's signature say: [`super::Findings`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provenance {
    /// Of this layout: 1.
    pub version: u32,
    /// The tag of the cluster on which everything is that is named.
    pub cluster: Digest,
    /// The licensing program.
    pub licensing_program: Address,
    /// The payments program.
    pub payments_program: Address,
    /// SHA-256 of the bare content: of the file without its credentials.
    pub content_digest: Digest,
    /// How the content came about.
    pub origin: Origin,
    /// The work that the content is, or the works it was generated with.
    pub works: Vec<NamedWork>,
    /// The receipt of the generation whose output the content is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptParts>,
    /// What proves the receipt against the channel's account, where it had settled before the
    /// content was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<SettlementProof>,
}

/// How content came about, as far as Motif is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Origin {
    /// It is a registered work.
    Registered,
    /// A model generated it, licensed by works.
    Generated,
}

/// A work that credentials name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedWork {
    /// Its address.
    pub work: Address,
    /// SHA-256 of its content.
    pub content_digest: Digest,
    /// The version of its terms that was licensed, or was the latest; `null` where it has none.
    pub terms_number: Option<u32>,
}

/// A [`ReceiptProof`] without the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SettlementProof {
    /// From the receipt to the root of its statement's receipts, lowest first.
    pub siblings: Vec<SumSibling>,
    /// What the channel recorded when the statement settled.
    pub record: StatementRecordParts,
    /// From the record to one of the channel's peaks, lowest first.
    pub range_siblings: Vec<Digest>,
}

/// Returns the URL that names content by its SHA-256, wherever it is stored (RFC 6920).
pub fn content_url(content_digest: &[u8; 32]) -> String {
    format!("ni:///sha-256;{}", BASE64_URL_SAFE_NO_PAD.encode(content_digest))
}

impl Provenance {
    /// The assertion's label.
    pub const LABEL: &'static str = "org.motif.provenance";
    /// The layout that is written.
    pub const VERSION: u32 = 1;
    /// The most works that credentials name; more are not read.
    pub const MAX_WORKS: usize = 16;
    /// The most siblings of a kind that a proof has: a tree of 2^64 leaves would be as high.
    const MAX_SIBLINGS: usize = 64;

    /// Of a registered work's own content.
    pub fn of_work(cluster: [u8; 32], work: &Pubkey, digest: [u8; 32], terms: Option<u32>) -> Self {
        let named =
            NamedWork { work: Address(*work), content_digest: Digest(digest), terms_number: terms };
        Self::new(cluster, digest, Origin::Registered, vec![named])
    }

    /// Of content that was generated with works.
    pub fn of_output(cluster: [u8; 32], digest: [u8; 32], works: Vec<NamedWork>) -> Self {
        Self::new(cluster, digest, Origin::Generated, works)
    }

    /// With the receipt of the generation.
    pub fn with_receipt(self, signed: &SignedReceipt) -> Self {
        Self { receipt: Some(signed.into()), proof: None, ..self }
    }

    /// With the receipt of the generation, and what proves it.
    pub fn with_proof(self, proof: &ReceiptProof) -> Self {
        let ReceiptProofParts { receipt, siblings, record, range_siblings } = proof.into();
        let proof = SettlementProof { siblings, record, range_siblings };
        Self { receipt: Some(receipt), proof: Some(proof), ..self }
    }

    /// What proves the receipt; `None` where there is none, or nothing that does.
    pub fn receipt_proof(&self) -> Option<ReceiptProof> {
        let SettlementProof { siblings, record, range_siblings } = self.proof.clone()?;
        let parts = ReceiptProofParts { receipt: self.receipt?, siblings, record, range_siblings };
        Some((&parts).into())
    }

    /// Whether it is of a layout that is known and no longer than anybody needs.
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
