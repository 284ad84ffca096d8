use solana_pubkey::Pubkey;

use super::{LicensingError, MAX_RECIPIENTS, Share, Work, check_split, split_digest};
use crate::{codec::*, require};

/// Proposed split of a work; recipients whose share falls must approve it.
///
/// Seeds: `["split-change", work]`, so a work has at most one proposal. It is written in parts
/// because the widest split exceeds a packet.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct SplitChange {
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Work whose split would change.
    pub work: Pubkey,
    /// Owner that made the proposal; receives the rent when the account closes.
    pub proposer: Pubkey,
    /// Version of the split that the proposal would replace.
    pub split_version: u32,
    /// Number of recipients of the complete split.
    pub recipients: u8,
    /// One bit for each recipient of the work's current split, by position, lowest first.
    pub approvals: u32,
    /// Last unix second in which the proposal is approved or applied; `None` for no expiry.
    pub expires_at: Option<i64>,
    /// Proposed split, possibly incomplete.
    pub split: Vec<Share>,
}

impl SplitChange {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"split-change";
    /// Current layout version.
    pub const VERSION: u8 = 1;

    /// Returns the bytes of an account for a split of `recipients`.
    pub const fn space(recipients: usize) -> usize {
        8 + 2 + 32 + 32 + 4 + 1 + 4 + 9 + (4 + recipients * Share::SIZE)
    }

    /// Creates an empty proposal by the owner of `work`.
    ///
    /// # Errors
    /// [`LicensingError::InvalidSplitSize`].
    pub fn new(
        address: Pubkey,
        work: &Work,
        recipients: u8,
        expires_at: Option<i64>,
        bump: u8,
    ) -> Result<Self, LicensingError> {
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
            expires_at,
            split: Vec::new(),
        })
    }

    /// Appends shares. A complete proposal cannot grow, so approvals apply to exactly one split.
    ///
    /// # Errors
    /// [`LicensingError::StaleSplitChange`], [`LicensingError::InvalidSplitSize`], or an error of
    /// [`check_split`] if the split is complete and invalid.
    pub fn extend(&mut self, work: &Work, shares: &[Share]) -> Result<(), LicensingError> {
        self.check_current(work)?;
        let length = self.split.len() + shares.len(); // both fit in an instruction
        require!(length <= usize::from(self.recipients), LicensingError::InvalidSplitSize);
        self.split.extend_from_slice(shares);
        if self.complete() { check_split(&self.split) } else { Ok(()) }
    }

    /// Records the approval of a recipient of the work's current split.
    ///
    /// `digest` names the approved split: the owner may have replaced the proposal since the
    /// recipient read it.
    ///
    /// # Errors
    /// [`LicensingError::StaleSplitChange`], [`LicensingError::SplitChangeExpired`],
    /// [`LicensingError::SplitIncomplete`], [`LicensingError::SplitDigestMismatch`],
    /// [`LicensingError::RecipientNotFound`].
    pub fn approve(
        &mut self,
        work: &Work,
        recipient: &Pubkey,
        digest: [u8; 32],
        now: i64,
    ) -> Result<(), LicensingError> {
        self.check_current(work)?;
        self.check_open(now)?;
        require!(self.complete(), LicensingError::SplitIncomplete);
        require!(split_digest(&self.split) == digest, LicensingError::SplitDigestMismatch);
        self.approvals |= 1 << position(work, recipient)?; // at most 32 recipients
        Ok(())
    }

    /// Removes the approval of a recipient of the work's current split, if there is one.
    ///
    /// # Errors
    /// [`LicensingError::StaleSplitChange`], [`LicensingError::RecipientNotFound`].
    pub fn revoke(&mut self, work: &Work, recipient: &Pubkey) -> Result<(), LicensingError> {
        self.check_current(work)?;
        self.approvals &= !(1 << position(work, recipient)?);
        Ok(())
    }

    /// Checks that the proposal can become the work's split at `now`: it is current, not expired,
    /// complete, and approved by every recipient whose share falls. Proposing counts as the owner's
    /// approval.
    ///
    /// # Errors
    /// [`LicensingError::StaleSplitChange`], [`LicensingError::SplitChangeExpired`],
    /// [`LicensingError::SplitIncomplete`], [`LicensingError::MissingRecipientApproval`].
    pub fn check(&self, work: &Work, now: i64) -> Result<(), LicensingError> {
        self.check_current(work)?;
        self.check_open(now)?;
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

    fn check_current(&self, work: &Work) -> Result<(), LicensingError> {
        let current = self.split_version == work.split_version && self.proposer == work.owner;
        require!(current, LicensingError::StaleSplitChange);
        Ok(())
    }

    fn check_open(&self, now: i64) -> Result<(), LicensingError> {
        let open = self.expires_at.is_none_or(|end| now <= end);
        require!(open, LicensingError::SplitChangeExpired);
        Ok(())
    }

    fn complete(&self) -> bool {
        self.split.len() == usize::from(self.recipients)
    }
}

/// Returns the position of a recipient in the work's current split.
fn position(work: &Work, recipient: &Pubkey) -> Result<usize, LicensingError> {
    let position = work.split.iter().position(|share| share.recipient == *recipient);
    position.ok_or(LicensingError::RecipientNotFound)
}

// The layout of existing accounts never changes.
const _: () = assert!(SplitChange::space(0) == 96);
const _: () = assert!(SplitChange::space(MAX_RECIPIENTS) == 1_184);

impl Work {
    /// Replaces the split by an approved proposal.
    ///
    /// # Errors
    /// [`LicensingError::WorkDisputed`], or an error of [`SplitChange::check`].
    pub fn apply_split(&mut self, change: &SplitChange, now: i64) -> Result<(), LicensingError> {
        self.require_undisputed()?;
        change.check(self, now)?;
        self.set_split(change.split.clone())
    }
}
