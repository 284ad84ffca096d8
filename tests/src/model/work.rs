use std::collections::BTreeMap;

use licensing::{Derivatives, LicensingError, Use, WorkKind};
use solana_pubkey::Pubkey;

use super::{Awarded, Refused, Rules};
use crate::world::Code;

/// Whether a work stands where its owner left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Offers and earns.
    Active,
    /// Offers nothing new.
    Withdrawn,
}

/// A registered creation.
#[derive(Clone, Debug)]
pub struct Work {
    /// Registered it.
    pub creator: Pubkey,
    /// Decides about it.
    pub owner: Pubkey,
    /// Of this kind.
    pub kind: WorkKind,
    /// As its owner left it, whatever dispute there is.
    pub status: Status,
    /// Number of its latest terms; upheld disputes skip one.
    pub latest_terms: u32,
    /// All terms published, by number.
    pub terms: BTreeMap<u32, Terms>,
    /// How often its split changed.
    pub split_version: u32,
    /// The last of these changes that a verdict made.
    pub verdict_version: u32,
    /// How many disputes there have been.
    pub disputes: u32,
    /// Which of them made that change.
    pub verdict_dispute: u32,
    /// Terms before this number are not the present owner's.
    pub verdict_terms: u32,
    /// That change was of the owner's share only.
    pub verdict_keeps_recipients: bool,
    /// When it was withdrawn.
    pub withdrawn_at: Option<i64>,
    /// A person and the last second of its consent.
    pub consent: Option<(Pubkey, i64)>,
    /// Offered the work.
    pub pending_owner: Option<Pubkey>,
    /// What its parents' terms demand of its own.
    pub inherited: Inherited,
    /// Parent works and basis points.
    pub parents: Vec<(Pubkey, u16)>,
    /// Recipients and basis points.
    pub split: Vec<(Pubkey, u16)>,
    /// A split that is proposed.
    pub change: Option<Change>,
    /// Who says that it is not the owner's.
    pub dispute: Option<Dispute>,
    /// Its certificate was issued.
    pub certified: bool,
    /// Its title.
    pub title: String,
}

/// What terms have to keep to because of what a work is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// The latest end.
    pub ends_by: Option<i64>,
    /// Open to derivatives on the same condition.
    pub share_alike: bool,
    /// Not for commerce.
    pub non_commercial: bool,
}

/// A version of terms.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Uses and base units for one unit.
    pub prices: Vec<(Use, u64)>,
    /// In which currency.
    pub mint: Pubkey,
    /// What `accept` must have read.
    pub digest: [u8; 32],
    /// Charged at acceptance.
    pub upfront_fee: u64,
    /// Units that cost nothing.
    pub free_units: u64,
    /// For commerce too.
    pub commercial: bool,
    /// Whether others may make derivatives.
    pub derivatives: Derivatives,
    /// The least share of one.
    pub derivative_bps: u16,
    /// Derivatives must be as open.
    pub share_alike: bool,
    /// Acceptance needs the owner.
    pub approval_required: bool,
    /// Units of all licensees.
    pub total_units: Option<u64>,
    /// Units of one license a day.
    pub daily_units: Option<u64>,
    /// Units of one license.
    pub licensee_units: Option<u64>,
    /// Base units of all licensees.
    pub revenue: Option<u64>,
    /// First second.
    pub valid_from: i64,
    /// Last second.
    pub expires_at: Option<i64>,
    /// Before a withdrawal counts.
    pub notice_seconds: u32,
    /// Units handed out and not given back.
    pub units_out: u128,
    /// Base units handed out and not given back.
    pub revenue_out: u128,
    /// Who holds its one license of a use.
    pub licensees: Vec<(Pubkey, Use)>,
    /// Who may do what, as this owner said.
    pub approvals: BTreeMap<(Pubkey, bool), Pubkey>,
}

/// A proposed split.
#[derive(Clone, Debug)]
pub struct Change {
    /// The owner that proposed it.
    pub proposer: Pubkey,
    /// Of this split of the work.
    pub split_version: u32,
    /// So many recipients when complete.
    pub recipients: u8,
    /// Recipients and basis points so far.
    pub split: Vec<(Pubkey, u16)>,
    /// Last second of it, where it has one.
    pub expires_at: Option<i64>,
    /// Recipients of the present split who agree.
    pub approved: Vec<Pubkey>,
}

/// A claim on a work.
#[derive(Clone, Copy, Debug)]
pub struct Dispute {
    /// Whose claim.
    pub claimant: Pubkey,
    /// At stake.
    pub bond: u64,
    /// When it was made.
    pub opened_at: i64,
    /// Last second of a verdict.
    pub deadline: i64,
}

impl Terms {
    /// Whether they hold at a moment.
    pub fn valid_at(&self, now: i64) -> bool {
        self.valid_from <= now && self.expires_at.is_none_or(|last| now <= last)
    }

    /// Whether licensees compete for a cap.
    pub fn shared_caps(&self) -> bool {
        self.total_units.is_some() || self.revenue.is_some()
    }

    /// Whether a payer can have them only once.
    pub fn once_each(&self) -> bool {
        self.free_units > 0 || self.daily_units.is_some() || self.licensee_units.is_some()
    }
}

/// The rules of a split that is to be paid by.
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

    /// Whether it offers anything new.
    pub(super) fn require_active(&self, rules: &mut Rules) {
        self.require_undisputed(rules, LicensingError::WorkDisputed);
        let active = self.status == Status::Active;
        rules.require(active, LicensingError::WorkNotActive);
    }

    pub(super) fn require_owner(&self, caller: &Pubkey, rules: &mut Rules) {
        rules.require(self.owner == *caller, LicensingError::NotOwner);
    }

    /// Whether its person still consents.
    pub fn consented_at(&self, now: i64) -> bool {
        self.consent.is_none_or(|(_, last)| now <= last)
    }

    /// Last second of the person's consent, where that ends.
    pub fn consent_end(&self) -> Option<i64> {
        self.consent.map(|(_, last)| last).filter(|last| *last != i64::MAX)
    }

    /// Whether the change may become the split.
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

    /// Pays by another split from now on.
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
