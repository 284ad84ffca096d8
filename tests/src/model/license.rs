use payments::PaymentsError;
use solana_pubkey::Pubkey;

use super::{Rules, exact};

/// Seconds of a day of 86,400 seconds since the epoch.
const DAY: i64 = 86_400;

/// An accepted use of terms: what the licensee was promised, and what it has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// Of this work.
    pub work: Pubkey,
    /// Under the terms with this number.
    pub terms_number: u32,
    /// Base units for one unit.
    pub price: u128,
    /// Units that cost nothing.
    pub free: u128,
    /// Units there may be, ever.
    pub most_units: Option<u128>,
    /// Units there may be on one day.
    pub most_daily: Option<u128>,
    /// Base units that may be charged, ever.
    pub most_revenue: Option<u128>,
    /// Last second.
    pub expires_at: i64,
    /// Between a withdrawal and its effect.
    pub notice_seconds: u32,
    /// Its part of the terms' cap on units, until it is given back.
    pub quota_units: Option<u128>,
    /// Put aside for each unit of it, base units.
    pub quota_price: u128,
    /// Its part of the terms' cap on revenue, until it is given back.
    pub quota_revenue: Option<u128>,
    /// The day it began on.
    pub first_day: i64,
    /// Units by the day they were fitted into, latest last.
    pub days: Vec<(i64, u128)>,
    /// Units ever.
    pub units: u128,
    /// Base units charged for units.
    pub prices: u128,
    /// Base units charged at acceptance.
    pub upfront: u128,
    /// Base units that have become earnings.
    pub collected: u128,
}

impl License {
    /// What so many more units cost.
    pub fn price_of(&self, units: u32) -> u128 {
        let free_left = self.free.saturating_sub(self.units);
        u128::from(units).saturating_sub(free_left) * self.price
    }

    /// Uses units, if that breaks no rule; returns their price.
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

    /// The days begun, with these units in them as early as they fit; `None` where they do not.
    ///
    /// Only the latest day matters from then on: no unit is ever fitted into an earlier one.
    fn fit(&self, units: u128, now: i64) -> Option<Vec<(i64, u128)>> {
        let Some(most) = self.most_daily else { return Some(Vec::new()) };
        let (mut day, mut used) = self.days.last().copied().unwrap_or((self.first_day, 0));
        let today = now.max(0).div_euclid(DAY).max(day);
        let mut rest = units;
        let mut days = Vec::new();
        while day < today && rest > most - used {
            rest -= most - used;
            days.push((day, most));
            // Day by day: no test waits long enough for weeks to matter.
            (day, used) = (day + 1, 0);
        }
        if day < today {
            // Everything fits before today, which leaves today whole.
            return Some(vec![(today, 0)]);
        }
        used += rest;
        (used <= most).then(|| vec![(today, used)])
    }

    /// Whether it holds a part of caps that licensees share.
    pub fn holds_quota(&self) -> bool {
        self.quota_units.is_some() || self.quota_revenue.is_some()
    }

    /// Base units put aside for what is left of its parts of shared caps.
    pub fn earmark(&self) -> u128 {
        let units = self.quota_units.map_or(0, |quota| (quota - self.units) * self.quota_price);
        units.max(self.quota_revenue.map_or(0, |quota| quota - self.prices))
    }

    /// Gives back what is left of its parts of shared caps, units and base units, and goes no
    /// further under them.
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

    /// Last second of the notice of a withdrawal.
    pub fn notice_end(&self, withdrawn_at: i64) -> i64 {
        withdrawn_at.saturating_add(i64::from(self.notice_seconds).max(DAY))
    }

    /// Ends after the notice of a withdrawal and not before `settled_until`, unless it ends
    /// earlier.
    pub fn end_by_withdrawal(&mut self, withdrawn_at: i64, settled_until: i64) {
        let end = self.notice_end(withdrawn_at).max(settled_until);
        self.expires_at = self.expires_at.min(end);
    }

    /// Base units that are not yet earnings.
    pub fn credit(&self) -> u128 {
        self.upfront + self.prices - self.collected
    }
}
