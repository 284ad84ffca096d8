//! Holds of a ledger: units that are reserved for requests under way.

use std::collections::BTreeMap;

use super::{Hold, HoldId, Item, Ledger, LedgerError, LicenseLimit, PricedItem};

impl Ledger {
    /// Maximum number of open holds. Each is priced with every generation.
    pub const MAX_HOLDS: usize = 256;

    /// Adds a hold for a generation. `now` is unix seconds.
    ///
    /// # Errors
    /// Every [`LedgerError`] that the generation may meet before the hold ends if it uses all
    /// held units. The ledger is unchanged then.
    pub fn add_hold(&mut self, id: HoldId, hold: Hold, now: i64) -> Result<(), LedgerError> {
        self.check_accepting(now)?;
        if hold.item.units == 0 {
            return Err(LedgerError::NoUnits);
        }
        if hold.expires_at < now {
            return Err(LedgerError::ExpiresTooSoon { given: hold.expires_at, earliest: now });
        }
        let index = hold.item.license;
        let license = self.account.licenses.get(usize::from(index));
        let license = *license.ok_or(LedgerError::LicenseNotFound(index))?;
        let expires_at = license.expires_at;
        let margin = i64::from(self.margins.min_voucher_seconds);
        if expires_at < hold.expires_at.saturating_add(margin) {
            return Err(LedgerError::LicenseEnding { expires_at });
        }
        self.margins.check_price(self.price(license, &hold.item, &[], now)?)?;
        self.holds.retain(|_, held| held.expires_at >= now);
        if self.holds.len() >= Self::MAX_HOLDS {
            return Err(LedgerError::HoldsFull);
        }
        self.holds.insert(id, hold);
        let fits = self.prices().and_then(|prices| self.check_holds(&[], prices, None, now));
        if fits.is_err() {
            self.holds.remove(&id);
        }
        fits
    }

    /// Returns a hold that was neither captured nor released.
    pub fn hold(&self, id: &HoldId) -> Option<&Hold> {
        self.holds.get(id)
    }

    /// Removes a hold.
    pub fn release_hold(&mut self, id: &HoldId) -> Option<Hold> {
        self.holds.remove(id)
    }

    /// Returns whether no hold is open at `now`.
    pub fn has_no_holds(&self, now: i64) -> bool {
        self.holds.values().all(|held| held.expires_at < now)
    }

    /// Restores holds after a restart.
    pub fn restore_holds(&mut self, holds: BTreeMap<HoldId, Hold>) {
        self.holds = holds;
    }

    /// Checks that a generation stays within its hold.
    pub(super) fn check_hold(
        &self,
        id: &HoldId,
        items: &[Item],
        now: i64,
    ) -> Result<(), LedgerError> {
        let hold = self.holds.get(id).filter(|hold| hold.expires_at >= now);
        let held = hold.ok_or(LedgerError::UnknownHold)?.item;
        match items {
            [item] if item.license == held.license && item.units <= held.units => Ok(()),
            [item] if item.license == held.license => {
                Err(LedgerError::HoldExceeded { held: held.units })
            }
            _ => Err(LedgerError::UnknownHold),
        }
    }

    /// Checks that all open holds can still be captured whole on top of `items`, with which
    /// prices come to `prices`.
    pub(super) fn check_holds(
        &self,
        items: &[PricedItem],
        mut prices: u64,
        captured: Option<HoldId>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let is_open =
            |(id, hold): &(&HoldId, &Hold)| Some(**id) != captured && hold.expires_at >= now;
        let mut open = self.holds.iter().filter(is_open).peekable();
        if open.peek().is_none() {
            return Ok(());
        }
        let mut items = items.to_vec();
        for (_, hold) in open {
            let license = self.account.licenses.get(usize::from(hold.item.license));
            let Some(license) = license else { continue };
            let price = match self.price(*license, &hold.item, &items, now) {
                Ok(price) => price,
                // Holds of a license that ended early reserve nothing.
                Err(LedgerError::LicenseLimit { limit: LicenseLimit::Expired, .. }) => continue,
                Err(error) => return Err(error),
            };
            prices = prices.checked_add(price).ok_or(LedgerError::AmountTooLarge)?;
            let (work, terms_number) = (license.work, license.terms_number);
            items.push(PricedItem { item: hold.item, price, work, terms_number });
        }
        let (needed, spendable) = (self.needed(prices, &items)?, self.spendable());
        if needed > spendable {
            return Err(LedgerError::Underfunded { needed, spendable });
        }
        let cumulative = self.with_fees(prices)?;
        match self.budget.filter(|budget| cumulative > *budget) {
            Some(budget) => Err(LedgerError::OverBudget { needed: cumulative, budget }),
            None => Ok(()),
        }
    }
}
