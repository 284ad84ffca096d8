//! Program events, emitted as logs.
//!
//! Consumers must check that this program wrote the log entry. The accounts are authoritative.

use anchor_lang::prelude::*;
use motif_interface::licensing::{Purpose, Verdict, WorkKind};

/// Emitted when a work is registered.
#[event]
pub struct WorkRegistered {
    pub work: Pubkey,
    pub creator: Pubkey,
    pub kind: WorkKind,
    pub content_digest: [u8; 32],
}

/// Emitted when a work's title and metadata change.
#[event]
pub struct MetadataUpdated {
    pub work: Pubkey,
    pub title: String,
    pub metadata_digest: [u8; 32],
}

/// Emitted when a version of terms is published.
#[event]
pub struct TermsPublished {
    pub work: Pubkey,
    pub terms: Pubkey,
    pub number: u32,
}

/// Emitted when the config's authority changes.
#[event]
pub struct AuthorityChanged {
    pub authority: Pubkey,
}

/// Emitted when an approval is granted.
#[event]
pub struct ApprovalGranted {
    pub terms: Pubkey,
    pub grantee: Pubkey,
    pub purpose: Purpose,
}

/// Emitted when an approval is revoked.
#[event]
pub struct ApprovalRevoked {
    pub terms: Pubkey,
    pub grantee: Pubkey,
    pub purpose: Purpose,
}

/// Emitted when the owner of a work changes by an accepted offer.
#[event]
pub struct OwnershipChanged {
    pub work: Pubkey,
    pub owner: Pubkey,
}

/// Emitted when a split is proposed; `split_version` is the current one.
#[event]
pub struct SplitProposed {
    pub work: Pubkey,
    pub split_version: u32,
    pub recipients: u8,
}

/// Emitted when a proposed split becomes the work's split.
#[event]
pub struct SplitChanged {
    pub work: Pubkey,
    pub split_version: u32,
}

/// Emitted when a work is withdrawn; `withdrawn_at` is in unix seconds.
#[event]
pub struct WorkWithdrawn {
    pub work: Pubkey,
    pub withdrawn_at: i64,
}

/// Emitted when a dispute is opened; `deadline` is the last unix second of a verdict.
#[event]
pub struct DisputeOpened {
    pub work: Pubkey,
    pub claimant: Pubkey,
    pub bond_lamports: u64,
    pub deadline: i64,
}

/// Emitted when a dispute ends, by a verdict or by expiry.
#[event]
pub struct DisputeEnded {
    pub work: Pubkey,
    pub claimant: Pubkey,
    pub verdict: Verdict,
    pub expired: bool,
}

/// Emitted when the expiry of a consent changes; `None` for no expiry.
#[event]
pub struct ConsentEndSet {
    pub work: Pubkey,
    pub expires_at: Option<i64>,
}

/// Emitted when a work's certificate is issued.
#[event]
pub struct CertificateIssued {
    pub work: Pubkey,
    pub mint: Pubkey,
}
