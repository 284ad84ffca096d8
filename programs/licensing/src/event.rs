//! What the program tells the world. Consumers must check that a log entry was written by this
//! program; the accounts, not the events, are the record.

use anchor_lang::prelude::*;

use crate::state::{Purpose, Verdict, WorkKind};

/// A work now exists.
#[event]
pub struct WorkRegistered {
    pub work: Pubkey,
    pub creator: Pubkey,
    pub kind: WorkKind,
    pub content_digest: [u8; 32],
}

/// A work's terms have a new, latest version.
#[event]
pub struct TermsPublished {
    pub work: Pubkey,
    pub terms: Pubkey,
    pub number: u32,
}

/// The config has another authority.
#[event]
pub struct AuthorityChanged {
    pub authority: Pubkey,
}

/// Somebody may do one thing under one version of terms.
#[event]
pub struct ApprovalGranted {
    pub terms: Pubkey,
    pub grantee: Pubkey,
    pub purpose: Purpose,
}

/// Somebody may do it no longer.
#[event]
pub struct ApprovalRevoked {
    pub terms: Pubkey,
    pub grantee: Pubkey,
    pub purpose: Purpose,
}

/// A work has another owner.
#[event]
pub struct OwnershipChanged {
    pub work: Pubkey,
    pub owner: Pubkey,
}

/// A change of a work's split waits for approvals, or for its other parts.
#[event]
pub struct SplitProposed {
    pub work: Pubkey,
    pub split_version: u32,
    pub recipients: u8,
}

/// A work has another split.
#[event]
pub struct SplitChanged {
    pub work: Pubkey,
    pub split_version: u32,
}

/// A work takes no new licenses and derivatives any more.
#[event]
pub struct WorkWithdrawn {
    pub work: Pubkey,
    pub withdrawn_at: i64,
}

/// Somebody says that a work is its own.
#[event]
pub struct DisputeOpened {
    pub work: Pubkey,
    pub claimant: Pubkey,
    pub bond_lamports: u64,
    pub deadline: i64,
}

/// A dispute is over, by the arbiter or because its time ran out.
#[event]
pub struct DisputeEnded {
    pub work: Pubkey,
    pub claimant: Pubkey,
    pub verdict: Verdict,
    pub expired: bool,
}

/// A person's consent has another end.
#[event]
pub struct ConsentEndSet {
    pub work: Pubkey,
    pub expires_at: Option<i64>,
}

/// A work has a Token Metadata certificate.
#[event]
pub struct CertificateIssued {
    pub work: Pubkey,
    pub mint: Pubkey,
}
