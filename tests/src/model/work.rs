use std::collections::BTreeMap;

use licensing::{Derivatives, LicensingError, Use, WorkKind};
use solana_pubkey::Pubkey;

use super::{Refused, Rules};
use crate::world::Code;

/// Award to a claimant beside the ownership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awarded {
    /// Whether each parent, in order, keeps its share.
    pub kept_parents: [bool; 8],
    /// Whether the claimant gets the owner's share only.
    pub keeps_recipients: bool,
}

/// Status set by the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Active.
    Active,
    /// Withdrawn.
    Withdrawn,
}

/// Registered work.
#[derive(Clone, Debug)]
pub struct Work {
    /// Creator.
    pub creator: Pubkey,
    /// Owner.
    pub owner: Pubkey,
    /// Kind.
    pub kind: WorkKind,
    /// Status set by the owner, independent of disputes.
    pub status: Status,
    /// Number of the latest terms; an upheld dispute skips one.
    pub latest_terms: u32,
    /// Published terms, by number.
    pub terms: BTreeMap<u32, Terms>,
    /// Version of the split.
    pub split_version: u32,
    /// Version of the split that the last verdict set.
    pub verdict_version: u32,
    /// Number of disputes.
    pub disputes: u32,
    /// Number of the dispute that set it.
    pub verdict_dispute: u32,
    /// Number of the first terms of the owner that the last verdict set.
    pub verdict_terms: u32,
    /// Whether that verdict awarded the owner's share only.
    pub verdict_keeps_recipients: bool,
    /// Unix second of withdrawal.
    pub withdrawn_at: Option<i64>,
    /// Person and last second of its consent.
    pub consent: Option<(Pubkey, i64)>,
    /// Key that the work is offered to.
    pub pending_owner: Option<Pubkey>,
    /// Conditions that the parents' terms impose on its own.
    pub inherited: Inherited,
    /// Parents and shares, basis points.
    pub parents: Vec<(Pubkey, u16)>,
    /// Recipients and shares, basis points.
    pub split: Vec<(Pubkey, u16)>,
    /// Proposed split.
    pub change: Option<Change>,
    /// Open dispute.
    pub dispute: Option<Dispute>,
    /// Whether the certificate was issued.
    pub certified: bool,
    /// Its title.
    pub title: String,
    /// Location and digest of its metadata.
    pub metadata: (String, [u8; 32]),
}

/// Conditions that parents' terms impose on a work's terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// Latest allowed expiry.
    pub ends_by: Option<i64>,
    /// Whether terms must allow derivatives on the same conditions.
    pub share_alike: bool,
    /// Whether terms must be non-commercial.
    pub non_commercial: bool,
}

/// Version of terms.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Uses and prices per unit, base units.
    pub prices: Vec<(Use, u64)>,
    /// Mint.
    pub mint: Pubkey,
    /// Digest that an acceptance must name.
    pub digest: [u8; 32],
    /// Fee at acceptance.
    pub upfront_fee: u64,
    /// Free units.
    pub free_units: u64,
    /// Whether commercial use is licensed.
    pub commercial: bool,
    /// Permission to register derivatives.
    pub derivatives: Derivatives,
    /// Minimum share in a derivative, basis points.
    pub derivative_bps: u16,
    /// Whether derivatives share alike.
    pub share_alike: bool,
    /// Whether acceptance needs the owner's approval.
    pub approval_required: bool,
    /// Maximum units of all licensees.
    pub total_units: Option<u64>,
    /// Maximum units of one license per day.
    pub daily_units: Option<u64>,
    /// Maximum units of one license.
    pub licensee_units: Option<u64>,
    /// Maximum revenue of all licensees, base units.
    pub revenue: Option<u64>,
    /// First valid second.
    pub valid_from: i64,
    /// Last valid second.
    pub expires_at: Option<i64>,
    /// Operators whose channels can accept them; empty for any.
    pub operators: Vec<Pubkey>,
    /// Notice period.
    pub notice_seconds: u32,
    /// Units in quotas.
    pub units_out: u128,
    /// Base units in quotas.
    pub revenue_out: u128,
    /// Payers that have their one license of a use.
    pub licensees: Vec<(Pubkey, Use)>,
    /// Approvals: grantee and purpose, with the owner that granted them.
    pub approvals: BTreeMap<(Pubkey, bool), Pubkey>,
}

/// Proposed split.
#[derive(Clone, Debug)]
pub struct Change {
    /// Owner that proposed it.
    pub proposer: Pubkey,
    /// Version of the split that it replaces.
    pub split_version: u32,
    /// Number of recipients when complete.
    pub recipients: u8,
    /// Recipients and shares so far, basis points.
    pub split: Vec<(Pubkey, u16)>,
    /// Last second of the proposal, if it expires.
    pub expires_at: Option<i64>,
    /// Recipients of the current split that approved.
    pub approved: Vec<Pubkey>,
}

