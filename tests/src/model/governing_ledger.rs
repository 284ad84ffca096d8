//! Instructions of the licensing program about disputes and the config.

use anchor_lang::error::ErrorCode;
use licensing::LicensingError;
use solana_pubkey::Pubkey;

use super::{
    Dispute, Ledger, Refused, Rules,
    licensing_ledger::{Deciding, in_use},
    refused,
};

impl Ledger {
    /// Opens a dispute about a work.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn open_dispute(
        &mut self,
        caller: Pubkey,
        work: Pubkey,
        max_bond: u64,
    ) -> Result<(), Refused> {
        let (now, config) = (self.now, self.config);
        let of = self.work_mut(&work)?;
        let mut rules = Rules::default();
        of.require_undisputed(&mut rules, LicensingError::WorkDisputed);
        rules.require(of.dispute.is_none(), in_use());
        rules.require(of.owner != caller, LicensingError::OwnerCannotDispute);
        rules.require(config.bond <= max_bond, LicensingError::BondAboveMaximum);
        rules.check()?;
        let deadline = now.saturating_add(i64::from(config.dispute_seconds));
        of.disputes += 1;
        of.dispute =
            Some(Dispute { claimant: caller, bond: config.bond, opened_at: now, deadline });
        Ok(())
    }

    /// Ends a dispute.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn end_dispute(&mut self, work: Pubkey, how: Deciding) -> Result<(), Refused> {
        let (now, arbiter) = (self.now, self.config.arbiter);
        let of = self.work_mut(&work)?;
        let Some(dispute) = of.dispute else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let mut rules = Rules::default();
        match how {
            Deciding::Upheld(caller, _) | Deciding::Rejected(caller) => {
                rules.require(caller == arbiter, LicensingError::NotArbiter);
                rules.require(now <= dispute.deadline, LicensingError::DisputeOverdue);
                let heard = now >= dispute.opened_at.saturating_add(43_200);
                let soon = matches!(how, Deciding::Upheld(..)) && !heard;
                rules.require(!soon, LicensingError::HearingOpen);
            }
            Deciding::Expired => {
                rules.require(now > dispute.deadline, LicensingError::DisputeOpen);
            }
        }
        rules.check()?;
        of.dispute = None;
        if let Deciding::Upheld(_, awarded) = how {
            of.award_to(dispute.claimant, awarded);
        }
        Ok(())
    }

    /// Updates the config.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn update_config(
        &mut self,
        caller: Pubkey,
        arbiter: Pubkey,
        bond: u64,
        dispute_seconds: u32,
        least_bond: u64,
    ) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(caller == self.config.authority, LicensingError::NotAuthority);
        let length = (86_400..=60 * 86_400).contains(&dispute_seconds);
        rules.require(length, LicensingError::InvalidDisputeLength);
        rules.require(bond >= least_bond, LicensingError::BondTooSmall);
        rules.check()?;
        self.config = super::Config { arbiter, bond, dispute_seconds, ..self.config };
        Ok(())
    }

    /// Offers the authority.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn offer_authority(&mut self, caller: Pubkey, to: Option<Pubkey>) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(caller == self.config.authority, LicensingError::NotAuthority);
        rules.check()?;
        self.config.pending_authority = to;
        Ok(())
    }

    /// Accepts the authority.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn accept_authority(&mut self, caller: Pubkey) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let offered = self.config.pending_authority == Some(caller);
        rules.require(offered, LicensingError::NotOffered);
        rules.check()?;
        self.config.authority = caller;
        self.config.pending_authority = None;
        Ok(())
    }
}
