//! By what right a work is made from its parents.

use anchor_lang::prelude::*;

use crate::{
    error::LicensingError,
    license_right::LicenseRight,
    state::{
        Approval, Consent, Inherited, Parent, Purpose, Terms, Work, WorkHead, WorkStatus,
        check_parents,
    },
};

/// By what right a work is made from one parent. One byte in the instruction: append only.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentRight {
    /// The parent's owner signs. Accounts: work, owner.
    OwnerSigns,
    /// Its latest terms allow derivatives. Accounts: work, terms.
    Terms,
    /// Its owner has approved this creator's derivatives. Accounts: work, latest terms, approval.
    Approval,
    /// The creator holds a license that it has used, whose terms, however old, allow
    /// derivatives. Accounts: work, terms, channel.
    License {
        /// Of the channel.
        index: u16,
    },
}

/// What is said about a parent; which one it is, its account says.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentArgs {
    pub share_bps: u16,
    pub right: ParentRight,
}

/// The works a new one is made from, and what their terms demand of its own.
#[derive(Debug, Default)]
pub struct Lineage {
    pub parents: Vec<Parent>,
    pub inherited: Inherited,
}

impl Lineage {
    /// Holds every parent against the right it is used by; `accounts` are those of each right,
    /// in order, and no others.
    pub fn check<'info>(
        creator: &Pubkey,
        args: &[ParentArgs],
        accounts: &'info [AccountInfo<'info>],
        now: i64,
    ) -> Result<Self> {
        require!(args.len() <= Work::MAX_PARENTS, LicensingError::TooManyParents);
        let mut lineage = Self::default();
        let mut accounts = accounts.iter();
        for parent in args {
            lineage.add(creator, parent, &mut accounts, now)?;
        }
        require!(accounts.next().is_none(), LicensingError::InvalidParentAccounts);
        check_parents(&lineage.parents)?;
        Ok(lineage)
    }

    fn add<'info>(
        &mut self,
        creator: &Pubkey,
        args: &ParentArgs,
        accounts: &mut std::slice::Iter<'info, AccountInfo<'info>>,
        now: i64,
    ) -> Result<()> {
        let work = ParentWork::read(next(accounts)?)?;
        require!(work.head.status != WorkStatus::Disputed, LicensingError::ParentDisputed);
        let second = next(accounts)?;
        let terms_number = if args.right == ParentRight::OwnerSigns {
            work.require_takes_derivatives(now)?;
            let agrees = second.key() == work.owner && second.is_signer;
            require!(agrees, LicensingError::MissingApproval);
            // The owner waives its own terms, not what its work owes to works it was made from.
            self.inherited.pass_on(&work.inherited);
            0
        } else {
            let terms: Box<Account<Terms>> = Box::new(Account::try_from(second)?);
            require_keys_eq!(terms.work, work.address, LicensingError::InvalidParentAccounts);
            let approved = args.right.check(creator, &work, &terms, accounts, now)?;
            terms.check_derivative(args.share_bps, approved, now)?;
            self.inherited.add(&terms.offer);
            self.inherited.end_by(work.consent.and_then(|consent| consent.expires_at));
            terms.number
        };
        let share_bps = args.share_bps;
        self.parents.push(Parent { work: work.address, share_bps, terms_number });
        Ok(())
    }
}

impl ParentRight {
    /// Whether the terms may be used by this right; returns whether the owner has approved it.
    fn check<'info>(
        self,
        creator: &Pubkey,
        work: &ParentWork,
        terms: &Account<'info, Terms>,
        accounts: &mut std::slice::Iter<'info, AccountInfo<'info>>,
        now: i64,
    ) -> Result<bool> {
        if let Self::License { index } = self {
            let license = LicenseRight::read(next(accounts)?, index)?;
            let end = work.head.license_end(license.expires_at, terms.offer.notice_seconds);
            license.check(creator, terms, end, now)?;
            return Ok(false);
        }
        work.require_takes_derivatives(now)?;
        require!(terms.number == work.head.latest_terms, LicensingError::NotLatestTerms);
        if self == Self::Approval {
            let approval: Account<Approval> = Account::try_from(next(accounts)?)?;
            let holds = approval.holds(&terms.key(), creator, Purpose::Derivative, &work.owner);
            require!(holds, LicensingError::MissingApproval);
        }
        Ok(self == Self::Approval)
    }
}

/// What has to be known of a parent, without reading its lists: eight of the largest works would
/// fill the heap.
struct ParentWork {
    address: Pubkey,
    head: WorkHead,
    owner: Pubkey,
    consent: Option<Consent>,
    inherited: Inherited,
}

impl ParentWork {
    fn read(account: &AccountInfo) -> Result<Self> {
        let head = WorkHead::read(account)?;
        let data = account.try_borrow_data()?;
        let field = |at| data.get(at..).ok_or(ErrorCode::AccountDidNotDeserialize);
        let owner = Pubkey::deserialize(&mut field(Work::OWNER_OFFSET)?)?;
        let mut rest = field(Work::CONSENT_OFFSET)?;
        let consent = Option::<Consent>::deserialize(&mut rest)?;
        let _certificate = Option::<Pubkey>::deserialize(&mut rest)?;
        let _pending_owner = Option::<Pubkey>::deserialize(&mut rest)?;
        let inherited = Inherited::deserialize(&mut rest)?;
        Ok(Self { address: account.key(), head, owner, consent, inherited })
    }

    /// It takes derivatives by what its owner says now. A license is what it said earlier.
    fn require_takes_derivatives(&self, now: i64) -> Result<()> {
        require!(self.head.status == WorkStatus::Active, LicensingError::ParentNotActive);
        let consented = self.consent.is_none_or(|consent| consent.valid_at(now));
        require!(consented, LicensingError::ParentConsentEnded);
        Ok(())
    }
}

fn next<'info>(
    accounts: &mut std::slice::Iter<'info, AccountInfo<'info>>,
) -> Result<&'info AccountInfo<'info>> {
    accounts.next().ok_or_else(|| error!(LicensingError::InvalidParentAccounts))
}
