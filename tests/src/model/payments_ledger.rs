//! Instructions of the payments program about channels.

use anchor_lang::error::ErrorCode;
use licensing::Use;
use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{
    Channel, Entries, Ledger, License, NEVER, Purse, Refused, Rules, Settling, Status, exact,
    refused,
};
use crate::world::Code;

/// Opening of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Payer.
    pub payer: Pubkey,
    /// Operator.
    pub operator: Pubkey,
    /// Mint.
    pub mint: Pubkey,
    /// Salt of the address.
    pub salt: u64,
    /// Voucher key.
    pub voucher_key: Pubkey,
    /// Operator's fee, basis points.
    pub fee_bps: u16,
    /// Grace period.
    pub grace_seconds: u32,
    /// Deposit, base units.
    pub deposit: u64,
    /// Settles on it too, late in the grace period.
    pub watcher: Option<Pubkey>,
}

/// Acceptance of terms.
#[derive(Clone, Debug)]
pub struct Accepting {
    /// Payer.
    pub payer: Pubkey,
    /// Work.
    pub work: Pubkey,
    /// Number of the terms.
    pub terms: u32,
    /// Licensed use.
    pub licensed_use: Use,
    /// Maximum price per unit.
    pub max_price: u64,
    /// Digest of the terms.
    pub digest: [u8; 32],
    /// Earliest accepted end of the license.
    pub min_expires_at: i64,
    /// Quota of units.
    pub quota_units: u64,
    /// Quota of revenue, base units.
    pub quota_revenue: u64,
    /// Owner that signs as well.
    pub approver: Option<Pubkey>,
    /// Whether an approval account is passed.
    pub approval: bool,
    /// Whether the issuance account is passed.
    pub issuance: bool,
    /// Whether the licensee account is passed.
    pub licensee: bool,
    /// Whether the accounts for an upfront fee and a quota's price are passed.
    pub fee_accounts: bool,
}

/// Returns the errors of the token programs, for a small balance or a frozen account.
pub(super) fn token_error(number: u32) -> [Code; 2] {
    [motif_sdk::channel::TOKEN_PROGRAM, motif_sdk::channel::TOKEN_2022_PROGRAM]
        .map(|program| Code::from((program, number)))
}

impl Ledger {
    pub(super) fn require_purse(
        &self,
        person: &Pubkey,
        mint: &Pubkey,
        amount: u128,
        rules: &mut Rules,
    ) {
        match self.purses.get(&(*person, *mint)) {
            Some(Purse::Open(balance)) => {
                for code in token_error(1) {
                    rules.require(*balance >= amount, code);
                }
            }
            _ => self.broken(rules),
        }
    }

    /// Breaks the rules of an unusable token account: frozen, missing, or of another owner.
    pub(super) fn broken(&self, rules: &mut Rules) {
        for code in token_error(17) {
            rules.require(false, code);
        }
        rules.require(false, ErrorCode::AccountNotInitialized);
        rules.require(false, ErrorCode::ConstraintTokenOwner);
        rules.require(false, PaymentsError::DestinationNotCanonical);
    }

