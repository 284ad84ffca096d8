use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};
use licensing::Caps;

use super::Quota;
use crate::error::PaymentsError;

/// One accepted use of one version of one work's terms: a fixed-size entry of a channel.
///
/// Everything a settlement needs of the terms is copied here at acceptance, so settling reads
/// no other account and accepted terms cannot get worse.
///
/// Always true: `settled >= collected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct License {
    pub work: Pubkey,
    /// Which version of the work's terms.
    pub terms_number: u32,
    /// `licensing::Use` as its byte.
    pub licensed_use: u8,
    /// `licensing::Unit` as its byte.
    pub unit: u8,
    /// 1 while the license holds a part of caps that licensees share.
    pub holds_quota: u8,
    pub reserved: u8,
    /// The UTC day (unix seconds / 86,400) that `units_today` counts.
    pub day: u32,
    /// How long before a withdrawal of the work ends the license it is announced, at least.
    pub notice_seconds: u32,
    /// Base units of the channel's mint for one unit.
    pub price: u64,
    /// Units ever settled, free ones included.
    pub units: u64,
    /// Units that are still free.
    pub free_units_left: u64,
    /// Units that may still be used; [`License::UNLIMITED`] without a cap.
    pub units_left: u64,
    /// Units that may be used on one day; [`License::UNLIMITED`] without a cap.
    pub daily_units: u64,
    /// Units that settled for `day` already.
    pub units_today: u64,
    /// Base units that may still be charged; [`License::UNLIMITED`] without a cap.
    pub revenue_left: u64,
    /// Last unix second of the license; `i64::MAX` for no end.
    pub expires_at: i64,
    /// Base units ever credited: upfront fee and prices.
    pub settled: u64,
    /// Base units of `settled` that have become earnings of the work.
    pub collected: u64,
}

impl License {
    pub const SIZE: usize = size_of::<Self>();
    /// Stands for "no cap".
    pub const UNLIMITED: u64 = u64::MAX;
    pub const SECONDS_PER_DAY: i64 = 86_400;

    /// Uses `units` at `now` (unix seconds): enforces expiry and caps, credits the license and
    /// returns the price in base units. Nothing is changed when it fails.
    pub fn charge(&mut self, units: u32, now: i64) -> Result<u64> {
        require!(now <= self.expires_at, PaymentsError::LicenseExpired);
        let units = u64::from(units);
        let units_left = spend(self.units_left, units).ok_or(PaymentsError::UnitCapExceeded)?;
        let free = units.min(self.free_units_left);
        let price = self.price.checked_mul(units - free).ok_or(PaymentsError::Overflow)?;
        let revenue_left =
            spend(self.revenue_left, price).ok_or(PaymentsError::RevenueCapExceeded)?;
        let (day, units_today) = self.use_days(units, now)?;
        let total = self.units.checked_add(units).ok_or(PaymentsError::Overflow)?;
        let settled = self.settled.checked_add(price).ok_or(PaymentsError::Overflow)?;

        self.units_left = units_left;
        self.free_units_left -= free;
        self.revenue_left = revenue_left;
        (self.day, self.units_today) = (day, units_today);
        self.units = total;
        self.settled = settled;
        Ok(price)
    }

    /// Credits what was charged at acceptance.
    pub fn credit_upfront(&mut self, fee: u64) -> Result<()> {
        self.settled = self.settled.checked_add(fee).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }

    /// Marks everything settled as collected; returns what was new.
    pub fn collect(&mut self) -> u64 {
        let new = self.settled - self.collected; // `settled >= collected`, always
        self.collected = self.settled;
        new
    }

    /// The most base units that what is left of the license's part of shared caps can come to.
    ///
    /// An upper bound: free units count at the full price, and a cap of the licensee's own like a
    /// quota.
    pub fn quota_worth(&self) -> u128 {
        if self.holds_quota == 0 {
            return 0;
        }
        let limited = |left: u64| (left != Self::UNLIMITED).then_some(u128::from(left));
        let units = limited(self.units_left).unwrap_or(0) * u128::from(self.price);
        units.max(limited(self.revenue_left).unwrap_or(0))
    }

    /// Gives back what is left of the license's part of shared caps; it keeps nothing of it.
    pub fn give_back(&mut self, caps: &Caps) -> Result<Quota> {
        require!(self.holds_quota == 1, PaymentsError::NoQuota);
        self.holds_quota = 0;
        let mut left = Quota::default();
        if caps.total_units.is_some() {
            left.units = std::mem::take(&mut self.units_left);
        }
        if caps.revenue.is_some() {
            left.revenue = std::mem::take(&mut self.revenue_left);
        }
        Ok(left)
    }

