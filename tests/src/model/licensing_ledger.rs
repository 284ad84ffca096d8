//! Instructions of the licensing program.

use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use licensing::{Derivatives, LicensingError, WorkKind};
use solana_pubkey::Pubkey;

use super::{
    Awarded, Change, Inherited, Ledger, Refused, Rules, Status, Terms, Work,
    metadata::check_metadata, refused, work::check_split,
};
use crate::world::Code;

/// Returns the system program's error for an existing account.
pub(super) fn in_use() -> Code {
    Code::from((Pubkey::default(), 0))
}

/// Registration of a work.
#[derive(Clone, Debug)]
pub struct Registering {
    /// Creator.
    pub creator: Pubkey,
    /// Kind.
    pub kind: WorkKind,
    /// Whether the digest is not all zeros.
    pub digest_given: bool,
    /// Person that signs its consent.
    pub consent: Option<Pubkey>,
    /// Last second of the consent.
    pub consent_end: Option<i64>,
    /// Style model: whether it can reproduce a person's likeness; `None` for other kinds.
    pub model: Option<bool>,
    /// Earliest accepted end of what the work inherits.
    pub min_expires_at: Option<i64>,
    /// Parents.
    pub parents: Vec<Made>,
    /// Recipients and shares, basis points.
    pub split: Vec<(Pubkey, u16)>,
    /// Title.
    pub title: String,
    /// Location and digest of the metadata.
    pub metadata: (String, [u8; 32]),
}

/// Parent with its share and the right to derive.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// Parent.
    pub from: Pubkey,
    /// Share of all earnings, basis points.
    pub bps: u16,
    /// Right to derive.
    pub right: Right,
}

/// Right to derive from a parent.
#[derive(Clone, Copy, Debug)]
pub enum Right {
    /// The owner signs.
    Owner(Pubkey),
    /// Terms of this number allow it.
    Terms(u32),
    /// The owner approved it under terms of this number.
    Approval(u32),
    /// A license of terms of this number, on this channel, at this index.
    License(u32, Pubkey, u16),
}

/// End of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deciding {
    /// The arbiter upholds the claim with this award.
    Upheld(Pubkey, Awarded),
    /// The arbiter rejects the claim.
    Rejected(Pubkey),
    /// The deadline passed without a verdict.
    Expired,
}

