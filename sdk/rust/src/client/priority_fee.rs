use std::{fmt, str::FromStr};

use super::ComputeBudget;

/// Policy for the priority fee of transactions. Text form: `off`, a price in micro-lamports per
/// compute unit such as `5000`, or a percentile such as `p50`.
///
/// Every attempt at the same transaction raises the fee: twofold, fourfold from
/// [`Attempt::STEEP_SECONDS`] before its deadline on, and to the cap from [`Attempt::LAST_SECONDS`]
/// before it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriorityFee {
    /// No priority fee.
    Off,
    /// Price of a compute unit, micro-lamports. Raised to at most
    /// [`PriorityFee::MAX_FIXED_FACTOR`] times.
    Fixed(u64),
    /// Percentile of what recent blocks charged for the accounts that the transaction writes.
    Percentile {
        /// 1 to 100.
        percentile: u8,
        /// Minimum priority fee of a transaction, lamports.
        floor: u64,
        /// Maximum priority fee of a transaction, lamports, all raises included.
        cap: u64,
    },
}

/// Position of a transaction in a series of attempts at the same effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Number of earlier attempts.
    pub earlier: u32,
    /// Seconds until the transaction is of no use; `None` without a deadline.
    pub seconds_left: Option<i64>,
}

/// Error returned when a text is no priority fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `off`, a price in micro-lamports per compute unit such as `5000`, or a percentile \
     such as `p50`"
)]
pub struct InvalidPriorityFee;

impl Attempt {
    /// Time before the deadline from which raises are fourfold, seconds.
    pub const STEEP_SECONDS: i64 = 600;
    /// Time before the deadline from which the cap is paid, seconds.
    pub const LAST_SECONDS: i64 = 120;

    fn is_within(&self, seconds: i64) -> bool {
        self.seconds_left.is_some_and(|left| left < seconds)
    }

    /// Returns the factor on the first attempt's price.
    fn factor(&self) -> u64 {
        let each: u64 = if self.is_within(Self::STEEP_SECONDS) { 4 } else { 2 };
        each.saturating_pow(self.earlier)
    }
}

impl PriorityFee {
    /// Default of [`PriorityFee::Percentile::cap`], lamports.
    pub const DEFAULT_CAP: u64 = 100_000;
    /// Maximum raise of [`PriorityFee::Fixed`].
    pub const MAX_FIXED_FACTOR: u64 = 64;
    /// Minimum of a raised fee, lamports, so that a fee of zero can be raised.
    const FIRST_RAISE: u64 = 500;

    /// Returns whether [`PriorityFee::price`] depends on recent fees.
    pub fn needs_recent_fees(&self) -> bool {
        matches!(self, Self::Percentile { .. })
    }

    /// Returns the price of a compute unit for a transaction of `units` units, micro-lamports.
    /// `recent` are the prices that recent blocks charged.
    pub fn price(&self, recent: &[u64], units: u32, attempt: Attempt) -> u64 {
        match *self {
            Self::Off => 0,
            Self::Fixed(price) => {
                let is_last = attempt.is_within(Attempt::LAST_SECONDS);
                let factor = if is_last { Self::MAX_FIXED_FACTOR } else { attempt.factor() };
                price.saturating_mul(factor.min(Self::MAX_FIXED_FACTOR))
            }
            Self::Percentile { percentile, cap, .. } => {
                let cap = price_of(cap, units);
                if attempt.is_within(Attempt::LAST_SECONDS) {
                    return cap;
                }
                let base = percentile_of(recent, percentile).max(self.floor_price(units));
                let base = match attempt.earlier {
                    0 => base,
                    _ => base.max(price_of(Self::FIRST_RAISE, units)),
                };
                base.saturating_mul(attempt.factor()).min(cap)
            }
        }
    }

    /// Returns the maximum priority fee of a first attempt, lamports.
    pub fn most_lamports(&self) -> u64 {
        match *self {
            Self::Off => 0,
            Self::Fixed(price) => {
                ComputeBudget { units: ComputeBudget::MAX_UNITS, price }.lamports()
            }
            Self::Percentile { cap, .. } => cap,
        }
    }

    /// Returns the lowest price that the policy pays, micro-lamports.
    pub fn floor_price(&self, units: u32) -> u64 {
        match *self {
            Self::Off => 0,
            Self::Fixed(price) => price,
            Self::Percentile { floor, cap, .. } => price_of(floor.min(cap), units),
        }
    }
}

