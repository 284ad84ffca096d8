//! Shares of integers, in integers too wide to overflow.

/// The whole in basis points.
pub const WHOLE: u128 = 10_000;

/// Returns `bps` of `total`, base units, rounded down.
pub fn share(total: u128, bps: u16) -> u128 {
    let (wholes, rest) = (total / WHOLE, total % WHOLE);
    wholes * u128::from(bps) + rest * u128::from(bps) / WHOLE
}

/// Returns whether a total fits 64 bits.
pub fn fits(total: u128) -> bool {
    total <= u128::from(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_never_rounded_up() {
        assert_eq!([share(0, 10_000), share(1, 9_999), share(3, 3_334)], [0, 0, 1]);
        assert_eq!(share(u128::from(u64::MAX), 10_000), u128::from(u64::MAX));
    }
}
