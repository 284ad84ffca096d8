use std::collections::BTreeMap;

use motif_sdk::voucher::{SignedVoucher, Statement};

use super::{Part, Refusal};

/// The statement that grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenStatement {
    /// Its number.
    pub number: u64,
    /// Units used.
    pub statement: Statement,
    /// Prices of its generations, base units.
    pub prices: u64,
    /// Prices by license, base units.
    pub prices_by_license: BTreeMap<u16, u64>,
    /// Generations in it.
    pub receipts: u32,
    /// The newest voucher; it pays for everything in the statement.
    pub voucher: Option<SignedVoucher>,
    /// Unix seconds of its first generation.
    pub begun_at: Option<i64>,
}

/// A statement that no longer grows and has not settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutStatement {
    /// Its number.
    pub number: u64,
    /// Units used.
    pub statement: Statement,
    /// Prices of its generations, base units.
    pub prices: u64,
    /// Generations in it.
    pub receipts: u32,
    /// Settles it.
    pub voucher: SignedVoucher,
}

impl OpenStatement {
    /// An empty statement.
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Prices of a license's generations so far, base units.
    pub(super) fn prices_of(&self, license: u16) -> u64 {
        self.prices_by_license.get(&license).copied().unwrap_or(0)
    }

    /// Grows to `statement`; returns the position of the first part.
    pub(super) fn add(
        &mut self,
        statement: Statement,
        parts: &[Part],
        voucher: SignedVoucher,
        now: i64,
    ) -> Result<u32, Refusal> {
        let position = self.receipts;
        let added = u32::try_from(parts.len()).ok().and_then(|count| position.checked_add(count));
        self.receipts = added.ok_or(Refusal::StatementFull)?;
        self.statement = statement;
        for part in parts {
            self.count(part.item.license, part.price);
        }
        self.voucher = Some(voucher);
        self.begun_at.get_or_insert(now);
        Ok(position)
    }

    /// Adds to the prices; their sum was checked to fit with the channel's total.
    pub(crate) fn count(&mut self, license: u16, price: u64) {
        self.prices += price;
        *self.prices_by_license.entry(license).or_default() += price;
    }
}

/// Units a statement states of a license.
pub(super) fn units_of(statement: &Statement, license: u16) -> u32 {
    let entry = statement.entries().find(|entry| entry.license == license);
    entry.map_or(0, |entry| entry.units)
}
