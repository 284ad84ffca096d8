use std::collections::BTreeMap;

use motif_interface::voucher::{SignedVoucher, Statement};

/// Statement that takes generations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenStatement {
    /// Number of the statement.
    pub number: u64,
    /// Units by license.
    pub statement: Statement,
    /// Prices of its generations, base units.
    pub prices: u64,
    /// Prices by license, base units.
    pub prices_by_license: BTreeMap<u16, u64>,
    /// Number of its generations.
    pub receipts: u32,
    /// Newest voucher; it pays for all generations of the statement.
    pub voucher: Option<SignedVoucher>,
    /// Unix seconds of the first generation.
    pub begun_at: Option<i64>,
}

/// Statement that takes no more generations and has not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutStatement {
    /// Number of the statement.
    pub number: u64,
    /// Units by license.
    pub statement: Statement,
    /// Prices of its generations, base units.
    pub prices: u64,
    /// Number of its generations.
    pub receipts: u32,
    /// Settles the statement.
    pub voucher: SignedVoucher,
}

impl OpenStatement {
    /// Creates an empty statement.
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Returns the prices of a license's generations, base units.
    pub fn prices_of(&self, license: u16) -> u64 {
        self.prices_by_license.get(&license).copied().unwrap_or(0)
    }

    /// Adds generations, given license and price of each, that `voucher` pays for at `now`.
    /// Returns the position of the first one, or `None` if the statement has no position for them.
    pub fn add(
        &mut self,
        statement: Statement,
        prices: impl ExactSizeIterator<Item = (u16, u64)>,
        voucher: SignedVoucher,
        now: i64,
    ) -> Option<u32> {
        let position = self.receipts;
        let added = u32::try_from(prices.len()).ok();
        self.receipts = added.and_then(|count| position.checked_add(count))?;
        self.statement = statement;
        for (license, price) in prices {
            self.add_prices(license, price);
        }
        self.voucher = Some(voucher);
        self.begun_at.get_or_insert(now);
        Some(position)
    }

    /// Adds to the prices. Their sum fits, unless the tables are corrupt: it is part of the channel's
    /// total.
    pub(crate) fn add_prices(&mut self, license: u16, price: u64) {
        self.prices = self.prices.saturating_add(price);
        let own = self.prices_by_license.entry(license).or_default();
        *own = own.saturating_add(price);
    }
}
