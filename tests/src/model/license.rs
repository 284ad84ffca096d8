use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{Rules, exact};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// License: the accepted conditions and the use so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// Licensed work.
    pub work: Pubkey,
    /// Number of the terms.
    pub terms_number: u32,
    /// Price per unit, base units.
    pub price: u128,
    /// Free units.
    pub free: u128,
    /// Maximum units in total.
    pub most_units: Option<u128>,
    /// Maximum units per day.
    pub most_daily: Option<u128>,
    /// Maximum revenue, base units.
    pub most_revenue: Option<u128>,
    /// Last valid second.
    pub expires_at: i64,
    /// Notice period.
    pub notice_seconds: u32,
    /// Quota of units, until it is released.
    pub quota_units: Option<u128>,
    /// Amount earmarked for each unit of the quota, base units.
    pub quota_price: u128,
    /// Quota of revenue, until it is released.
    pub quota_revenue: Option<u128>,
    /// Day of acceptance.
    pub first_day: i64,
    /// Units by the day they count for, latest last.
    pub days: Vec<(i64, u128)>,
    /// Units in total.
    pub units: u128,
    /// Prices charged, base units.
    pub prices: u128,
    /// Upfront fee, base units.
    pub upfront: u128,
    /// Collected credit, base units.
    pub collected: u128,
}

impl License {
    /// Returns the price of more units.
    pub fn price_of(&self, units: u32) -> u128 {
        let free_left = self.free.saturating_sub(self.units);
        u128::from(units).saturating_sub(free_left) * self.price
    }

    /// Charges units if no rule is broken; returns their price.
    pub fn charge(&mut self, units: u32, now: i64, rules: &mut Rules) -> u128 {
        let price = self.price_of(units);
        let units = u128::from(units);
        rules.require(now <= self.expires_at, PaymentsError::LicenseExpired);
        let used = self.units + units;
        rules.require(
            self.most_units.is_none_or(|most| used <= most),
            PaymentsError::UnitCapExceeded,
        );
        let charged = self.prices + price;
        let affordable = self.most_revenue.is_none_or(|most| charged <= most);
        rules.require(affordable, PaymentsError::RevenueCapExceeded);
        let narrow = exact::fits(price) && exact::fits(charged + self.upfront);
        rules.require(narrow, PaymentsError::Overflow);
        let fitted = self.fit(units, now);
        if rules.require(fitted.is_some(), PaymentsError::DailyCapExceeded) && rules.hold() {
            self.days = fitted.unwrap_or_default();
            self.units = used;
            self.prices = charged;
        }
        price
    }

    /// Returns the days with these units distributed as early as possible; `None` if they do not
    /// fit.
    ///
    /// Only the latest day matters afterwards, because no later unit counts for an earlier day.
    fn fit(&self, units: u128, now: i64) -> Option<Vec<(i64, u128)>> {
        let Some(most) = self.most_daily else { return Some(Vec::new()) };
        let (mut day, mut used) = self.days.last().copied().unwrap_or((self.first_day, 0));
        let today = now.max(0).div_euclid(DAY).max(day);
        let mut rest = units;
        let mut days = Vec::new();
        while day < today && rest > most - used {
            rest -= most - used;
            days.push((day, most));
            // Day by day, since tests span few days.
            (day, used) = (day + 1, 0);
        }
        if day < today {
            // All units fit before today.
            return Some(vec![(today, 0)]);
        }
        used += rest;
        (used <= most).then(|| vec![(today, used)])
    }

    /// Returns whether it has a quota.
    pub fn holds_quota(&self) -> bool {
        self.quota_units.is_some() || self.quota_revenue.is_some()
    }

    /// Returns the amount earmarked for the rest of its quotas, base units.
    pub fn earmark(&self) -> u128 {
        let units = self.quota_units.map_or(0, |quota| (quota - self.units) * self.quota_price);
        units.max(self.quota_revenue.map_or(0, |quota| quota - self.prices))
    }

    /// Releases its unused quotas, units and base units, so that it cannot charge under them
    /// any more.
    pub fn give_back(&mut self) -> (u128, u128) {
        let (mut units, mut revenue) = (0, 0);
        if let Some(quota) = self.quota_units.take() {
            units = quota - self.units;
            self.most_units = Some(self.units);
        }
        if let Some(quota) = self.quota_revenue.take() {
            revenue = quota - self.prices;
            self.most_revenue = Some(self.prices);
        }
        (units, revenue)
    }

    /// Returns the last second of the notice of a withdrawal. Terms before number `judged` were not
    /// the owner's.
    pub fn notice_end(&self, withdrawn_at: i64, judged: u32) -> i64 {
        let notice = if self.terms_number < judged { 0 } else { i64::from(self.notice_seconds) };
        withdrawn_at.saturating_add(notice.max(DAY))
    }

    /// Ends the license after the notice of a withdrawal and not before `settled_until`, unless it
    /// ends earlier.
    pub fn end_by_withdrawal(&mut self, withdrawn_at: i64, judged: u32, settled_until: i64) {
        let end = self.notice_end(withdrawn_at, judged).max(settled_until);
        self.expires_at = self.expires_at.min(end);
    }

    /// Returns the uncollected credit, base units.
    pub fn credit(&self) -> u128 {
        self.upfront + self.prices - self.collected
    }
}
