//! Eight scalar multiplications at a time with the 52-bit multiplications of AVX-512 IFMA.
//!
//! Takes a ninth of the time of eight multiplications one after the other: each instruction does
//! for all lanes what each lane needs, and all lanes need the same additions of looked-up points.

mod field;
mod points;

use std::sync::LazyLock;

use curve25519_dalek::{EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT};

use crate::digits::{Digits, NARROW, WIDE, Window};
use points::{NielsPoint, NielsPoints, Points};

/// Proof that this processor has the instructions.
#[derive(Clone, Copy)]
pub struct Lanes {
    base_table: &'static Table,
}

/// Lookup table of one point's multiples, as [`crate::table::Table`] but laid out for the lanes.
pub struct Table {
    window: Window,
    /// Rows of the point's multiples by 0, 1, 2, ... [`Window::max_digit`].
    multiples: Box<[NielsPoint]>,
}

/// Positions that are prefetched ahead of the addition. Tables of many keys exceed the caches; this
/// many positions can be added in the time of one memory access.
const PREFETCH_AHEAD: usize = 4;

/// Table, scalar and scalar of the base point of one lane.
pub type Term<'a> = (&'a Table, &'a Scalar, &'a Scalar);

impl Lanes {
    /// Number of lanes.
    pub const COUNT: usize = 8;

    /// Returns `None` if the processor lacks an instruction.
    pub fn get() -> Option<Self> {
        static BASE_TABLE: LazyLock<Option<Table>> = LazyLock::new(|| {
            let is_supported = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512ifma");
            // SAFETY: the processor has the features that the function is compiled for.
            is_supported.then(|| unsafe { Table::new(&ED25519_BASEPOINT_POINT, WIDE) })
        });
        BASE_TABLE.as_ref().map(|base_table| Self { base_table })
    }

    /// Builds the table of a public key's point. Takes about as long as three verifications.
    pub fn table(self, point: &EdwardsPoint) -> Table {
        // SAFETY: `Lanes` exist only if the processor has the features the function is compiled for.
        unsafe { Table::new(point, NARROW) }
    }

