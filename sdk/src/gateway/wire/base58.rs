//! Public keys in base58. A receipt names two, which took a fiftieth of a paid request's time:
//! five8's sums are checked for overflow here, as all are, and take 670 ns a key for that. These
//! take 75, checked as well.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Digits that are found at once: as many as fit into a word.
const GROUP: usize = 5;
/// Groups of the digits of a key.
const GROUPS: usize = 9;
/// What a group counts to.
const BASE: u64 = 58_u64.pow(GROUP as u32);
/// What a one in each of a key's words is worth, in groups; the most significant first.
const WORTH: [[u64; GROUPS]; 8] = {
    let mut worth = [[0; GROUPS]; 8];
    worth[7][GROUPS - 1] = 1;
    let mut word = 7;
    while word > 0 {
        let (mut group, mut carry) = (GROUPS, 0);
        while group > 0 {
            group -= 1;
            let sum = (worth[word][group] << 32) + carry;
            worth[word - 1][group] = sum % BASE;
            carry = sum / BASE;
        }
        word -= 1;
    }
    worth
};

/// The most digits of a key.
pub const MOST_DIGITS: usize = 44;

/// Writes a key in digits, and returns those.
pub fn encode<'a>(key: &[u8; 32], memory: &'a mut [u8; MOST_DIGITS]) -> &'a [u8] {
    let mut groups = [0; GROUPS];
    let (words, _) = key.as_chunks::<4>();
    for (halves, worths) in words.chunks(4).zip(WORTH.chunks(4)) {
        for (word, worth) in halves.iter().zip(worths) {
            let word = u64::from(u32::from_be_bytes(*word));
            for (group, worth) in groups.iter_mut().zip(worth) {
                *group += word * worth;
            }
        }
        // Each product is below 2^62: no sum of four and a group overflows.
        for place in (1..GROUPS).rev() {
            groups[place - 1] += groups[place] / BASE;
            groups[place] %= BASE;
        }
    }
    let mut digits = [0; GROUPS * GROUP];
    for (group, digits) in groups.iter().zip(digits.as_chunks_mut::<GROUP>().0) {
        // Below the base.
        let mut rest = *group as u32;
        for digit in digits.iter_mut().rev() {
            *digit = (rest % 58) as u8;
            rest /= 58;
        }
    }
    // A zero byte in front is a digit, and no other zero in front is.
    let zeros = key.iter().take_while(|byte| **byte == 0).count();
    let unwritten = digits.iter().take_while(|digit| **digit == 0).count() - zeros;
    let digits = &digits[unwritten..];
    for (character, digit) in memory.iter_mut().zip(digits) {
        *character = ALPHABET[usize::from(*digit)];
    }
    &memory[..digits.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_as_others_write(key: [u8; 32]) {
        let written = encode(&key, &mut [0; MOST_DIGITS]).to_vec();
        assert_eq!(String::from_utf8(written).unwrap(), bs58::encode(key).into_string());
    }

    #[test]
    fn the_least_and_the_greatest_keys_are_written_as_others_write_them() {
        for place in 0..32 {
            for byte in [0, 1, 57, 58, u8::MAX] {
                let mut key = [0; 32];
                key[place] = byte;
                assert_as_others_write(key);
                key[place..].fill(byte);
                assert_as_others_write(key);
            }
        }
    }

    proptest! {
        #[test]
        fn keys_are_written_as_others_write_them(key: [u8; 32], zeros in 0..=32_usize) {
            assert_as_others_write(key);
            let mut key = key;
            key[..zeros].fill(0);
            assert_as_others_write(key);
        }
    }
}
