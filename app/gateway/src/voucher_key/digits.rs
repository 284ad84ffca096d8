use curve25519_dalek::Scalar;

/// How many bits a digit of a scalar has, and which places have multiples of their own.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    pub bits: usize,
    /// Every place, or every second one: then the others' sum is doubled once a digit's bits.
    pub step: usize,
}

/// For keys, of which there are many.
pub const NARROW: Width = Width { bits: 5, step: 2 };
/// For the one point that everybody's signatures are about.
pub const WIDE: Width = Width { bits: 8, step: 1 };

/// A scalar's digits, lowest first.
pub type Digits = [i16; MOST_DIGITS];

/// Scalars are below 2^253.
const SCALAR_BITS: usize = 254;
const MOST_DIGITS: usize = SCALAR_BITS.div_ceil(NARROW.bits);

impl Width {
    pub const fn digits(self) -> usize {
        SCALAR_BITS.div_ceil(self.bits)
    }

    /// How many places have multiples of their own.
    pub const fn rows(self) -> usize {
        self.digits().div_ceil(self.step)
    }

    /// The most that a digit can be above or below zero.
    pub const fn half(self) -> usize {
        1 << (self.bits - 1)
    }

    /// A scalar's digits, each at most half of the range above or below zero.
    pub fn digits_of(self, scalar: &Scalar) -> Digits {
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
