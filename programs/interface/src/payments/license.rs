use bytemuck::{Pod, Zeroable};
use solana_pubkey::Pubkey;

use super::{PaymentsError, Quota};
use crate::{licensing::Caps, require};

/// One accepted use of one version of a work's terms: a fixed-size entry of a channel.
///
/// Acceptance copies everything that a settlement needs of the terms, so settling reads no other
/// account and accepted terms cannot get worse.
///
/// Invariant: `settled >= collected`.
#[cfg_attr(feature = "idl-build", anchor_lang::zero_copy)]
#[cfg_attr(not(feature = "idl-build"), derive(Clone, Copy, Pod, Zeroable), repr(C))]
#[derive(Debug, PartialEq, Eq)]
pub struct License {
    /// Licensed work.
    pub work: Pubkey,
    /// Number of the accepted terms.
    pub terms_number: u32,
    /// `licensing::Use` as its byte.
    pub licensed_use: u8,
    /// `licensing::Unit` as its byte.
    pub unit: u8,
    /// 1 while the license holds a quota of shared caps.
    pub holds_quota: u8,
    /// Zero.
    pub reserved: u8,
    /// UTC day (unix seconds / 86,400) of `units_today`.
    pub day: u32,
    /// Minimum notice before a withdrawal of the work ends the license.
    pub notice_seconds: u32,
    /// Price of one unit, base units of the channel's mint.
    pub price: u64,
    /// Amount earmarked for each unit of a quota: the highest price of the terms, and at least 1
    /// base unit; 0 without a quota of units.
    pub quota_price: u64,
    /// Units settled since acceptance, free ones included.
    pub units: u64,
    /// Free units left.
    pub free_units_left: u64,
    /// Units left; [`License::UNLIMITED`] without a cap.
    pub units_left: u64,
    /// Maximum units per day; [`License::UNLIMITED`] without a cap.
    pub daily_units: u64,
    /// Units settled for `day`.
    pub units_today: u64,
    /// Base units left to charge; [`License::UNLIMITED`] without a cap.
    pub revenue_left: u64,
    /// Last unix second of the license; `i64::MAX` for no expiry.
    pub expires_at: i64,
    /// Base units credited since acceptance: upfront fee and prices.
    pub settled: u64,
    /// Base units of `settled` that were moved to the work's earnings.
    pub collected: u64,
}

impl License {
    /// Bytes of a license.
    pub const SIZE: usize = size_of::<Self>();
    /// Value of a limit without a cap.
    pub const UNLIMITED: u64 = u64::MAX;
    /// Length of a day.
    pub const SECONDS_PER_DAY: i64 = 86_400;

    /// Charges `units` at `now`, unix seconds: enforces expiry and caps, and credits the license. The
    /// license is unchanged on error.
    ///
    /// # Errors
    /// [`PaymentsError::LicenseExpired`], [`PaymentsError::UnitCapExceeded`],
    /// [`PaymentsError::RevenueCapExceeded`], [`PaymentsError::DailyCapExceeded`],
    /// [`PaymentsError::Overflow`].
    #[inline(always)]
    pub fn charge(&mut self, units: u32, now: i64) -> Result<Charge, PaymentsError> {
        require!(now <= self.expires_at, PaymentsError::LicenseExpired);
        let units = u64::from(units);
        let units_left = spend(self.units_left, units).ok_or(PaymentsError::UnitCapExceeded)?;
        let free = units.min(self.free_units_left);
        let price = price_of(units - free, self.price).ok_or(PaymentsError::Overflow)?;
        let revenue_left =
            spend(self.revenue_left, price).ok_or(PaymentsError::RevenueCapExceeded)?;
        let (day, units_today) = self.use_days(units, now)?;
        let total = self.units.checked_add(units).ok_or(PaymentsError::Overflow)?;
        let settled = self.settled.checked_add(price).ok_or(PaymentsError::Overflow)?;

        let earmark = self.earmark();
        self.units_left = units_left;
        self.free_units_left -= free;
        self.revenue_left = revenue_left;
        (self.day, self.units_today) = (day, units_today);
        self.units = total;
        self.settled = settled;
        Ok(Charge { price, released: earmark - self.earmark() }) // what is left never grows
    }

