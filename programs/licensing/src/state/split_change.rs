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

    /// Adds the next part of the split. What is complete grows no more, so nobody's approval
    /// is used for another split than the one it was given to.
    pub fn extend(&mut self, shares: &[Share]) -> Result<()> {
        let length = self.split.len() + shares.len(); // both fit a packet
        require!(length <= usize::from(self.recipients), LicensingError::SplitSize);
        self.split.extend_from_slice(shares);
        Ok(())
    }

    /// Notes that `recipient` of the work's present split agrees to the complete new one, which
    /// it names by its digest: the owner may have taken back the one it read and proposed
    /// another.
    pub fn approve(&mut self, work: &Work, recipient: &Pubkey, digest: [u8; 32]) -> Result<()> {
        require!(work.split_version == self.split_version, LicensingError::StaleSplitChange);
        self.check_complete()?;
        require!(split_digest(&self.split) == digest, LicensingError::OtherSplit);
        let position = work.split.iter().position(|share| share.recipient == *recipient);
        let position = position.ok_or(LicensingError::NotARecipient)?;
        self.approvals |= 1 << position; // at most 32 recipients
        Ok(())
    }

    /// Whether the change can become the work's split: it is still its owner's, of its present
    /// split, whole, and approved by everyone who loses by it.
    pub fn check(&self, work: &Work) -> Result<()> {
        require!(work.split_version == self.split_version, LicensingError::StaleSplitChange);
        require!(work.owner == self.proposer, LicensingError::StaleSplitChange);
        self.check_complete()?;
        check_split(&self.split)?;
        for (position, before) in work.split.iter().enumerate() {
            let approved =
                before.recipient == self.proposer || self.approvals & (1 << position) != 0;
            let after = self.split.iter().find(|share| share.recipient == before.recipient);
            let share_bps = after.map_or(0, |share| share.share_bps);
            let agreed = approved || share_bps >= before.share_bps;
            require!(agreed, LicensingError::RecipientMustApprove);
        }
        Ok(())
    }

    fn check_complete(&self) -> Result<()> {
        let complete = self.split.len() == usize::from(self.recipients);
        require!(complete, LicensingError::SplitIncomplete);
        Ok(())
    }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(SplitChange::space(0) == 87);
const _: () = assert!(SplitChange::space(MAX_RECIPIENTS) == 1_175);
