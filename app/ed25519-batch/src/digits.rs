use curve25519_dalek::Scalar;

/// Signed digits that a scalar is split into, and the digit positions that have a row in a table.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Bits of a digit.
    pub bits: usize,
    /// 1 if every position has a row, 2 if every second one has: the sum of the other positions
    /// is then doubled `bits` times.
    pub step: usize,
}

/// Window of a public key's table. There are many such tables.
pub const NARROW: Window = Window { bits: 5, step: 2 };
/// Window of the base point's table, which every verification uses.
pub const WIDE: Window = Window { bits: 8, step: 1 };

/// Digits of a scalar, lowest first.
pub type Digits = [i16; MAX_DIGITS];

/// Scalars are below 2^253, and the highest digit may carry.
const SCALAR_BITS: usize = 254;
const MAX_DIGITS: usize = SCALAR_BITS.div_ceil(NARROW.bits);

impl Window {
    /// Returns the number of digits of a scalar.
    pub const fn digits(self) -> usize {
        SCALAR_BITS.div_ceil(self.bits)
    }

    /// Returns the number of rows of a table.
    pub const fn rows(self) -> usize {
        self.digits().div_ceil(self.step)
    }

    /// Returns the maximum absolute value of a digit.
    pub const fn max_digit(self) -> usize {
        1 << (self.bits - 1)
    }

    /// Returns the digits of a scalar, each between `-max_digit` and `max_digit`.
    pub fn digits_of(self, scalar: &Scalar) -> Digits {
        let mut bytes = [0; 36];
        bytes[..32].copy_from_slice(scalar.as_bytes());
        let (mut digits, mut carry) = ([0; MAX_DIGITS], 0);
        for (position, digit) in digits.iter_mut().enumerate().take(self.digits()) {
            let (byte, bit) = (position * self.bits / 8, position * self.bits % 8);
            let two_bytes = u32::from(bytes[byte]) | u32::from(bytes[byte + 1]) << 8;
            let value = (two_bytes >> bit & ((1 << self.bits) - 1)) as i16 + carry;
            carry = i16::from(value > self.max_digit() as i16);
            *digit = value - (carry << self.bits);
        }
        digits
    }
}
