//! What one channel has used and vouched for, ahead of the chain: a state machine without IO.
//!
//! [`Ledger::reserve`] is the only way in for generations. It prices and limits them by the
//! very code that settlement runs on chain, so what it takes can be settled at any later time
//! before the dates it checked.

mod refusal;
mod statement;

use std::collections::VecDeque;

use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, Licence},
    voucher::{SignedVoucher, Statement, Voucher},
};

pub use refusal::{LicenceLimit, Refusal};
pub use statement::{CutStatement, OpenStatement};

/// How much time everything that must settle needs to have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// From accepting a voucher to its expiry, at least.
    pub min_voucher_seconds: u32,
}

/// Units of one licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Index of the licence.
    pub licence: u16,
    /// Units.
    pub units: u32,
}

/// Generations somebody wants to pay for with one voucher: all of them or none.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What each uses, in order.
    pub items: Vec<Item>,
    /// Whose signature has been verified already.
    pub voucher: SignedVoucher,
}

/// Generations a ledger would take, with what they cost. Only good while it does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    statement: Statement,
    parts: Vec<Part>,
    voucher: SignedVoucher,
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
/// before their dates, is allowed by the licences and charges exactly `cumulative()`.
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
}

impl Ledger {
    /// The ledger of a channel with nothing unsettled.
    pub fn new(address: Pubkey, account: ChannelAccount, margins: Margins) -> Self {
        let open = OpenStatement::new(account.channel.statements.length);
        Self { address, account, cut: VecDeque::new(), open, margins, budget: None }
    }

    /// The ledger as it was before a restart.
    pub fn restore(
        address: Pubkey,
        account: ChannelAccount,
        margins: Margins,
        cut: VecDeque<CutStatement>,
        open: OpenStatement,
    ) -> Self {
        Self { address, account, cut, open, margins, budget: None }
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

    /// What was vouched for and has not settled, base units, fees included.
    pub fn exposed(&self) -> u64 {
        let settled = self.channel().cumulative().unwrap_or(u64::MAX);
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
        self.check_open(voucher)?;
        if wanted.items.is_empty() || wanted.items.iter().any(|item| item.units == 0) {
            return Err(Refusal::NoUnits);
        }
        let mut statement = self.open.statement.clone();
        let mut parts: Vec<Part> = Vec::with_capacity(wanted.items.len());
        let mut prices = self.prices()?;
        for item in &wanted.items {
            let licence = self.account.licences.get(usize::from(item.licence));
            let licence = *licence.ok_or(Refusal::UnknownLicence(item.licence))?;
            statement.add(item.licence, item.units).map_err(|_| Refusal::StatementFull)?;
            let price = self.price(licence, item, &parts, now)?;
            prices = prices.checked_add(price).ok_or(Refusal::AmountTooLarge)?;
            let (work, terms_number) = (licence.work, licence.terms_number);
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
        self.check_dates(voucher, &parts, now)?;
        let charged = cumulative - self.cumulative()?;
        Ok(Weighed { statement, parts, voucher: wanted.voucher, cumulative, charged })
    }

    /// Takes generations that were weighed on this ledger as it is.
    ///
    /// # Errors
    /// [`Refusal::StatementFull`] when their receipts cannot be counted any more.
    pub fn take(&mut self, weighed: Weighed, now: i64) -> Result<Reserved, Refusal> {
        let Weighed { statement, parts, voucher, cumulative, .. } = weighed;
        let position = self.open.add(statement, &parts, voucher, now)?;
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

    /// The unix second by which the open statement has to settle: the first of its voucher's
    /// and its licences' expiries. `None` while it is empty.
    pub fn settle_before(&self) -> Option<i64> {
        let voucher = self.open.voucher?.voucher.expires_at;
        let licences = self.open.statement.entries().filter_map(|entry| {
            self.account.licences.get(usize::from(entry.licence)).map(|licence| licence.expires_at)
        });
        Some(licences.fold(voucher, i64::min))
    }

    /// Deposit less upfront fees: what vouchers can be paid from.
    fn spendable(&self) -> u64 {
        self.channel().deposited.saturating_sub(self.channel().upfront_fees)
    }

    fn with_fees(&self, prices: u64) -> Result<u64, Refusal> {
        let copy = Channel { prices, ..*self.channel() };
        copy.cumulative().map_err(|_| Refusal::AmountTooLarge)
    }

    fn check_open(&self, voucher: &Voucher) -> Result<(), Refusal> {
        if self.channel().closes_at != i64::MAX {
            return Err(Refusal::ChannelClosing);
        }
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
        mut licence: Licence,
        item: &Item,
        before: &[Part],
        now: i64,
    ) -> Result<u64, Refusal> {
        let index = item.licence;
        let refuse = |error| Refusal::limit(index, error);
        for cut in &self.cut {
            let units = statement::units_of(&cut.statement, index);
            if units > 0 {
                licence.charge(units, now).map_err(refuse)?;
            }
        }
        let (mut units, mut prices) =
            (statement::units_of(&self.open.statement, index), self.open.prices_of(index));
        for part in before.iter().filter(|part| part.item.licence == index) {
            units = units.checked_add(part.item.units).ok_or(Refusal::StatementFull)?;
            prices = prices.checked_add(part.price).ok_or(Refusal::AmountTooLarge)?;
        }
        let units = units.checked_add(item.units).ok_or(Refusal::StatementFull)?;
        let with = licence.charge(units, now).map_err(refuse)?;
        // What the licence cost so far was priced by the same code on the same licence.
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
        let licences = parts.iter().map(|part| usize::from(part.item.licence));
        let ends = licences.filter_map(|index| self.account.licences.get(index));
        match ends.map(|licence| licence.expires_at).min() {
            Some(expires_at) if expires_at < earliest => Err(Refusal::LicenceEnding { expires_at }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
