use std::ops::Range;

/// Patterns by the value of one of their parts.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Start of each value's patterns, followed by the end of the last.
    starts: Vec<u32>,
    patterns: Vec<u32>,
}

const VALUES: usize = 1 << 16;

impl Buckets {
    /// Sorts patterns, identified by their position in `values`, by value; the sort is stable.
    pub fn new(values: impl Iterator<Item = u16> + Clone) -> Self {
        let mut starts = vec![0_u32; VALUES + 1];
        for value in values.clone() {
            starts[usize::from(value) + 1] += 1;
        }
        for value in 0..VALUES {
            starts[value + 1] += starts[value];
        }
        let mut next = starts.clone();
        let mut patterns = vec![0; starts[VALUES] as usize];
        for (pattern, value) in (0..).zip(values) {
            let place = &mut next[usize::from(value)];
            patterns[*place as usize] = pattern;
            *place += 1;
        }
        Self { starts, patterns }
    }

    /// Returns the range of a value's patterns in [`Buckets::all`].
    #[inline(always)]
    pub fn range(&self, value: u16) -> Range<usize> {
        let value = usize::from(value);
        self.starts[value] as usize..self.starts[value + 1] as usize
    }

    /// Returns the patterns of all buckets, bucket by bucket.
    pub fn all(&self) -> &[u32] {
        &self.patterns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_keep_pattern_order() {
        let values = [7_u16, 0, 7, u16::MAX, 7];
        let buckets = Buckets::new(values.iter().copied());
        let of = |value| &buckets.all()[buckets.range(value)];
        assert_eq!(of(7), [0, 2, 4]);
        assert_eq!((of(0), of(u16::MAX)), (&[1][..], &[3][..]));
        assert!(of(1).is_empty());
    }
}