impl Default for PriorityFee {
    /// Median of recent fees, at most [`PriorityFee::DEFAULT_CAP`].
    fn default() -> Self {
        Self::Percentile { percentile: 50, floor: 0, cap: Self::DEFAULT_CAP }
    }
}

impl FromStr for PriorityFee {
    type Err = InvalidPriorityFee;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let Some(percentile) = text.strip_prefix('p') else {
            return text.parse().map(Self::Fixed).map_err(|_| InvalidPriorityFee);
        };
        let percentile = percentile.parse().ok().filter(|percent| (1..=100).contains(percent));
        let percentile = percentile.ok_or(InvalidPriorityFee)?;
        Ok(Self::Percentile { percentile, floor: 0, cap: Self::DEFAULT_CAP })
    }
}

impl fmt::Display for PriorityFee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::Fixed(price) => write!(formatter, "{price}"),
            Self::Percentile { percentile, .. } => write!(formatter, "p{percentile}"),
        }
    }
}

/// Returns the highest price at which `units` compute units cost at most `lamports`.
fn price_of(lamports: u64, units: u32) -> u64 {
    let micro = u128::from(lamports) * 1_000_000; // below 2^84
    u64::try_from(micro / u128::from(units.max(1))).unwrap_or(u64::MAX)
}

/// Returns the smallest of `recent` that at least `percentile` percent do not exceed; 0 if there
/// are none.
fn percentile_of(recent: &[u64], percentile: u8) -> u64 {
    let mut sorted = recent.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * usize::from(percentile)).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: u32 = 10_000;

    fn percentile(percentile: u8, floor: u64, cap: u64) -> PriorityFee {
        PriorityFee::Percentile { percentile, floor, cap }
    }

    fn attempt(earlier: u32, seconds_left: Option<i64>) -> Attempt {
        Attempt { earlier, seconds_left }
    }

    #[test]
    fn policy_parses_and_prints() {
        for text in ["off", "0", "5000", "p1", "p50", "p100"] {
            assert_eq!(text.parse::<PriorityFee>().unwrap().to_string(), text);
        }
        for wrong in ["", "on", "p", "p0", "p101", "-1", "1.5", "P50", "p 5"] {
            assert_eq!(wrong.parse::<PriorityFee>(), Err(InvalidPriorityFee), "{wrong}");
        }
    }

    #[test]
    fn price_is_percentile_within_bounds() {
        let recent: Vec<u64> = (1..=100).rev().map(|price| price * 1_000).collect();
        let price = |policy: PriorityFee| policy.price(&recent, UNITS, Attempt::default());
        assert_eq!(price(percentile(50, 0, 1_000_000)), 50_000);
        assert_eq!(price(percentile(75, 0, 1_000_000)), 75_000);
        assert_eq!(price(percentile(100, 0, 1_000_000)), 100_000);
        let lamports = |price| ComputeBudget { units: UNITS, price }.lamports();
        assert_eq!(lamports(price(percentile(50, 900, 1_000_000))), 900);
        assert_eq!(lamports(price(percentile(50, 0, 30))), 30);
        assert_eq!(percentile(50, 0, 30).price(&[], UNITS, Attempt::default()), 0);
    }

    #[test]
    fn raised_fee_stays_below_cap() {
        let policy = percentile(50, 0, 20_000);
        let lamports = |earlier, left| {
            let price = policy.price(&[], UNITS, attempt(earlier, left));
            ComputeBudget { units: UNITS, price }.lamports()
        };
        let fees: Vec<_> = (0..8).map(|earlier| lamports(earlier, None)).collect();
        assert_eq!(fees, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        let steep: Vec<_> = (0..4).map(|earlier| lamports(earlier, Some(599))).collect();
        assert_eq!(steep, [0, 2_000, 8_000, 20_000]);
        assert_eq!(lamports(0, Some(119)), 20_000);
        assert_eq!(lamports(u32::MAX, None), 20_000);
    }

    #[test]
    fn fixed_price_is_raised_within_factor() {
        let price =
            |earlier, left| PriorityFee::Fixed(10).price(&[], UNITS, attempt(earlier, left));
        assert_eq!((price(0, None), price(2, None), price(99, None)), (10, 40, 640));
        assert_eq!((price(1, Some(300)), price(0, Some(0))), (40, 640));
        assert_eq!(PriorityFee::Off.price(&[9], UNITS, attempt(9, Some(0))), 0);
    }
}
