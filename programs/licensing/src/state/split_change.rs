use anchor_lang::prelude::*;

use super::{MAX_RECIPIENTS, Share, Work, check_split, split_digest};
use crate::error::LicensingError;

/// A split that a work's owner proposes and whose losers have to approve.
///
/// Seeds: `["split-change", work]`: one at a time for each work. Written in parts, since the
/// widest split fits no packet.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct SplitChange {
    pub version: u8,
    pub bump: u8,
    pub work: Pubkey,
    /// The work's owner at the time; gets the rent back.
    pub proposer: Pubkey,
    /// The work's split version that this change is about.
    pub split_version: u32,
    /// How many recipients `split` has when it is complete.
    pub recipients: u8,
    /// One bit for each recipient of the work's present split, by position, lowest first.
    pub approvals: u32,
    pub split: Vec<Share>,
}

impl SplitChange {
    pub const SEED: &'static [u8] = b"split-change";
    pub const VERSION: u8 = 1;

    /// Bytes of an account for a split with so many recipients.
    pub const fn space(recipients: usize) -> usize {
        8 + 2 + 32 + 32 + 4 + 1 + 4 + (4 + recipients * Share::SIZE)
    }

    /// A change of `work`'s present split, proposed by its owner; still empty.
    pub fn new(address: Pubkey, work: &Work, recipients: u8, bump: u8) -> Result<Self> {
        let sizes = 1..=MAX_RECIPIENTS;
        require!(sizes.contains(&usize::from(recipients)), LicensingError::InvalidSplitSize);
        Ok(Self {
            version: Self::VERSION,
            bump,
            work: address,
            proposer: work.owner,
            split_version: work.split_version,
            recipients,
            approvals: 0,
            split: Vec::new(),
        })
    }

    /// Adds the next part of the split. What is complete grows no more, so nobody's approval
    /// is used for another split than the one it was given to.
    pub fn extend(&mut self, work: &Work, shares: &[Share]) -> Result<()> {
        self.check_current(work)?;
        let length = self.split.len() + shares.len(); // both fit an instruction
        require!(length <= usize::from(self.recipients), LicensingError::InvalidSplitSize);
        self.split.extend_from_slice(shares);
        if self.complete() { check_split(&self.split) } else { Ok(()) }
    }

    /// Notes that `recipient` of the work's present split agrees to the complete new one, which
    /// it names by its digest: the owner may have taken back the one it read and proposed
    /// another.
    pub fn approve(&mut self, work: &Work, recipient: &Pubkey, digest: [u8; 32]) -> Result<()> {
        self.check_current(work)?;
        require!(self.complete(), LicensingError::SplitIncomplete);
        require!(split_digest(&self.split) == digest, LicensingError::SplitDigestMismatch);
        let position = work.split.iter().position(|share| share.recipient == *recipient);
        let position = position.ok_or(LicensingError::RecipientNotFound)?;
        self.approvals |= 1 << position; // at most 32 recipients
        Ok(())
    }

    /// Whether the change can become the work's split: it is still its owner's, of its present
    /// split, complete, and approved by everyone who loses by it. The owner approved it by
    /// proposing it.
    pub fn check(&self, work: &Work) -> Result<()> {
        self.check_current(work)?;
        require!(self.complete(), LicensingError::SplitIncomplete);
        for (position, before) in work.split.iter().enumerate() {
            let approved =
                before.recipient == self.proposer || self.approvals & (1 << position) != 0;
            let after = self.split.iter().find(|share| share.recipient == before.recipient);
            let share_bps = after.map_or(0, |share| share.share_bps);
            let agreed = approved || share_bps >= before.share_bps;
            require!(agreed, LicensingError::MissingRecipientApproval);
        }
        Ok(())
    }

    fn check_current(&self, work: &Work) -> Result<()> {
        let current = self.split_version == work.split_version && self.proposer == work.owner;
        require!(current, LicensingError::StaleSplitChange);
        Ok(())
    }

    fn complete(&self) -> bool {
        self.split.len() == usize::from(self.recipients)
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(SplitChange::space(0) == 87);
const _: () = assert!(SplitChange::space(MAX_RECIPIENTS) == 1_175);
