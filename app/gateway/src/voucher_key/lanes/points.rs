use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_setzero_si512, _mm512_shuffle_i64x2,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::elements::Elements;

/// Eight points of the curve -x^2 + y^2 = 1 + dx^2y^2: x = X/Z, y = Y/Z, xy = T/Z. The formulas
/// are those of RFC 8032, 5.1.4, which hold for any two points of the curve.
#[derive(Clone, Copy)]
pub struct Points {
    x: Elements,
    y: Elements,
    z: Elements,
    t: Elements,
}

/// Eight points as they are added: y + x, y - x and 2dxy.
#[derive(Clone, Copy)]
pub struct Addends {
    sum: Elements,
    difference: Elements,
    product: Elements,
}

/// One lane of [`Addends`]: its 15 limbs, and nothing. As long as two lines of a cache.
#[derive(Clone, Copy)]
pub struct Addend([__m512i; 2]);

impl Points {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn identity() -> Self {
        let (zero, one) = (Elements::all(0), Elements::all(1));
        Self { x: zero, y: one, z: one, t: zero }
    }

    /// A point of the curve as it is compressed, in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn read(bytes: &[u8; 32]) -> Self {
        let (y, one) = (Elements::read(bytes), Elements::all(1));
        let square = y.squared();
        let (above, below) = (square.minus(&one), square.times(&d()).plus(&one));
        let x = above.root_of_ratio(&below, bytes[31] >> 7 == 1);
        Self { x, y, z: one, t: x.times(&y) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn plus(&self, other: &Addends) -> Self {
        let a = self.y.minus(&self.x).times(&other.difference);
        let b = self.y.plus(&self.x).times(&other.sum);
        let c = self.t.times(&other.product);
        let d = self.z.plus(&self.z);
        let (e, f, g, h) = (b.minus(&a), d.minus(&c), d.plus(&c), b.plus(&a));
        Self { x: e.times(&f), y: g.times(&h), z: f.times(&g), t: e.times(&h) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn doubled(&self) -> Self {
        let (a, b, z) = (self.x.squared(), self.y.squared(), self.z.squared());
        let (h, g) = (a.plus(&b), a.minus(&b));
        let e = h.minus(&self.x.plus(&self.y).squared());
        let f = z.plus(&z).plus(&g);
        Self { x: e.times(&f), y: g.times(&h), z: f.times(&g), t: e.times(&h) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn doubled_often(&self, times: usize) -> Self {
        let mut points = *self;
        for _ in 0..times {
            points = points.doubled();
        }
        points
    }

    /// These, and in the lanes whose bits are set the others.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn or(&self, other: &Self, lanes: u8) -> Self {
        Self {
            x: self.x.or(&other.x, lanes),
            y: self.y.or(&other.y, lanes),
            z: self.z.or(&other.z, lanes),
            t: self.t.or(&other.t, lanes),
        }
    }

    /// As they are written: y, and in the highest bit whether x is odd.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn compressed(&self) -> [[u8; 32]; 8] {
        let inverses = self.z.inverted();
        let x = self.x.times(&inverses).bytes();
        let mut bytes = self.y.times(&inverses).bytes();
        for (bytes, x) in bytes.iter_mut().zip(x) {
            bytes[31] |= x[0] << 7;
        }
        bytes
    }

    /// Of several eights of points those that are added; inverts once for all.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_addends(points: &[Self]) -> Vec<Addends> {
        let twice_d = d().plus(&d());
        let mut product = Elements::all(1);
        let mut products = Vec::with_capacity(points.len());
        for point in points {
            products.push(product);
            product = product.times(&point.z);
        }
        let mut inverse_of_product = product.inverted();
        let mut addends = Vec::with_capacity(points.len());
        for (point, product_before) in points.iter().zip(products).rev() {
            let inverse = inverse_of_product.times(&product_before);
            inverse_of_product = inverse_of_product.times(&point.z);
            let (x, y) = (point.x.times(&inverse), point.y.times(&inverse));
            let product = x.times(&y).times(&twice_d);
            addends.push(Addends { sum: y.plus(&x), difference: y.minus(&x), product });
        }
        addends.reverse();
        addends
    }
}

/// The curve's d: -121665 / 121666.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn d() -> Elements {
    Elements::all(121_665).negated().times(&Elements::all(121_666).inverted())
}

impl Addends {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn identity() -> Self {
        let one = Elements::all(1);
        Self { sum: one, difference: one, product: Elements::all(0) }
    }

    /// These, in the lanes whose bits are set negated.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn negated(&self, lanes: u8) -> Self {
        Self {
            sum: self.sum.or(&self.difference, lanes),
            difference: self.difference.or(&self.sum, lanes),
            product: self.product.or(&self.product.negated(), lanes),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn gathered(from: [&Addend; 8]) -> Self {
        let mut first = [_mm512_setzero_si512(); 8];
        let mut second = first;
        for (lane, addend) in from.into_iter().enumerate() {
            [first[lane], second[lane]] = addend.0;
        }
        let [a, b, c, d, e, f, g, h] = transposed(first);
        let [i, j, k, l, m, n, o, _] = transposed(second);
        Self {
            sum: Elements::from_limbs([a, b, c, d, e]),
            difference: Elements::from_limbs([f, g, h, i, j]),
            product: Elements::from_limbs([k, l, m, n, o]),
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn parted(&self) -> [Addend; 8] {
        let [a, b, c, d, e] = self.sum.limbs();
        let [f, g, h, i, j] = self.difference.limbs();
        let [k, l, m, n, o] = self.product.limbs();
        let first = transposed([a, b, c, d, e, f, g, h]);
        let second = transposed([i, j, k, l, m, n, o, _mm512_setzero_si512()]);
        let mut parted = [Addend([_mm512_setzero_si512(); 2]); 8];
        for (addend, halves) in parted.iter_mut().zip(first.into_iter().zip(second)) {
            addend.0 = halves.into();
        }
        parted
    }
}

impl Addend {
    /// Asks memory for it, and does not wait.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn fetch(&self) {
        for half in &self.0 {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(half).cast());
        }
    }
}

/// Rows for columns.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transposed([a, b, c, d, e, f, g, h]: [__m512i; 8]) -> [__m512i; 8] {
    let even = transposed_pairs([
        _mm512_unpacklo_epi64(a, b),
        _mm512_unpacklo_epi64(c, d),
        _mm512_unpacklo_epi64(e, f),
        _mm512_unpacklo_epi64(g, h),
    ]);
    let odd = transposed_pairs([
        _mm512_unpackhi_epi64(a, b),
        _mm512_unpackhi_epi64(c, d),
        _mm512_unpackhi_epi64(e, f),
        _mm512_unpackhi_epi64(g, h),
    ]);
    [even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]]
}

/// As [`transposed`], of four rows of four pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transposed_pairs([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    // The first and the last two of either; then the first and the third, the second and the
    // fourth of those.
    let (a, b) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
    let (c, d) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
    [
        _mm512_shuffle_i64x2::<0x88>(a, c),
        _mm512_shuffle_i64x2::<0xdd>(a, c),
        _mm512_shuffle_i64x2::<0x88>(b, d),
        _mm512_shuffle_i64x2::<0xdd>(b, d),
    ]
}
