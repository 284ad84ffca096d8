use std::sync::LazyLock;

use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT, traits::Identity,
};

use super::digits::{Digits, NARROW, WIDE, Width};

/// Multiples of one point: with them a scalar's multiple is a sum of some fifty, looked up by its
/// digits, where it would take 256 doublings without.
///
/// How long that takes tells something of the scalar. Signatures are no secret.
pub struct Multiples {
    width: Width,
    /// For each place of a digit the point's multiples by one, two, ... half a digit's range.
    multiples: Box<[EdwardsPoint]>,
}

static OF_THE_BASE: LazyLock<Multiples> =
    LazyLock::new(|| Multiples::new(&ED25519_BASEPOINT_POINT, WIDE));

impl Multiples {
    /// Bytes of a key's.
    pub const SIZE: usize = NARROW.rows() * NARROW.half() * size_of::<EdwardsPoint>();

    /// Of a key's point. Takes about as long as verifying three signatures.
    pub fn of(point: &EdwardsPoint) -> Self {
        Self::new(point, NARROW)
    }

    fn new(point: &EdwardsPoint, width: Width) -> Self {
        let mut multiples = Vec::with_capacity(width.rows() * width.half());
        let mut first = *point;
        for _ in 0..width.rows() {
            let mut next = first;
            for _ in 0..width.half() {
                multiples.push(next);
                next += first;
            }
            for _ in 0..width.bits * width.step {
                first += first;
            }
        }
        Self { width, multiples: multiples.into() }
    }

    /// This point's multiple by a scalar, and the base point's by another, added.
    pub fn times_and_base_times(&self, scalar: &Scalar, base: &Scalar) -> EdwardsPoint {
        OF_THE_BASE.add_to(self.add_to(EdwardsPoint::identity(), scalar), base)
    }

    fn add_to(&self, mut sum: EdwardsPoint, scalar: &Scalar) -> EdwardsPoint {
        let (width, digits) = (self.width, self.width.digits_of(scalar));
        for offset in (1..width.step).rev() {
            let mut odd = EdwardsPoint::identity();
            self.add_places(&mut odd, &digits, offset);
            for _ in 0..width.bits * offset {
                odd += odd;
            }
            sum += odd;
        }
        self.add_places(&mut sum, &digits, 0);
        sum
    }

    /// Adds what the digits at every `step`th place say.
    fn add_places(&self, sum: &mut EdwardsPoint, digits: &Digits, offset: usize) {
        let width = self.width;
        let places = (offset..width.digits()).step_by(width.step);
        for (row, place) in self.multiples.chunks_exact(width.half()).zip(places) {
            let digit = digits[place];
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
    fn sizes_are_what_the_bounds_are_reckoned_with() {
        let point = Multiples::of(&ED25519_BASEPOINT_POINT);
        assert_eq!(size_of_val(&*point.multiples), Multiples::SIZE);
        assert_eq!(Multiples::SIZE, 65 << 10);
        assert_eq!(size_of_val(&*OF_THE_BASE.multiples), 640 << 10);
    }

    proptest! {
        #[test]
        fn multiples_are_those_of_the_curve(scalar: [u8; 32], base: [u8; 32], torsion in 0..8_usize) {
            let (scalar, base) =
                (Scalar::from_bytes_mod_order(scalar), Scalar::from_bytes_mod_order(base));
            let point = ED25519_BASEPOINT_POINT * Scalar::from(77_u64) + EIGHT_TORSION[torsion];
            for scalar in [scalar, Scalar::ZERO, Scalar::ONE, -Scalar::ONE] {
                let expected = point * scalar + ED25519_BASEPOINT_POINT * base;
                let multiples = Multiples::of(&point);
                prop_assert_eq!(multiples.times_and_base_times(&scalar, &base), expected);
            }
        }
    }
}
