use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_slli_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

/// Eight elements of the field of 2^255 - 19, one in each lane. Operations apply to every lane.
///
/// Five limbs of 51 bits, lowest first. Invariant: each limb of each lane is below 2^51 + 2^15. The
/// multiplication instructions take the lowest 52 bits of a limb, so sums are carry_limbs at once.
#[derive(Clone, Copy)]
pub struct FieldElements([__m512i; LIMBS]);

const LIMBS: usize = 5;
const LIMB_BITS: u32 = 51;
const LIMB: u64 = (1 << LIMB_BITS) - 1;
/// 2^255 modulo the modulus.
const FOLD: u64 = 19;
/// Twice the modulus. Each of its limbs is above any limb of an element.
const TWICE: [u64; LIMBS] = [2 * (LIMB + 1 - FOLD), 2 * LIMB, 2 * LIMB, 2 * LIMB, 2 * LIMB];

impl FieldElements {
    /// Returns the same number in every lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn splat(number: u32) -> Self {
        Self::broadcast([u64::from(number), 0, 0, 0, 0])
    }

    /// Decodes 32 little-endian bytes into every lane. The highest bit is ignored.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let [a, b, c, d] = words;
        let limbs = [a, a >> 51 | b << 13, b >> 38 | c << 26, c >> 25 | d << 39, d >> 12];
        Self::broadcast(limbs.map(|limb| limb & LIMB))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn broadcast(limbs: [u64; LIMBS]) -> Self {
        let mut vectors = [_mm512_setzero_si512(); LIMBS];
        for (vector, limb) in vectors.iter_mut().zip(limbs) {
            *vector = _mm512_set1_epi64(limb.cast_signed());
        }
        Self(vectors)
    }

    /// Creates elements of limbs that keep the invariant.
    pub fn from_limbs(limbs: [__m512i; LIMBS]) -> Self {
        Self(limbs)
    }

    pub fn limbs(&self) -> [__m512i; LIMBS] {
        self.0
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add(&self, other: &Self) -> Self {
        let mut sum = self.0;
        for (limb, other) in sum.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, other);
        }
        Self(carry_limbs(sum))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn sub(&self, other: &Self) -> Self {
        let mut difference = self.0;
        for ((limb, other), twice) in difference.iter_mut().zip(other.0).zip(TWICE) {
            let above = _mm512_add_epi64(*limb, _mm512_set1_epi64(twice.cast_signed()));
            *limb = _mm512_sub_epi64(above, other);
        }
        Self(carry_limbs(difference))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn negate(&self) -> Self {
        Self::splat(0).sub(self)
    }

    /// Returns the product. Each half of a partial product is below 2^52, at most five of either meet
    /// in a limb, and the high ones count twice: below 2^56 in all, below 2^61 after the fold.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn mul(&self, other: &Self) -> Self {
        let mut low = [_mm512_setzero_si512(); 2 * LIMBS];
        let mut high = low;
        for (i, one) in self.0.into_iter().enumerate() {
            for (j, other) in other.0.into_iter().enumerate() {
                low[i + j] = _mm512_madd52lo_epu64(low[i + j], one, other);
                // In units of 2^52: twice the unit of the next limb.
                high[i + j + 1] = _mm512_madd52hi_epu64(high[i + j + 1], one, other);
            }
        }
        let mut product = [_mm512_setzero_si512(); LIMBS];
        for (i, limb) in product.iter_mut().enumerate() {
            let (over, fold) = (i + LIMBS, _mm512_set1_epi64(FOLD.cast_signed()));
            let below = _mm512_add_epi64(low[i], _mm512_slli_epi64::<1>(high[i]));
            let above = _mm512_add_epi64(low[over], _mm512_slli_epi64::<1>(high[over]));
            *limb = _mm512_add_epi64(below, _mm512_mullo_epi64(above, fold));
        }
        Self(carry_limbs(product))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn square(&self) -> Self {
        self.mul(self)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn square_n(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.square();
        }
        power
    }

    /// Returns the powers to 2^250 - 1 and to 11.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn powers(&self) -> (Self, Self) {
        let two = self.square();
        let nine = two.square_n(2).mul(self);
        let eleven = nine.mul(&two);
        // Exponents of as many binary ones.
        let ones_5 = eleven.square().mul(&nine);
        let ones_10 = ones_5.square_n(5).mul(&ones_5);
        let ones_20 = ones_10.square_n(10).mul(&ones_10);
        let ones_40 = ones_20.square_n(20).mul(&ones_20);
        let ones_50 = ones_40.square_n(10).mul(&ones_10);
        let ones_100 = ones_50.square_n(50).mul(&ones_50);
        let ones_200 = ones_100.square_n(100).mul(&ones_100);
        (ones_200.square_n(50).mul(&ones_50), eleven)
    }

    /// Returns the inverse, and zero for zero: the power to the modulus sub 2, which is 2^255 - 21.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn invert(&self) -> Self {
        let (ones_250, eleven) = self.powers();
        ones_250.square_n(5).mul(&eleven)
    }

    /// Returns a square root of `self / divisor`, or of its negative if only that has one (RFC 8032,
    /// 5.1.3). `is_negative` selects one of the root and its negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn sqrt_ratio(&self, divisor: &Self, is_negative: bool) -> Self {
        let cubed = divisor.square().mul(divisor);
        let seventh = cubed.square().mul(divisor);
        let base = self.mul(&seventh);
        // The power to 2^252 - 3.
        let power = base.powers().0.square_n(2).mul(&base);
        let mut root = self.mul(&cubed).mul(&power);
        if divisor.mul(&root.square()).encode() != self.encode() {
            root = root.mul(&Self::sqrt_minus_one());
        }
        let is_odd = root.encode()[0][0] & 1 == 1;
        if is_odd == is_negative { root } else { root.negate() }
    }

    /// Returns a square root of -1: 2 to the power of (modulus - 1) / 4, which is 2^253 - 5.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn sqrt_minus_one() -> Self {
        let two = Self::splat(2);
        two.powers().0.square_n(3).mul(&two.mul(&two).mul(&two))
    }

    /// Returns `other` in the lanes whose bits are set in `lanes`, `self` in the rest.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn select(&self, other: &Self, lanes: u8) -> Self {
        let mut chosen = self.0;
        for (limb, other) in chosen.iter_mut().zip(other.0) {
            *limb = _mm512_mask_blend_epi64(lanes, *limb, other);
        }
        Self(chosen)
    }

    /// Encodes each lane as 32 little-endian bytes of the canonical number.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn encode(&self) -> [[u8; 32]; 8] {
        // SAFETY: both types have 320 bytes, and every bit pattern is a valid integer.
        let limbs: [[u64; 8]; LIMBS] = unsafe { std::mem::transmute(self.0) };
        let mut bytes = [[0; 32]; 8];
        for (lane, bytes) in bytes.iter_mut().enumerate() {
            *bytes = canonical_bytes(limbs.map(|limb| limb[lane]));
        }
        bytes
    }
}

