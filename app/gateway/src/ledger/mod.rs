//! What one channel has used and vouched for, ahead of the chain: a state machine without IO.
//!
//! [`Ledger::reserve`] is the only way in for generations. It prices and limits them by the
//! very code that settlement runs on chain, so what it takes can be settled at any later time
//! before the dates it checked.

mod refusal;

use std::collections::{BTreeMap, VecDeque};

use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, License},
    voucher::{SignedVoucher, Statement, Voucher},
};

pub use motif_store::{CutStatement, Hold, HoldId, Item, OpenStatement};
pub use refusal::{LicenseLimit, Refusal};

/// How much time everything that must settle needs to have left, and how much that may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// From accepting a voucher to its expiry, at least.
    pub min_voucher_seconds: u32,
    /// The most that may wait for settlement, base units.
    pub max_exposure: Option<u64>,
}

/// Generations somebody wants to pay for with one voucher: all of them or none.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What each uses, in order.
    pub items: Vec<Item>,
    /// Whose signature has been verified already.
    pub voucher: SignedVoucher,
    /// The hold that the one generation captures.
    pub hold: Option<HoldId>,
}

/// Generations a ledger would take, with what they cost. Only good while it does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    statement: Statement,
    parts: Vec<Part>,
    voucher: SignedVoucher,
    hold: Option<HoldId>,
    cumulative: u64,
    /// What they add to the channel's total, base units, fees included.
    pub charged: u64,
}

/// One generation the ledger has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it uses.
    pub item: Item,
    /// Its price, base units.
    pub price: u64,
    /// The licensed work.
    pub work: Pubkey,
    /// Version of the work's terms.
    pub terms_number: u32,
}

/// Generations the ledger has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The statement they are part of.
    pub statement: u64,
    /// Where the first stands in the statement; the others follow.
    pub position: u32,
    /// The generations, in order.
    pub parts: Vec<Part>,
    /// Their price, base units.
    pub price: u64,
    /// The channel's total with them, base units.
    pub cumulative: u64,
}

/// What one channel has used and vouched for.
///
/// Always true: settling the cut statements in order and then the open one, at any later time
/// before their dates, is allowed by the licenses and charges exactly `cumulative()`.
#[derive(Clone, Debug)]
pub struct Ledger {
    address: Pubkey,
    /// As the chain has it.
    account: ChannelAccount,
    /// Statements that no longer grow, oldest first.
    cut: VecDeque<CutStatement>,
    open: OpenStatement,
    margins: Margins,
    /// The most the total may become here; `None` for the whole deposit.
    budget: Option<u64>,
    /// Room that is kept; what has expired is no longer.
    holds: BTreeMap<HoldId, Hold>,
}

impl Ledger {
    /// The most holds that may be open at once: each is weighed with every generation.
    pub const MOST_HOLDS: usize = 256;

    /// The ledger of a channel with nothing unsettled.
    pub fn new(address: Pubkey, account: ChannelAccount, margins: Margins) -> Self {
        let open = OpenStatement::new(account.channel.statements.length);
        Self::restore(address, account, margins, VecDeque::new(), open)
    }

    /// The ledger as it was before a restart.
    pub fn restore(
        address: Pubkey,
        account: ChannelAccount,
        margins: Margins,
        cut: VecDeque<CutStatement>,
        open: OpenStatement,
    ) -> Self {
        let (budget, holds) = (None, BTreeMap::new());
        Self { address, account, cut, open, margins, budget, holds }
    }

    /// Serves the channel up to this total, base units; `None` for its whole deposit.
    pub fn set_budget(&mut self, budget: Option<u64>) {
        self.budget = budget;
    }

    /// The most the total may become here.
    pub fn budget(&self) -> Option<u64> {
        self.budget
    }

    /// Where the channel is.
    pub fn address(&self) -> Pubkey {
        self.address
    }

    /// The channel as the chain had it when it was last read.
    pub fn account(&self) -> &ChannelAccount {
        &self.account
    }

    /// Parties and totals, as the chain had them when it was last read.
    pub fn channel(&self) -> &Channel {
        &self.account.channel
    }

    /// Statements that no longer grow and have not settled, oldest first.
    pub fn cut_statements(&self) -> &VecDeque<CutStatement> {
        &self.cut
    }

    /// The statement that the next generation is part of.
    pub fn open_statement(&self) -> &OpenStatement {
        &self.open
    }

