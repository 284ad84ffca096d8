//! Holds of a ledger: units that are reserved for requests under way.

use std::collections::{BTreeMap, BTreeSet};

use super::{Added, Hold, HoldId, Item, Ledger, LedgerError, LicenseLimit, Requested};

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
        self.margins.check_price(self.price(license, &hold.item, (0, 0), now)?)?;
        self.holds.retain(|_, held| held.expires_at >= now);
        if self.holds.len() >= Self::MAX_HOLDS {
            return Err(LedgerError::HoldsFull);
        }
        self.holds.insert(id, hold);
        let fits = self.prices();
        let fits =
            fits.and_then(|prices| self.check_holds(Added::new(), prices, &BTreeSet::new(), now));
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

    /// Returns the units of open holds that these generations do not capture, by license.
    pub(super) fn held_units(&self, generations: &[Requested], now: i64) -> BTreeMap<u16, u32> {
        let captured: BTreeSet<_> = generations.iter().filter_map(|one| one.hold).collect();
        let mut units = BTreeMap::<u16, u32>::new();
        for (id, hold) in &self.holds {
            if hold.expires_at >= now && !captured.contains(id) {
                let own = units.entry(hold.item.license).or_default();
                *own = own.saturating_add(hold.item.units);
            }
        }
        units
    }

    /// Checks that a generation stays within its hold and is for the same request.
    pub(super) fn check_hold(
        &self,
        id: &HoldId,
        item: &Item,
        request_digest: &[u8; 32],
        now: i64,
    ) -> Result<(), LedgerError> {
        let hold = self.holds.get(id).filter(|hold| hold.expires_at >= now);
        let Hold { item: held, request_digest: asked, .. } =
            hold.ok_or(LedgerError::UnknownHold)?;
        if asked != request_digest {
            return Err(LedgerError::HoldMismatch);
        }
        if item.license != held.license {
            return Err(LedgerError::UnknownHold);
        }
        if item.units > held.units {
            return Err(LedgerError::HoldExceeded { held: held.units });
        }
        Ok(())
    }

    /// Checks that all open holds except `captured` can still be captured whole on top of `added`,
    /// with which prices come to `prices`.
    pub(super) fn check_holds(
        &self,
        mut added: Added,
        mut prices: u64,
        captured: &BTreeSet<HoldId>,
        now: i64,
    ) -> Result<(), LedgerError> {
        let is_open =
            |(id, hold): &(&HoldId, &Hold)| !captured.contains(*id) && hold.expires_at >= now;
        let mut open = self.holds.iter().filter(is_open).peekable();
        if open.peek().is_none() {
            return Ok(());
        }
        for (_, hold) in open {
            let license = self.account.licenses.get(usize::from(hold.item.license));
            let Some(license) = license else { continue };
            let own = added.entry(hold.item.license).or_default();
            let price = match self.price(*license, &hold.item, *own, now) {
                Ok(price) => price,
                // Holds of a license that ended early reserve nothing.
                Err(LedgerError::LicenseLimit { limit: LicenseLimit::Expired, .. }) => continue,
                Err(error) => return Err(error),
            };
            prices = prices.checked_add(price).ok_or(LedgerError::AmountTooLarge)?;
            // `price` has checked the sums of units and prices.
            *own = (own.0.saturating_add(hold.item.units), own.1.saturating_add(price));
        }
        let (needed, spendable) = (self.needed(prices, &added)?, self.spendable());
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
