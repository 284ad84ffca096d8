//! 128-bit multiplication and division out of 64-bit ones.
//!
//! Nothing here may multiply or divide a `u128`: on the target that would call itself.

const LOW: u64 = u32::MAX as u64;

/// The low 128 bits of `a * b`; the same bits for signed numbers.
#[inline(always)]
pub fn multiply(a: u128, b: u128) -> u128 {
    let (a_high, a_low) = halves(a);
    let (b_high, b_low) = halves(b);
    let (high, low) = multiply_halves(a_low, b_low);
    let high =
        high.wrapping_add(a_high.wrapping_mul(b_low)).wrapping_add(a_low.wrapping_mul(b_high));
    join(high, low)
}

/// Quotient and remainder. `denominator` is not zero: the compiler has checked before it calls.
#[inline(never)]
pub fn divide(numerator: u128, denominator: u128) -> (u128, u128) {
    if denominator > numerator {
        return (0, numerator);
    }
    let (high, low) = halves(numerator);
    let (denominator_high, denominator_low) = halves(denominator);
    if high == 0 {
        return ((low / denominator_low).into(), (low % denominator_low).into());
    }
    if denominator_high == 0 {
        let (quotient, rest) = (high / denominator_low, high % denominator_low);
        let (low_quotient, rest) = divide_halves(rest, low, denominator_low);
        return (join(quotient, low_quotient), rest.into());
    }
    divide_bit_by_bit(numerator, denominator)
}

/// For a denominator of more than 64 bits, hence a quotient of fewer than 64.
#[inline(always)]
fn divide_bit_by_bit(numerator: u128, denominator: u128) -> (u128, u128) {
    let shift = halves(denominator).0.leading_zeros() - halves(numerator).0.leading_zeros();
    let (mut quotient, mut rest, mut denominator) = (0u64, numerator, denominator << shift);
    for _ in 0..=shift {
        quotient <<= 1;
        if rest >= denominator {
            rest -= denominator;
            quotient |= 1;
        }
        denominator >>= 1;
    }
    (quotient.into(), rest)
}

/// Divides `high * 2^64 + low` by `denominator`, which exceeds `high`: Knuth's algorithm D with
/// two digits of 32 bits.
#[inline(always)]
fn divide_halves(high: u64, low: u64, denominator: u64) -> (u64, u64) {
    if high == 0 {
        return (low / denominator, low % denominator);
    }
    let shift = denominator.leading_zeros();
    let denominator = denominator << shift;
    let (high, low) = if shift == 0 {
        (high, low)
    } else {
        ((high << shift) | (low >> (64 - shift)), low << shift)
    };
    let (first, rest) = digit(high, low >> 32, denominator);
    let (second, rest) = digit(rest, low & LOW, denominator);
    ((first << 32) | second, rest >> shift)
}

/// One digit of the quotient of `high * 2^32 + next`, and the rest.
#[inline(always)]
fn digit(high: u64, next: u64, denominator: u64) -> (u64, u64) {
    let (denominator_high, denominator_low) = (denominator >> 32, denominator & LOW);
    let (mut quotient, mut rest) = (high / denominator_high, high % denominator_high);
    while quotient > LOW || quotient * denominator_low > ((rest << 32) | next) {
        quotient -= 1;
        rest += denominator_high;
        if rest > LOW {
            break;
        }
    }
    let rest = (high << 32).wrapping_add(next).wrapping_sub(quotient.wrapping_mul(denominator));
    (quotient, rest)
}

/// The whole product of two 64-bit numbers, as high and low half.
#[inline(always)]
fn multiply_halves(a: u64, b: u64) -> (u64, u64) {
    let (a_high, a_low, b_high, b_low) = (a >> 32, a & LOW, b >> 32, b & LOW);
    let (low, cross, other_cross, high) =
        (a_low * b_low, a_low * b_high, a_high * b_low, a_high * b_high);
    let middle = (low >> 32) + (cross & LOW) + (other_cross & LOW);
    let high = high + (cross >> 32) + (other_cross >> 32) + (middle >> 32);
    (high, (middle << 32) | (low & LOW))
}

#[inline(always)]
fn halves(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}

#[inline(always)]
fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around every power of two, where carries and corrections happen, and random ones
    /// of every length.
    fn numbers() -> Vec<u128> {
        let mut numbers = vec![0, 1, 2, 3, 10_000, u128::MAX, u128::MAX - 1];
        let mut random = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834_u128;
        for bits in 1..128 {
            let power = 1u128 << bits;
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            numbers.extend([power - 1, power, power + 1, random >> bits, random & (power - 1)]);
        }
        numbers
    }

    #[test]
    fn products_are_the_hosts() {
        for a in numbers() {
            for b in numbers() {
                assert_eq!(multiply(a, b), a.wrapping_mul(b), "{a} * {b}");
            }
        }
    }

    #[test]
    fn quotients_and_rests_are_the_hosts() {
        for numerator in numbers() {
            for denominator in numbers().into_iter().filter(|number| *number > 0) {
                let expected = (numerator / denominator, numerator % denominator);
                assert_eq!(divide(numerator, denominator), expected, "{numerator} / {denominator}");
            }
        }
    }
}