    /// Prices since the channel opened, settled or not, base units.
    pub fn prices(&self) -> Result<u64, Refusal> {
        let cut = self.cut.iter().map(|cut| cut.prices);
        let mut unsettled = cut.chain([self.open.prices]);
        unsettled.try_fold(self.channel().prices, u64::checked_add).ok_or(Refusal::AmountTooLarge)
    }

    /// Prices and fees since the channel opened, settled or not, base units.
    pub fn cumulative(&self) -> Result<u64, Refusal> {
        self.with_fees(self.prices()?)
    }

    /// What generations can still be paid from, base units, fees included.
    pub fn available(&self) -> u64 {
        let vouched = self.cumulative().unwrap_or(u64::MAX);
        self.spendable().saturating_sub(vouched)
    }

    /// Keeps room for a generation, or says why not and changes nothing. `now` is unix seconds.
    ///
    /// # Errors
    /// What would refuse the generation if it used all of it, at any time before the hold ends.
    pub fn place(&mut self, id: HoldId, hold: Hold, now: i64) -> Result<(), Refusal> {
        self.check_taking(now)?;
        if hold.item.units == 0 {
            return Err(Refusal::NoUnits);
        }
        if hold.expires_at < now {
            return Err(Refusal::ExpiresTooSoon { given: hold.expires_at, earliest: now });
        }
        let index = hold.item.license;
        let license = self.account.licenses.get(usize::from(index));
        let expires_at = license.ok_or(Refusal::LicenseNotFound(index))?.expires_at;
        let margin = i64::from(self.margins.min_voucher_seconds);
        if expires_at < hold.expires_at.saturating_add(margin) {
            return Err(Refusal::LicenseEnding { expires_at });
        }
        self.holds.retain(|_, held| held.expires_at >= now);
        if self.holds.len() >= Self::MOST_HOLDS {
            return Err(Refusal::HoldsFull);
        }
        self.holds.insert(id, hold);
        let fits = self.prices().and_then(|prices| self.check_room(&[], prices, None, now));
        if fits.is_err() {
            self.holds.remove(&id);
        }
        fits
    }

    /// A hold that was neither captured nor released.
    pub fn hold(&self, id: &HoldId) -> Option<&Hold> {
        self.holds.get(id)
    }

    /// Gives a hold up.
    pub fn release(&mut self, id: &HoldId) -> Option<Hold> {
        self.holds.remove(id)
    }

    /// Whether room is held for nobody.
    pub fn holds_nothing(&self, now: i64) -> bool {
        self.holds.values().all(|held| held.expires_at < now)
    }

    /// Takes holds over from before a restart.
    pub fn restore_holds(&mut self, holds: BTreeMap<HoldId, Hold>) {
        self.holds = holds;
    }

    /// What was vouched for and has not settled, base units, fees included.
    pub fn exposed(&self) -> u64 {
        let settled = self.settled_total().unwrap_or(u64::MAX);
        self.cumulative().unwrap_or(u64::MAX).saturating_sub(settled)
    }

    /// Takes generations, or says why not and changes nothing. `now` is unix seconds.
    pub fn reserve(&mut self, wanted: &Wanted, now: i64) -> Result<Reserved, Refusal> {
        let weighed = self.weigh(wanted, now)?;
        self.take(weighed, now)
    }

