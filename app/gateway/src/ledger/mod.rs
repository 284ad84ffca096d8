//! Units and vouchers of one channel, ahead of the chain: a state machine without I/O.
//!
//! Generations enter through [`Ledger::reserve`] and [`Ledger::commit`]. They are priced and
//! limited by the code that settlement runs on chain, so a committed generation can settle at
//! any later time before the dates that were checked.

mod draft;
mod error;
mod holds;
mod margins;
mod reservation;

use std::collections::{BTreeMap, VecDeque};

use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, License, Moment},
    voucher::{SignedVoucher, Statement, Voucher},
};

use draft::{Added, Draft};
pub use error::{LedgerError, LicenseLimit};
pub use margins::Margins;
pub use motif_store::{CutStatement, Hold, HoldId, Item, OpenStatement};
pub use reservation::{PricedItem, Requested, Reservation};

/// Units, statements and holds of one channel.
///
/// Invariant: settling the cut statements in order and then the open one, at any later time
/// before their dates, is allowed by the licenses and charges exactly `cumulative()`.
#[derive(Clone, Debug)]
pub struct Ledger {
    address: Pubkey,
    /// Account as last read from the chain.
    account: ChannelAccount,
    /// Closed statements that have not settled, oldest first.
    cut: VecDeque<CutStatement>,
    open: OpenStatement,
    margins: Margins,
    /// Maximum total at this gateway; `None` for the whole deposit.
    budget: Option<u64>,
    /// Open holds; expired holds are ignored.
    holds: BTreeMap<HoldId, Hold>,
    /// Statement that the chain rejected for a permanent reason.
    refused: Option<u64>,
    /// First statement that a license has no units or revenue left for.
    overdrawn: Option<u64>,
}

impl Ledger {
    /// Creates a ledger without unsettled generations.
    pub fn new(address: Pubkey, account: ChannelAccount, margins: Margins) -> Self {
        let open = OpenStatement::new(account.channel.statements.length);
        Self::restore(address, account, margins, VecDeque::new(), open)
    }

    /// Restores a ledger after a restart.
    pub fn restore(
        address: Pubkey,
        account: ChannelAccount,
        margins: Margins,
        cut: VecDeque<CutStatement>,
        open: OpenStatement,
    ) -> Self {
        let (budget, holds) = (None, BTreeMap::new());
        let (refused, overdrawn) = (None, None);
        let mut ledger =
            Self { address, account, cut, open, margins, budget, holds, refused, overdrawn };
        ledger.overdrawn = ledger.find_overdrawn();
        ledger
    }

    /// Stops the channel at a statement that the chain rejected for a permanent reason. Ignored if
    /// the statement has settled.
    pub fn stop_at(&mut self, statement: u64) {
        if statement >= self.channel().statements.length {
            self.refused = Some(statement);
        }
    }

    /// Returns the first statement that can never settle. No generation is accepted behind it,
    /// because statements settle in order.
    pub fn stopped_at(&self) -> Option<u64> {
        self.refused.into_iter().chain(self.overdrawn).min()
    }

    /// Sets the maximum total, base units; `None` for the whole deposit.
    pub fn set_budget(&mut self, budget: Option<u64>) {
        self.budget = budget;
    }

    /// Returns the maximum total, base units; `None` for the whole deposit.
    pub fn budget(&self) -> Option<u64> {
        self.budget
    }

    /// Returns the channel's address.
    pub fn address(&self) -> Pubkey {
        self.address
    }

    /// Returns the channel's account as last read from the chain.
    pub fn account(&self) -> &ChannelAccount {
        &self.account
    }

    /// Returns the channel's parties and totals as last read from the chain.
    pub fn channel(&self) -> &Channel {
        &self.account.channel
    }

    /// Returns the closed statements that have not settled, oldest first.
    pub fn cut_statements(&self) -> &VecDeque<CutStatement> {
        &self.cut
    }

    /// Returns the open statement, which receives the next generation.
    pub fn open_statement(&self) -> &OpenStatement {
        &self.open
    }

