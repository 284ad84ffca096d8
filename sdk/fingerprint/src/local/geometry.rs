//! Whether matched keypoints fit one transformation.

use std::collections::HashSet;

use super::{
    keypoint::{Keypoint, UNITS},
    pattern::TURN,
};

/// Number of matches, nearest descriptors first, of which each two propose a transformation.
const SEEDS: usize = 24;
/// Number of matches that propose transformations with the matches this far behind.
const MORE_SEEDS: usize = 200;
const BEHIND: [usize; 3] = [1, 7, 31];
/// Minimum distance of two matches that propose a transformation, pixels of the frame.
const MIN_BASE: f32 = 12.0;
/// Maximum scale of a transformation, and of its inverse.
const MAX_SCALE: f32 = 8.0;
/// Maximum ratio of the scale to the one that two keypoints' levels imply.
const MAX_STRETCH: f32 = 1.6;
/// Maximum deviation of a transformed keypoint, pixels of its level.
const TOLERANCE: f32 = 3.0;
/// Side of the cells of which each counts once, pixels of the frame.
const CELL: f32 = 8.0;
/// Iterations of the least-squares fit.
const FITS: usize = 3;

/// Transformation of positions in a query into positions in a registered picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    /// Rows of an affine map: `x' = m[0][0] x + m[0][1] y + m[0][2]`.
    pub matrix: [[f32; 3]; 2],
}

impl Transform {
    /// Maps a position.
    pub fn apply(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let [across, down] = self.matrix;
        (across[0] * x + across[1] * y + across[2], down[0] * x + down[1] * y + down[2])
    }

    /// Whether one picture is the other's mirror image.
    pub fn is_mirrored(&self) -> bool {
        self.determinant() < 0.0
    }

    /// Returns the registered picture's scale relative to the query.
    pub fn scale(&self) -> f32 {
        self.determinant().abs().sqrt()
    }

    fn determinant(&self) -> f32 {
        let [across, down] = self.matrix;
        across[0] * down[1] - across[1] * down[0]
    }

    /// Scales both ends.
    pub(super) fn between(&self, from: f32, to: f32) -> Self {
        let row = |[x, y, offset]: [f32; 3]| [x * to / from, y * to / from, offset * to];
        Self { matrix: self.matrix.map(row) }
    }
}

/// Two keypoints with similar descriptors.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    from: (f32, f32),
    to: (f32, f32),
    /// Direction of `to` relative to `from`, and scale, as the keypoints imply.
    angle: u8,
    scale: f32,
    tolerance: f32,
    distance: u32,
}

impl Pair {
    /// Pairs a query's keypoint, mirrored if need be, with a registered one.
    pub fn new(from: &Keypoint, to: &Keypoint, is_mirrored: bool, distance: u32) -> Self {
        let place = |units: u16| f32::from(units) / f32::from(UNITS);
        let side = if is_mirrored { -1.0 } else { 1.0 };
        let step = |level: u8| 1.2_f32.powi(level.into());
        Self {
            from: (side * place(from.x), place(from.y)),
            to: (place(to.x), place(to.y)),
            angle: (to.angle + TURN as u8 - from.angle) % TURN as u8,
            scale: step(to.level) / step(from.level),
            tolerance: TOLERANCE * step(to.level),
            distance,
        }
    }
}

/// Rotation, scale and translation: complex factor and offset.
#[derive(Clone, Copy)]
struct Similarity {
    factor: (f32, f32),
    offset: (f32, f32),
}

impl Similarity {
    fn apply(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (a, b) = self.factor;
        (a * x - b * y + self.offset.0, b * x + a * y + self.offset.1)
    }

    /// Returns the similarity that maps two pairs, if the pairs' keypoints agree with it.
    fn from_two(one: &Pair, other: &Pair) -> Option<Self> {
        let from = (other.from.0 - one.from.0, other.from.1 - one.from.1);
        let to = (other.to.0 - one.to.0, other.to.1 - one.to.1);
        let (square, base) = (from.0 * from.0 + from.1 * from.1, to.0 * to.0 + to.1 * to.1);
        if square < MIN_BASE * MIN_BASE || base < MIN_BASE * MIN_BASE {
            return None;
        }
        let factor =
            ((to.0 * from.0 + to.1 * from.1) / square, (to.1 * from.0 - to.0 * from.1) / square);
        let similarity = Self::through(factor, one.from, one.to);
        let is_plausible = similarity.is_plausible()
            && [one, other].iter().all(|pair| {
                let stretch = similarity.scale() / pair.scale;
                // The cosine of the angle between the two directions.
                let turn = f32::from(pair.angle) / TURN as f32 * std::f32::consts::TAU;
                let along = factor.0 * turn.cos() + factor.1 * turn.sin();
                (1.0 / MAX_STRETCH..MAX_STRETCH).contains(&stretch)
                    && along > 0.9 * similarity.scale()
            });
        is_plausible.then_some(similarity)
    }