    /// What generations would cost, or why they are not taken. `now` is unix seconds.
    pub fn weigh(&self, wanted: &Wanted, now: i64) -> Result<Weighed, Refusal> {
        let voucher = &wanted.voucher.voucher;
        self.check_open(voucher, now)?;
        self.check_due(now)?;
        if let Some(id) = wanted.hold {
            self.check_hold(&id, &wanted.items, now)?;
        }
        if wanted.items.is_empty() || wanted.items.iter().any(|item| item.units == 0) {
            return Err(Refusal::NoUnits);
        }
        let mut statement = self.open.statement.clone();
        let mut parts: Vec<Part> = Vec::with_capacity(wanted.items.len());
        let mut prices = self.prices()?;
        for item in &wanted.items {
            let license = self.account.licenses.get(usize::from(item.license));
            let license = *license.ok_or(Refusal::LicenseNotFound(item.license))?;
            statement.add(item.license, item.units).map_err(|_| Refusal::StatementFull)?;
            let price = self.price(license, item, &parts, now)?;
            prices = prices.checked_add(price).ok_or(Refusal::AmountTooLarge)?;
            let (work, terms_number) = (license.work, license.terms_number);
            parts.push(Part { item: *item, price, work, terms_number });
        }
        let cumulative = self.with_fees(prices)?;
        self.check_total(voucher, cumulative, &statement)?;
        if cumulative > self.spendable() {
            let (needed, spendable) = (cumulative, self.spendable());
            return Err(Refusal::Underfunded { needed, spendable });
        }
        if let Some(budget) = self.budget.filter(|budget| cumulative > *budget) {
            return Err(Refusal::OverBudget { needed: cumulative, budget });
        }
        let exposed = cumulative.saturating_sub(self.settled_total()?);
        if let Some(most) = self.margins.max_exposure.filter(|most| exposed > *most) {
            return Err(Refusal::Exposed { most });
        }
        self.check_dates(voucher, &parts, now)?;
        self.check_room(&parts, prices, wanted.hold, now)?;
        let charged = cumulative - self.cumulative()?;
        let (voucher, hold) = (wanted.voucher, wanted.hold);
        Ok(Weighed { statement, parts, voucher, hold, cumulative, charged })
    }

    /// What one more generation costs, and the total that a voucher for it needs, base units.
    ///
    /// # Errors
    /// The license's limits, and amounts that are too large.
    pub fn cost(&self, item: &Item, now: i64) -> Result<(u64, u64), Refusal> {
        let license = self.account.licenses.get(usize::from(item.license));
        let license = *license.ok_or(Refusal::LicenseNotFound(item.license))?;
        let price = self.price(license, item, &[], now)?;
        let prices = self.prices()?.checked_add(price).ok_or(Refusal::AmountTooLarge)?;
        Ok((price, self.with_fees(prices)?))
    }

    /// Takes generations that were weighed on this ledger as it is.
    ///
    /// # Errors
    /// [`Refusal::StatementFull`] when their receipts cannot be counted any more.
    pub fn take(&mut self, weighed: Weighed, now: i64) -> Result<Reserved, Refusal> {
        let Weighed { statement, parts, voucher, hold, cumulative, .. } = weighed;
        let prices = parts.iter().map(|part| (part.item.license, part.price));
        let position = self.open.add(statement, prices, voucher, now);
        let position = position.ok_or(Refusal::StatementFull)?;
        if let Some(id) = hold {
            self.holds.remove(&id);
        }
        let price = parts.iter().map(|part| part.price).sum(); // it fits with the total
        Ok(Reserved { statement: self.open.number, position, parts, price, cumulative })
    }

    /// Ends the open statement and begins the next; `None` when nothing was used.
    pub fn cut(&mut self) -> Option<&CutStatement> {
        let next = OpenStatement::new(self.open.number + 1);
        let voucher = self.open.voucher?;
        let ended = std::mem::replace(&mut self.open, next);
        self.cut.push_back(CutStatement {
            number: ended.number,
            statement: ended.statement,
            prices: ended.prices,
            receipts: ended.receipts,
            voucher,
        });
        self.cut.back()
    }

    /// Takes over what the chain says now, and leaves behind what has settled by it. Returns
    /// the statements that have settled. An older picture than the present one is ignored.
    pub fn refresh(&mut self, account: ChannelAccount) -> Vec<CutStatement> {
        let length = account.channel.statements.length;
        let stale = account.channel.opened_slot != self.channel().opened_slot
            || length < self.channel().statements.length
            || account.channel.deposited < self.channel().deposited;
        if stale {
            return Vec::new();
        }
        self.account = account;
        let mut settled = Vec::new();
        while self.cut.front().is_some_and(|cut| cut.number < length) {
            settled.extend(self.cut.pop_front());
        }
        if self.open.number < length {
            // Somebody else settled it, late in the grace period.
            self.cut();
            settled.extend(self.cut.pop_back());
            self.open = OpenStatement::new(length);
        }
        settled
    }

    /// Whether the channel's grace has ended and nothing waits for settlement: nothing comes any
    /// more, and the payer may have taken the account off the chain.
    pub fn is_over(&self, now: i64) -> bool {
        let owes_nothing = self.cut.is_empty() && self.open.receipts == 0;
        self.channel().closes_at <= now && owes_nothing
    }

