use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_slli_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

/// Eight elements of the field of 2^255 - 19, one in each lane; whatever is done is done to each.
///
/// Five limbs of 51 bits, lowest first. Each limb of each lane is *small*: below 2^51 + 2^15. The
/// instructions that multiply take the lowest 52 bits of a limb, so sums are made small again.
#[derive(Clone, Copy)]
pub struct Elements([__m512i; LIMBS]);

const LIMBS: usize = 5;
const LIMB_BITS: u32 = 51;
const LIMB: u64 = (1 << LIMB_BITS) - 1;
/// What 2^255 is, less the modulus.
const FOLD: u64 = 19;
/// Twice the modulus, limb by limb: above any small limb.
const TWICE: [u64; LIMBS] = [2 * (LIMB + 1 - FOLD), 2 * LIMB, 2 * LIMB, 2 * LIMB, 2 * LIMB];

impl Elements {
    /// The same number in every lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn all(number: u32) -> Self {
        Self::broadcast([u64::from(number), 0, 0, 0, 0])
    }

    /// The same element in every lane, read from 32 bytes, little-endian, without the highest bit.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn read(bytes: &[u8; 32]) -> Self {
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

    /// Of limbs that are small.
    pub fn from_limbs(limbs: [__m512i; LIMBS]) -> Self {
        Self(limbs)
    }

    pub fn limbs(&self) -> [__m512i; LIMBS] {
        self.0
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.0;
        for (limb, other) in sum.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, other);
        }
        Self(carried(sum))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn minus(&self, other: &Self) -> Self {
        let mut difference = self.0;
        for ((limb, other), twice) in difference.iter_mut().zip(other.0).zip(TWICE) {
            let above = _mm512_add_epi64(*limb, _mm512_set1_epi64(twice.cast_signed()));
            *limb = _mm512_sub_epi64(above, other);
        }
        Self(carried(difference))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn negated(&self) -> Self {
        Self::all(0).minus(self)
    }

    /// The product. Of small limbs each half of a partial product is below 2^52, at most five of
    /// either meet in a limb, and the high ones count twice: below 2^56 in all, below 2^61 with what
    /// is folded back.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn times(&self, other: &Self) -> Self {
        let mut low = [_mm512_setzero_si512(); 2 * LIMBS];
        let mut high = low;
        for (i, one) in self.0.into_iter().enumerate() {
            for (j, other) in other.0.into_iter().enumerate() {
                low[i + j] = _mm512_madd52lo_epu64(low[i + j], one, other);
                // In units of 2^52, which is twice the next limb's.
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
        Self(carried(product))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn squared(&self) -> Self {
        self.times(self)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn squared_often(&self, times: u32) -> Self {
        let mut power = *self;
        for _ in 0..times {
            power = power.squared();
        }
        power
    }

    /// To the power of 2^250 - 1, and of 11.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn powers(&self) -> (Self, Self) {
        let two = self.squared();
        let nine = two.squared_often(2).times(self);
        let eleven = nine.times(&two);
        // Of so many ones in binary.
        let ones_5 = eleven.squared().times(&nine);
        let ones_10 = ones_5.squared_often(5).times(&ones_5);
        let ones_20 = ones_10.squared_often(10).times(&ones_10);
        let ones_40 = ones_20.squared_often(20).times(&ones_20);
        let ones_50 = ones_40.squared_often(10).times(&ones_10);
        let ones_100 = ones_50.squared_often(50).times(&ones_50);
        let ones_200 = ones_100.squared_often(100).times(&ones_100);
        (ones_200.squared_often(50).times(&ones_50), eleven)
    }

    /// The inverse, of zero zero: to the power of the modulus less two, which is 2^255 - 21.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn inverted(&self) -> Self {
        let (ones_250, eleven) = self.powers();
        ones_250.squared_often(5).times(&eleven)
    }

    /// A root of what this is divided by another, or of the negative of that: one of the two has
    /// one (RFC 8032, 5.1.3). `is_negative` says which of the root and its negative is meant.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn root_of_ratio(&self, divisor: &Self, is_negative: bool) -> Self {
        let cubed = divisor.squared().times(divisor);
        let seventh = cubed.squared().times(divisor);
        let base = self.times(&seventh);
        // To the power of 2^252 - 3.
        let power = base.powers().0.squared_often(2).times(&base);
        let mut root = self.times(&cubed).times(&power);
        if divisor.times(&root.squared()).bytes() != self.bytes() {
            root = root.times(&Self::root_of_minus_one());
        }
        let is_odd = root.bytes()[0][0] & 1 == 1;
        if is_odd == is_negative { root } else { root.negated() }
    }

    /// Two to the power of a quarter of the modulus less one, which is 2^253 - 5.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn root_of_minus_one() -> Self {
        let two = Self::all(2);
        two.powers().0.squared_often(3).times(&two.times(&two).times(&two))
    }

    /// This, and in the lanes whose bits are set the other.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn or(&self, other: &Self, lanes: u8) -> Self {
        let mut chosen = self.0;
        for (limb, other) in chosen.iter_mut().zip(other.0) {
            *limb = _mm512_mask_blend_epi64(lanes, *limb, other);
        }
        Self(chosen)
    }

    /// Each lane's, reduced, as 32 bytes, little-endian.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn bytes(&self) -> [[u8; 32]; 8] {
        // SAFETY: both are 320 bytes, and whatever bits there are make integers.
        let limbs: [[u64; 8]; LIMBS] = unsafe { std::mem::transmute(self.0) };
        let mut bytes = [[0; 32]; 8];
        for (lane, bytes) in bytes.iter_mut().enumerate() {
            *bytes = reduced(limbs.map(|limb| limb[lane]));
        }
        bytes
    }
}