    /// Returns all prices since the channel opened, settled or not, base units.
    ///
    /// # Errors
    /// [`LedgerError::AmountTooLarge`].
    pub fn prices(&self) -> Result<u64, LedgerError> {
        let cut = self.cut.iter().map(|cut| cut.prices);
        let mut unsettled = cut.chain([self.open.prices]);
        unsettled
            .try_fold(self.channel().prices, u64::checked_add)
            .ok_or(LedgerError::AmountTooLarge)
    }

    /// Returns all prices and fees since the channel opened, settled or not, base units.
    ///
    /// # Errors
    /// [`LedgerError::AmountTooLarge`].
    pub fn cumulative(&self) -> Result<u64, LedgerError> {
        self.with_fees(self.prices()?)
    }

    /// Returns the amount available for generations, base units, fees included.
    pub fn available(&self) -> u64 {
        let vouched = self.prices().and_then(|prices| self.needed(prices, &Added::new()));
        self.spendable().saturating_sub(vouched.unwrap_or(u64::MAX))
    }

    /// Returns the unsettled amount, base units, fees included.
    pub fn exposed(&self) -> u64 {
        let settled = self.settled_total().unwrap_or(u64::MAX);
        self.cumulative().unwrap_or(u64::MAX).saturating_sub(settled)
    }

    /// Prices generations and checks that one voucher can pay for all of them and that they can be
    /// settled. Changes nothing; [`Ledger::commit`] does.
    ///
    /// `signed` is a voucher with a verified signature. `now` is unix seconds.
    ///
    /// # Errors
    /// [`LedgerError`]. [`Ledger::refusals`] returns those of single generations.
    pub fn reserve(
        &self,
        signed: &SignedVoucher,
        generations: &[Requested],
        now: i64,
    ) -> Result<Reservation, LedgerError> {
        let voucher = &signed.voucher;
        self.check_open(voucher, now)?;
        self.check_due(now)?;
        if generations.is_empty() {
            return Err(LedgerError::NoUnits);
        }
        let mut draft = Draft::new(&self.open.statement);
        for requested in generations {
            self.add(&mut draft, requested, now)?;
        }
        let Draft { units, items, added, holds } = draft;
        let count = u32::try_from(items.len()).ok();
        let receipts = count.and_then(|count| self.open.receipts.checked_add(count));
        receipts.ok_or(LedgerError::StatementFull)?;
        let before = self.prices()?;
        let prices = items.iter().try_fold(before, |sum, item| sum.checked_add(item.price));
        let prices = prices.ok_or(LedgerError::AmountTooLarge)?;
        let cumulative = self.with_fees(prices)?;
        self.check_total(voucher, cumulative, &units)?;
        let (needed, spendable) = (self.needed(prices, &added)?, self.spendable());
        if needed > spendable {
            return Err(LedgerError::Underfunded { needed, spendable });
        }
        if let Some(budget) = self.budget.filter(|budget| cumulative > *budget) {
            return Err(LedgerError::OverBudget { needed: cumulative, budget });
        }
        let exposed = cumulative.saturating_sub(self.settled_total()?);
        if let Some(most) = self.margins.max_exposure.filter(|most| exposed > *most) {
            return Err(LedgerError::Exposed { most });
        }
        self.check_voucher_date(voucher, now)?;
        self.check_holds(added, prices, &holds, now)?;
        Ok(Reservation {
            statement: self.open.number,
            position: self.open.receipts,
            items,
            price: prices - before,
            charged: cumulative - self.cumulative()?,
            cumulative,
            units,
            voucher: *signed,
            holds,
        })
    }