/// Dispute about a work.
#[derive(Clone, Copy, Debug)]
pub struct Dispute {
    /// Claimant.
    pub claimant: Pubkey,
    /// Bond, lamports.
    pub bond: u64,
    /// Unix second of the claim.
    pub opened_at: i64,
    /// Last second for a verdict.
    pub deadline: i64,
}

impl Terms {
    /// Returns whether the terms are valid at a time.
    pub fn valid_at(&self, now: i64) -> bool {
        self.valid_from <= now && self.expires_at.is_none_or(|last| now <= last)
    }

    /// Returns whether licensees share a cap.
    pub fn shared_caps(&self) -> bool {
        self.total_units.is_some() || self.revenue.is_some()
    }

    /// Returns whether a payer can have one license only.
    pub fn once_each(&self) -> bool {
        self.free_units > 0 || self.daily_units.is_some() || self.licensee_units.is_some()
    }
}

/// Checks the rules of a split.
pub(super) fn check_split(split: &[(Pubkey, u16)], rules: &mut Rules) {
    rules.require(!split.is_empty() && split.len() <= 32, LicensingError::InvalidSplitSize);
    rules.require(split.iter().all(|(_, bps)| *bps > 0), LicensingError::EmptyShare);
    let people: std::collections::BTreeSet<_> = split.iter().map(|(person, _)| person).collect();
    rules.require(people.len() == split.len(), LicensingError::DuplicateRecipient);
    let total: u64 = split.iter().map(|(_, bps)| u64::from(*bps)).sum();
    rules.require(total == 10_000, LicensingError::InvalidSplitTotal);
}

impl Work {
    pub(super) fn require_undisputed(&self, rules: &mut Rules, otherwise: impl Into<Code>) {
        rules.require(self.dispute.is_none(), otherwise);
    }

    /// Checks that the work is active.
    pub(super) fn require_active(&self, rules: &mut Rules) {
        self.require_undisputed(rules, LicensingError::WorkDisputed);
        let active = self.status == Status::Active;
        rules.require(active, LicensingError::WorkNotActive);
    }

    pub(super) fn require_owner(&self, caller: &Pubkey, rules: &mut Rules) {
        rules.require(self.owner == *caller, LicensingError::NotOwner);
    }

    /// Returns whether the consent is valid at a time.
    pub fn consented_at(&self, now: i64) -> bool {
        self.consent.is_none_or(|(_, last)| now <= last)
    }

    /// Returns the last second of the consent, if it has one.
    pub fn consent_end(&self) -> Option<i64> {
        self.consent.map(|(_, last)| last).filter(|last| *last != i64::MAX)
    }

    /// Checks whether the change can be applied.
    pub(super) fn check_change(&self, change: &Change, now: i64) -> Result<(), Refused> {
        let mut rules = Rules::default();
        self.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        let current = change.split_version == self.split_version && change.proposer == self.owner;
        rules.require(current, LicensingError::StaleSplitChange);
        let open = change.expires_at.is_none_or(|last| now <= last);
        rules.require(open, LicensingError::SplitChangeExpired);
        let complete = change.split.len() == usize::from(change.recipients);
        rules.require(complete, LicensingError::SplitIncomplete);
        check_split(&change.split, &mut rules);
        for (person, before) in &self.split {
            let after: u16 =
                change.split.iter().filter(|(other, _)| other == person).map(|(_, bps)| bps).sum();
            let agreed =
                after >= *before || *person == change.proposer || change.approved.contains(person);
            rules.require(agreed, LicensingError::MissingRecipientApproval);
        }
        rules.check()
    }

    /// Sets the split.
    pub(super) fn set_split(&mut self, split: Vec<(Pubkey, u16)>) {
        self.split = split;
        self.split_version += 1;
    }

    /// Transfers the work to the winner of the dispute.
    pub fn award_to(&mut self, claimant: Pubkey, awarded: Awarded) {
        for ((_, bps), kept) in self.parents.iter_mut().zip(awarded.kept_parents) {
            *bps = if kept { *bps } else { 0 };
        }
        let any_kept = self.parents.iter().zip(awarded.kept_parents).any(|(_, kept)| kept);
        if !any_kept {
            self.inherited = Inherited::default();
        }
        let mut split = vec![(claimant, 10_000)];
        if awarded.keeps_recipients {
            split = self.split.clone();
            let own = split.iter().position(|(person, _)| *person == self.owner);
            let other = split.iter().position(|(person, _)| *person == claimant);
            match (own, other) {
                (Some(own), None) => split[own].0 = claimant,
                (Some(own), Some(other)) => {
                    split[other].1 += split[own].1;
                    split.remove(own);
                }
                (None, _) => {}
            }
        }
        self.owner = claimant;
        self.pending_owner = None;
        self.latest_terms += 1;
        self.verdict_terms = self.latest_terms;
        self.set_split(split);
        self.verdict_version = self.split_version;
        self.verdict_dispute = self.disputes;
        self.verdict_keeps_recipients = awarded.keeps_recipients;
    }
}
