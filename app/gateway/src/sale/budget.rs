use parking_lot::Mutex;

/// Fees that the operator pays for buyers in a day (UTC), lamports, for each process.
#[derive(Debug)]
pub struct FeeBudget {
    /// Maximum of a day; 0 for no limit.
    daily: u64,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    day: i64,
    lamports: u64,
    /// Whether the end of the budget was logged.
    is_logged: bool,
}

impl FeeBudget {
    /// Maximum fee of one payment: two signatures, and the priority fee that a buyer may set.
    pub const PAYMENT: u64 = 11_000;
    const DAY: i64 = 86_400;

    /// Creates a budget.
    pub fn new(daily: u64) -> Self {
        Self { daily, spent: Mutex::default() }
    }

    /// Returns whether one more payment fits. Logs the first one of a day that does not.
    pub fn has_room(&self, now: i64) -> bool {
        self.spent.lock().has_room(self.daily, now)
    }

    /// Counts one more payment. Returns whether it fits.
    pub fn take(&self, now: i64) -> bool {
        let mut spent = self.spent.lock();
        let has_room = spent.has_room(self.daily, now);
        if has_room {
            spent.lamports = spent.lamports.saturating_add(Self::PAYMENT);
        }
        has_room
    }

    /// Counts the payments of earlier processes that have landed today.
    pub fn resume(&self, payments: u64, now: i64) {
        let mut spent = self.spent.lock();
        spent.begin(now);
        let lamports = payments.saturating_mul(Self::PAYMENT);
        spent.lamports = spent.lamports.saturating_add(lamports);
    }

    /// Returns a payment that was not sent.
    pub fn give_back(&self) {
        let mut spent = self.spent.lock();
        spent.lamports = spent.lamports.saturating_sub(Self::PAYMENT);
    }
}

impl Spent {
    /// Starts the day of `now`, unless a later one has begun.
    fn begin(&mut self, now: i64) {
        let day = now.div_euclid(FeeBudget::DAY);
        if day > self.day {
            *self = Self { day, ..Self::default() };
        }
    }

    fn has_room(&mut self, daily: u64, now: i64) -> bool {
        self.begin(now);
        let after = self.lamports.saturating_add(FeeBudget::PAYMENT);
        let has_room = daily == 0 || after <= daily;
        if !has_room && !std::mem::replace(&mut self.is_logged, true) {
            tracing::warn!(daily, "sales end: the day's fees for buyers are spent");
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_per_day() {
        let budget = FeeBudget::new(25_000);
        assert!(budget.take(10) && budget.take(10));
        assert!(!budget.take(10) && !budget.has_room(86_399));
        budget.give_back();
        assert!(budget.take(10));
        assert!(budget.take(86_400) && budget.take(86_400), "the next day");
        assert!(!budget.take(10), "a clock that is set back begins no new day");
        assert!(FeeBudget::new(0).take(10));
    }

    #[test]
    fn restart_continues_day() {
        let budget = FeeBudget::new(25_000);
        budget.resume(2, 10);
        assert!(!budget.take(11));
        assert!(budget.take(86_400));
    }
}