impl Ledger {
    /// Registers a work.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn register(&mut self, address: Pubkey, what: &Registering) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(!self.works.contains_key(&address), in_use());
        rules.require(what.digest_given, LicensingError::EmptyDigest);
        check_split(&what.split, &mut rules);
        check_metadata(&what.title, &what.metadata.0, &mut rules);
        let likeness = what.kind == WorkKind::Voice || what.model == Some(true);
        let needed = likeness || what.consent_end.is_some();
        rules.require(what.consent.is_some() || !needed, LicensingError::MissingConsent);
        let future = what.consent_end.is_none_or(|end| end > self.now);
        rules.require(future, LicensingError::InvalidConsentEnd);
        let is_model = what.kind == WorkKind::StyleModel;
        rules.require(what.model.is_some() || !is_model, LicensingError::MissingModel);
        rules.require(what.model.is_none() || is_model, LicensingError::UnexpectedModel);
        rules.require(what.parents.len() <= 8, LicensingError::TooManyParents);
        let shares: u32 = what.parents.iter().map(|made| u32::from(made.bps)).sum();
        rules.require(shares <= 10_000, LicensingError::InvalidParentShares);
        let mut inherited = Inherited::default();
        for (position, made) in what.parents.iter().enumerate() {
            let twice = what.parents[..position].iter().any(|other| other.from == made.from);
            rules.require(!twice, LicensingError::DuplicateParent);
            self.check_parent(made, &what.creator, &mut inherited, &mut rules)?;
        }
        let least = what.min_expires_at.unwrap_or(i64::MIN);
        let lasts = inherited.ends_by.is_none_or(|end| end >= least);
        rules.require(lasts, LicensingError::InheritedEndTooEarly);
        rules.check()?;
        let consent = what.consent.map(|person| (person, what.consent_end.unwrap_or(i64::MAX)));
        self.works.insert(
            address,
            Work {
                creator: what.creator,
                owner: what.creator,
                kind: what.kind,
                status: Status::Active,
                latest_terms: 0,
                terms: BTreeMap::new(),
                split_version: 0,
                verdict_version: 0,
                disputes: 0,
                verdict_dispute: 0,
                verdict_terms: 0,
                verdict_keeps_recipients: false,
                withdrawn_at: None,
                consent,
                pending_owner: None,
                inherited,
                parents: what.parents.iter().map(|made| (made.from, made.bps)).collect(),
                split: what.split.clone(),
                change: None,
                dispute: None,
                certified: false,
                title: what.title.clone(),
                metadata: what.metadata.clone(),
            },
        );
        Ok(())
    }

    fn check_parent(
        &self,
        made: &Made,
        creator: &Pubkey,
        inherited: &mut Inherited,
        rules: &mut Rules,
    ) -> Result<(), Refused> {
        let parent = self.work(&made.from)?;
        if !matches!(made.right, Right::License(..)) {
            rules.require(parent.dispute.is_none(), LicensingError::ParentDisputed);
            let active = parent.status == Status::Active;
            rules.require(active, LicensingError::ParentNotActive);
            let consented = parent.consented_at(self.now);
            rules.require(consented, LicensingError::ParentConsentEnded);
        }
        let number = match made.right {
            Right::Owner(signer) => {
                rules.require(signer == parent.owner, LicensingError::MissingApproval);
                // The owner waives the conditions of its own terms, not the inherited ones and not
                // the end of the person's consent.
                let ends = [inherited.ends_by, parent.inherited.ends_by, parent.consent_end()];
                inherited.ends_by = ends.into_iter().flatten().min();
                inherited.share_alike |= parent.inherited.share_alike;
                inherited.non_commercial |= parent.inherited.non_commercial;
                return Ok(());
            }
            Right::Terms(number) | Right::Approval(number) | Right::License(number, ..) => number,
        };
        let Some(terms) = parent.terms.get(&number) else {
            rules.require(false, ErrorCode::AccountNotInitialized);
            rules.require(false, ErrorCode::AccountOwnedByWrongProgram);
            return Ok(());
        };
        rules.require(terms.valid_at(self.now), LicensingError::TermsNotValidNow);
        let allowed = match made.right {
            Right::License(_, channel, index) => {
                self.check_license(made, number, creator, (channel, index), rules);
                terms.derivatives == Derivatives::Allowed
            }
            Right::Approval(_) => {
                let latest = number == parent.latest_terms;
                rules.require(latest, LicensingError::NotLatestTerms);
                let by_owner = terms.approvals.get(&(*creator, true)) == Some(&parent.owner);
                rules.require(by_owner, LicensingError::MissingApproval);
                if !terms.approvals.contains_key(&(*creator, true)) {
                    rules.require(false, ErrorCode::AccountNotInitialized);
                }
                terms.derivatives != Derivatives::Forbidden
            }
            _ => {
                let latest = number == parent.latest_terms;
                rules.require(latest, LicensingError::NotLatestTerms);
                terms.derivatives == Derivatives::Allowed
            }
        };
        if !allowed {
            let forbidden = terms.derivatives == Derivatives::Forbidden;
            rules.require(!forbidden, LicensingError::DerivativesForbidden);
            rules.require(forbidden, LicensingError::MissingApproval);
        }
        let enough = made.bps >= terms.derivative_bps;
        rules.require(enough, LicensingError::ParentShareTooSmall);
        let ends = [inherited.ends_by, terms.expires_at, parent.consent_end()];
        inherited.ends_by = ends.into_iter().flatten().min();
        inherited.share_alike |= terms.share_alike;
        inherited.non_commercial |= !terms.commercial;
        Ok(())
    }

    fn check_license(
        &self,
        made: &Made,
        number: u32,
        creator: &Pubkey,
        (channel, index): (Pubkey, u16),
        rules: &mut Rules,
    ) {
        let Some(channel) = self.channels.get(&channel) else {
            rules.require(false, ErrorCode::AccountOwnedByWrongProgram);
            return;
        };
        rules.require(channel.payer == *creator, LicensingError::LicensePayerMismatch);
        let Some(license) = channel.licenses.get(usize::from(index)) else {
            rules.require(false, LicensingError::LicenseNotFound);
            return;
        };
        let own = license.work == made.from && license.terms_number == number;
        rules.require(own, LicensingError::LicenseTermsMismatch);
        rules.require(license.units > 0, LicensingError::LicenseUnused);
        let parent = self.works.get(&made.from);
        let judged = parent.map_or(0, |work| work.verdict_terms);
        let withdrawn_at = parent.and_then(|work| work.withdrawn_at);
        let notice_end = withdrawn_at.map_or(i64::MAX, |at| license.notice_end(at, judged));
        let ends_at = license.expires_at.min(notice_end);
        rules.require(self.now <= ends_at, LicensingError::LicenseEnded);
    }

    /// Publishes terms under the next number.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn publish(&mut self, caller: Pubkey, work: Pubkey, terms: Terms) -> Result<(), Refused> {
        let now = self.now;
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_active(&mut rules);
        rules.require(of.consented_at(now), LicensingError::ConsentEnded);
        let uses = &terms.prices;
        rules.require(!uses.is_empty() && uses.len() <= 8, LicensingError::InvalidUseCount);
        for (position, (licensed, _)) in uses.iter().enumerate() {
            let twice = uses[..position].iter().any(|(other, _)| other == licensed);
            rules.require(!twice, LicensingError::DuplicateUse);
        }
        let caps = [terms.total_units, terms.daily_units, terms.licensee_units, terms.revenue];
        rules.require(!caps.contains(&Some(0)), LicensingError::EmptyCap);
        let operators: std::collections::BTreeSet<_> = terms.operators.iter().collect();
        let distinct = operators.len() == terms.operators.len() && operators.len() <= 4;
        rules.require(distinct, LicensingError::InvalidOperators);
        rules.require(terms.derivative_bps <= 10_000, LicensingError::InvalidDerivativeShare);
        let notice = terms.notice_seconds <= 366 * 86_400;
        rules.require(notice, LicensingError::NoticeTooLong);
        let lasts = terms.expires_at.is_none_or(|end| end > terms.valid_from && end > now);
        rules.require(lasts, LicensingError::InvalidTermsPeriod);
        let Inherited { ends_by, share_alike, non_commercial } = of.inherited;
        let in_time = ends_by.is_none_or(|by| terms.expires_at.is_some_and(|end| end <= by));
        rules.require(in_time, LicensingError::TermsOutliveParent);
        let open = terms.derivatives == Derivatives::Allowed && !terms.approval_required;
        let alike = open && terms.share_alike;
        rules.require(alike || !share_alike, LicensingError::NotShareAlike);
        let idle = !terms.commercial || !non_commercial;
        rules.require(idle, LicensingError::ParentNotCommercial);
        rules.check()?;
        of.latest_terms += 1;
        of.terms.insert(of.latest_terms, terms);
        Ok(())
    }

    /// Grants an approval for licenses or derivatives.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn approve(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        terms: u32,
        grantee: Pubkey,
        derivative: bool,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_active(&mut rules);
        let Some(terms) = of.terms.get_mut(&terms) else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let new = !terms.approvals.contains_key(&(grantee, derivative));
        rules.require(new, in_use());
        rules.check()?;
        terms.approvals.insert((grantee, derivative), caller);
        Ok(())
    }

    /// Revokes an approval.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn revoke(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        terms: u32,
        grantee: Pubkey,
        derivative: bool,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        let approvals = of.terms.get_mut(&terms).map(|terms| &mut terms.approvals);
        let Some(approvals) = approvals else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let there = approvals.contains_key(&(grantee, derivative));
        rules.require(there, ErrorCode::AccountNotInitialized);
        rules.check()?;
        approvals.remove(&(grantee, derivative));
        Ok(())
    }

    /// Offers a work to a person, or cancels the offer.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn offer_ownership(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        to: Option<Pubkey>,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        rules.check()?;
        of.pending_owner = to;
        Ok(())
    }

    /// Accepts the ownership of a work with this status, latest terms and split version.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn accept_ownership(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        withdrawn: bool,
        latest_terms: u32,
        split_version: u32,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        let same = withdrawn == (of.status == Status::Withdrawn)
            && latest_terms == of.latest_terms
            && split_version == of.split_version;
        rules.require(same, LicensingError::WorkChanged);
        rules.require(of.pending_owner == Some(caller), LicensingError::NotOffered);
        of.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        rules.check()?;
        of.owner = caller;
        of.pending_owner = None;
        Ok(())
    }

    /// Proposes a split, or its first part.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn propose_split(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        recipients: u8,
        expires_at: Option<i64>,
        split: Vec<(Pubkey, u16)>,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        rules.require(of.change.is_none(), in_use());
        let size = (1..=32).contains(&recipients) && split.len() <= usize::from(recipients);
        rules.require(size, LicensingError::InvalidSplitSize);
        if split.len() == usize::from(recipients) {
            check_split(&split, &mut rules);
        }
        rules.check()?;
        let split_version = of.split_version;
        let approved = Vec::new();
        of.change = Some(Change {
            proposer: caller,
            split_version,
            recipients,
            split,
            expires_at,
            approved,
        });
        Ok(())
    }

    fn change_mut(&mut self, work: &Pubkey) -> Result<&mut Change, Refused> {
        let change = self.work_mut(work)?.change.as_mut();
        change.map_or_else(|| refused(ErrorCode::AccountNotInitialized), Ok)
    }

    /// Adds the next part of a proposed split.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn extend_split(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        split: &[(Pubkey, u16)],
    ) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let of = self.work(&work)?;
        of.require_owner(&caller, &mut rules);
        let (version, owner) = (of.split_version, of.owner);
        let change = self.change_mut(&work)?;
        let current = change.split_version == version && change.proposer == owner;
        rules.require(current, LicensingError::StaleSplitChange);
        let mut whole = change.split.clone();
        whole.extend_from_slice(split);
        let recipients = usize::from(change.recipients);
        rules.require(whole.len() <= recipients, LicensingError::InvalidSplitSize);
        if whole.len() == recipients {
            check_split(&whole, &mut rules);
        }
        if rules.hold() {
            change.split = whole;
        }
        rules.check()
    }

    /// Approves a proposed split, as a recipient of the current one.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn approve_split(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        split: &[(Pubkey, u16)],
    ) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let now = self.now;
        let of = self.work(&work)?;
        let (version, owner) = (of.split_version, of.owner);
        let recipient = of.split.iter().any(|(person, _)| *person == caller);
        rules.require(recipient, LicensingError::RecipientNotFound);
        let change = self.change_mut(&work)?;
        let current = change.split_version == version && change.proposer == owner;
        rules.require(current, LicensingError::StaleSplitChange);
        let complete = change.split.len() == usize::from(change.recipients);
        let open = change.expires_at.is_none_or(|last| now <= last);
        rules.require(open, LicensingError::SplitChangeExpired);
        rules.require(complete, LicensingError::SplitIncomplete);
        rules.require(change.split == split, LicensingError::SplitDigestMismatch);
        if rules.hold() {
            change.approved.push(caller);
        }
        rules.check()
    }

    /// Revokes a recipient's approval of a proposed split.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn revoke_split(&mut self, caller: Pubkey, work: Pubkey) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let of = self.work(&work)?;
        let (version, owner) = (of.split_version, of.owner);
        let recipient = of.split.iter().any(|(person, _)| *person == caller);
        rules.require(recipient, LicensingError::RecipientNotFound);
        let change = self.change_mut(&work)?;
        let current = change.split_version == version && change.proposer == owner;
        rules.require(current, LicensingError::StaleSplitChange);
        if rules.hold() {
            change.approved.retain(|person| *person != caller);
        }
        rules.check()
    }

    /// Applies a proposed split to the work.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn apply_split_change(&mut self, work: Pubkey) -> Result<(), Refused> {
        let now = self.now;
        let of = self.work_mut(&work)?;
        let Some(change) = &of.change else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        of.check_change(change, now)?;
        let split = change.split.clone();
        of.change = None;
        of.set_split(split);
        Ok(())
    }

    /// Cancels a proposed split.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn cancel_split_change(&mut self, caller: Pubkey, work: Pubkey) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        rules.require(of.change.is_some(), ErrorCode::AccountNotInitialized);
        rules.check()?;
        of.change = None;
        Ok(())
    }

    /// Withdraws a work.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn withdraw_work(&mut self, caller: Pubkey, work: Pubkey) -> Result<(), Refused> {
        let now = self.now;
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_active(&mut rules);
        rules.check()?;
        of.status = Status::Withdrawn;
        of.withdrawn_at = Some(now);
        Ok(())
    }

    /// Sets the end of a person's consent.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn set_consent_end(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        end: Option<i64>,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        let own = of.consent.is_some_and(|(person, _)| person == caller);
        rules.require(own, LicensingError::NotConsentingPerson);
        rules.check()?;
        of.consent = Some((caller, end.unwrap_or(i64::MAX)));
        Ok(())
    }

    /// Issues a work's certificate.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn issue_certificate(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        named: bool,
    ) -> Result<(), Refused> {
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_owner(&caller, &mut rules);
        of.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        rules.require(named, LicensingError::InvalidCertificateName);
        rules.require(!of.certified, in_use());
        rules.check()?;
        of.certified = true;
        Ok(())
    }
}
