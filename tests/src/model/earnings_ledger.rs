//! Instructions of the payments program about earnings.

use std::collections::BTreeMap;

use anchor_lang::error::ErrorCode;
use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{Book, Ledger, Purse, Refused, Rules};
use crate::world::Code;

impl Ledger {
    /// Collects the credit of licenses into the works' books.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn collect(&mut self, address: Pubkey, indexes: &[u16]) -> Result<(), Refused> {
        let mut channel = self.channel(&address)?.clone();
        let mut rules = Rules::default();
        let credits = channel.collect(indexes, &mut rules);
        let mut books: BTreeMap<(Pubkey, Pubkey), Book> = BTreeMap::new();
        for (work, amount) in credits {
            let key = (work, channel.mint);
            let book = books.remove(&key).or_else(|| self.books.get(&key).cloned());
            let Some(mut book) = book else {
                rules.require(false, ErrorCode::AccountOwnedByWrongProgram);
                continue;
            };
            rules.require(book.credit(amount).is_ok(), PaymentsError::Overflow);
            books.insert(key, book);
        }
        // A missing earnings account is reported by one of two errors.
        if !rules.hold() {
            rules.require(false, ErrorCode::AccountNotInitialized);
        }
        rules.check()?;
        self.channels.insert(address, channel);
        self.books.append(&mut books);
        Ok(())
    }

    /// Opens the book of a work.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn open_earnings(&mut self, work: Pubkey, mint: Pubkey) -> Result<(), Refused> {
        let mut rules = Rules::default();
        rules.require(self.vaults.contains_key(&mint), ErrorCode::AccountNotInitialized);
        let free = !self.books.contains_key(&(work, mint));
        rules.require(free, super::licensing_ledger::in_use());
        let of = self.work(&work)?;
        let book = Book::new(&of.parents, &of.split, of.split_version);
        rules.check()?;
        self.books.insert((work, mint), book);
        Ok(())
    }

    /// Pulls a parent's share of a child's earnings.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn pull(&mut self, child: Pubkey, parent: Pubkey, mint: Pubkey) -> Result<u128, Refused> {
        let mut above = self.book(&parent, &mint)?.clone();
        let mut below = self.book(&child, &mint)?.clone();
        let of = self.work(&child)?;
        let disputed = of.dispute.is_some();
        let mut rules = Rules::default();
        let undecided = of.verdict_version <= below.split_version;
        rules.require(undecided, PaymentsError::SplitNotApplied);
        let told = !disputed || below.contested.0 == of.disputes;
        rules.require(told, PaymentsError::DisputeNotApplied);
        let amount = match below.pull(&parent, disputed) {
            Ok(amount) => amount,
            Err(Refused(codes)) => {
                for code in codes {
                    rules.require(false, code);
                }
                0
            }
        };
        rules.check()?;
        above.credit(amount)?;
        self.books.insert((child, mint), below);
        self.books.insert((parent, mint), above);
        Ok(amount)
    }

    /// Pays recipients of a work into their own token accounts. Returns the amounts.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn claim(
        &mut self,
        work: Pubkey,
        mint: Pubkey,
        payees: &[Pubkey],
    ) -> Result<Vec<u128>, Refused> {
        let mut rules = Rules::default();
        for payee in payees {
            // An account's owner is checked before its content.
            let there =
                matches!(self.purses.get(&(*payee, mint)), Some(Purse::Open(_) | Purse::Frozen(_)));
            rules.require(there, PaymentsError::DestinationNotCanonical);
        }
        let pairs: Vec<_> = payees.iter().map(|payee| (*payee, *payee)).collect();
        self.pay_recipients(work, mint, &pairs, rules)
    }

    /// Pays a recipient that signs into another token account. Returns the amount.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn claim_to(
        &mut self,
        work: Pubkey,
        mint: Pubkey,
        payee: Pubkey,
        friend: Pubkey,
    ) -> Result<Vec<u128>, Refused> {
        self.pay_recipients(work, mint, &[(payee, friend)], Rules::default())
    }

    pub(super) fn pay_recipients(
        &mut self,
        work: Pubkey,
        mint: Pubkey,
        pairs: &[(Pubkey, Pubkey)],
        mut rules: Rules,
    ) -> Result<Vec<u128>, Refused> {
        let mut book = self.book(&work, &mint)?.clone();
        let of = self.work(&work)?;
        let disputed = of.dispute.is_some();
        let undecided = of.verdict_version <= book.split_version;
        rules.require(undecided, PaymentsError::SplitNotApplied);
        let told = !disputed || book.contested.0 == of.disputes;
        rules.require(told, PaymentsError::DisputeNotApplied);
        let mut paid = Vec::new();
        for (payee, to) in pairs {
            rules.require(book.knows(payee), PaymentsError::RecipientNotFound);
            let amount = book.claim(payee, disputed).unwrap_or(0);
            if amount > 0 && !self.takes_gifts(to, &mint) {
                self.broken(&mut rules);
                // Without the account, the token program fails.
                let there = !matches!(self.purses.get(&(*to, mint)), Some(Purse::Closed) | None);
                rules.require(there, Code::RUNTIME);
            }
            paid.push(amount);
        }
        rules.require(paid.iter().any(|amount| *amount > 0), PaymentsError::NothingToClaim);
        rules.check()?;
        self.books.insert((work, mint), book);
        for ((_, to), amount) in pairs.iter().zip(&paid) {
            self.pay_out(to, &mint, *amount);
        }
        Ok(paid)
    }

    /// Applies a work's current split to its book.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn apply_split(&mut self, work: Pubkey, mint: Pubkey) -> Result<(), Refused> {
        let of = self.work(&work)?;
        let (split, version, verdict) = (of.split.clone(), of.split_version, of.verdict_version);
        let parents = of.parents.clone();
        let mut rules = Rules::default();
        let mut book = self.book(&work, &mint)?.clone();
        let contested = of.dispute.is_some() && book.contested.0 == of.disputes;
        rules.require(!contested, PaymentsError::EarningsDisputed);
        rules.require(book.split_version != version, PaymentsError::SplitUnchanged);
        let judged = verdict > book.split_version;
        let told = book.contested.0 == of.verdict_dispute;
        // Recipients that stay are left what they have where the book cannot tell what came later.
        let moved = judged && (told || !of.verdict_keeps_recipients);
        let fits = book.resplit(&split, version, (judged, moved)).is_ok();
        if judged {
            book.reparent(&parents);
        }
        rules.require(fits, PaymentsError::TooManyParties);
        rules.check()?;
        self.books.insert((work, mint), book);
        Ok(())
    }

    /// Applies a work's dispute to its book.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn apply_dispute(&mut self, work: Pubkey, mint: Pubkey) -> Result<(), Refused> {
        let of = self.work(&work)?;
        let (disputed, number, verdict) = (of.dispute.is_some(), of.disputes, of.verdict_version);
        let mut book = self.book(&work, &mint)?.clone();
        let mut rules = Rules::default();
        rules.require(disputed, PaymentsError::WorkNotDisputed);
        rules.require(book.contested.0 != number, PaymentsError::DisputeApplied);
        rules.require(verdict <= book.split_version, PaymentsError::SplitNotApplied);
        rules.check()?;
        book.contested = (number, book.kept(), book.earned);
        self.books.insert((work, mint), book);
        Ok(())
    }
}