/// Limbs below 2^61, made small: of each what is above 51 bits, below 2^10, goes to the next one,
/// and from the highest nineteen times to the lowest.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn carried(mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
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

/// The one number below the modulus that small limbs stand for.
fn reduced(mut limbs: [u64; LIMBS]) -> [u8; 32] {
    let carry = |limbs: &mut [u64; LIMBS], mut carry: u64| {
        for limb in limbs {
            *limb += carry;
            carry = *limb >> LIMB_BITS;
            *limb &= LIMB;
        }
        carry
    };
    // Below 2^255 + 2^220, so the second time nothing is left over; and below 2^255 from then on.
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
    use crate::voucher_key::lanes::Lanes;

    /// Limbs as an operation may be given them, and as often as not at the ends of their range.
    fn limbs() -> impl Strategy<Value = [u64; LIMBS]> {
        const MOST: u64 = (1 << 51) + (1 << 15) - 1;
        let ends = vec![0, 1, 18, 19, LIMB - FOLD, LIMB - 18, LIMB, LIMB + 1, MOST];
        prop::array::uniform5(prop_oneof![0..=MOST, select(ends)])
    }

    fn modulus() -> BigUint {
        (BigUint::from(1_u8) << 255) - FOLD
    }

    /// What limbs stand for, by the numbers of another library.
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
    fn elements(lanes: [[u64; LIMBS]; 8]) -> Elements {
        let mut limbs = [[0_u64; 8]; LIMBS];
        for (lane, from) in lanes.iter().enumerate() {
            (0..LIMBS).for_each(|place| limbs[place][lane] = from[place]);
        }
        // SAFETY: both are 320 bytes, and whatever bits there are make vectors.
        Elements(unsafe { std::mem::transmute::<[[u64; 8]; LIMBS], [__m512i; LIMBS]>(limbs) })
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check(one: [[u64; LIMBS]; 8], other: [[u64; LIMBS]; 8], lanes: u8) {
        let (left, right) = (elements(one), elements(other));
        let (sum, difference) = (left.plus(&right), left.minus(&right));
        let (product, inverse) = (left.times(&right), left.inverted());
        for result in [sum, difference, product, left.negated(), left.squared(), inverse] {
            // What is small can be used again.
            // SAFETY: both are 320 bytes, and whatever bits there are make integers.
            let limbs: [u64; 40] = unsafe { std::mem::transmute(result.0) };
            assert!(limbs.iter().all(|limb| *limb < (1 << 51) + (1 << 15)), "{limbs:x?}");
        }
        for lane in 0..8 {
            let (a, b) = (number(one[lane]), number(other[lane]));
            assert_eq!(left.bytes()[lane], bytes(&a));
            assert_eq!(sum.bytes()[lane], bytes(&(&a + &b)));
            assert_eq!(difference.bytes()[lane], bytes(&(&a + modulus() - &b)));
            assert_eq!(left.negated().bytes()[lane], bytes(&(modulus() - &a)));
            assert_eq!(product.bytes()[lane], bytes(&(&a * &b)));
            assert_eq!(left.squared().bytes()[lane], bytes(&(&a * &a)));
            let inverse_of_a = a.modpow(&(modulus() - 2_u8), &modulus());
            assert_eq!(inverse.bytes()[lane], bytes(&inverse_of_a));
            let chosen = if lanes >> lane & 1 == 1 { &b } else { &a };
            assert_eq!(left.or(&right, lanes).bytes()[lane], bytes(chosen));
        }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_root(number: &BigUint, divisor: &BigUint, is_negative: bool) {
        let (above, below) = (Elements::read(&bytes(number)), Elements::read(&bytes(divisor)));
        let root = above.root_of_ratio(&below, is_negative);
        assert_eq!(below.times(&root.squared()).bytes(), above.bytes());
        assert_eq!(root.bytes()[3][0] & 1 == 1, is_negative && *number != BigUint::ZERO);
    }

    proptest! {
        #[test]
        fn what_is_done_is_done_modulo_the_modulus(
            one in uniform8(limbs()),
            other in uniform8(limbs()),
            lanes: u8,
        ) {
            if Lanes::get().is_some() {
                // SAFETY: the processor has what the function is compiled for.
                unsafe { check(one, other, lanes) };
            }
        }

        #[test]
        fn roots_are_roots(root in limbs(), divisor in limbs(), is_negative: bool) {
            let (root, divisor) = (number(root), number(divisor));
            if Lanes::get().is_some() && divisor != BigUint::ZERO {
                let ratio = &root * &root * &divisor % modulus();
                // SAFETY: the processor has what the function is compiled for.
                unsafe { check_root(&ratio, &divisor, is_negative) };
            }
        }
    }
}
