use std::ops::Range;

/// Which patterns have a certain value in one of their parts, for every value.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Where each value's patterns begin, and behind the last one where they end.
    starts: Vec<u32>,
    patterns: Vec<u32>,
}

const VALUES: usize = 1 << 16;

impl Buckets {
    /// Sorts patterns, named by their place in `values`, by value; equal ones keep their order.
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

    /// Where the patterns of a value are among all, in their order.
    #[inline(always)]
    pub fn range(&self, value: u16) -> Range<usize> {
        let value = usize::from(value);
        self.starts[value] as usize..self.starts[value + 1] as usize
    }

    /// The patterns of all buckets, one bucket after the other.
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
