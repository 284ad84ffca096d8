use std::collections::BTreeMap;

use motif_sdk::voucher::{SignedVoucher, Statement};

use super::{LedgerError, PricedItem};

/// Statement that receives new generations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenStatement {
    /// Number of the statement.
    pub number: u64,
    /// Units by license.
    pub statement: Statement,
    /// Sum of prices, base units.
    pub prices: u64,
    /// Prices by license, base units.
    pub prices_by_license: BTreeMap<u16, u64>,
    /// Number of generations.
    pub receipts: u32,
    /// Newest voucher, which covers the whole statement.
    pub voucher: Option<SignedVoucher>,
    /// Unix second of the first generation.
    pub begun_at: Option<i64>,
}

/// Closed statement that has not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutStatement {
    /// Number of the statement.
    pub number: u64,
    /// Units by license.
    pub statement: Statement,
    /// Sum of prices, base units.
    pub prices: u64,
    /// Number of generations.
    pub receipts: u32,
    /// Voucher that settles the statement.
    pub voucher: SignedVoucher,
}

impl OpenStatement {
    /// Creates an empty statement.
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Returns the sum of a license's prices, base units.
    pub(super) fn prices_of(&self, license: u16) -> u64 {
        self.prices_by_license.get(&license).copied().unwrap_or(0)
    }

    /// Checks that the number of generations stays countable.
    pub(super) fn check_room(&self, generations: usize) -> Result<(), LedgerError> {
        let generations = u32::try_from(generations).ok();
        let receipts = generations.and_then(|count| self.receipts.checked_add(count));
        receipts.map(drop).ok_or(LedgerError::StatementFull)
    }

    /// Adds generations that were checked; `statement` has their units.
    pub(super) fn add(
        &mut self,
        statement: Statement,
        items: &[PricedItem],
        voucher: SignedVoucher,
        now: i64,
    ) {
        self.receipts += items.len() as u32; // checked by `check_room`
        self.statement = statement;
        for priced in items {
            self.count(priced.item.license, priced.price);
        }
        self.voucher = Some(voucher);
        self.begun_at.get_or_insert(now);
    }

    /// Adds a price. The sum was checked with the channel's total.
    pub(crate) fn count(&mut self, license: u16, price: u64) {
        self.prices += price;
        *self.prices_by_license.entry(license).or_default() += price;
    }
}

/// Returns a statement's units of a license.
pub(super) fn units_of(statement: &Statement, license: u16) -> u32 {
    let entry = statement.entries().find(|entry| entry.license == license);
    entry.map_or(0, |entry| entry.units)
}
