use std::collections::HashMap;

use super::bucket::Buckets;
use crate::{Metric, Scheme};

const PARTS: usize = 16;
/// Maximum number of patterns read from one bucket, earliest first, so that later registrations
/// cannot hide a work.
const MAX_BUCKET_READ: usize = 256;

/// Fingerprint in the index: sixteen parts of sixteen bits. Schemes that compare bits spread them
/// over the parts, so that no part is one row of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pattern([u64; 4]);

/// Index of all fingerprints of one scheme. Equal fingerprints are one pattern.
///
/// Multi-index hashing (M. Norouzi, A. Punjani and D. Fleet, "Fast search in Hamming space with
/// multi-index hashing", 2012): two patterns within a radius are nearly equal in some part. If they
/// differ in at most `r` bits, with `16 <= r < 32`, they differ by at most one bit in one of `r -
/// 15` parts, or by none in one of the others: otherwise they would differ in at least `2 * (r -
/// 15) + (31 - r) = r + 1` bits. Schemes that compare whole parts have a part in common within the
/// radius. A search finds everything within the radius, except for the rest of an overfull bucket,
/// which it reports.
#[derive(Clone, Debug)]
pub struct HammingIndex {
    scheme: Scheme,
    patterns: Vec<Pattern>,
    buckets: Vec<Buckets>,
    /// Six other parts of every pattern, in the order of each part's buckets. Read sequentially
    /// with the bucket, they reject nearly all unrelated patterns without a random memory access.
    /// Empty for schemes that do not read neighboring buckets.
    sketches: Vec<Vec<Sketch>>,
    /// Start of each pattern's entries in `entries`.
    starts: Vec<u32>,
    entries: Vec<u32>,
}

/// Six parts of a pattern, two per number.
type Sketch = [u32; 3];

impl Pattern {
    pub fn new(scheme: Scheme, bits: &[u8; 32]) -> Self {
        let mut parts = [0_u16; PARTS];
        for (row, pair) in bits.chunks_exact(2).enumerate() {
            let row_bits = u16::from_le_bytes([pair[0], pair[1]]);
            match scheme.metric() {
                Metric::Parts => parts[row] = row_bits,
                Metric::Bits => {
                    for column in 0..PARTS {
                        parts[(row + column) % PARTS] |= (row_bits >> column & 1) << row;
                    }
                }
            }
        }
        let word = |from: usize| {
            let parts = parts[from..from + 4].iter().rev();
            parts.fold(0, |word, part| word << 16 | u64::from(*part))
        };
        Self([word(0), word(4), word(8), word(12)])
    }

    fn part(&self, place: usize) -> u16 {
        (self.0[place / 4] >> (16 * (place % 4))) as u16 // the lowest 16 bits
    }

    /// Returns the six parts that follow `place`.
    fn sketch(&self, place: usize) -> Sketch {
        let part = |after| u32::from(self.part((place + after) % PARTS));
        std::array::from_fn(|pair| part(2 * pair + 1) << 16 | part(2 * pair + 2))
    }

    #[inline(always)]
    pub fn distance(&self, other: &Self, metric: Metric) -> u32 {
        let differing = self.0.iter().zip(&other.0).map(|(one, other)| {
            let differs = one ^ other;
            match metric {
                Metric::Bits => differs.count_ones(),
                Metric::Parts => {
                    const LOW: u64 = 0x7FFF_7FFF_7FFF_7FFF;
                    // The highest bit of a part is set if any of its bits is set.
                    ((((differs & LOW) + LOW) | differs) & !LOW).count_ones()
                }
            }
        });
        differing.sum()
    }
}