    /// Returns for each lane the compressed sum of both products: the table's point by the first
    /// scalar, and the base point by the second.
    pub fn double_scalar_mul(self, terms: [Term<'_>; Self::COUNT]) -> [[u8; 32]; Self::COUNT] {
        // SAFETY: `Lanes` exist only if the processor has the features the function is compiled for.
        unsafe { double_scalar_mul(self.base_table, terms) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn double_scalar_mul(
    base_table: &Table,
    terms: [Term<'_>; Lanes::COUNT],
) -> [[u8; 32]; Lanes::COUNT] {
    let (tables, base_tables) = (terms.map(|term| term.0), [base_table; Lanes::COUNT]);
    let sum = add_products(tables, terms.map(|term| term.1), Points::identity());
    add_products(base_tables, terms.map(|term| term.2), sum).compress()
}

/// Adds each table's point multiplied by its scalar. All tables have the same window. If its step is
/// above 1, `sum` must be the identity, because it is doubled.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_products(
    tables: [&Table; Lanes::COUNT],
    scalars: [&Scalar; Lanes::COUNT],
    mut sum: Points,
) -> Points {
    let window = tables[0].window;
    let digits = scalars.map(|scalar| window.digits_of(scalar));
    for offset in (1..window.step).rev() {
        sum = add_positions(tables, &digits, offset, sum).double_n(window.bits * offset);
    }
    add_positions(tables, &digits, 0, sum)
}

/// Adds the multiples selected by every `step`th digit from `offset` on.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_positions(
    tables: [&Table; Lanes::COUNT],
    digits: &[Digits; Lanes::COUNT],
    offset: usize,
    mut sum: Points,
) -> Points {
    let window = tables[0].window;
    let positions = || (offset..window.digits()).step_by(window.step).enumerate();
    let look_up = |lane: usize, row: usize, position: usize| {
        let multiple = usize::from(digits[lane][position].unsigned_abs());
        &tables[lane].multiples[row * Table::row_length(window) + multiple]
    };
    let mut ahead = positions();
    let mut prefetch_next = || {
        if let Some((row, position)) = ahead.next() {
            (0..Lanes::COUNT).for_each(|lane| look_up(lane, row, position).prefetch());
        }
    };
    (0..PREFETCH_AHEAD).for_each(|_| prefetch_next());
    for (row, position) in positions() {
        prefetch_next();
        let mut negative = 0;
        let mut selected = [&tables[0].multiples[0]; Lanes::COUNT];
        for (lane, point) in selected.iter_mut().enumerate() {
            negative |= u8::from(digits[lane][position] < 0) << lane;
            *point = look_up(lane, row, position);
        }
        sum = sum.add(&NielsPoints::gather(selected).negate(negative));
    }
    sum
}

impl Table {
    const fn row_length(window: Window) -> usize {
        window.max_digit() + 1
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(point: &EdwardsPoint, window: Window) -> Self {
        let length = Self::row_length(window);
        let [zero, ..] = NielsPoints::identity().split();
        let mut multiples = vec![zero; window.rows() * length].into_boxed_slice();
        let mut first = Points::from_bytes(point.compress().as_bytes());
        // Builds eight rows at a time, one in each lane.
        for rows in multiples.chunks_mut(Lanes::COUNT * length) {
            let mut firsts = first;
            for lane in 0..Lanes::COUNT {
                firsts = firsts.select(&first, 1 << lane);
                first = first.double_n(window.bits * window.step);
            }
            let step = Points::to_niels(&[firsts])[0];
            let mut sums = Vec::with_capacity(window.max_digit());
            for _ in 0..window.max_digit() {
                sums.push(sums.last().unwrap_or(&Points::identity()).add(&step));
            }
            for (multiple, points) in (1..).zip(Points::to_niels(&sums)) {
                for (row, point) in rows.chunks_exact_mut(length).zip(points.split()) {
                    row[multiple] = point;
                }
            }
        }
        Self { window, multiples }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use proptest::{array::uniform8, prelude::*};

    use super::*;
    use crate::{lanes::tests::lanes_or_skip, table};

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
    fn lane_tables_fit_documented_memory() {
        let Some(lanes) = lanes_or_skip() else { return };
        let table = lanes.table(&ED25519_BASEPOINT_POINT);
        assert_eq!(size_of_val(&*table.multiples), 26 * 17 * 128);
        assert!(size_of_val(&*table.multiples) <= table::Table::SIZE);
        assert_eq!(size_of_val(&*lanes.base_table.multiples), 32 * 129 * 128);
    }

    #[test]
    fn small_order_sums_equal_those_of_dalek() {
        let Some(lanes) = lanes_or_skip() else { return };
        let tables = EIGHT_TORSION.map(|point| lanes.table(&point));
        for number in 0_u64..16 {
            let scalars = [Scalar::from(number), -Scalar::from(number)];
            for (scalar, base) in scalars.iter().zip([Scalar::ZERO, Scalar::ONE]) {
                let terms = tables.each_ref().map(|table| (table, scalar, &base));
                for (sum, point) in lanes.double_scalar_mul(terms).iter().zip(EIGHT_TORSION) {
                    let expected = point * scalar + ED25519_BASEPOINT_POINT * base;
                    assert_eq!(*sum, expected.compress().to_bytes());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn sum_of_each_lane_equals_that_of_dalek(
            secrets in uniform8(scalars()),
            torsions in uniform8(0..8_usize),
            times in uniform8(scalars()),
            bases in uniform8(scalars()),
        ) {
            let Some(lanes) = lanes_or_skip() else { return Ok(()) };
            let points: Vec<_> = secrets.iter().zip(torsions)
                .map(|(secret, torsion)| ED25519_BASEPOINT_POINT * secret + EIGHT_TORSION[torsion])
                .collect();
            let tables: Vec<_> = points.iter().map(|point| lanes.table(point)).collect();
            let terms = std::array::from_fn(|lane| (&tables[lane], &times[lane], &bases[lane]));
            let sums = lanes.double_scalar_mul(terms);
            for lane in 0..Lanes::COUNT {
                let expected = points[lane] * times[lane] + ED25519_BASEPOINT_POINT * bases[lane];
                prop_assert_eq!(sums[lane], expected.compress().to_bytes());
            }
        }
    }
}