    /// Returns the errors of single generations that [`Ledger::reserve`] meets, by position. The
    /// others can be paid for without them, as far as the deposit goes.
    pub fn refusals(&self, generations: &[Requested], now: i64) -> Vec<(usize, LedgerError)> {
        let held = self.held_units(generations, now);
        let mut draft = Draft::new(&self.open.statement);
        let each = generations.iter().enumerate();
        let refused = each.filter_map(|(position, requested)| {
            let room = self.check_room(&draft, &requested.item, &held, now);
            let added = room.and_then(|()| self.add(&mut draft, requested, now));
            added.err().map(|error| (position, error))
        });
        refused.collect()
    }

    /// Checks that a license has units for a generation and for what others hold.
    fn check_room(
        &self,
        draft: &Draft,
        item: &Item,
        held: &BTreeMap<u16, u32>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let license = self.account.licenses.get(usize::from(item.license));
        let Some((license, held)) = license.zip(held.get(&item.license)) else { return Ok(()) };
        let with_held = Item { units: item.units.saturating_add(*held), ..*item };
        let added = draft.added.get(&item.license).copied().unwrap_or_default();
        self.price(*license, &with_held, added, now).map(drop)
    }

    /// Prices a generation and adds it to those before it. The draft is unchanged on error.
    fn add(&self, draft: &mut Draft, requested: &Requested, now: i64) -> Result<(), LedgerError> {
        let Requested { item, hold, request_digest } = requested;
        if let Some(id) = hold {
            if draft.holds.contains(id) {
                return Err(LedgerError::UnknownHold);
            }
            self.check_hold(id, item, request_digest, now)?;
        }
        if item.units == 0 {
            return Err(LedgerError::NoUnits);
        }
        let index = item.license;
        let license = self.account.licenses.get(usize::from(index));
        let license = *license.ok_or(LedgerError::LicenseNotFound(index))?;
        self.check_license_date(&license, now)?;
        let (units, prices) = draft.added.get(&index).copied().unwrap_or_default();
        let price = self.price(license, item, (units, prices), now)?;
        if hold.is_none() {
            self.margins.check_price(price)?;
        }
        let is_new = draft.units.entries().all(|entry| entry.license != index);
        let max_licenses = self.margins.max_licenses.max(self.open.statement.len());
        if is_new && draft.units.len() >= max_licenses {
            return Err(LedgerError::StatementFull);
        }
        let prices = prices.checked_add(price).ok_or(LedgerError::AmountTooLarge)?;
        draft.units.add(index, item.units).map_err(|_| LedgerError::StatementFull)?;
        // Not above the statement's units, which have just been added.
        draft.added.insert(index, (units + item.units, prices));
        draft.holds.extend(*hold);
        let (work, terms_number) = (license.work, license.terms_number);
        draft.items.push(PricedItem { item: *item, price, work, terms_number });
        Ok(())
    }

    /// Returns the price of one more generation and the total of a voucher for it, base units.
    ///
    /// # Errors
    /// [`LedgerError::LicenseLimit`], [`LedgerError::LicenseNotFound`],
    /// [`LedgerError::AmountTooLarge`].
    pub fn cost(&self, item: &Item, now: i64) -> Result<(u64, u64), LedgerError> {
        let license = self.account.licenses.get(usize::from(item.license));
        let license = *license.ok_or(LedgerError::LicenseNotFound(item.license))?;
        let price = self.price(license, item, (0, 0), now)?;
        let prices = self.prices()?.checked_add(price).ok_or(LedgerError::AmountTooLarge)?;
        Ok((price, self.with_fees(prices)?))
    }

    /// Adds the generations of a reservation. The ledger must be unchanged since
    /// [`Ledger::reserve`]. `now` is unix seconds.
    pub fn commit(&mut self, reservation: &Reservation, now: i64) {
        let Reservation { units, items, voucher, holds, .. } = reservation;
        let prices = items.iter().map(|priced| (priced.item.license, priced.price));
        // `reserve` has checked that the statement has positions for them.
        self.open.add(units.clone(), prices, *voucher, now);
        for id in holds {
            self.holds.remove(id);
        }
    }

