//! Ratios in basis points, rounded down everywhere.

/// 100 percent in basis points.
pub const WHOLE_BPS: u16 = 10_000;

/// Returns `floor(amount * share_bps / 10_000)`, at most `amount` if `share_bps` is at most
/// [`WHOLE_BPS`].
///
/// Apply it to running totals: the floor of a growing total loses less than one base unit over
/// its lifetime, floors of single payments lose up to one each.
pub fn floor_share(amount: u64, share_bps: u16) -> u64 {
    debug_assert!(share_bps <= WHOLE_BPS);
    let (share, whole) = (u64::from(share_bps), u64::from(WHOLE_BPS));
    // Quotient and remainder separately: exact within 64 bits, and of constant cost on chain,
    // unlike a 128-bit division. Neither product overflows, as the share is at most the whole;
    // on chain, checking that would cost more than all the rest.
    let share = share.min(whole);
    (amount / whole).wrapping_mul(share) + (amount % whole).wrapping_mul(share) / whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_rounded_down() {
        assert_eq!(floor_share(3, 5_000), 1);
        assert_eq!(floor_share(9_999, 1), 0);
        assert_eq!(floor_share(10_000, 1), 1);
    }

    #[test]
    fn whole_of_largest_amount_is_exact() {
        assert_eq!(floor_share(u64::MAX, WHOLE_BPS), u64::MAX);
    }

    #[test]
    fn share_matches_wide_arithmetic() {
        let edges = [0, 1, 9_999, 10_000, 10_001, (1 << 53) + 1, u64::MAX / 2, u64::MAX - 1];
        for amount in edges.into_iter().chain([u64::MAX]) {
            for share_bps in 0..=WHOLE_BPS {
                let wide = u128::from(amount) * u128::from(share_bps) / u128::from(WHOLE_BPS);
                assert_eq!(u128::from(floor_share(amount, share_bps)), wide);
            }
        }
    }
}
