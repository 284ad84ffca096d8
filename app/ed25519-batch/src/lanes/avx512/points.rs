use std::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_setzero_si512, _mm512_shuffle_i64x2,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::field::FieldElements;

/// Eight points of the curve -x^2 + y^2 = 1 + dx^2y^2 in extended coordinates: x = X/Z, y = Y/Z,
/// xy = T/Z. The formulas of RFC 8032, 5.1.4 are complete: they hold for any two points.
#[derive(Clone, Copy)]
pub struct Points {
    x: FieldElements,
    y: FieldElements,
    z: FieldElements,
    t: FieldElements,
}

/// Eight affine points in Niels coordinates, the right operands of additions: y + x, y - x and 2dxy.
#[derive(Clone, Copy)]
pub struct NielsPoints {
    sum: FieldElements,
    difference: FieldElements,
    product: FieldElements,
}

/// One lane of [`NielsPoints`]: 15 limbs and a zero, as long as two cache lines.
#[derive(Clone, Copy)]
pub struct NielsPoint([__m512i; 2]);

impl Points {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn identity() -> Self {
        let (zero, one) = (FieldElements::splat(0), FieldElements::splat(1));
        Self { x: zero, y: one, z: one, t: zero }
    }

    /// Decodes a compressed point of the curve into every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (y, one) = (FieldElements::from_bytes(bytes), FieldElements::splat(1));
        let square = y.square();
        let (above, below) = (square.sub(&one), square.mul(&d()).add(&one));
        let x = above.sqrt_ratio(&below, bytes[31] >> 7 == 1);
        Self { x, y, z: one, t: x.mul(&y) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add(&self, other: &NielsPoints) -> Self {
        let a = self.y.sub(&self.x).mul(&other.difference);
        let b = self.y.add(&self.x).mul(&other.sum);
        let c = self.t.mul(&other.product);
        let d = self.z.add(&self.z);
        let (e, f, g, h) = (b.sub(&a), d.sub(&c), d.add(&c), b.add(&a));
        Self { x: e.mul(&f), y: g.mul(&h), z: f.mul(&g), t: e.mul(&h) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double(&self) -> Self {
        let (a, b, z) = (self.x.square(), self.y.square(), self.z.square());
        let (h, g) = (a.add(&b), a.sub(&b));
        let e = h.sub(&self.x.add(&self.y).square());
        let f = z.add(&z).add(&g);
        Self { x: e.mul(&f), y: g.mul(&h), z: f.mul(&g), t: e.mul(&h) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn double_n(&self, times: usize) -> Self {
        let mut points = *self;
        for _ in 0..times {
            points = points.double();
        }
        points
    }

    /// Returns `other` in the lanes whose bits are set in `lanes`, `self` in the rest.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn select(&self, other: &Self, lanes: u8) -> Self {
        Self {
            x: self.x.select(&other.x, lanes),
            y: self.y.select(&other.y, lanes),
            z: self.z.select(&other.z, lanes),
            t: self.t.select(&other.t, lanes),
        }
    }

    /// Encodes each lane: y, and the lowest bit of x in the highest bit.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn compress(&self) -> [[u8; 32]; 8] {
        let inverses = self.z.invert();
        let x = self.x.mul(&inverses).encode();
        let mut bytes = self.y.mul(&inverses).encode();
        for (bytes, x) in bytes.iter_mut().zip(x) {
            bytes[31] |= x[0] << 7;
        }
        bytes
    }

    /// Converts points to Niels coordinates with one inversion for all of them.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_niels(points: &[Self]) -> Vec<NielsPoints> {
        let twice_d = d().add(&d());
        let mut product = FieldElements::splat(1);
        let mut products = Vec::with_capacity(points.len());
        for point in points {
            products.push(product);
            product = product.mul(&point.z);
        }
        let mut inverse_of_product = product.invert();
        let mut niels_points = Vec::with_capacity(points.len());
        for (point, product_before) in points.iter().zip(products).rev() {
            let inverse = inverse_of_product.mul(&product_before);
            inverse_of_product = inverse_of_product.mul(&point.z);
            let (x, y) = (point.x.mul(&inverse), point.y.mul(&inverse));
            let product = x.mul(&y).mul(&twice_d);
            niels_points.push(NielsPoints { sum: y.add(&x), difference: y.sub(&x), product });
        }
        niels_points.reverse();
        niels_points
    }
}

/// Returns the curve's d, -121665 / 121666.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn d() -> FieldElements {
    FieldElements::splat(121_665).negate().mul(&FieldElements::splat(121_666).invert())
}

impl NielsPoints {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn identity() -> Self {
        let one = FieldElements::splat(1);
        Self { sum: one, difference: one, product: FieldElements::splat(0) }
    }

