use std::collections::HashMap;

use motif_sdk::Pubkey;
use parking_lot::Mutex;

use crate::error::GatewayError;

/// Fees that the operator pays for buyers in a day (UTC), lamports, for each process.
///
/// Sellers without an API key share half of it, and each recipient of theirs has a tenth: tills are opened
/// by any key, and must not end the operator's own sales.
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
    /// Part of `lamports` for sellers without an API key.
    for_sellers: u64,
    /// The same by recipient.
    by_seller: HashMap<Pubkey, u64>,
    /// Whether the end of the budget was logged.
    is_logged: bool,
}

impl FeeBudget {
    /// Maximum fee of one payment: two signatures, and the priority fee that a buyer may set.
    pub const PAYMENT: u64 = 11_000;
    const DAY: i64 = 86_400;
    /// The share of all sellers without an API key, and that of each recipient, in parts of the budget.
    const SELLERS: u64 = 2;
    const SELLER: u64 = 10;

    /// Creates a budget.
    pub fn new(daily: u64) -> Self {
        Self { daily, spent: Mutex::default() }
    }

    /// Returns whether one more payment of the operator's own sales fits. Logs the first one of a day
    /// that does not.
    pub fn has_room(&self, now: i64) -> bool {
        self.check(now, None).is_ok()
    }

    /// Checks that one more payment fits: of the operator's own sales, or of the recipient `seller`.
    ///
    /// # Errors
    /// [`GatewayError::DailyFeesSpent`], [`GatewayError::SellerFeesSpent`].
    pub fn check(&self, now: i64, seller: Option<Pubkey>) -> Result<(), GatewayError> {
        self.spent.lock().check(self.daily, now, seller)
    }

    /// Counts one more payment.
    ///
    /// # Errors
    /// As [`FeeBudget::check`], if it does not fit.
    pub fn take(&self, now: i64, seller: Option<Pubkey>) -> Result<(), GatewayError> {
        let mut spent = self.spent.lock();
        spent.check(self.daily, now, seller)?;
        spent.lamports = spent.lamports.saturating_add(Self::PAYMENT);
        if let Some(seller) = seller.filter(|_| self.daily > 0) {
            spent.add_for(seller, Self::PAYMENT);
        }
        Ok(())
    }

    /// Counts the payments of earlier processes: all that have landed today, and those of sellers.
    pub fn resume(&self, payments: u64, sellers: &[(Pubkey, u64)], now: i64) {
        let mut spent = self.spent.lock();
        spent.begin(now);
        let lamports = payments.saturating_mul(Self::PAYMENT);
        spent.lamports = spent.lamports.saturating_add(lamports);
        for (seller, payments) in sellers {
            spent.add_for(*seller, payments.saturating_mul(Self::PAYMENT));
        }
    }

    /// Returns a payment that was not sent.
    pub fn give_back(&self, seller: Option<Pubkey>) {
        let mut spent = self.spent.lock();
        spent.lamports = spent.lamports.saturating_sub(Self::PAYMENT);
        let own = seller.and_then(|seller| spent.by_seller.get_mut(&seller));
        if let Some(own) = own {
            *own = own.saturating_sub(Self::PAYMENT);
            spent.for_sellers = spent.for_sellers.saturating_sub(Self::PAYMENT);
        }
    }

    /// Returns what is spent on the day of `now`, lamports.
    pub fn spent(&self, now: i64) -> u64 {
        let mut spent = self.spent.lock();
        spent.begin(now);
        spent.lamports
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

    fn add_for(&mut self, seller: Pubkey, lamports: u64) {
        self.for_sellers = self.for_sellers.saturating_add(lamports);
        let own = self.by_seller.entry(seller).or_default();
        *own = own.saturating_add(lamports);
    }

    fn check(&mut self, daily: u64, now: i64, seller: Option<Pubkey>) -> Result<(), GatewayError> {
        self.begin(now);
        if daily == 0 {
            return Ok(());
        }
        let fits = |spent: u64, max: u64| spent.saturating_add(FeeBudget::PAYMENT) <= max;
        if !fits(self.lamports, daily) {
            if !std::mem::replace(&mut self.is_logged, true) {
                tracing::warn!(daily, "sales end: the day's fees for buyers are spent");
            }
            return Err(GatewayError::DailyFeesSpent { daily });
        }
        let Some(seller) = seller else { return Ok(()) };
        let share = |parts: u64| (daily / parts).max(FeeBudget::PAYMENT); // at least one payment
        let own = self.by_seller.get(&seller).copied().unwrap_or(0);
        for (spent, most) in
            [(own, share(FeeBudget::SELLER)), (self.for_sellers, share(FeeBudget::SELLERS))]
        {
            if !fits(spent, most) {
                return Err(GatewayError::SellerFeesSpent { most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seller(number: u8) -> Option<Pubkey> {
        Some(Pubkey::new_from_array([number; 32]))
    }

    #[test]
    fn budget_is_per_day() {
        let budget = FeeBudget::new(25_000);
        let take = |now| budget.take(now, None).is_ok();
        assert!(take(10) && take(10));
        assert!(!take(10) && !budget.has_room(86_399));
        assert_eq!(budget.spent(10), 22_000);
        budget.give_back(None);
        assert!(take(10));
        assert!(take(86_400) && take(86_400), "the next day");
        assert!(!take(10), "a clock that is set back begins no new day");
        assert!(FeeBudget::new(0).take(10, None).is_ok());
    }

    #[test]
    fn restart_continues_day() {
        let budget = FeeBudget::new(25_000);
        budget.resume(2, &[], 10);
        assert!(budget.take(11, None).is_err());
        assert!(budget.take(86_400, None).is_ok());
    }

    #[test]
    fn sellers_leave_room_for_own_sales() {
        // Twenty payments: two of a seller, and ten of all sellers.
        let budget = FeeBudget::new(220_000);
        let spent = |seller| {
            let error = budget.take(10, seller).unwrap_err();
            assert!(matches!(error, GatewayError::SellerFeesSpent { .. }), "{error}");
        };
        budget.resume(1, &[(seller(1).unwrap(), 1)], 10);
        budget.take(10, seller(1)).unwrap();
        spent(seller(1));
        for number in 2..=5 {
            budget.take(10, seller(number)).unwrap();
            budget.take(10, seller(number)).unwrap();
        }
        spent(seller(6));
        budget.give_back(seller(5));
        budget.take(10, seller(6)).unwrap();
        spent(seller(7));
        for _ in 0..10 {
            budget.take(10, None).unwrap();
        }
        let error = budget.take(10, None).unwrap_err();
        assert!(matches!(error, GatewayError::DailyFeesSpent { daily: 220_000 }), "{error}");
        assert!(budget.take(86_400, seller(1)).is_ok(), "the next day");
    }
}
