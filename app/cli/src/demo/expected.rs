//! Expected amounts, from prices and shares alone.
//!
//! The arithmetic is written out: it shares none with the programs and the SDK, whose results are
//! compared with these.

use motif_sdk::bps::WHOLE_BPS;

/// Operator's fee on top of prices.
pub const OPERATOR_FEE_BPS: u16 = 200;
/// Picture's share of the style model's earnings.
pub const PARENT_SHARE_BPS: u16 = 2_000;
/// Each creator's share of the picture's earnings.
pub const HALF_BPS: u16 = 5_000;

/// Expected amounts, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Prices of all generations, without the operator's fee.
    pub prices: u64,
    pub operator_fee: u64,
    /// Each creator's part of the picture's earnings.
    pub half_of_picture: u64,
    /// Maker's part of the style model's earnings.
    pub model_maker: u64,
    /// Rest of rounding down, which stays in the vault.
    pub dust: u64,
}

impl Expected {
    /// Returns the expected amounts, or `None` if they overflow.
    pub fn new(generations: u32, price: u64) -> Option<Self> {
        let prices = price.checked_mul(u64::from(generations))?;
        let picture = share(prices, PARENT_SHARE_BPS);
        let half_of_picture = share(picture, HALF_BPS);
        let model_maker = share(prices, WHOLE_BPS - PARENT_SHARE_BPS);
        Some(Self {
            prices,
            operator_fee: share(prices, OPERATOR_FEE_BPS),
            half_of_picture,
            model_maker,
            dust: prices - model_maker - 2 * half_of_picture, // all parts of `prices`
        })
    }

    /// Returns what the platform owes in total, or `None` if it overflows.
    pub fn owed(&self) -> Option<u64> {
        self.prices.checked_add(self.operator_fee)
    }
}

fn share(amount: u64, share_bps: u16) -> u64 {
    (u128::from(amount) * u128::from(share_bps) / u128::from(WHOLE_BPS)) as u64 // at most `amount`
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousand_generations_are_split_exactly() {
        let expected = Expected::new(1_000, 1_000).unwrap();
        let parts = (expected.prices, expected.model_maker, expected.half_of_picture);
        assert_eq!(parts, (1_000_000, 800_000, 100_000));
        assert_eq!((expected.operator_fee, expected.dust), (20_000, 0));
    }

    #[test]
    fn odd_prices_leave_dust() {
        let expected = Expected::new(1, 7).unwrap();
        assert_eq!((expected.model_maker, expected.half_of_picture, expected.dust), (5, 0, 2));
        assert_eq!(Expected::new(2, u64::MAX), None);
    }
}