    /// Fits `units` into the days begun since the last settlement, earliest first; returns
    /// today and how much of it is then used. Over any number of days at most that many daily
    /// caps are used, however settlements fall.
    fn use_days(&self, units: u64, now: i64) -> Result<(u32, u64)> {
        if self.daily_units == Self::UNLIMITED {
            return Ok((self.day, self.units_today));
        }
        let today = day_of(now).max(self.day); // a clock that steps back opens no new day
        let earlier_days = u64::from(today - self.day);
        if earlier_days == 0 {
            let used =
                self.units_today.checked_add(units).ok_or(PaymentsError::DailyCapExceeded)?;
            require!(used <= self.daily_units, PaymentsError::DailyCapExceeded);
            return Ok((today, used));
        }
        let room_before =
            u128::from(earlier_days) * u128::from(self.daily_units) - u128::from(self.units_today); // `units_today <= daily_units`
        let used_today = u128::from(units).saturating_sub(room_before);
        require!(used_today <= u128::from(self.daily_units), PaymentsError::DailyCapExceeded);
        Ok((today, used_today as u64)) // at most `daily_units`
    }
}

/// The UTC day an instant falls on; instants before 1970 fall on day 0.
pub fn day_of(now: i64) -> u32 {
    u32::try_from(now.max(0) / License::SECONDS_PER_DAY).unwrap_or(u32::MAX)
}

/// What is left of an allowance, or `None` when it is too small.
fn spend(left: u64, amount: u64) -> Option<u64> {
    if left == License::UNLIMITED { Some(left) } else { left.checked_sub(amount) }
}

// The layout is a promise to every account already on chain.
const _: () = assert!(License::SIZE == 128);

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = License::SECONDS_PER_DAY;

    fn license() -> License {
        License {
            price: 7,
            units_left: License::UNLIMITED,
            daily_units: License::UNLIMITED,
            revenue_left: License::UNLIMITED,
            expires_at: i64::MAX,
            ..License::zeroed()
        }
    }

    #[test]
    fn units_are_charged_at_the_price_after_the_free_ones() {
        let mut license = License { free_units_left: 3, ..license() };
        assert_eq!(license.charge(2, 0), Ok(0));
        assert_eq!(license.charge(2, 0), Ok(7));
        assert_eq!(license.charge(2, 0), Ok(14));
        assert_eq!((license.units, license.settled), (6, 21));
    }

    #[test]
    fn the_last_second_of_a_license_still_counts() {
        let mut license = License { expires_at: 10, ..license() };
        assert_eq!(license.charge(1, 10), Ok(7));
        assert_eq!(license.charge(1, 11), Err(PaymentsError::LicenseExpired.into()));
    }

    #[test]
    fn each_cap_refuses_the_first_unit_above_it_and_changes_nothing() {
        let capped = [
            (License { units_left: 5, ..license() }, PaymentsError::UnitCapExceeded),
            (License { revenue_left: 35, ..license() }, PaymentsError::RevenueCapExceeded),
            (License { daily_units: 5, ..license() }, PaymentsError::DailyCapExceeded),
        ];
        for (mut license, error) in capped {
            assert_eq!(license.charge(5, 0), Ok(35));
            let before = license;
            assert_eq!(license.charge(1, 0), Err(error.into()));
            assert_eq!(license, before);
        }
    }

    #[test]
    fn overflowing_price_is_rejected() {
        let mut license = License { price: u64::MAX, ..license() };
        assert_eq!(license.charge(2, 0), Err(PaymentsError::Overflow.into()));
    }

    #[test]
    fn days_begun_since_the_last_settlement_share_its_units() {
        let mut license = License { daily_units: 10, ..license() };
        assert!(license.charge(4, 0).is_ok());
        // Two later days and what is left of the first: 6 + 10 + 10.
        assert_eq!(license.charge(27, 2 * DAY), Err(PaymentsError::DailyCapExceeded.into()));
        assert!(license.charge(26, 2 * DAY).is_ok());
        assert_eq!(license.charge(1, 3 * DAY - 1), Err(PaymentsError::DailyCapExceeded.into()));
        assert!(license.charge(1, 3 * DAY).is_ok());
    }

    #[test]
    fn clock_step_back_opens_no_day() {
        let mut license = License { daily_units: 10, day: 5, ..license() };
        assert!(license.charge(10, 5 * DAY).is_ok());
        assert_eq!(license.charge(1, 4 * DAY), Err(PaymentsError::DailyCapExceeded.into()));
        assert_eq!(license.charge(1, i64::MIN), Err(PaymentsError::DailyCapExceeded.into()));
    }

    #[test]
    fn a_quota_is_given_back_once_and_only_what_is_left_of_it() {
        let caps = Caps { total_units: Some(10), ..Caps::default() };
        let mut license = License { units_left: 6, holds_quota: 1, ..license() };
        assert!(license.charge(2, 0).is_ok());
        assert_eq!(license.give_back(&caps), Ok(Quota { units: 4, revenue: 0 }));
        assert_eq!(license.give_back(&caps), Err(PaymentsError::NoQuota.into()));
        assert_eq!(license.charge(1, 0), Err(PaymentsError::UnitCapExceeded.into()));
    }

    #[test]
    fn collecting_takes_what_is_new_once() {
        let mut license = license();
        assert!(license.charge(2, 0).is_ok());
        assert_eq!((license.collect(), license.collect()), (14, 0));
    }
}
