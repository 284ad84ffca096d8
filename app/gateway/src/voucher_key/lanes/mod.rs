//! Eight multiples of eight points side by side, by the instructions of AVX-512 that multiply 52 bits.
//!
//! Takes a ninth of what one after the other takes, because each instruction does for all what
//! each needs, and all need the same: additions of points that were looked up.

mod elements;
mod points;

use std::sync::LazyLock;

use curve25519_dalek::{EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT};

use super::digits::{Digits, NARROW, WIDE, Width};
use points::{Addend, Addends, Points};

/// That this processor has the instructions.
#[derive(Clone, Copy)]
pub struct Lanes {
    of_the_base: &'static Multiples,
}

/// As [`super::multiples::Multiples`], to be added side by side.
pub struct Multiples {
    width: Width,
    /// For each place of a digit the point's multiples by zero, one, two, ... half a digit's range.
    addends: Box<[Addend]>,
}

/// How many places ahead addends are asked for: many keys' are in no cache, and while memory is
/// waited for so many places can be added.
const AHEAD: usize = 4;

/// One lane's question: a point's multiple by a scalar, and the base point's by another, added.
pub type Term<'a> = (&'a Multiples, &'a Scalar, &'a Scalar);

impl Lanes {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// `None` where the processor does not have them.
    pub fn get() -> Option<Self> {
        static OF_THE_BASE: LazyLock<Option<Multiples>> = LazyLock::new(|| {
            let has_them = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512ifma");
            // SAFETY: the processor has just said that it has what the function is compiled for.
            has_them.then(|| unsafe { Multiples::new(&ED25519_BASEPOINT_POINT, WIDE) })
        });
        OF_THE_BASE.as_ref().map(|of_the_base| Self { of_the_base })
    }

    /// Of a key's point. Takes about as long as verifying three signatures one after the other.
    pub fn multiples(self, point: &EdwardsPoint) -> Multiples {
        // SAFETY: there is a `Lanes` only where the processor has what the function is compiled for.
        unsafe { Multiples::new(point, NARROW) }
    }