    /// Credits the upfront fee.
    ///
    /// # Errors
    /// [`PaymentsError::Overflow`].
    pub fn credit_upfront(&mut self, fee: u64) -> Result<(), PaymentsError> {
        self.settled = self.settled.checked_add(fee).ok_or(PaymentsError::Overflow)?;
        Ok(())
    }

    /// Marks all credit as collected and returns the new part, base units.
    pub fn collect(&mut self) -> u64 {
        let new = self.settled - self.collected; // `settled >= collected`
        self.collected = self.settled;
        new
    }

    /// Returns the part of the deposit that is earmarked for the license's unused quota, base units
    /// without the operator's fee; 0 without a quota.
    ///
    /// It is at least the price of everything that the quota can still be charged: `quota_price` is
    /// at least `price`, so that a charge releases at least its price.
    #[inline(always)]
    pub fn earmark(&self) -> u64 {
        if self.holds_quota == 0 {
            return 0;
        }
        // `Quota::worth` has excluded an overflow; what is left never grows.
        let units = price_of(self.units_left, self.quota_price).unwrap_or(u64::MAX);
        let revenue = if self.revenue_left == Self::UNLIMITED { 0 } else { self.revenue_left };
        units.max(revenue)
    }

    /// Removes the unused quota from the license and returns it.
    ///
    /// # Errors
    /// [`PaymentsError::NoQuota`].
    pub fn release_quota(&mut self, caps: &Caps) -> Result<Quota, PaymentsError> {
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

    /// Distributes `units` over the days since the last settlement, earliest first; returns today
    /// and the units used of it. Over any number of days, at most as many daily caps are used,
    /// regardless of the times of settlements.
    fn use_days(&self, units: u64, now: i64) -> Result<(u32, u64), PaymentsError> {
        if self.daily_units == Self::UNLIMITED {
            return Ok((self.day, self.units_today));
        }
        let today = day_of(now).max(self.day); // a clock that steps back starts no new day
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

/// Result of [`License::charge`], base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Price of the units.
    pub price: u64,
    /// Part of the license's earmark that is no longer needed; at least `price` if the license
    /// holds a quota, otherwise 0.
    pub released: u64,
}

/// Returns the price of units, base units; `None` if it overflows.
fn price_of(units: u64, price: u64) -> Option<u64> {
    const LIMIT: u64 = 1 << 32;
    if units < LIMIT && price < LIMIT {
        // Cannot overflow; on chain, a checked multiplication costs ten times as much.
        Some(units.wrapping_mul(price))
    } else {
        units.checked_mul(price)
    }
}

/// Returns the UTC day of `now`, unix seconds; day 0 for times before 1970.
pub fn day_of(now: i64) -> u32 {
    u32::try_from(now.max(0) / License::SECONDS_PER_DAY).unwrap_or(u32::MAX)
}

/// Returns the rest of an allowance, or `None` if it is too small.
fn spend(left: u64, amount: u64) -> Option<u64> {
    if left == License::UNLIMITED { Some(left) } else { left.checked_sub(amount) }
}

// The layout of existing accounts never changes.
const _: () = assert!(License::SIZE == 136);

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

    fn price(license: &mut License, units: u32, now: i64) -> Result<u64, PaymentsError> {
        license.charge(units, now).map(|charge| charge.price)
    }

    #[test]
    fn free_units_are_used_before_charging() {
        let mut license = License { free_units_left: 3, ..license() };
        assert_eq!(price(&mut license, 2, 0), Ok(0));
        assert_eq!(price(&mut license, 2, 0), Ok(7));
        assert_eq!(price(&mut license, 2, 0), Ok(14));
        assert_eq!((license.units, license.settled), (6, 21));
    }

    #[test]
    fn license_is_valid_in_its_last_second() {
        let mut license = License { expires_at: 10, ..license() };
        assert_eq!(price(&mut license, 1, 10), Ok(7));
        assert_eq!(price(&mut license, 1, 11), Err(PaymentsError::LicenseExpired));
    }

    #[test]
    fn unit_above_cap_changes_nothing() {
        let capped = [
            (License { units_left: 5, ..license() }, PaymentsError::UnitCapExceeded),
            (License { revenue_left: 35, ..license() }, PaymentsError::RevenueCapExceeded),
            (License { daily_units: 5, ..license() }, PaymentsError::DailyCapExceeded),
        ];
        for (mut license, error) in capped {
            assert_eq!(price(&mut license, 5, 0), Ok(35));
            let before = license;
            assert_eq!(price(&mut license, 1, 0), Err(error));
            assert_eq!(license, before);
        }
    }

    #[test]
    fn price_matches_checked_product() {
        let edges = [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX / 3, u64::MAX];
        for units in edges {
            for price in edges {
                assert_eq!(price_of(units, price), units.checked_mul(price), "{units} x {price}");
            }
        }
    }

    #[test]
    fn overflowing_price_is_rejected() {
        let mut license = License { price: u64::MAX, ..license() };
        assert_eq!(price(&mut license, 2, 0), Err(PaymentsError::Overflow));
    }

    #[test]
    fn units_spread_over_elapsed_days() {
        let mut license = License { daily_units: 10, ..license() };
        assert!(price(&mut license, 4, 0).is_ok());
        // Two later days and what is left of the first: 6 + 10 + 10.
        assert_eq!(price(&mut license, 27, 2 * DAY), Err(PaymentsError::DailyCapExceeded));
        assert!(price(&mut license, 26, 2 * DAY).is_ok());
        assert_eq!(price(&mut license, 1, 3 * DAY - 1), Err(PaymentsError::DailyCapExceeded));
        assert!(price(&mut license, 1, 3 * DAY).is_ok());
    }

    #[test]
    fn backward_clock_starts_no_new_day() {
        let mut license = License { daily_units: 10, day: 5, ..license() };
        assert!(price(&mut license, 10, 5 * DAY).is_ok());
        assert_eq!(price(&mut license, 1, 4 * DAY), Err(PaymentsError::DailyCapExceeded));
        assert_eq!(price(&mut license, 1, i64::MIN), Err(PaymentsError::DailyCapExceeded));
    }

    #[test]
    fn unused_quota_is_released_once() {
        let caps = Caps { total_units: Some(10), ..Caps::default() };
        let mut license = License { units_left: 6, holds_quota: 1, ..license() };
        assert!(price(&mut license, 2, 0).is_ok());
        assert_eq!(license.release_quota(&caps), Ok(Quota { units: 4, revenue: 0 }));
        assert_eq!(license.release_quota(&caps), Err(PaymentsError::NoQuota));
        assert_eq!(price(&mut license, 1, 0), Err(PaymentsError::UnitCapExceeded));
    }

    #[test]
    fn charge_releases_at_least_its_price() {
        let quota = License { holds_quota: 1, units_left: 10, quota_price: 9, ..license() };
        let cases = [
            (quota, 90, 18),
            (License { price: 0, ..quota }, 90, 18),
            (License { free_units_left: 10, ..quota }, 90, 18),
            (License { revenue_left: 1_000, ..quota }, 1_000, 14),
            (License { revenue_left: 80, ..quota }, 90, 18),
            (
                License {
                    units_left: License::UNLIMITED,
                    quota_price: 0,
                    revenue_left: 50,
                    ..quota
                },
                50,
                14,
            ),
        ];
        for (mut license, earmark, released) in cases {
            assert_eq!(license.earmark(), earmark);
            let charge = license.charge(2, 0).unwrap();
            assert_eq!((charge.released, license.earmark()), (released, earmark - released));
            assert!(charge.released >= charge.price);
        }
    }

    #[test]
    fn license_without_quota_has_no_earmark() {
        let mut license = License { units_left: 10, revenue_left: 70, ..license() };
        assert_eq!(license.earmark(), 0);
        assert_eq!(license.charge(2, 0), Ok(Charge { price: 14, released: 0 }));
    }

    #[test]
    fn new_credit_is_collected_once() {
        let mut license = license();
        assert!(price(&mut license, 2, 0).is_ok());
        assert_eq!((license.collect(), license.collect()), (14, 0));
    }
}