    /// Closes the open statement and opens the next. Returns `None` if no generation is open.
    pub fn cut(&mut self) -> Option<&CutStatement> {
        let closed = self.closed()?;
        self.open = OpenStatement::new(closed.number + 1);
        self.cut.push_back(closed);
        self.cut.back()
    }

    /// Returns the open statement as it would be closed. Returns `None` if no generation is open.
    fn closed(&self) -> Option<CutStatement> {
        let OpenStatement { number, statement, prices, receipts, voucher, .. } = &self.open;
        let (number, prices, receipts) = (*number, *prices, *receipts);
        let statement = statement.clone();
        Some(CutStatement { number, statement, prices, receipts, voucher: (*voucher)? })
    }

    /// Returns the statements that have settled once the chain has `length` statements, oldest first.
    pub fn settled_by(&self, length: u64) -> Vec<CutStatement> {
        let cut = self.cut.iter().filter(|cut| cut.number < length).cloned();
        // Late in the grace period the channel's watcher may settle the open statement.
        cut.chain(self.closed().filter(|open| open.number < length)).collect()
    }

    /// Updates the account as read from the chain, and removes and returns the statements that
    /// have settled. An account older than the present one is ignored.
    pub fn refresh(&mut self, account: ChannelAccount) -> Vec<CutStatement> {
        let length = account.channel.statements.length;
        let stale = account.channel.opened_slot != self.channel().opened_slot
            || length < self.channel().statements.length
            || account.channel.deposited < self.channel().deposited;
        if stale {
            return Vec::new();
        }
        self.account = account;
        self.refused = self.refused.filter(|statement| *statement >= length);
        let settled = self.settled_by(length);
        self.cut.retain(|cut| cut.number >= length);
        if self.open.number < length {
            self.open = OpenStatement::new(length);
        }
        self.overdrawn = self.find_overdrawn();
        settled
    }

    /// Returns the first statement that a license has no units or revenue left for. They were left
    /// when the statement was accepted; closing a license returns them.
    ///
    /// Dates and daily caps are ignored: [`Ledger::settle_before`] covers expiry.
    fn find_overdrawn(&self) -> Option<u64> {
        let mut charged = BTreeMap::new();
        let cut = self.cut.iter().map(|cut| (cut.number, &cut.statement));
        for (number, statement) in cut.chain([(self.open.number, &self.open.statement)]) {
            for entry in statement.entries() {
                let Some(own) = self.account.licenses.get(usize::from(entry.license)) else {
                    return Some(number);
                };
                let daily_units = License::UNLIMITED;
                let dateless = License { expires_at: i64::MAX, daily_units, ..*own };
                let license = charged.entry(entry.license).or_insert(dateless);
                if license.charge(entry.units, 0).is_err() {
                    return Some(number);
                }
            }
        }
        None
    }

    /// Returns whether the channel's grace period has ended and everything has settled. The
    /// payer may have deleted the account by then.
    pub fn is_over(&self, now: i64) -> bool {
        let owes_nothing = self.cut.is_empty() && self.open.receipts == 0;
        self.channel().closes_at <= now && owes_nothing
    }

    /// Returns the unix second by which all statements must settle: the first expiry of their
    /// vouchers and licenses. `None` if everything has settled.
    ///
    /// A statement with an expired license cannot settle, and neither can the statements after
    /// it, because they settle in order.
    pub fn settle_before(&self) -> Option<i64> {
        let cut = self.cut.iter().map(|cut| (&cut.statement, cut.voucher.voucher.expires_at));
        let open = self.open.voucher.map(|newest| newest.voucher.expires_at);
        let open = open.map(|expires_at| (&self.open.statement, expires_at));
        let ends = cut.chain(open).map(|(statement, voucher)| {
            self.licenses_end(statement).map_or(voucher, |licenses| licenses.min(voucher))
        });
        ends.min()
    }

    /// Returns the first expiry of the licenses of unsettled statements, unix seconds.
    pub fn licenses_before(&self) -> Option<i64> {
        let cut = self.cut.iter().map(|cut| &cut.statement);
        let unsettled = cut.chain([&self.open.statement]);
        unsettled.filter_map(|statement| self.licenses_end(statement)).min()
    }