    /// Creates a mint's vault.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn create_vault(&mut self, mint: Pubkey) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let free = !self.vaults.contains_key(&mint);
        rules.require(free, super::licensing_ledger::in_use());
        rules.check()?;
        self.vaults.insert(mint, 0);
        Ok(())
    }

    /// Opens a channel.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn open_channel(&mut self, address: Pubkey, what: &Opening) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let free = !self.channels.contains_key(&address);
        rules.require(free, super::licensing_ledger::in_use());
        rules.require(self.vaults.contains_key(&what.mint), ErrorCode::AccountNotInitialized);
        rules.require(what.deposit > 0, PaymentsError::EmptyDeposit);
        rules.require(what.fee_bps <= 5_000, PaymentsError::FeeTooHigh);
        let grace = (900..=2_592_000).contains(&what.grace_seconds);
        rules.require(grace, PaymentsError::InvalidGracePeriod);
        let asked = &self.operator(&what.operator)?.conditions;
        rules.require(what.fee_bps >= asked.fee_bps, PaymentsError::FeeTooLow);
        let lasts = what.grace_seconds >= asked.grace_seconds;
        rules.require(lasts, PaymentsError::GracePeriodTooShort);
        let self_metered = [what.payer, what.voucher_key]
            .iter()
            .any(|key| self.belongs_to_operator(key, &what.operator));
        let channel = Channel {
            payer: what.payer,
            operator: what.operator,
            watcher: what.watcher,
            mint: what.mint,
            salt: what.salt,
            opened_slot: self.slot,
            fee_bps: what.fee_bps,
            grace_seconds: i64::from(what.grace_seconds),
            keys: vec![(i64::MIN, 0, what.voucher_key)],
            deposited: u128::from(what.deposit),
            fees_claimed: 0,
            refunded: None,
            closes_at: NEVER,
            closes_slot: 0,
            payer_closes: false,
            self_metered,
            licenses: Vec::new(),
            statements: Vec::new(),
        };
        rules.require(channel.may_sign(&what.voucher_key), PaymentsError::InvalidVoucherKey);
        self.require_purse(&what.payer, &what.mint, channel.deposited, &mut rules);
        rules.check()?;
        self.pay_in(&what.payer, &what.mint, channel.deposited);
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Adds to a deposit.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn top_up(&mut self, caller: Pubkey, address: Pubkey, amount: u64) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        channel.top_up(amount, &mut rules);
        self.require_purse(&caller, &channel.mint, u128::from(amount), &mut rules);
        rules.check()?;
        self.pay_in(&caller, &channel.mint, u128::from(amount));
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Accepts terms on a channel.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn accept(&mut self, address: Pubkey, what: &Accepting) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let work = self.work(&what.work)?.clone();
        let Some(terms) = work.terms.get(&what.terms) else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let mut rules = Rules::default();
        rules.require(what.payer == channel.payer, PaymentsError::NotPayer);
        rules.require(channel.closes_at == NEVER, PaymentsError::ChannelClosing);
        let active = work.status == Status::Active && work.dispute.is_none();
        rules.require(active, PaymentsError::WorkNotActive);
        rules.require(work.consented_at(self.now), PaymentsError::ConsentEnded);
        rules.require(what.terms == work.latest_terms, PaymentsError::NotLatestTerms);
        rules.require(terms.valid_at(self.now), PaymentsError::TermsNotValidNow);
        rules.require(what.digest == terms.digest, PaymentsError::TermsDigestMismatch);
        rules.require(channel.mint == terms.mint, PaymentsError::CurrencyMismatch);
        let named = terms.operators.is_empty() || terms.operators.contains(&channel.operator);
        rules.require(named, PaymentsError::OperatorNotNamed);
        if what.approval {
            let granted = terms.approvals.contains_key(&(what.payer, false));
            rules.require(granted, ErrorCode::AccountNotInitialized);
        }
        if terms.approval_required {
            let written = terms.approvals.get(&(what.payer, false)) == Some(&work.owner);
            let approved = what.approver == Some(work.owner) || (what.approval && written);
            rules.require(approved, PaymentsError::MissingApproval);
        }
        let upfront = u128::from(terms.upfront_fee);
        let fee_accounts = what.fee_accounts == (upfront > 0 || terms.shared_caps());
        rules.require(fee_accounts, PaymentsError::InvalidDepositAccounts);
        let dearest = terms.prices.iter().map(|(_, price)| u128::from(*price)).max();
        let quota_price = dearest.unwrap_or(0).max(1);
        let price = terms.prices.iter().find(|(licensed, _)| *licensed == what.licensed_use);
        let Some((_, price)) = price else {
            rules.require(false, PaymentsError::UseNotLicensed);
            if what.fee_accounts {
                self.require_purse(&what.payer, &terms.mint, 0, &mut rules);
            }
            return rules.check();
        };
        rules.require(*price <= what.max_price, PaymentsError::PriceAboveMaximum);

        let ends = [terms.expires_at, work.consent_end()];
        let expires_at = ends.into_iter().flatten().min().unwrap_or(NEVER);
        rules.require(expires_at >= what.min_expires_at, PaymentsError::LicenseEndsEarly);

        let issuance = what.issuance == terms.shared_caps();
        rules.require(issuance, PaymentsError::InvalidIssuanceAccount);
        let own_cap = u128::from(terms.licensee_units.unwrap_or(u64::MAX));
        let units = u128::from(what.quota_units).min(own_cap);
        let revenue = u128::from(what.quota_revenue);
        let price = u128::from(*price);
        let (mut quota_units, mut quota_revenue) = (None, None);
        let mut worth = 0;
        if let Some(cap) = terms.total_units {
            rules.require(units > 0, PaymentsError::EmptyQuota);
            let fits = terms.units_out + units <= u128::from(cap);
            rules.require(fits, PaymentsError::QuotaExceedsCap);
            quota_units = Some(units);
            worth = units * quota_price;
        }
        if let Some(cap) = terms.revenue {
            rules.require(revenue > 0, PaymentsError::EmptyQuota);
            let fits = terms.revenue_out + revenue <= u128::from(cap);
            rules.require(fits, PaymentsError::QuotaExceedsCap);
            quota_revenue = Some(revenue);
            worth = worth.max(revenue);
        }
        rules.require(what.licensee == terms.once_each(), PaymentsError::InvalidLicenseeAccount);
        let licensee = (what.payer, what.licensed_use);
        let first = !terms.once_each() || !terms.licensees.contains(&licensee);
        rules.require(first, PaymentsError::AlreadyLicensed);

        channel.licenses.push(License {
            work: what.work,
            terms_number: what.terms,
            price,
            free: u128::from(terms.free_units),
            most_units: quota_units.or(terms.licensee_units.map(u128::from)),
            most_daily: terms.daily_units.map(u128::from),
            most_revenue: quota_revenue,
            expires_at,
            notice_seconds: terms.notice_seconds,
            quota_units,
            quota_price,
            quota_revenue,
            first_day: self.now.max(0) / 86_400,
            days: Vec::new(),
            units: 0,
            prices: 0,
            upfront,
            collected: 0,
        });
        rules.require(channel.licenses.len() <= 10_000, PaymentsError::TooManyLicenses);
        let before = self.channel(&address)?;
        rules.require(exact::fits(before.deposited + upfront), PaymentsError::Overflow);
        // What was free stays free.
        let cost = channel.committed() - before.committed();
        channel.deposited += cost;
        let payable = worth < u128::from(u64::MAX)
            && exact::fits(channel.committed())
            && exact::fits(channel.deposited);
        rules.require(payable, PaymentsError::QuotaTooLarge);
        if what.fee_accounts {
            self.require_purse(&what.payer, &terms.mint, cost, &mut rules);
        }
        rules.check()?;

        self.pay_in(&what.payer, &terms.mint, cost);
        self.channels.insert(address, channel);
        let work = self.work_mut(&what.work)?;
        if let Some(terms) = work.terms.get_mut(&what.terms) {
            terms.units_out += quota_units.unwrap_or(0);
            terms.revenue_out += quota_revenue.unwrap_or(0);
            if terms.once_each() {
                terms.licensees.push(licensee);
            }
        }
        Ok(())
    }

    /// Settles a statement.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn settle(&mut self, address: Pubkey, what: &Settling) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let settle_key = self.settle_key(&channel.operator);
        channel.settle(address, what, settle_key, (self.now, self.slot), &mut rules);
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Applies withdrawals of works to licenses.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn apply_withdrawal(&mut self, address: Pubkey, indexes: &[u16]) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let settled_until = self.now.saturating_add(channel.grace_seconds);
        for &index in indexes {
            let Some(license) = channel.licenses.get_mut(usize::from(index)) else {
                rules.require(false, PaymentsError::LicenseNotFound);
                continue;
            };
            let of = self.work(&license.work)?;
            let judged = of.verdict_terms;
            match of.withdrawn_at {
                Some(at) => license.end_by_withdrawal(at, judged, settled_until),
                None => drop(rules.require(false, PaymentsError::WorkNotWithdrawn)),
            }
        }
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Releases a license's quota.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn release_quota(
        &mut self,
        signers: &[Pubkey],
        address: Pubkey,
        index: u16,
        (work, number): (Pubkey, u32),
    ) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let terms = self.work(&work)?.terms.get(&number);
        // Terms without shared caps have no issuance.
        let issued = terms.is_some_and(|terms| terms.shared_caps());
        rules.require(issued, ErrorCode::AccountNotInitialized);
        let closed = channel.closed(self.now, self.slot);
        let agreed = [channel.payer, channel.operator].iter().all(|party| signers.contains(party));
        let Some(license) = channel.licenses.get_mut(usize::from(index)) else {
            rules.require(false, PaymentsError::LicenseNotFound);
            return rules.check();
        };
        let own = (license.work, license.terms_number) == (work, number);
        rules.require(own, PaymentsError::LicenseTermsMismatch);
        let over = self.now > license.expires_at || closed;
        rules.require(over || agreed, PaymentsError::LicenseInUse);
        rules.require(license.holds_quota(), PaymentsError::NoQuota);
        let (units, revenue) = license.give_back();
        rules.check()?;
        self.channels.insert(address, channel);
        if let Some(terms) = self.work_mut(&work)?.terms.get_mut(&number) {
            terms.units_out -= units;
            terms.revenue_out -= revenue;
        }
        Ok(())
    }

    /// Rotates the voucher key.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn rotate_voucher_key(
        &mut self,
        caller: Pubkey,
        (operator, watcher): (Option<Pubkey>, Option<Pubkey>),
        address: Pubkey,
        key: Pubkey,
    ) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        let known = operator.is_none_or(|operator| operator == channel.operator);
        rules.require(known, PaymentsError::NotOperator);
        let watched = channel.watcher.is_none() || channel.watcher == watcher;
        let agreed = operator.is_some() && watched;
        channel.rotate(key, agreed, (self.now, self.slot), &mut rules);
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Requests the close of a channel.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn request_close(&mut self, signers: &[Pubkey], address: Pubkey) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        channel.close(signers, (self.now, self.slot), &mut rules);
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Withdraws the rest of a deposit.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn withdraw(&mut self, caller: Pubkey, address: Pubkey) -> Result<u128, Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        let refund = channel.withdraw(self.now, self.slot, &mut rules);
        let frozen = matches!(self.purses.get(&(caller, channel.mint)), Some(Purse::Frozen(_)));
        let takes = self.takes_gifts(&caller, &channel.mint) || frozen && refund == 0;
        if !takes {
            self.broken(&mut rules);
        }
        rules.check()?;
        let mint = channel.mint;
        self.channels.insert(address, channel);
        self.pay_out(&caller, &mint, refund);
        Ok(refund)
    }

    /// Pays the operator's fees to its fee owner; the call has the account of the operator
    /// `operator`.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn claim_fees(
        &mut self,
        address: Pubkey,
        operator: Pubkey,
        fee_owner: Pubkey,
    ) -> Result<u128, Refused> {
        let mut channel = self.channel(&address)?.clone();
        let conditions = &self.operator(&operator)?.conditions;
        let mut rules = Rules::default();
        let own = operator == channel.operator;
        rules.require(own, PaymentsError::InvalidOperatorAccount);
        rules.require(conditions.fee_owner == fee_owner, ErrorCode::ConstraintHasOne);
        let fees = channel.claim_fees(&mut rules);
        let mint = channel.mint;
        if !self.takes_money(&fee_owner, &mint) {
            self.broken(&mut rules);
        }
        rules.check()?;
        self.channels.insert(address, channel);
        self.pay_out(&fee_owner, &mint, fees);
        Ok(fees)
    }

    /// Closes an empty channel.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn close_channel(&mut self, caller: Pubkey, address: Pubkey) -> Result<(), Refused> {
        let channel = self.channel(&address)?;
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        if let Err(Refused(codes)) = channel.check_closable(self.now, self.slot) {
            for code in codes {
                rules.require(false, code);
            }
        }
        rules.check()?;
        let (mint, left) = (channel.mint, channel.left());
        *self.forfeited.entry(mint).or_default() += left;
        self.channels.remove(&address);
        Ok(())
    }

    /// Creates a statement buffer.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn create_statement_buffer(
        &mut self,
        channel: Pubkey,
        settler: Pubkey,
    ) -> Result<(), Refused> {
        let mut rules = Rules::default();
        self.channel(&channel)?;
        let free = !self.staged.contains_key(&(channel, settler));
        rules.require(free, super::licensing_ledger::in_use());
        rules.check()?;
        self.staged.insert((channel, settler), Vec::new());
        Ok(())
    }

    /// Writes a part of a statement to a buffer.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn stage(
        &mut self,
        channel: Pubkey,
        settler: Pubkey,
        offset: u32,
        bytes: &[u8],
    ) -> Result<(), Refused> {
        let Some(staged) = self.staged.get_mut(&(channel, settler)) else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let offset = offset as usize;
        let end = offset + bytes.len();
        let mut rules = Rules::default();
        let fits = offset <= staged.len() && end <= 27_000;
        rules.require(fits, PaymentsError::InvalidBufferPart);
        rules.check()?;
        if staged.len() < end {
            staged.resize(end, 0);
        }
        staged[offset..end].copy_from_slice(bytes);
        Ok(())
    }

    /// Closes a statement buffer.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn close_statement_buffer(
        &mut self,
        channel: Pubkey,
        settler: Pubkey,
    ) -> Result<(), Refused> {
        match self.staged.remove(&(channel, settler)) {
            Some(_) => Ok(()),
            None => refused(ErrorCode::AccountNotInitialized),
        }
    }

    /// Settles a buffered statement; `read` parses its bytes.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn settle_buffered(
        &mut self,
        address: Pubkey,
        what: &Settling,
        read: fn(&[u8]) -> Entries,
    ) -> Result<(), Refused> {
        let key = (address, what.settler);
        let Some(bytes) = self.staged.get(&key) else {
            return refused(ErrorCode::AccountNotInitialized);
        };
        let sent_digest = solana_sha256_hasher::hash(bytes).to_bytes();
        let what = Settling { sent_digest, entries: read(bytes), ..what.clone() };
        self.settle(address, &what)?;
        self.staged.remove(&key);
        Ok(())
    }
}
