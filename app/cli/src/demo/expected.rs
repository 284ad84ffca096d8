//! What everybody should get, worked out from the listed prices alone.
//!
//! Deliberately shares no code with the programs or the SDK: this is the other side of the
//! comparison.

/// The operator's fee, on top of prices.
pub const OPERATOR_FEE_BPS: u16 = 200;
/// The picture's part of what the style model earns.
pub const PARENT_SHARE_BPS: u16 = 2_000;
/// Each creator's part of what the picture earns.
pub const HALF_BPS: u16 = 5_000;

/// Base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What all generations cost, without the operator's fee.
    pub prices: u64,
    pub operator_fee: u64,
    /// Of the picture's earnings, for each of its two creators.
    pub half_of_picture: u64,
    /// Of the model's earnings, for the one who made it.
    pub model_maker: u64,
    /// What rounding down leaves in the vault, owed to no one yet.
    pub dust: u64,
}

impl Expected {
    /// `None` when the amounts are more than a channel can hold.
    pub fn of(generations: u32, price: u64) -> Option<Self> {
        let prices = price.checked_mul(u64::from(generations))?;
        let picture = share(prices, PARENT_SHARE_BPS);
        let half_of_picture = share(picture, HALF_BPS);
        let model_maker = share(prices, 10_000 - PARENT_SHARE_BPS);
        Some(Self {
            prices,
            operator_fee: share(prices, OPERATOR_FEE_BPS),
            half_of_picture,
            model_maker,
            dust: prices - model_maker - 2 * half_of_picture, // parts of `prices`
        })
    }

    /// What the platform owes in the end.
    pub fn owed(&self) -> Option<u64> {
        self.prices.checked_add(self.operator_fee)
    }
}

fn share(amount: u64, share_bps: u16) -> u64 {
    (u128::from(amount) * u128::from(share_bps) / 10_000) as u64 // at most `amount`
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_generations_at_a_tenth_of_a_cent() {
        let expected = Expected::of(1_000, 1_000).unwrap();
        let parts = (expected.prices, expected.model_maker, expected.half_of_picture);
        assert_eq!(parts, (1_000_000, 800_000, 100_000));
        assert_eq!((expected.operator_fee, expected.dust), (20_000, 0));
    }

    #[test]
    fn odd_prices_leave_dust() {
        let expected = Expected::of(1, 7).unwrap();
        assert_eq!((expected.model_maker, expected.half_of_picture, expected.dust), (5, 0, 2));
        assert_eq!(Expected::of(2, u64::MAX), None);
    }
}