/// Carries limbs below 2^61: the bits above 51, below 2^10, are added to the next limb; those of the
/// highest limb are added 19 times to the lowest.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn carry_limbs(mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let mut carries = limbs;
    for carry in &mut carries {
        *carry = _mm512_srli_epi64::<LIMB_BITS>(*carry);
    }
    for limb in &mut limbs {
        *limb = _mm512_and_si512(*limb, _mm512_set1_epi64(LIMB.cast_signed()));
    }
    let fold = _mm512_set1_epi64(FOLD.cast_signed());
    limbs[0] = _mm512_madd52lo_epu64(limbs[0], carries[LIMBS - 1], fold);
    for (limb, carry) in limbs[1..].iter_mut().zip(carries) {
        *limb = _mm512_add_epi64(*limb, carry);
    }
    limbs
}

/// Returns the encoding of the number below the modulus that the limbs represent.
fn canonical_bytes(mut limbs: [u64; LIMBS]) -> [u8; 32] {
    let carry = |limbs: &mut [u64; LIMBS], mut carry: u64| {
        for limb in limbs {
            *limb += carry;
            carry = *limb >> LIMB_BITS;
            *limb &= LIMB;
        }
        carry
    };
    // Below 2^255 + 2^220: the second pass carries nothing out, and the result is below 2^255.
    for _ in 0..2 {
        limbs[0] += FOLD * carry(&mut limbs, 0);
    }
    let is_over = limbs.iter().fold(FOLD, |carry, limb| (limb + carry) >> LIMB_BITS);
    carry(&mut limbs, FOLD * is_over);
    let [a, b, c, d, e] = limbs;
    let words = [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12];
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::{array::uniform8, prelude::*, sample::select};

    use super::*;
    use crate::lanes::tests::lanes_or_skip;

    /// Limbs that keep the invariant, half of them at the ends of their range.
    fn limbs() -> impl Strategy<Value = [u64; LIMBS]> {
        const MAX: u64 = (1 << 51) + (1 << 15) - 1;
        let ends = vec![0, 1, 18, 19, LIMB - FOLD, LIMB - 18, LIMB, LIMB + 1, MAX];
        prop::array::uniform5(prop_oneof![0..=MAX, select(ends)])
    }

    fn modulus() -> BigUint {
        (BigUint::from(1_u8) << 255) - FOLD
    }

    /// The number that limbs represent, computed by num-bigint.
    fn number(limbs: [u64; LIMBS]) -> BigUint {
        let places = limbs.iter().rev();
        places.fold(BigUint::ZERO, |number, limb| (number << LIMB_BITS) + *limb) % modulus()
    }

    fn bytes(number: &BigUint) -> [u8; 32] {
        let mut bytes = (number % modulus()).to_bytes_le();
        bytes.resize(32, 0);
        bytes.try_into().unwrap()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn elements(lanes: [[u64; LIMBS]; 8]) -> FieldElements {
        let mut limbs = [[0_u64; 8]; LIMBS];
        for (lane, from) in lanes.iter().enumerate() {
            (0..LIMBS).for_each(|place| limbs[place][lane] = from[place]);
        }
        // SAFETY: both types have 320 bytes, and every bit pattern is a valid vector.
        FieldElements(unsafe { std::mem::transmute::<[[u64; 8]; LIMBS], [__m512i; LIMBS]>(limbs) })
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check(one: [[u64; LIMBS]; 8], other: [[u64; LIMBS]; 8], lanes: u8) {
        let (left, right) = (elements(one), elements(other));
        let (sum, difference) = (left.add(&right), left.sub(&right));
        let (product, inverse) = (left.mul(&right), left.invert());
        for result in [sum, difference, product, left.negate(), left.square(), inverse] {
            // The result keeps the invariant.
            // SAFETY: both types have 320 bytes, and every bit pattern is a valid integer.
            let limbs: [u64; 40] = unsafe { std::mem::transmute(result.0) };
            assert!(limbs.iter().all(|limb| *limb < (1 << 51) + (1 << 15)), "{limbs:x?}");
        }
        for lane in 0..8 {
            let (a, b) = (number(one[lane]), number(other[lane]));
            assert_eq!(left.encode()[lane], bytes(&a));
            assert_eq!(sum.encode()[lane], bytes(&(&a + &b)));
            assert_eq!(difference.encode()[lane], bytes(&(&a + modulus() - &b)));
            assert_eq!(left.negate().encode()[lane], bytes(&(modulus() - &a)));
            assert_eq!(product.encode()[lane], bytes(&(&a * &b)));
            assert_eq!(left.square().encode()[lane], bytes(&(&a * &a)));
            let inverse_of_a = a.modpow(&(modulus() - 2_u8), &modulus());
            assert_eq!(inverse.encode()[lane], bytes(&inverse_of_a));
            let chosen = if lanes >> lane & 1 == 1 { &b } else { &a };
            assert_eq!(left.select(&right, lanes).encode()[lane], bytes(chosen));
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_root(number: &BigUint, divisor: &BigUint, is_negative: bool) {
        let (above, below) =
            (FieldElements::from_bytes(&bytes(number)), FieldElements::from_bytes(&bytes(divisor)));
        let root = above.sqrt_ratio(&below, is_negative);
        assert_eq!(below.mul(&root.square()).encode(), above.encode());
        assert_eq!(root.encode()[3][0] & 1 == 1, is_negative && *number != BigUint::ZERO);
    }

    proptest! {
        #[test]
        fn field_operations_match_bigint(
            one in uniform8(limbs()),
            other in uniform8(limbs()),
            lanes: u8,
        ) {
            if lanes_or_skip().is_some() {
                // SAFETY: lanes exist only if the processor has the instructions.
                unsafe { check(one, other, lanes) };
            }
        }

        #[test]
        fn square_root_of_ratio_is_root(root in limbs(), divisor in limbs(), is_negative: bool) {
            let (root, divisor) = (number(root), number(divisor));
            if lanes_or_skip().is_some() && divisor != BigUint::ZERO {
                let ratio = &root * &root * &divisor % modulus();
                // SAFETY: lanes exist only if the processor has the instructions.
                unsafe { check_root(&ratio, &divisor, is_negative) };
            }
        }
    }
}