    /// The terms' sums, compressed.
    pub fn sums(self, terms: [Term<'_>; Self::COUNT]) -> [[u8; 32]; Self::COUNT] {
        // SAFETY: there is a `Lanes` only where the processor has what the function is compiled for.
        unsafe { sums(self.of_the_base, terms) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sums(of_the_base: &Multiples, terms: [Term<'_>; Lanes::COUNT]) -> [[u8; 32]; Lanes::COUNT] {
    let (points, base) = (terms.map(|term| term.0), [of_the_base; Lanes::COUNT]);
    let sum = add(points, terms.map(|term| term.1), Points::identity());
    add(base, terms.map(|term| term.2), sum).compressed()
}

/// Adds each point's multiple by its scalar. All have the same width.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add(points: [&Multiples; Lanes::COUNT], scalars: [&Scalar; 8], mut sum: Points) -> Points {
    let width = points[0].width;
    let digits = scalars.map(|scalar| width.digits_of(scalar));
    // Begins with the identity where there is more than one step, so that is all that is doubled.
    for offset in (1..width.step).rev() {
        sum = add_places(points, &digits, offset, sum).doubled_often(width.bits * offset);
    }
    add_places(points, &digits, 0, sum)
}

/// Adds what the digits at every `step`th place say.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_places(
    points: [&Multiples; Lanes::COUNT],
    digits: &[Digits; Lanes::COUNT],
    offset: usize,
    mut sum: Points,
) -> Points {
    let width = points[0].width;
    let places = || (offset..width.digits()).step_by(width.step).enumerate();
    let looked_up = |lane: usize, row: usize, place: usize| {
        let multiple = usize::from(digits[lane][place].unsigned_abs());
        &points[lane].addends[row * Multiples::row_length(width) + multiple]
    };
    let mut ahead = places();
    let mut fetch_next = || {
        if let Some((row, place)) = ahead.next() {
            (0..Lanes::COUNT).for_each(|lane| looked_up(lane, row, place).fetch());
        }
    };
    (0..AHEAD).for_each(|_| fetch_next());
    for (row, place) in places() {
        fetch_next();
        let mut negative = 0;
        let mut addends = [&points[0].addends[0]; Lanes::COUNT];
        for (lane, addend) in addends.iter_mut().enumerate() {
            negative |= u8::from(digits[lane][place] < 0) << lane;
            *addend = looked_up(lane, row, place);
        }
        sum = sum.plus(&Addends::gathered(addends).negated(negative));
    }
    sum
}

impl Multiples {
    const fn row_length(width: Width) -> usize {
        width.half() + 1
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(point: &EdwardsPoint, width: Width) -> Self {
        let length = Self::row_length(width);
        let [zero, ..] = Addends::identity().parted();
        let mut addends = vec![zero; width.rows() * length].into_boxed_slice();
        let mut first = Points::read(point.compress().as_bytes());
        // Eight rows side by side.
        for rows in addends.chunks_mut(Lanes::COUNT * length) {
            let mut firsts = first;
            for lane in 0..Lanes::COUNT {
                firsts = firsts.or(&first, 1 << lane);
                first = first.doubled_often(width.bits * width.step);
            }
            let each = Points::to_addends(&[firsts])[0];
            let mut multiples = Vec::with_capacity(width.half());
            for _ in 0..width.half() {
                multiples.push(multiples.last().unwrap_or(&Points::identity()).plus(&each));
            }
            for (multiple, addends) in (1..).zip(Points::to_addends(&multiples)) {
                for (row, addend) in rows.chunks_exact_mut(length).zip(addends.parted()) {
                    row[multiple] = addend;
                }
            }
        }
        Self { width, addends }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use proptest::{array::uniform8, prelude::*};

    use super::*;
    use crate::voucher_key::multiples;

    fn scalars() -> impl Strategy<Value = Scalar> {
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2_u64)];
        prop_oneof![
            4 => any::<[u8; 32]>().prop_map(Scalar::from_bytes_mod_order),
            1 => prop::sample::select(edges.to_vec()),
            // Digits at the ends of their range.
            1 => prop::sample::select(vec![0x0f_u8, 0x10, 0x7f, 0x80, 0x84, 0xff])
                .prop_map(|byte| Scalar::from_bytes_mod_order([byte; 32])),
        ]
    }

    #[test]
    fn a_keys_take_no_more_memory_than_others() {
        let Some(lanes) = Lanes::get() else { return };
        let multiples = lanes.multiples(&ED25519_BASEPOINT_POINT);
        assert_eq!(size_of_val(&*multiples.addends), 26 * 17 * 128);
        assert!(size_of_val(&*multiples.addends) <= multiples::Multiples::SIZE);
        assert_eq!(size_of_val(&*lanes.of_the_base.addends), 32 * 129 * 128);
    }

    #[test]
    fn points_of_small_order_and_their_sums_are_those_of_the_curve() {
        let Some(lanes) = Lanes::get() else { return };
        let multiples = EIGHT_TORSION.map(|point| lanes.multiples(&point));
        for number in 0_u64..16 {
            let scalars = [Scalar::from(number), -Scalar::from(number)];
            for (scalar, base) in scalars.iter().zip([Scalar::ZERO, Scalar::ONE]) {
                let sums = lanes.sums(multiples.each_ref().map(|point| (point, scalar, &base)));
                for (sum, point) in sums.iter().zip(EIGHT_TORSION) {
                    let expected = point * scalar + ED25519_BASEPOINT_POINT * base;
                    assert_eq!(*sum, expected.compress().to_bytes());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn each_lanes_sum_is_that_of_the_curve(
            secrets in uniform8(scalars()),
            torsions in uniform8(0..8_usize),
            times in uniform8(scalars()),
            bases in uniform8(scalars()),
        ) {
            let Some(lanes) = Lanes::get() else { return Ok(()) };
            let points: Vec<_> = secrets.iter().zip(torsions)
                .map(|(secret, torsion)| ED25519_BASEPOINT_POINT * secret + EIGHT_TORSION[torsion])
                .collect();
            let multiples: Vec<_> = points.iter().map(|point| lanes.multiples(point)).collect();
            let terms = std::array::from_fn(|lane| (&multiples[lane], &times[lane], &bases[lane]));
            let sums = lanes.sums(terms);
            for lane in 0..Lanes::COUNT {
                let expected = points[lane] * times[lane] + ED25519_BASEPOINT_POINT * bases[lane];
                prop_assert_eq!(sums[lane], expected.compress().to_bytes());
            }
        }
    }
}