    /// Returns the first expiry of a statement's licenses.
    fn licenses_end(&self, statement: &Statement) -> Option<i64> {
        let licenses = statement.entries().map(|entry| usize::from(entry.license));
        let licenses = licenses.filter_map(|index| self.account.licenses.get(index));
        licenses.map(|license| license.expires_at).min()
    }

    /// Returns settled prices and fees, base units.
    fn settled_total(&self) -> Result<u64, LedgerError> {
        self.channel().cumulative().map_err(|_| LedgerError::AmountTooLarge)
    }

    /// Rejects new generations while an earlier one is overdue: its statement might be blocked,
    /// and would block all later ones. The open statement's newest voucher does not count,
    /// because the next voucher replaces it.
    fn check_due(&self, now: i64) -> Result<(), LedgerError> {
        let cut = self.cut.iter().map(|cut| {
            let voucher = cut.voucher.voucher.expires_at;
            self.licenses_end(&cut.statement).map_or(voucher, |licenses| licenses.min(voucher))
        });
        // The chain rejects vouchers of a replaced key.
        let signer = self.channel().voucher_key_at(Moment::running(now));
        if self.cut.iter().any(|cut| cut.voucher.key != *signer) {
            return Err(LedgerError::SettlementDue { by: self.channel().rotates_at });
        }
        let Some(by) = cut.chain(self.licenses_end(&self.open.statement)).min() else {
            return Ok(());
        };
        let margin = i64::from(self.margins.min_voucher_seconds / 2);
        if by < now.saturating_add(margin) {
            Err(LedgerError::SettlementDue { by })
        } else {
            Ok(())
        }
    }

    /// Returns the deposit minus upfront fees, base units.
    fn spendable(&self) -> u64 {
        self.channel().deposited.saturating_sub(self.channel().upfront_fees)
    }

    /// Returns the deposit that a total of `prices` needs, base units: with fees, and with what is
    /// still earmarked for quotas after the open statements and `added`.
    fn needed(&self, prices: u64, added: &Added) -> Result<u64, LedgerError> {
        let committed = prices.checked_add(self.earmarked(added));
        self.with_fees(committed.ok_or(LedgerError::AmountTooLarge)?)
    }

    /// Returns the prices of all quotas that the open statements and `added` leave unused.
    fn earmarked(&self, added: &Added) -> u64 {
        if self.channel().earmarked == 0 {
            return 0;
        }
        let licenses = (0_u16..).zip(&self.account.licenses);
        let quotas = licenses.filter(|(_, license)| license.holds_quota == 1);
        quotas
            .map(|(index, license)| {
                let cut = self.cut.iter().map(|cut| units_of(&cut.statement, index));
                let open = units_of(&self.open.statement, index);
                let new = added.get(&index).map(|(units, _)| *units);
                let daily_units = License::UNLIMITED;
                let mut left = License { expires_at: i64::MAX, daily_units, ..*license };
                for units in cut.chain([open]).chain(new) {
                    // Units beyond the quota are refused where they are priced.
                    let _ = left.charge(units, 0);
                }
                left.earmark()
            })
            .fold(0, u64::saturating_add)
    }

    fn with_fees(&self, prices: u64) -> Result<u64, LedgerError> {
        let copy = Channel { prices, ..*self.channel() };
        copy.cumulative().map_err(|_| LedgerError::AmountTooLarge)
    }

    /// Rejects new generations behind a statement that can never settle, and while the payer closes
    /// the channel or rotates its voucher key: vouchers of the old key must settle before the new
    /// key applies.
    fn check_accepting(&self, now: i64) -> Result<(), LedgerError> {
        let channel = self.channel();
        if channel.closes_at != i64::MAX {
            return Err(LedgerError::ChannelClosing);
        }
        if let Some(statement) = self.stopped_at() {
            return Err(LedgerError::ChannelStopped { statement });
        }
        match self.rotation(now) {
            Some(rotates_at) => Err(LedgerError::VoucherKeyRotating { rotates_at }),
            None => Ok(()),
        }
    }

