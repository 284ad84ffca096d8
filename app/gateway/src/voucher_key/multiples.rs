use std::sync::LazyLock;

use curve25519_dalek::{
    EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT, traits::Identity,
};

/// Multiples of one point: with them a scalar's multiple is a sum of some fifty, looked up by its
/// digits, where it would take 256 doublings without.
///
/// How long that takes tells something of the scalar. Signatures are no secret.
pub struct Multiples {
    width: Width,
    /// For each place of a digit the point's multiples by one, two, ... half a digit's range.
    multiples: Box<[EdwardsPoint]>,
}

/// How many bits a digit has, and which places have multiples of their own.
#[derive(Clone, Copy)]
struct Width {
    bits: usize,
    /// Every place, or every second one: then the others' sum is doubled once a digit's bits.
    step: usize,
}

/// For keys, of which there are many: 65 KiB each.
const NARROW: Width = Width { bits: 5, step: 2 };
/// For the one point that everybody's signatures are about: 640 KiB.
const WIDE: Width = Width { bits: 8, step: 1 };

/// Scalars are below 2^253.
const SCALAR_BITS: usize = 254;
const MOST_DIGITS: usize = SCALAR_BITS.div_ceil(NARROW.bits);

static OF_THE_BASE: LazyLock<Multiples> =
    LazyLock::new(|| Multiples::new(&ED25519_BASEPOINT_POINT, WIDE));

impl Width {
    fn digits(self) -> usize {
        SCALAR_BITS.div_ceil(self.bits)
    }

    fn half(self) -> usize {
        1 << (self.bits - 1)
    }

    /// A scalar's digits, lowest first, each at most half of the range above or below zero.
    fn digits_of(self, scalar: &Scalar) -> [i16; MOST_DIGITS] {
        let mut bytes = [0; 36];
        bytes[..32].copy_from_slice(scalar.as_bytes());
        let (mut digits, mut carry) = ([0; MOST_DIGITS], 0);
        for (place, digit) in digits.iter_mut().enumerate().take(self.digits()) {
            let (byte, bit) = (place * self.bits / 8, place * self.bits % 8);
            let two = u32::from(bytes[byte]) | u32::from(bytes[byte + 1]) << 8;
            let value = (two >> bit & ((1 << self.bits) - 1)) as i16 + carry;
            carry = i16::from(value > self.half() as i16);
            *digit = value - (carry << self.bits);
        }
        digits
    }
}

impl Multiples {
    /// Bytes of a key's.
    pub const SIZE: usize = NARROW_POINTS * size_of::<EdwardsPoint>();

    /// Of a key's point. Takes about as long as verifying three signatures.
    pub fn of(point: &EdwardsPoint) -> Self {
        Self::new(point, NARROW)
    }

    fn new(point: &EdwardsPoint, width: Width) -> Self {
        let rows = width.digits().div_ceil(width.step);
        let mut multiples = Vec::with_capacity(rows * width.half());
        let mut first = *point;
        for _ in 0..rows {
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
    fn add_places(&self, sum: &mut EdwardsPoint, digits: &[i16; MOST_DIGITS], offset: usize) {
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

const NARROW_POINTS: usize =
    SCALAR_BITS.div_ceil(NARROW.bits).div_ceil(NARROW.step) << (NARROW.bits - 1);

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
