//! Rights by which a work derives from its parents.

use anchor_lang::prelude::*;
use motif_interface::licensing::{
    Approval, Consent, Inherited, LicensingError, Parent, ParentDeclaration, ParentRight, Purpose,
    Terms, Work, WorkHead, WorkStatus, check_parents,
};

use crate::license_right::LicenseRight;

/// Parents of a new work, and the conditions that it inherits.
#[derive(Debug, Default)]
pub struct Lineage {
    pub parents: Vec<Parent>,
    pub inherited: Inherited,
}

impl Lineage {
    /// Checks the right to every parent. `accounts` are exactly those of each right, in order.
    pub fn check<'info>(
        creator: &Pubkey,
        args: &[ParentDeclaration],
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
        args: &ParentDeclaration,
        accounts: &mut std::slice::Iter<'info, AccountInfo<'info>>,
        now: i64,
    ) -> Result<()> {
        let work = ParentWork::read(next(accounts)?)?;
        let second = next(accounts)?;
        let terms_number = if args.right == ParentRight::OwnerSigns {
            work.require_takes_derivatives(now)?;
            let agrees = second.key() == work.owner && second.is_signer;
            require!(agrees, LicensingError::MissingApproval);
            // The owner waives its own terms, not the conditions that the parent inherited, and
            // not the person's right to an end of the consent.
            self.inherited.pass_on(&work.inherited);
            self.inherited.end_by(work.consent_end());
            0
        } else {
            let terms: Box<Account<Terms>> = Box::new(Account::try_from(second)?);
            require_keys_eq!(terms.work, work.address, LicensingError::InvalidParentAccounts);
            let approved = check_right(args.right, creator, &work, &terms, accounts, now)?;
            terms.check_derivative(args.share_bps, approved, now)?;
            self.inherited.add(&terms.offer);
            self.inherited.end_by(work.consent_end());
            terms.number
        };
        let share_bps = args.share_bps;
        self.parents.push(Parent { work: work.address, share_bps, terms_number });
        Ok(())
    }
}

/// Checks that a right other than the owner's signature permits use of `terms`; returns whether
/// the owner has approved the derivative.
fn check_right<'info>(
    right: ParentRight,
    creator: &Pubkey,
    work: &ParentWork,
    terms: &Account<'info, Terms>,
    accounts: &mut std::slice::Iter<'info, AccountInfo<'info>>,
    now: i64,
) -> Result<bool> {
    if let ParentRight::License { index } = right {
        let held = LicenseRight::read(next(accounts)?, index)?;
        let notice_seconds = terms.offer.notice_seconds;
        let end = work.head.license_end(held.license.expires_at, terms.number, notice_seconds);
        held.check(creator, terms, end, now)?;
        return Ok(false);
    }
    work.require_takes_derivatives(now)?;
    require!(terms.number == work.head.latest_terms, LicensingError::NotLatestTerms);
    if right == ParentRight::Approval {
        let approval: Account<Approval> = Account::try_from(next(accounts)?)?;
        let holds = approval.holds(&terms.key(), creator, Purpose::Derivative, &work.owner);
        require!(holds, LicensingError::MissingApproval);
    }
    Ok(right == ParentRight::Approval)
}

/// Fields of a parent, without its lists: eight of the largest works would exceed the heap.
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

    /// Returns the last unix second of the person's consent; `None` for no expiry.
    fn consent_end(&self) -> Option<i64> {
        self.consent.and_then(|consent| consent.expires_at)
    }

    /// Checks that the parent takes new derivatives. A license is a right from earlier and does not
    /// need this: an owner could withdraw the work and have it disputed until the notice is over.
    fn require_takes_derivatives(&self, now: i64) -> Result<()> {
        require!(self.head.status != WorkStatus::Disputed, LicensingError::ParentDisputed);
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
