//! Grey pictures in integers, so that every machine computes the same levels.

/// Grey levels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plane<T> {
    pub width: usize,
    pub height: usize,
    pub levels: Vec<T>,
}

/// Weights of one output position: the first input position, and the weights from there on, whose
/// sum is [`ONE`].
struct Window {
    first: usize,
    weights: Vec<u32>,
}

const ONE: u32 = 1 << 14;

impl Plane<u8> {
    /// Scales by a tent filter, as wide as an output position or an input position, whichever is
    /// wider.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let columns = windows(self.width, width);
        let mut narrow = Vec::with_capacity(width * self.height);
        for row in self.levels.chunks_exact(self.width) {
            narrow.extend(columns.iter().map(|window| {
                let levels = row[window.first..].iter().zip(&window.weights);
                rounded(levels.map(|(level, weight)| u32::from(*level) * weight).sum())
            }));
        }
        let mut levels = Vec::with_capacity(width * height);
        let mut sums = vec![0_u32; width];
        for window in windows(self.height, height) {
            sums.fill(0);
            let rows = narrow[window.first * width..].chunks_exact(width);
            for (row, weight) in rows.zip(&window.weights) {
                for (sum, level) in sums.iter_mut().zip(row) {
                    *sum = sum.wrapping_add(u32::from(*level).wrapping_mul(*weight)); // below 2^22
                }
            }
            levels.extend(sums.iter().map(|sum| rounded(*sum)));
        }
        Self { width, height, levels }
    }

    /// Blurs by two box filters of five by five. A grey level is 156 units.
    pub fn blurred(&self) -> Plane<u16> {
        let levels: Vec<_> = self.levels.iter().map(|level| u32::from(*level)).collect();
        let once = boxed(self.width, self.height, &levels);
        let twice = boxed(self.width, self.height, &once);
        let levels = twice.into_iter().map(|sum| (sum >> 2) as u16).collect(); // 625 * 255 / 4
        Plane { width: self.width, height: self.height, levels }
    }
}

fn rounded(sum: u32) -> u8 {
    ((sum + ONE / 2) / ONE).min(255) as u8 // at most 255
}

fn windows(from: usize, to: usize) -> Vec<Window> {
    // Positions are in units of 1 / (2 * to) of an input position.
    let (from, to) = (from as i64, to as i64);
    let support = 2 * from.max(to);
    let window = |place: i64| {
        let center = (2 * place + 1) * from - to;
        let first = ((center - support) / (2 * to)).clamp(0, from - 1);
        let last = ((center + support) / (2 * to)).clamp(first, from - 1);
        let heights: Vec<i64> =
            (first..=last).map(|x| (support - (x * 2 * to - center).abs()).max(0)).collect();
        let sum = heights.iter().sum::<i64>().max(1);
        let mut weights: Vec<u32> =
            heights.iter().map(|height| (height * i64::from(ONE) / sum) as u32).collect();
        let rest = ONE - weights.iter().sum::<u32>();
        let middle = weights.len() / 2;
        weights[middle] += rest;
        Window { first: first as usize, weights }
    };
    (0..to).map(window).collect()
}

/// Returns the sums of five by five positions; positions beyond an edge are the edge's. Sums stay
/// below 2^18.
fn boxed(width: usize, height: usize, levels: &[u32]) -> Vec<u32> {
    let mut across = Vec::with_capacity(width * height);
    let mut padded = vec![0; width + 4];
    for row in levels.chunks_exact(width) {
        padded[..2].fill(row[0]);
        padded[2..width + 2].copy_from_slice(row);
        padded[width + 2..].fill(row[width - 1]);
        let sum = |near: &[u32; 5]| near.iter().fold(0_u32, |sum, level| sum.wrapping_add(*level));
        across.extend(padded.array_windows().map(sum));
    }
    let mut sums = vec![0_u32; width * height];
    for (y, sums) in sums.chunks_exact_mut(width).enumerate() {
        for off in 0..5 {
            let near = (y + off).saturating_sub(2).min(height - 1) * width;
            for (sum, level) in sums.iter_mut().zip(&across[near..near + width]) {
                *sum = sum.wrapping_add(*level);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Plane<u8> {
        let levels = (0..width * height).map(|place| (place % width * 4) as u8).collect();
        Plane { width, height, levels }
    }

    #[test]
    fn scaled_ramp_stays_a_ramp() {
        let scaled = ramp(60, 20).resized(30, 10);
        assert_eq!((scaled.width, scaled.height), (30, 10));
        for (x, level) in scaled.levels[2..28].iter().enumerate() {
            assert!(level.abs_diff(((x + 2) * 8 + 2) as u8) <= 1, "{x}: {level}");
        }
        let flat = Plane { width: 50, height: 40, levels: vec![200; 2_000] };
        assert!(flat.resized(83, 21).levels.iter().all(|level| *level == 200));
    }

    #[test]
    fn blurred_flat_plane_is_flat() {
        let flat = Plane { width: 9, height: 7, levels: vec![255; 63] };
        assert!(flat.blurred().levels.iter().all(|level| *level == 39_843));
    }
}
