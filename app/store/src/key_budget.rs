use std::sync::Arc;

use parking_lot::Mutex;

/// Budget of an API key in this process, base units.
#[derive(Debug)]
pub struct KeyBudget {
    /// Maximum the key may ever spend: [`KeyBudget::MAX`] for no other maximum.
    limit: u64,
    spent: Mutex<Spent>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    /// Spent according to the store.
    stored: u64,
    /// Reserved for writes that are not durable yet.
    reserved: u64,
}

/// Part of a key's budget reserved for a write. Returned to the budget on drop, unless the writer
/// commits it.
#[derive(Debug)]
#[must_use = "a dropped reservation returns to the budget"]
pub struct BudgetReservation {
    budget: Arc<KeyBudget>,
    amount: u64,
}

/// Error returned when a reservation exceeds the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed} base units exceed the budget: {left} left")]
pub struct BudgetExceeded {
    /// Base units.
    pub needed: u64,
    /// Base units.
    pub left: u64,
}

impl KeyBudget {
    /// Maximum of every key, base units: the range of the store.
    pub const MAX: u64 = i64::MAX as u64;

    /// Creates a budget of at most `limit` base units, of which `spent` are spent.
    pub fn new(limit: Option<u64>, spent: u64) -> Arc<Self> {
        let spent = Mutex::new(Spent { stored: spent, reserved: 0 });
        Arc::new(Self { limit: limit.unwrap_or(Self::MAX).min(Self::MAX), spent })
    }

    /// Reserves a part of the budget.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing is reserved.
    pub fn reserve(self: &Arc<Self>, amount: u64) -> Result<BudgetReservation, BudgetExceeded> {
        let mut spent = self.spent.lock();
        let left = self.limit.saturating_sub(spent.total());
        if amount > left {
            return Err(BudgetExceeded { needed: amount, left });
        }
        spent.reserved += amount; // at most the limit
        drop(spent);
        Ok(BudgetReservation { budget: self.clone(), amount })
    }

    /// Sets the amount spent according to the store, which includes other processes.
    pub fn refresh(&self, spent: u64) {
        self.spent.lock().stored = spent;
    }

    /// Returns the amount spent or reserved, base units.
    pub fn spent(&self) -> u64 {
        self.spent.lock().total()
    }
}

impl Spent {
    fn total(self) -> u64 {
        self.stored.saturating_add(self.reserved)
    }
}

impl BudgetReservation {
    /// Counts the amount as spent: the store has it.
    pub(crate) fn commit(self) {
        let mut spent = self.budget.spent.lock();
        spent.stored = spent.stored.saturating_add(self.amount);
    }
}

impl Drop for BudgetReservation {
    fn drop(&mut self) {
        self.budget.spent.lock().reserved -= self.amount; // added by `reserve`
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_reservation_returns_to_budget() {
        let budget = KeyBudget::new(Some(30), 10);
        let first = budget.reserve(15).unwrap();
        assert!(budget.reserve(6).is_err());
        drop(first);
        budget.reserve(20).unwrap().commit();
        assert_eq!(budget.reserve(1).unwrap_err(), BudgetExceeded { needed: 1, left: 0 });
        assert_eq!(budget.spent(), 30);
    }

    #[test]
    fn refreshed_budget_keeps_reservations() {
        let budget = KeyBudget::new(Some(30), 10);
        let reserved = budget.reserve(5).unwrap();
        budget.refresh(20);
        assert!(budget.reserve(6).is_err());
        drop(reserved);
        assert!(budget.reserve(10).is_ok());
    }

    #[test]
    fn unlimited_budget_ends_at_range_of_store() {
        let budget = KeyBudget::new(None, 10);
        let _reserved = budget.reserve(KeyBudget::MAX - 10).unwrap();
        assert_eq!(budget.spent(), KeyBudget::MAX);
        assert!(budget.reserve(1).is_err());
    }
}
