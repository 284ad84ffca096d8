use std::sync::LazyLock;

use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT, traits::Identity,
};

use crate::digits::{Digits, NARROW, WIDE, Window};

/// Lookup table of one point's multiples. A scalar multiplication with it is a sum of about 50
/// points, selected by the scalar's digits, instead of about 256 doublings.
///
/// The running time depends on the scalar, which is no secret in a verification.
pub struct Table {
    window: Window,
    /// Rows of the point's multiples by 1, 2, ... [`Window::max_digit`].
    multiples: Box<[EdwardsPoint]>,
}

static BASE_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::with_window(&ED25519_BASEPOINT_POINT, WIDE));

impl Table {
    /// Size of a public key's table in bytes.
    pub const SIZE: usize = NARROW.rows() * NARROW.max_digit() * size_of::<EdwardsPoint>();

    /// Builds the table of a public key's point. Takes about as long as three verifications.
    pub fn new(point: &EdwardsPoint) -> Self {
        Self::with_window(point, NARROW)
    }

    fn with_window(point: &EdwardsPoint, window: Window) -> Self {
        let mut multiples = Vec::with_capacity(window.rows() * window.max_digit());
        let mut first = *point;
        for _ in 0..window.rows() {
            let mut next = first;
            for _ in 0..window.max_digit() {
                multiples.push(next);
                next += first;
            }
            for _ in 0..window.bits * window.step {
                first += first;
            }
        }
        Self { window, multiples: multiples.into() }
    }

    /// Returns `scalar` times this point plus `base_scalar` times the base point.
    pub fn double_scalar_mul(&self, scalar: &Scalar, base_scalar: &Scalar) -> EdwardsPoint {
        BASE_TABLE.add_product(self.add_product(EdwardsPoint::identity(), scalar), base_scalar)
    }

    fn add_product(&self, mut sum: EdwardsPoint, scalar: &Scalar) -> EdwardsPoint {
        let (window, digits) = (self.window, self.window.digits_of(scalar));
        for offset in (1..window.step).rev() {
            let mut odd = EdwardsPoint::identity();
            self.add_positions(&mut odd, &digits, offset);
            for _ in 0..window.bits * offset {
                odd += odd;
            }
            sum += odd;
        }
        self.add_positions(&mut sum, &digits, 0);
        sum
    }

    /// Adds the multiples selected by every `step`th digit from `offset` on.
    fn add_positions(&self, sum: &mut EdwardsPoint, digits: &Digits, offset: usize) {
        let window = self.window;
        let positions = (offset..window.digits()).step_by(window.step);
        for (row, position) in self.multiples.chunks_exact(window.max_digit()).zip(positions) {
            let digit = digits[position];
            match usize::from(digit.unsigned_abs()).checked_sub(1) {
                Some(multiple) if digit > 0 => *sum += &row[multiple],
                Some(multiple) => *sum -= &row[multiple],
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table_sizes_match_documentation() {
        let table = Table::new(&ED25519_BASEPOINT_POINT);
        assert_eq!(size_of_val(&*table.multiples), Table::SIZE);
        assert_eq!(Table::SIZE, 65 << 10);
        assert_eq!(size_of_val(&*BASE_TABLE.multiples), 640 << 10);
    }

    proptest! {
        #[test]
        fn product_equals_that_of_dalek(scalar: [u8; 32], base: [u8; 32], torsion in 0..8_usize) {
            let (scalar, base) =
                (Scalar::from_bytes_mod_order(scalar), Scalar::from_bytes_mod_order(base));
            let point = ED25519_BASEPOINT_POINT * Scalar::from(77_u64) + EIGHT_TORSION[torsion];
            for scalar in [scalar, Scalar::ZERO, Scalar::ONE, -Scalar::ONE] {
                let expected = point * scalar + ED25519_BASEPOINT_POINT * base;
                let table = Table::new(&point);
                prop_assert_eq!(table.double_scalar_mul(&scalar, &base), expected);
            }
        }
    }
}