    /// The unix second by which everything has to settle that was vouched for: the first of
    /// all vouchers' and licenses' expiries. `None` while there is nothing.
    ///
    /// A statement with one license that is over settles no more, and none after it does: they
    /// settle in order.
    pub fn settle_before(&self) -> Option<i64> {
        let cut = self.cut.iter().map(|cut| (&cut.statement, cut.voucher.voucher.expires_at));
        let open = self.open.voucher.map(|newest| newest.voucher.expires_at);
        let open = open.map(|expires_at| (&self.open.statement, expires_at));
        let ends = cut.chain(open).map(|(statement, voucher)| {
            self.licenses_end(statement).map_or(voucher, |licenses| licenses.min(voucher))
        });
        ends.min()
    }

    /// The first expiry of a statement's licenses.
    fn licenses_end(&self, statement: &Statement) -> Option<i64> {
        let licenses = statement.entries().map(|entry| usize::from(entry.license));
        let licenses = licenses.filter_map(|index| self.account.licenses.get(index));
        licenses.map(|license| license.expires_at).min()
    }

    /// Prices and fees that have settled, base units.
    fn settled_total(&self) -> Result<u64, Refusal> {
        self.channel().cumulative().map_err(|_| Refusal::AmountTooLarge)
    }

    /// Takes nothing more while something has to settle that should have long: it might be
    /// blocked, and everything after it would be, too. The newest voucher of the open statement
    /// is no such thing, since the next one replaces it.
    fn check_due(&self, now: i64) -> Result<(), Refusal> {
        let cut = self.cut.iter().map(|cut| {
            let voucher = cut.voucher.voucher.expires_at;
            self.licenses_end(&cut.statement).map_or(voucher, |licenses| licenses.min(voucher))
        });
        let Some(by) = cut.chain(self.licenses_end(&self.open.statement)).min() else {
            return Ok(());
        };
        let margin = i64::from(self.margins.min_voucher_seconds / 2);
        if by < now.saturating_add(margin) { Err(Refusal::SettlementDue { by }) } else { Ok(()) }
    }

    /// Whether a generation stays within what was held for it.
    fn check_hold(&self, id: &HoldId, items: &[Item], now: i64) -> Result<(), Refusal> {
        let hold = self.holds.get(id).filter(|hold| hold.expires_at >= now);
        let held = hold.ok_or(Refusal::UnknownHold)?.item;
        match items {
            [item] if item.license == held.license && item.units <= held.units => Ok(()),
            [item] if item.license == held.license => {
                Err(Refusal::HoldExceeded { held: held.units })
            }
            _ => Err(Refusal::UnknownHold),
        }
    }

    /// Whether everything that is held could still be captured whole, on top of these parts,
    /// with which prices come to `prices`.
    fn check_room(
        &self,
        parts: &[Part],
        mut prices: u64,
        captured: Option<HoldId>,
        now: i64,
    ) -> Result<(), Refusal> {
        let is_open =
            |(id, hold): &(&HoldId, &Hold)| Some(**id) != captured && hold.expires_at >= now;
        let mut open = self.holds.iter().filter(is_open).peekable();
        if open.peek().is_none() {
            return Ok(());
        }
        let mut parts = parts.to_vec();
        for (_, hold) in open {
            let license = self.account.licenses.get(usize::from(hold.item.license));
            let Some(license) = license else { continue };
            let price = match self.price(*license, &hold.item, &parts, now) {
                Ok(price) => price,
                // A license that has ended early: its holds keep no room from others.
                Err(Refusal::LicenseLimit { limit: LicenseLimit::Expired, .. }) => continue,
                Err(refusal) => return Err(refusal),
            };
            prices = prices.checked_add(price).ok_or(Refusal::AmountTooLarge)?;
            let (work, terms_number) = (license.work, license.terms_number);
            parts.push(Part { item: hold.item, price, work, terms_number });
        }
        let needed = self.with_fees(prices)?;
        if needed > self.spendable() {
            return Err(Refusal::Underfunded { needed, spendable: self.spendable() });
        }
        match self.budget.filter(|budget| needed > *budget) {
            Some(budget) => Err(Refusal::OverBudget { needed, budget }),
            None => Ok(()),
        }
    }

    /// Deposit less upfront fees: what vouchers can be paid from.
    fn spendable(&self) -> u64 {
        self.channel().deposited.saturating_sub(self.channel().upfront_fees)
    }

