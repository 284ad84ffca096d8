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

/// A channel about to be opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Funds it.
    pub payer: Pubkey,
    /// Settles on it.
    pub operator: Pubkey,
    /// In which currency.
    pub mint: Pubkey,
    /// Tells it from others.
    pub salt: u64,
    /// Signs vouchers.
    pub voucher_key: Pubkey,
    /// On top of prices.
    pub fee_bps: u16,
    /// From closing to the last settlement.
    pub grace_seconds: u32,
    /// Base units.
    pub deposit: u64,
}

/// Terms about to be taken onto a channel.
#[derive(Clone, Debug)]
pub struct Accepting {
    /// Who accepts.
    pub payer: Pubkey,
    /// Terms of this work.
    pub work: Pubkey,
    /// Of this number.
    pub terms: u32,
    /// For this use.
    pub licensed_use: Use,
    /// At most so much for a unit.
    pub max_price: u64,
    /// As the payer read them.
    pub digest: [u8; 32],
    /// So many units of shared caps.
    pub quota_units: u64,
    /// So many base units of shared caps.
    pub quota_revenue: u64,
    /// Signs too.
    pub approver: Option<Pubkey>,
    /// An approval account is passed.
    pub approval: bool,
    /// The issuance account is passed.
    pub issuance: bool,
    /// The licensee account is passed.
    pub licensee: bool,
    /// The accounts are passed that an upfront fee is paid with.
    pub fee_accounts: bool,
}

/// What a token program says where a balance is too small, and where an account is frozen.
fn token_error(number: u32) -> [Code; 2] {
    [motif_sdk::channel::TOKEN_PROGRAM, motif_sdk::channel::TOKEN_2022_PROGRAM]
        .map(|program| Code::from((program, number)))
}

impl Ledger {
    fn require_purse(&self, person: &Pubkey, mint: &Pubkey, amount: u128, rules: &mut Rules) {
        match self.purses.get(&(*person, *mint)) {
            Some(Purse::Open(balance)) => {
                for code in token_error(1) {
                    rules.require(*balance >= amount, code);
                }
            }
            _ => self.broken(rules),
        }
    }

    /// Whatever a broken token account is refused with: it is frozen, not there, or another's.
    pub(super) fn broken(&self, rules: &mut Rules) {
        for code in token_error(17) {
            rules.require(false, code);
        }
        rules.require(false, ErrorCode::AccountNotInitialized);
        rules.require(false, ErrorCode::ConstraintTokenOwner);
        rules.require(false, PaymentsError::DestinationNotCanonical);
    }

