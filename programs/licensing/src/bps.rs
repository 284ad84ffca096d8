//! Ratios in basis points, and the one way this house rounds them: down.

/// The whole of anything, in basis points.
pub const WHOLE_BPS: u16 = 10_000;

/// `floor(amount * share_bps / 10_000)`; never more than `amount` for a ratio up to the whole.
///
/// Apply it to totals ever earned, never to one payment: the floor of a growing total loses
/// less than one base unit in a lifetime, floors of parts lose one each time.
pub fn floor_share(amount: u64, share_bps: u16) -> u64 {
    debug_assert!(share_bps <= WHOLE_BPS);
    let (share, whole) = (u64::from(share_bps), u64::from(WHOLE_BPS));
    // Whole parts and rest apart: exact, within 64 bits, and on chain at one cost for every
    // amount, which a 128-bit division has not.
    (amount / whole) * share + (amount % whole) * share / whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(floor_share(3, 5_000), 1);
        assert_eq!(floor_share(9_999, 1), 0);
        assert_eq!(floor_share(10_000, 1), 1);
    }

    #[test]
    fn the_whole_of_the_largest_amount_is_that_amount() {
        assert_eq!(floor_share(u64::MAX, WHOLE_BPS), u64::MAX);
    }

    #[test]
    fn a_share_is_what_wide_arithmetic_says_for_every_ratio() {
        let edges = [0, 1, 9_999, 10_000, 10_001, (1 << 53) + 1, u64::MAX / 2, u64::MAX - 1];
        for amount in edges.into_iter().chain([u64::MAX]) {
            for share_bps in 0..=WHOLE_BPS {
                let wide = u128::from(amount) * u128::from(share_bps) / u128::from(WHOLE_BPS);
                assert_eq!(u128::from(floor_share(amount, share_bps)), wide);
            }
        }
    }
}
