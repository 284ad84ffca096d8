use super::error::LedgerError;

/// Time that settlement needs, and the limit of unsettled amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// Time before the expiry of vouchers and licenses in which they settle, seconds.
    pub min_voucher_seconds: u32,
    /// Time by which accepted vouchers outlast `min_voucher_seconds`, seconds. It bounds how often
    /// expiring vouchers have the channel settled.
    pub min_useful_seconds: u32,
    /// Minimum price of a generation or of a whole hold, base units.
    pub min_price: u64,
    /// Maximum unsettled amount, base units; `None` if it is unlimited.
    pub max_exposure: Option<u64>,
    /// Maximum number of licenses of a statement.
    pub max_licenses: usize,
}

impl Margins {
    /// Returns the earliest expiry of a voucher that is accepted at `now`, unix seconds.
    pub fn earliest_expiry(&self, now: i64) -> i64 {
        let margin = i64::from(self.min_voucher_seconds);
        now.saturating_add(margin).saturating_add(i64::from(self.min_useful_seconds))
    }

    /// Checks that a price is not below the minimum.
    ///
    /// # Errors
    /// [`LedgerError::PriceTooLow`].
    pub(super) fn check_price(&self, given: u64) -> Result<(), LedgerError> {
        let least = self.min_price;
        if given >= least { Ok(()) } else { Err(LedgerError::PriceTooLow { given, least }) }
    }
}