    /// Admits a mint.
    ///
    /// # Errors
    /// The rules it breaks.
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
    /// The rules it breaks.
    pub fn open_channel(&mut self, address: Pubkey, what: &Opening) -> Result<(), Refused> {
        let mut rules = Rules::default();
        let free = !self.channels.contains_key(&address);
        rules.require(free, super::licensing_ledger::in_use());
        rules.require(self.vaults.contains_key(&what.mint), ErrorCode::AccountNotInitialized);
        rules.require(what.deposit > 0, PaymentsError::EmptyDeposit);
        rules.require(what.fee_bps <= 5_000, PaymentsError::FeeTooHigh);
        let grace = (900..=2_592_000).contains(&what.grace_seconds);
        rules.require(grace, PaymentsError::InvalidGracePeriod);
        let channel = Channel {
            payer: what.payer,
            operator: what.operator,
            mint: what.mint,
            salt: what.salt,
            opened_slot: self.slot,
            fee_bps: what.fee_bps,
            grace_seconds: i64::from(what.grace_seconds),
            keys: vec![(i64::MIN, what.voucher_key)],
            deposited: u128::from(what.deposit),
            fees_claimed: 0,
            refunded: None,
            closes_at: NEVER,
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
    /// The rules it breaks.
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

    /// Takes terms onto a channel.
    ///
    /// # Errors
    /// The rules it breaks.
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
        let fee_accounts = what.fee_accounts == (upfront > 0);
        rules.require(fee_accounts, PaymentsError::InvalidUpfrontFeeAccounts);
        if what.fee_accounts {
            self.require_purse(&what.payer, &terms.mint, upfront, &mut rules);
        }
        let price = terms.prices.iter().find(|(licensed, _)| *licensed == what.licensed_use);
        let Some((_, price)) = price else {
            rules.require(false, PaymentsError::UseNotLicensed);
            return rules.check();
        };
        rules.require(*price <= what.max_price, PaymentsError::PriceAboveMaximum);

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
            worth = units * price;
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

        let ends = [terms.expires_at, work.consent_end()];
        channel.licenses.push(License {
            work: what.work,
            terms_number: what.terms,
            price,
            free: u128::from(terms.free_units),
            most_units: quota_units.or(terms.licensee_units.map(u128::from)),
            most_daily: terms.daily_units.map(u128::from),
            most_revenue: quota_revenue,
            expires_at: ends.into_iter().flatten().min().unwrap_or(NEVER),
            notice_seconds: terms.notice_seconds,
            quota_units,
            quota_revenue,
            first_day: self.now.max(0) / 86_400,
            days: Vec::new(),
            units: 0,
            prices: 0,
            upfront,
            collected: 0,
        });
        rules.require(channel.licenses.len() <= 10_000, PaymentsError::TooManyLicenses);
        channel.deposited += upfront;
        rules.require(exact::fits(channel.deposited), PaymentsError::Overflow);
        if quota_units.is_some() || quota_revenue.is_some() {
            let (_, others) = channel.licenses.split_last().expect("the one just added");
            let held: u128 = others.iter().map(License::quota_worth).sum();
            let covered = channel.charged() + held + worth <= channel.deposited;
            rules.require(covered, PaymentsError::QuotaExceedsDeposit);
        }
        rules.check()?;

        self.pay_in(&what.payer, &terms.mint, upfront);
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

    /// Pays a statement.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn settle(&mut self, address: Pubkey, what: &Settling) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        channel.settle(address, what, self.now, &mut rules);
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Ends licenses whose works were withdrawn.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn apply_withdrawal(&mut self, address: Pubkey, indexes: &[u16]) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let settled_until = self.now.saturating_add(channel.grace_seconds);
        for &index in indexes {
            let Some(license) = channel.licenses.get_mut(usize::from(index)) else {
                rules.require(false, PaymentsError::LicenseNotFound);
                continue;
            };
            match self.work(&license.work)?.withdrawn_at {
                Some(withdrawn_at) => license.end_by_withdrawal(withdrawn_at, settled_until),
                None => drop(rules.require(false, PaymentsError::WorkNotWithdrawn)),
            }
        }
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Gives a license's part of shared caps back.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn release_quota(
        &mut self,
        caller: Pubkey,
        address: Pubkey,
        index: u16,
        (work, number): (Pubkey, u32),
    ) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let terms = self.work(&work)?.terms.get(&number);
        // Terms without shared caps were never issued from.
        let issued = terms.is_some_and(|terms| terms.shared_caps());
        rules.require(issued, ErrorCode::AccountNotInitialized);
        let Some(license) = channel.licenses.get_mut(usize::from(index)) else {
            rules.require(false, PaymentsError::LicenseNotFound);
            return rules.check();
        };
        let own = (license.work, license.terms_number) == (work, number);
        rules.require(own, PaymentsError::LicenseTermsMismatch);
        let over = self.now > license.expires_at || self.now >= channel.closes_at;
        rules.require(over || caller == channel.operator, PaymentsError::LicenseInUse);
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

    /// Changes who signs vouchers.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn rotate_voucher_key(
        &mut self,
        caller: Pubkey,
        operator: Option<Pubkey>,
        address: Pubkey,
        key: Pubkey,
    ) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        let known = operator.is_none_or(|operator| operator == channel.operator);
        rules.require(known, PaymentsError::NotOperator);
        channel.rotate(key, operator.is_some(), self.now, &mut rules);
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Starts closing a channel.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn request_close(&mut self, caller: Pubkey, address: Pubkey) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        channel.close(&caller, self.now, &mut rules);
        rules.check()?;
        self.channels.insert(address, channel);
        Ok(())
    }

    /// Gives the payer back what was not charged.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn withdraw(&mut self, caller: Pubkey, address: Pubkey) -> Result<u128, Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        let refund = channel.withdraw(self.now, &mut rules);
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

    /// Pays the operator.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn claim_fees(&mut self, address: Pubkey) -> Result<u128, Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let fees = channel.claim_fees(&mut rules);
        let (operator, mint) = (channel.operator, channel.mint);
        if !self.takes_money(&operator, &mint) {
            self.broken(&mut rules);
        }
        rules.check()?;
        self.channels.insert(address, channel);
        self.pay_out(&operator, &mint, fees);
        Ok(fees)
    }

    /// Closes an empty channel.
    ///
    /// # Errors
    /// The rules it breaks.
    pub fn close_channel(&mut self, caller: Pubkey, address: Pubkey) -> Result<(), Refused> {
        let channel = self.channel(&address)?;
        let mut rules = Rules::default();
        rules.require(caller == channel.payer, PaymentsError::NotPayer);
        if let Err(Refused(codes)) = channel.check_closable(self.slot) {
            for code in codes {
                rules.require(false, code);
            }
        }
        rules.check()?;
        self.channels.remove(&address);
        Ok(())
    }

    /// Begins to write a statement down.
    ///
    /// # Errors
    /// The rules it breaks.
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

    /// Writes a part of a statement down.
    ///
    /// # Errors
    /// The rules it breaks.
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
        let fits = offset <= staged.len() && end <= 60_000;
        rules.require(fits, PaymentsError::InvalidBufferPart);
        rules.check()?;
        if staged.len() < end {
            staged.resize(end, 0);
        }
        staged[offset..end].copy_from_slice(bytes);
        Ok(())
    }

    /// Throws away what was written down.
    ///
    /// # Errors
    /// The rules it breaks.
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

    /// Pays the statement that was written down; `read` says what its bytes mean.
    ///
    /// # Errors
    /// The rules it breaks.
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
