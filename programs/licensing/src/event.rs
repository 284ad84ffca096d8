//! What the program tells the world. Consumers must check that a log entry was written by this
//! program; the accounts, not the events, are the record.

use anchor_lang::prelude::*;

use crate::state::WorkKind;

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