    /// Returns the unix second of a pending voucher key rotation.
    pub fn rotation(&self, now: i64) -> Option<i64> {
        let rotates_at = self.channel().rotates_at;
        (rotates_at != i64::MAX && now < rotates_at).then_some(rotates_at)
    }

    fn check_open(&self, voucher: &Voucher, now: i64) -> Result<(), LedgerError> {
        self.check_accepting(now)?;
        if voucher.statement < self.open.number {
            return Err(LedgerError::StatementClosed);
        }
        if voucher.statement > self.open.number {
            return Err(LedgerError::StatementAhead { open: self.open.number });
        }
        Ok(())
    }

    /// Returns the price of units on top of the open statement and of `before`, units and prices of
    /// the license.
    ///
    /// Earlier statements are charged first, all as if they settled now. Settling later is never
    /// stricter: new days only raise daily caps.
    fn price(
        &self,
        mut license: License,
        item: &Item,
        before: (u32, u64),
        now: i64,
    ) -> Result<u64, LedgerError> {
        let index = item.license;
        let limit = |error| LedgerError::from_license(index, error);
        for cut in &self.cut {
            let units = units_of(&cut.statement, index);
            if units > 0 {
                license.charge(units, now).map_err(limit)?;
            }
        }
        let (units, prices) = (units_of(&self.open.statement, index), self.open.prices_of(index));
        let prices = prices.checked_add(before.1).ok_or(LedgerError::AmountTooLarge)?;
        let units = units.checked_add(before.0).and_then(|units| units.checked_add(item.units));
        let units = units.ok_or(LedgerError::StatementFull)?;
        let with = license.charge(units, now).map_err(limit)?.price;
        // The earlier price comes from the same code and license, so it is not larger.
        Ok(with - prices)
    }

    fn check_total(
        &self,
        voucher: &Voucher,
        expected: u64,
        statement: &Statement,
    ) -> Result<(), LedgerError> {
        let current = self.cumulative()?;
        let same_total = voucher.cumulative == expected;
        let same_digest = voucher.statement_digest == statement.digest();
        if same_total && same_digest {
            return Ok(());
        }
        let newest = self.open.voucher.map(|newest| newest.voucher.statement_digest);
        let replayed = newest == Some(voucher.statement_digest);
        if voucher.cumulative < current || replayed {
            return Err(LedgerError::NotNewer { given: voucher.cumulative, current });
        }
        if same_total {
            return Err(LedgerError::StatementMismatch);
        }
        if voucher.cumulative == current {
            return Err(LedgerError::NotNewer { given: voucher.cumulative, current });
        }
        Err(LedgerError::WrongPrice { given: voucher.cumulative, expected })
    }

    /// Checks that the voucher is valid until settlement is certain.
    fn check_voucher_date(&self, voucher: &Voucher, now: i64) -> Result<(), LedgerError> {
        let (given, earliest) = (voucher.expires_at, self.margins.earliest_expiry(now));
        if given < earliest {
            return Err(LedgerError::ExpiresTooSoon { given, earliest });
        }
        Ok(())
    }

    /// Checks that a license is valid until settlement is certain. An expired one is refused by its
    /// price.
    fn check_license_date(&self, license: &License, now: i64) -> Result<(), LedgerError> {
        let expires_at = license.expires_at;
        let earliest = now.saturating_add(i64::from(self.margins.min_voucher_seconds));
        if (now..earliest).contains(&expires_at) {
            return Err(LedgerError::LicenseEnding { expires_at });
        }
        Ok(())
    }
}

/// Returns a statement's units of a license.
fn units_of(statement: &Statement, license: u16) -> u32 {
    let entry = statement.entries().find(|entry| entry.license == license);
    entry.map_or(0, |entry| entry.units)
}

#[cfg(test)]
mod tests;