    fn with_fees(&self, prices: u64) -> Result<u64, Refusal> {
        let copy = Channel { prices, ..*self.channel() };
        copy.cumulative().map_err(|_| Refusal::AmountTooLarge)
    }

    /// Nothing new is taken while the payer leaves, or while it changes the key that signs for it:
    /// what the old key signed has to settle before the new one counts.
    fn check_taking(&self, now: i64) -> Result<(), Refusal> {
        let channel = self.channel();
        if channel.closes_at != i64::MAX {
            return Err(Refusal::ChannelClosing);
        }
        match self.rotation(now) {
            Some(rotates_at) => Err(Refusal::VoucherKeyRotating { rotates_at }),
            None => Ok(()),
        }
    }

    /// When the voucher key changes, if that is still to come.
    pub fn rotation(&self, now: i64) -> Option<i64> {
        let rotates_at = self.channel().rotates_at;
        (rotates_at != i64::MAX && now < rotates_at).then_some(rotates_at)
    }

    fn check_open(&self, voucher: &Voucher, now: i64) -> Result<(), Refusal> {
        self.check_taking(now)?;
        if voucher.statement < self.open.number {
            return Err(Refusal::StatementClosed);
        }
        if voucher.statement > self.open.number {
            return Err(Refusal::StatementAhead { open: self.open.number });
        }
        Ok(())
    }

    /// What these units cost on top of the open statement and the parts before them, if they
    /// can settle.
    ///
    /// The statements before it are charged first, and all as if they settled now. Later is
    /// never stricter: days that begin meanwhile only add room.
    fn price(
        &self,
        mut license: License,
        item: &Item,
        before: &[Part],
        now: i64,
    ) -> Result<u64, Refusal> {
        let index = item.license;
        let refuse = |error| Refusal::limit(index, error);
        for cut in &self.cut {
            let units = units_of(&cut.statement, index);
            if units > 0 {
                license.charge(units, now).map_err(refuse)?;
            }
        }
        let (mut units, mut prices) =
            (units_of(&self.open.statement, index), self.open.prices_of(index));
        for part in before.iter().filter(|part| part.item.license == index) {
            units = units.checked_add(part.item.units).ok_or(Refusal::StatementFull)?;
            prices = prices.checked_add(part.price).ok_or(Refusal::AmountTooLarge)?;
        }
        let units = units.checked_add(item.units).ok_or(Refusal::StatementFull)?;
        let with = license.charge(units, now).map_err(refuse)?;
        // What the license cost so far was priced by the same code on the same license.
        Ok(with - prices)
    }

    fn check_total(
        &self,
        voucher: &Voucher,
        expected: u64,
        statement: &Statement,
    ) -> Result<(), Refusal> {
        let current = self.cumulative()?;
        let same_total = voucher.cumulative == expected;
        let same_digest = voucher.statement_digest == statement.digest();
        if same_total && same_digest {
            return Ok(());
        }
        let newest = self.open.voucher.map(|newest| newest.voucher.statement_digest);
        let replayed = newest == Some(voucher.statement_digest);
        if voucher.cumulative < current || replayed {
            return Err(Refusal::NotNewer { given: voucher.cumulative, current });
        }
        if same_total {
            return Err(Refusal::StatementMismatch);
        }
        if voucher.cumulative == current {
            return Err(Refusal::NotNewer { given: voucher.cumulative, current });
        }
        Err(Refusal::WrongPrice { given: voucher.cumulative, expected })
    }

    /// Refuses what would expire before it is sure to be settled.
    fn check_dates(&self, voucher: &Voucher, parts: &[Part], now: i64) -> Result<(), Refusal> {
        let earliest = now.saturating_add(i64::from(self.margins.min_voucher_seconds));
        if voucher.expires_at < earliest {
            return Err(Refusal::ExpiresTooSoon { given: voucher.expires_at, earliest });
        }
        let licenses = parts.iter().map(|part| usize::from(part.item.license));
        let ends = licenses.filter_map(|index| self.account.licenses.get(index));
        match ends.map(|license| license.expires_at).min() {
            Some(expires_at) if expires_at < earliest => Err(Refusal::LicenseEnding { expires_at }),
            _ => Ok(()),
        }
    }
}

/// Returns the units of a license in a statement.
fn units_of(statement: &Statement, license: u16) -> u32 {
    let entry = statement.entries().find(|entry| entry.license == license);
    entry.map_or(0, |entry| entry.units)
}

#[cfg(test)]
mod tests;