impl HammingIndex {
    /// Creates the index; `all` has the entries' fingerprints, earliest registration first.
    pub fn new(scheme: Scheme, all: &[(u32, [u8; 32])]) -> Self {
        let mut known = HashMap::with_capacity(all.len());
        let mut patterns = Vec::new();
        let mut pattern_of = Vec::with_capacity(all.len());
        for (_, bits) in all {
            let pattern = Pattern::new(scheme, bits);
            let number = *known.entry(pattern).or_insert_with(|| {
                patterns.push(pattern);
                patterns.len() as u32 - 1 // fewer than 2^32 entries
            });
            pattern_of.push(number);
        }
        let mut starts = vec![0_u32; patterns.len() + 1];
        for pattern in &pattern_of {
            starts[*pattern as usize + 1] += 1;
        }
        for pattern in 0..patterns.len() {
            starts[pattern + 1] += starts[pattern];
        }
        let mut next = starts.clone();
        let mut entries = vec![0; all.len()];
        for (pattern, (entry, _)) in pattern_of.iter().zip(all) {
            let place = &mut next[*pattern as usize];
            entries[*place as usize] = *entry;
            *place += 1;
        }
        let bucket = |place| Buckets::new(patterns.iter().map(move |p: &Pattern| p.part(place)));
        let buckets: Vec<Buckets> = (0..PARTS).map(bucket).collect();
        let sketches = match scheme.metric() {
            Metric::Parts => vec![Vec::new(); PARTS],
            Metric::Bits => {
                let sketch = |(place, buckets): (usize, &Buckets)| {
                    let sketches =
                        buckets.all().iter().map(|p| patterns[*p as usize].sketch(place));
                    sketches.collect()
                };
                buckets.iter().enumerate().map(sketch).collect()
            }
        };
        Self { scheme, patterns, buckets, sketches, starts, entries }
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the number of distinct fingerprints.
    #[cfg(test)]
    pub fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Returns the entries with a pattern, earliest registration first.
    pub fn entries(&self, pattern: u32) -> &[u32] {
        let pattern = pattern as usize;
        &self.entries[self.starts[pattern] as usize..self.starts[pattern + 1] as usize]
    }

    /// Adds patterns within the scheme's radius and their distances to `near`; returns whether the
    /// result is truncated.
    pub fn find(&self, bits: &[u8; 32], near: &mut HashMap<u32, u32>) -> bool {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("popcnt") {
            // SAFETY: this processor has the instruction.
            return unsafe { self.find_with_popcnt(bits, near) };
        }
        self.find_by_parts(bits, near)
    }

    /// Compiles the search with `popcnt`, so that more memory loads are in flight.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt")]
    fn find_with_popcnt(&self, bits: &[u8; 32], near: &mut HashMap<u32, u32>) -> bool {
        self.find_by_parts(bits, near)
    }

    #[inline(always)]
    fn find_by_parts(&self, bits: &[u8; 32], near: &mut HashMap<u32, u32>) -> bool {
        let sought = Pattern::new(self.scheme, bits);
        let mut is_truncated = false;
        for place in 0..PARTS {
            let value = sought.part(place);
            let sketch = sought.sketch(place);
            is_truncated |= self.look(place, value, &sketch, &sought, near);
            if self.looks_around(place) {
                for bit in 0..16 {
                    is_truncated |= self.look(place, value ^ 1 << bit, &sketch, &sought, near);
                }
            }
        }
        is_truncated
    }

    /// Searches exhaustively, to verify [`HammingIndex::find`].
    pub fn scan(&self, bits: &[u8; 32], near: &mut HashMap<u32, u32>) {
        let sought = Pattern::new(self.scheme, bits);
        let (metric, radius) = (self.scheme.metric(), self.scheme.radius());
        for (number, pattern) in (0..).zip(&self.patterns) {
            let distance = pattern.distance(&sought, metric);
            if distance <= radius {
                near.insert(number, distance);
            }
        }
    }

    /// Whether the search reads buckets that differ by one bit in this part.
    fn looks_around(&self, place: usize) -> bool {
        let parts = PARTS as u32;
        let around = match self.scheme.metric() {
            Metric::Bits => (self.scheme.radius() + 1).saturating_sub(parts),
            Metric::Parts => 0,
        };
        (place as u32) < around
    }

    /// Reads a bucket; returns whether it is truncated.
    #[inline(always)]
    fn look(
        &self,
        place: usize,
        value: u16,
        sketch: &Sketch,
        sought: &Pattern,
        near: &mut HashMap<u32, u32>,
    ) -> bool {
        let (metric, radius) = (self.scheme.metric(), self.scheme.radius());
        let range = self.buckets[place].range(value);
        let looked_at = range.start..range.end.min(range.start + MAX_BUCKET_READ);
        let patterns = &self.buckets[place].all()[looked_at.clone()];
        let mut take = |number: u32| {
            let distance = self.patterns[number as usize].distance(sought, metric);
            if distance <= radius {
                near.insert(number, distance);
            }
        };
        match metric {
            Metric::Parts => patterns.iter().for_each(|number| take(*number)),
            Metric::Bits => {
                let sketches = &self.sketches[place][looked_at];
                for (number, other) in patterns.iter().zip(sketches) {
                    let differing = sketch.iter().zip(other).map(|(a, b)| (a ^ b).count_ones());
                    if differing.sum::<u32>() <= radius {
                        take(*number);
                    }
                }
            }
        }
        range.len() > MAX_BUCKET_READ
    }
}

// Larger radii would need buckets that differ by two bits.
const _: () = {
    let mut scheme = 0;
    while scheme < Scheme::ALL.len() {
        match Scheme::ALL[scheme].metric() {
            Metric::Bits => assert!(Scheme::ALL[scheme].radius() < 32),
            Metric::Parts => assert!(Scheme::ALL[scheme].radius() < 16),
        }
        scheme += 1;
    }
};
