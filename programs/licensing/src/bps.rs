//! Ratios in basis points, and the one way this house rounds them: down.

/// The whole of anything, in basis points.
pub const WHOLE_BPS: u16 = 10_000;

/// `floor(amount * share_bps / 10_000)`; never more than `amount` for a ratio up to the whole.
///
/// Apply it to totals ever earned, never to one payment: the floor of a growing total loses
/// less than one base unit in a lifetime, floors of parts lose one each time.
pub fn floor_share(amount: u64, share_bps: u16) -> u64 {
    debug_assert!(share_bps <= WHOLE_BPS);
    let share = u128::from(amount) * u128::from(share_bps) / u128::from(WHOLE_BPS);
    share as u64 // at most `amount`, as the ratio is at most one
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
}
