//! MinHash with sixteen minima: two sets agree in a minimum with the probability that a random
//! element of either is in both (A. Broder, "On the resemblance and containment of documents",
//! 1997). 16 bits of each minimum are kept (P. Li and A. König, "b-bit minwise hashing", 2010).

const PARTS: usize = 16;

/// Minima over a set of elements, each given as a 64-bit hash.
#[derive(Clone, Copy, Debug)]
pub struct MinHash {
    minima: [u64; PARTS],
}

impl MinHash {
    pub fn new() -> Self {
        Self { minima: [u64::MAX; PARTS] }
    }

    /// Adds an element. Adding it again has no effect.
    pub fn add(&mut self, element: u64) {
        for (seed, minimum) in (1..).zip(&mut self.minima) {
            *minimum = mixed(element ^ mixed(seed)).min(*minimum);
        }
    }

    /// Returns the 16 lowest bits of every minimum, little-endian.
    pub fn bits(&self) -> [u8; 32] {
        let mut bits = [0; 32];
        for (part, minimum) in bits.chunks_exact_mut(2).zip(self.minima) {
            part.copy_from_slice(&minimum.to_le_bytes()[..2]);
        }
        bits
    }
}

/// Permutes 64 bits with the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
pub fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scheme;

    fn of(elements: impl Iterator<Item = u64>) -> [u8; 32] {
        let mut minima = MinHash::new();
        elements.for_each(|element| minima.add(mixed(element)));
        minima.bits()
    }

    #[test]
    fn minhash_ignores_order_and_repetition() {
        let forwards = of((0..100).chain(20..40));
        assert_eq!(forwards, of((0..100).rev()));
    }

    #[test]
    fn minhash_estimates_set_similarity() {
        // 50 of 150 elements are in both: a third of 16 parts over many pairs.
        let agreements: u32 = (0..200)
            .map(|pair| {
                let start = pair * 1_000;
                let (one, other) = (of(start..start + 100), of(start + 50..start + 150));
                16 - Scheme::TextShingles.distance(&one, &other)
            })
            .sum();
        let expected = 200 * 16 / 3;
        assert!(agreements.abs_diff(expected) < expected / 10, "{agreements}, not {expected}");
    }
}