    /// Negates the lanes whose bits are set in `lanes`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn negate(&self, lanes: u8) -> Self {
        Self {
            sum: self.sum.select(&self.difference, lanes),
            difference: self.difference.select(&self.sum, lanes),
            product: self.product.select(&self.product.negate(), lanes),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn gather(from: [&NielsPoint; 8]) -> Self {
        let mut first = [_mm512_setzero_si512(); 8];
        let mut second = first;
        for (lane, addend) in from.into_iter().enumerate() {
            [first[lane], second[lane]] = addend.0;
        }
        let [a, b, c, d, e, f, g, h] = transpose(first);
        let [i, j, k, l, m, n, o, _] = transpose(second);
        Self {
            sum: FieldElements::from_limbs([a, b, c, d, e]),
            difference: FieldElements::from_limbs([f, g, h, i, j]),
            product: FieldElements::from_limbs([k, l, m, n, o]),
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn split(&self) -> [NielsPoint; 8] {
        let [a, b, c, d, e] = self.sum.limbs();
        let [f, g, h, i, j] = self.difference.limbs();
        let [k, l, m, n, o] = self.product.limbs();
        let first = transpose([a, b, c, d, e, f, g, h]);
        let second = transpose([i, j, k, l, m, n, o, _mm512_setzero_si512()]);
        let mut lanes = [NielsPoint([_mm512_setzero_si512(); 2]); 8];
        for (addend, halves) in lanes.iter_mut().zip(first.into_iter().zip(second)) {
            addend.0 = halves.into();
        }
        lanes
    }
}

impl NielsPoint {
    /// Prefetches the point into the cache.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn prefetch(&self) {
        for half in &self.0 {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(half).cast());
        }
    }
}

/// Transposes an 8 x 8 matrix of 64-bit words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transpose([a, b, c, d, e, f, g, h]: [__m512i; 8]) -> [__m512i; 8] {
    let even = transpose_pairs([
        _mm512_unpacklo_epi64(a, b),
        _mm512_unpacklo_epi64(c, d),
        _mm512_unpacklo_epi64(e, f),
        _mm512_unpacklo_epi64(g, h),
    ]);
    let odd = transpose_pairs([
        _mm512_unpackhi_epi64(a, b),
        _mm512_unpackhi_epi64(c, d),
        _mm512_unpackhi_epi64(e, f),
        _mm512_unpackhi_epi64(g, h),
    ]);
    [even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]]
}

/// Transposes a 4 x 4 matrix of 128-bit words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transpose_pairs([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    // First the lower and the upper halves of each pair of rows; then the even and the odd words.
    let (a, b) = (_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
    let (c, d) = (_mm512_shuffle_i64x2::<0x44>(c, d), _mm512_shuffle_i64x2::<0xee>(c, d));
    [
        _mm512_shuffle_i64x2::<0x88>(a, c),
        _mm512_shuffle_i64x2::<0xdd>(a, c),
        _mm512_shuffle_i64x2::<0x88>(b, d),
        _mm512_shuffle_i64x2::<0xdd>(b, d),
    ]
}