    fn through(factor: (f32, f32), from: (f32, f32), to: (f32, f32)) -> Self {
        let turned = Self { factor, offset: (0.0, 0.0) }.apply(from);
        Self { factor, offset: (to.0 - turned.0, to.1 - turned.1) }
    }

    fn scale(&self) -> f32 {
        self.factor.0.hypot(self.factor.1)
    }

    fn is_plausible(&self) -> bool {
        (1.0 / MAX_SCALE..MAX_SCALE).contains(&self.scale())
    }

    /// Returns the least-squares similarity of these pairs.
    fn fitted(pairs: &[&Pair]) -> Option<Self> {
        let count = pairs.len() as f32;
        let mean = |place: fn(&Pair) -> (f32, f32)| {
            let sum = pairs.iter().map(|pair| place(pair));
            let (x, y) = sum.fold((0.0, 0.0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
            (x / count, y / count)
        };
        let (from, to) = (mean(|pair| pair.from), mean(|pair| pair.to));
        let (mut square, mut along, mut across) = (0.0, 0.0, 0.0);
        for pair in pairs {
            let (x, y) = (pair.from.0 - from.0, pair.from.1 - from.1);
            let (u, v) = (pair.to.0 - to.0, pair.to.1 - to.1);
            square += x * x + y * y;
            along += u * x + v * y;
            across += v * x - u * y;
        }
        if square < MIN_BASE {
            return None;
        }
        let fitted = Self::through((along / square, across / square), from, to);
        fitted.is_plausible().then_some(fitted)
    }

    fn deviation(&self, pair: &Pair) -> f32 {
        let (x, y) = self.apply(pair.from);
        (x - pair.to.0).hypot(y - pair.to.1)
    }

    fn inliers<'a>(&self, pairs: &'a [Pair]) -> Vec<&'a Pair> {
        let inliers = pairs.iter().filter(|pair| self.deviation(pair) <= pair.tolerance);
        inliers.collect()
    }
}

/// Returns the transformation that most pairs fit, between frames, and the number of places, in
/// both pictures, that fit it. Deterministic: the nearest pairs propose, all pairs vote.
pub fn fit(pairs: &mut [Pair], is_mirrored: bool) -> Option<(Transform, u32)> {
    pairs.sort_by_key(|pair| pair.distance);
    let nearest =
        (0..pairs.len().min(SEEDS)).flat_map(|one| (0..one).map(move |other| (one, other)));
    let more = (0..pairs.len().min(MORE_SEEDS))
        .flat_map(|one| BEHIND.map(|behind| (one, one + behind)))
        .filter(|(_, other)| *other < pairs.len());
    let mut best: Option<(usize, Similarity)> = None;
    for (one, other) in nearest.chain(more) {
        let Some(similarity) = Similarity::from_two(&pairs[one], &pairs[other]) else { continue };
        let fitting = pairs.iter().filter(|pair| similarity.deviation(pair) <= pair.tolerance);
        let fitting = fitting.count();
        if best.is_none_or(|(most, _)| fitting > most) {
            best = Some((fitting, similarity));
        }
    }
    let (_, mut similarity) = best?;
    let mut inliers = similarity.inliers(pairs);
    for _ in 0..FITS {
        let Some(fitted) = Similarity::fitted(&inliers) else { break };
        let fitting = fitted.inliers(pairs);
        if fitting.len() < inliers.len() {
            break;
        }
        (similarity, inliers) = (fitted, fitting);
    }
    let (a, b) = similarity.factor;
    let side = if is_mirrored { -1.0 } else { 1.0 };
    let matrix = [[side * a, -b, similarity.offset.0], [side * b, a, similarity.offset.1]];
    Some((Transform { matrix }, places(&inliers)))
}

/// Returns the number of pairs that would fit a transformation by chance, if the registered
/// keypoints were on a third of the frame's area, times three.
pub fn expected(pairs: &[Pair], area: f32) -> u32 {
    let chance = |pair: &Pair| {
        (std::f32::consts::PI * pair.tolerance * pair.tolerance * 3.0 / area.max(1.0)).min(1.0)
    };
    (3.0 * pairs.iter().map(chance).sum::<f32>()) as u32 // at most three a pair
}

/// Counts places that have no other near them in either picture.
fn places(inliers: &[&Pair]) -> u32 {
    let cell = |(x, y): (f32, f32)| ((x / CELL).floor() as i32, (y / CELL).floor() as i32);
    let (mut from, mut to) = (HashSet::new(), HashSet::new());
    let mut places = 0;
    for pair in inliers {
        let ends = (cell(pair.from), cell(pair.to));
        if !from.contains(&ends.0) && !to.contains(&ends.1) {
            from.insert(ends.0);
            to.insert(ends.1);
            places += 1;
        }
    }
    places
}
