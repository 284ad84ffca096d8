use motif_sdk::client::{Attempt, ComputeBudget, PriorityFee};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;

const SECONDS_PER_DAY: i64 = 86_400;
/// Fee of a settlement without a price: a signature of the fee payer and one that the precompile
/// verifies, lamports.
const LEAST_FEE: u64 = 2 * 5_000;

/// Priority fees of settlements, at most a cap a day (UTC) for each process.
///
/// The cap never stops a settlement. Above it, the lowest price of the policy is paid if that is still
/// within the cap, or else none.
pub struct SettlementFees {
    policy: PriorityFee,
    /// Lamports a day.
    daily_cap: u64,
    today: Mutex<Spending>,
    /// Number of settlements whose fee the daily cap has lowered.
    capped: Counter,
}

#[derive(Debug, Default)]
struct Spending {
    day: i64,
    lamports: u64,
    is_capped: bool,
}

impl SettlementFees {
    /// Creates the fees of a policy with a cap in lamports a day.
    pub fn new(policy: PriorityFee, daily_cap: u64, capped: Counter) -> Self {
        Self { policy, daily_cap, today: Mutex::default(), capped }
    }

    /// Returns whether [`SettlementFees::budget`] depends on recent fees.
    pub fn needs_recent_fees(&self) -> bool {
        self.policy.needs_recent_fees()
    }

    /// Returns the compute budget of an attempt at `now`, unix seconds, and counts its fee. `recent`
    /// are the prices that recent blocks charged.
    pub fn budget(&self, units: u32, recent: &[u64], attempt: Attempt, now: i64) -> ComputeBudget {
        let price = self.policy.price(recent, units, attempt);
        let mut budget = ComputeBudget { units, price };
        let mut today = self.today.lock();
        today.begin(now);
        let left = self.daily_cap.saturating_sub(today.lamports);
        if budget.lamports() > left {
            budget.price = self.policy.floor_price(units);
            if budget.lamports() > left {
                budget.price = 0;
            }
            self.capped.inc();
            if !std::mem::replace(&mut today.is_capped, true) {
                let daily_cap = self.daily_cap;
                tracing::error!(
                    daily_cap,
                    "priority fees of settlements have reached the daily cap and rise no more"
                );
            }
        }
        today.lamports = today.lamports.saturating_add(budget.lamports());
        budget
    }

    /// Counts what earlier processes paid today, at `now`, for settlements that have landed: their
    /// number and all of their fees, lamports.
    pub fn resume(&self, transactions: u64, lamports: u64, now: i64) {
        let mut today = self.today.lock();
        today.begin(now);
        let base = transactions.saturating_mul(LEAST_FEE);
        today.lamports = today.lamports.saturating_add(lamports.saturating_sub(base));
    }

    /// Returns the first second of the day of `now`.
    pub fn day_begin(now: i64) -> i64 {
        now.div_euclid(SECONDS_PER_DAY).saturating_mul(SECONDS_PER_DAY)
    }

    /// Returns the fee of an attempt that did not land to the day's spending.
    pub fn refund(&self, budget: ComputeBudget, now: i64) {
        let mut today = self.today.lock();
        today.begin(now);
        today.lamports = today.lamports.saturating_sub(budget.lamports());
    }

    /// Returns the priority fees of the day, lamports, those of pending settlements included.
    pub fn spent_today(&self, now: i64) -> u64 {
        let mut today = self.today.lock();
        today.begin(now);
        today.lamports
    }
}

impl Spending {
    /// Starts the day of `now`, unless a later one has begun.
    fn begin(&mut self, now: i64) {
        let day = now.div_euclid(SECONDS_PER_DAY);
        if day > self.day {
            *self = Self { day, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: u32 = 10_000;

    fn fees(daily_cap: u64) -> SettlementFees {
        let policy = PriorityFee::Percentile { percentile: 50, floor: 10, cap: 10_000 };
        SettlementFees::new(policy, daily_cap, Counter::default())
    }

    #[test]
    fn floor_stays_within_daily_cap() {
        let policy = PriorityFee::Percentile { percentile: 50, floor: 90_000, cap: 100_000 };
        let fees = SettlementFees::new(policy, 120_000, Counter::default());
        let lamports = |now| fees.budget(UNITS, &[], Attempt::default(), now).lamports();
        assert_eq!([lamports(0), lamports(1), lamports(2)], [90_000, 0, 0]);
        assert_eq!((fees.spent_today(3), fees.capped.get()), (90_000, 2));
        assert_eq!(lamports(SECONDS_PER_DAY), 90_000);
    }

    #[test]
    fn restart_continues_day() {
        let fees = fees(1_000);
        let now = 3 * SECONDS_PER_DAY + 5;
        assert_eq!(SettlementFees::day_begin(now), 3 * SECONDS_PER_DAY);
        // Two settlements that paid 995 lamports of priority.
        fees.resume(2, 20_995, now);
        assert_eq!(fees.spent_today(now), 995);
        assert_eq!(fees.budget(UNITS, &[], Attempt::default(), now).lamports(), 0);
        assert_eq!(fees.capped.get(), 1);
    }

    #[test]
    fn daily_cap_stops_raises_only() {
        let fees = fees(2_500);
        let lamports = |earlier, now| {
            let attempt = Attempt { earlier, seconds_left: Some(30) };
            fees.budget(UNITS, &[], attempt, now).lamports()
        };
        // The last seconds before the deadline pay the transaction's cap, which is above the day's.
        assert_eq!((lamports(0, 0), lamports(5, 1)), (10, 10));
        assert_eq!((fees.spent_today(1), fees.capped.get()), (20, 2));
        let raised = fees.budget(UNITS, &[], Attempt { earlier: 2, seconds_left: None }, 2);
        assert_eq!(raised.lamports(), 2_000);
        assert_eq!(
            fees.budget(UNITS, &[], Attempt { earlier: 2, seconds_left: None }, 3).lamports(),
            10
        );
        fees.refund(raised, 4);
        assert_eq!(fees.spent_today(5), 30);
        let next_day = SECONDS_PER_DAY;
        assert_eq!((fees.spent_today(next_day), lamports(0, next_day)), (0, 10));
    }
}
