//! Scheme 5: signs of the lowest frequencies of sixteen blocks. A mark changes only the bits of its
//! blocks; a crop changes none if one of the probes matches it.

use std::{f32::consts::PI, sync::LazyLock};

use ::image::GrayImage;
use motif_interface::licensing::Fingerprint;

use crate::Scheme;

/// Border that is ignored, as a share of the side. A smaller crop keeps everything that is
/// fingerprinted.
const MARGIN: f32 = 0.05;
/// Side of the thumbnail and of its blocks, pixels.
const SIDE: usize = 32;
const BLOCK: usize = 8;
const BLOCKS: usize = SIDE / BLOCK;
/// Lowest frequencies of a block, horizontal and vertical, without the mean.
const WAVES: [(usize, usize); 16] = [
    (1, 0),
    (0, 1),
    (1, 1),
    (2, 0),
    (0, 2),
    (2, 1),
    (1, 2),
    (3, 0),
    (0, 3),
    (2, 2),
    (3, 1),
    (1, 3),
    (4, 0),
    (0, 4),
    (3, 2),
    (2, 3),
];
/// Minimum amplitude, grey levels; weaker waves are rounding noise.
const WEAKEST_WAVE: f32 = 0.05;
/// Minimum standard deviation of a block, grey levels; the bits of plainer blocks are noise.
const PLAIN_DEVIATION: f32 = 2.0;
/// Maximum number of plain blocks; images with more use another scheme.
const MAX_PLAIN_BLOCKS: usize = 3;

/// Crop of a side, as shares of the uncropped side. Negative if the searched image is the smaller
/// one.
#[derive(Clone, Copy, Debug)]
struct Cut {
    before: f32,
    behind: f32,
}

const UNCUT: Cut = cut(0.0, 0.0);
/// Probed crops. Any crop of up to 5 % is close enough to one of these, as tuned on the
/// evaluation's tuning half.
const CUTS: [Cut; 6] =
    [UNCUT, cut(0.02, 0.02), cut(0.035, 0.01), cut(0.01, 0.035), cut(0.05, 0.0), cut(0.0, 0.05)];
/// Probes for images that were registered without their border.
const ADDED: [(Cut, Cut); 5] = [
    (cut(-0.025, -0.025), cut(-0.025, -0.025)),
    (cut(-0.05, 0.0), cut(-0.05, 0.0)),
    (cut(0.0, -0.05), cut(0.0, -0.05)),
    (cut(-0.05, 0.0), cut(0.0, -0.05)),
    (cut(0.0, -0.05), cut(-0.05, 0.0)),
];

const fn cut(before: f32, behind: f32) -> Cut {
    Cut { before, behind }
}

/// Returns the fingerprint of an image; `None` if it has large plain surfaces.
pub fn fingerprint(image: &GrayImage) -> Option<Fingerprint> {
    let thumbnail = Thumbnail::new(&Strip::new(image, UNCUT), UNCUT);
    (thumbnail.plain_blocks() <= MAX_PLAIN_BLOCKS).then(|| thumbnail.fingerprint())
}

/// Returns the probes: the image itself, as a crop of up to 5 % of another image, and with crops of
/// its own.
pub fn probes(image: &GrayImage) -> Vec<Fingerprint> {
    let mut probes = Vec::with_capacity(CUTS.len() * CUTS.len() + ADDED.len());
    for across in CUTS {
        let strip = Strip::new(image, across);
        probes.extend(CUTS.map(|down| Thumbnail::new(&strip, down).fingerprint()));
    }
    let added = ADDED.map(|(across, down)| Thumbnail::new(&Strip::new(image, across), down));
    probes.extend(added.map(|thumbnail| thumbnail.fingerprint()));
    probes
}

/// Image scaled to the thumbnail's width and its original height.
struct Strip(Vec<[f32; SIDE]>);

/// Returns the fingerprinted part of an image as a thumbnail of 32 pixels a side, in grey levels.
struct Thumbnail([[f32; SIDE]; SIDE]);

impl Strip {
    fn new(image: &GrayImage, across: Cut) -> Self {
        let weights = Weights::new(image.width(), across);
        let rows = image.rows().map(|row| {
            let row: Vec<_> = row.map(|pixel| f32::from(pixel.0[0])).collect();
            std::array::from_fn(|place| weights.mean(place, |at| row[at]))
        });
        Self(rows.collect())
    }
}

impl Thumbnail {
    fn new(strip: &Strip, down: Cut) -> Self {
        let weights = Weights::new(strip.0.len() as u32, down); // at most 256 rows
        Self(std::array::from_fn(|y| {
            std::array::from_fn(|x| weights.mean(y, |row| strip.0[row][x]))
        }))
    }

    fn blocks(&self) -> impl Iterator<Item = [[f32; BLOCK]; BLOCK]> {
        (0..BLOCKS * BLOCKS).map(|block| {
            let (top, left) = (block / BLOCKS * BLOCK, block % BLOCKS * BLOCK);
            std::array::from_fn(|y| std::array::from_fn(|x| self.0[top + y][left + x]))
        })
    }

    fn plain_blocks(&self) -> usize {
        self.blocks().filter(|block| deviation(block) < PLAIN_DEVIATION).count()
    }

    /// Returns sixteen bits for each block, little-endian: the sign of each wave.
    fn fingerprint(&self) -> Fingerprint {
        let mut bits = [0; 32];
        for (block, bytes) in self.blocks().zip(bits.chunks_exact_mut(2)) {
            let waves = WAVES.iter().zip(0..);
            let set =
                waves.filter(|((across, down), _)| wave(&block, *across, *down) > WEAKEST_WAVE);
            let value = set.fold(0_u16, |value, (_, place)| value | 1 << place);
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        Fingerprint { scheme: Scheme::ImageBlocks as u16, bits }
    }
}

/// Returns the weights of a side's pixels in each thumbnail pixel: a triangle filter two thumbnail
/// pixels wide.
struct Weights(Vec<(usize, Vec<f32>)>);

impl Weights {
    fn new(length: u32, cut: Cut) -> Self {
        let whole = 1.0 - cut.before - cut.behind; // the remaining share
        let place = |share: f32| (share - cut.before) / whole * length as f32;
        let (start, end) = (place(MARGIN), place(1.0 - MARGIN));
        let step = (end - start) / SIDE as f32;
        let reach = step.max(1.0);
        let weights = (0..SIDE).map(|pixel| {
            let centre = start + (pixel as f32 + 0.5) * step;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let behind = ((centre + reach + 0.5) as usize).min(length as usize);
            let first = first.min(behind.saturating_sub(1));
            let weight = |at: usize| 1.0 - ((at as f32 + 0.5 - centre) / reach).abs();
            (first, (first..behind).map(|at| weight(at).max(f32::EPSILON)).collect())
        });
        Self(weights.collect())
    }

    fn mean(&self, pixel: usize, level: impl Fn(usize) -> f32) -> f32 {
        let (first, weights) = &self.0[pixel];
        let sum: f32 = (*first..).zip(weights).map(|(at, weight)| level(at) * weight).sum();
        sum / weights.iter().sum::<f32>()
    }
}

/// Returns a coefficient of a block's discrete cosine transform.
fn wave(block: &[[f32; BLOCK]; BLOCK], across: usize, down: usize) -> f32 {
    /// Cosine table: `cos(pi * (place + 1/2) * frequency / 8)`, by frequency and place.
    static COSINES: LazyLock<[[f32; BLOCK]; BLOCK]> = LazyLock::new(|| {
        let angle = |frequency: usize, place: usize| (place as f32 + 0.5) * frequency as f32;
        std::array::from_fn(|frequency| {
            std::array::from_fn(|place| (angle(frequency, place) * PI / BLOCK as f32).cos())
        })
    });
    let dot = |row: &[f32; BLOCK], wave: &[f32; BLOCK]| -> f32 {
        row.iter().zip(wave).map(|(level, cosine)| level * cosine).sum()
    };
    let rows: [f32; BLOCK] = std::array::from_fn(|y| dot(&block[y], &COSINES[across]));
    dot(&rows, &COSINES[down]) / 4.0
}

/// Returns the standard deviation of a block's grey levels.
fn deviation(block: &[[f32; BLOCK]; BLOCK]) -> f32 {
    let count = (BLOCK * BLOCK) as f32;
    let mean = block.iter().flatten().sum::<f32>() / count;
    let squares = block.iter().flatten().map(|level| (level - mean) * (level - mean));
    (squares.sum::<f32>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use ::image::{Luma, imageops};

    use super::*;

    fn picture(width: u32, height: u32) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| {
            let (x, y) = (x as f32 / width as f32 * 9.0, y as f32 / height as f32 * 7.0);
            Luma([((x * 2.1).sin() * (y * 1.7).cos() * 70.0 + x * y + 90.0) as u8])
        })
    }

    fn apart(one: &Fingerprint, other: &Fingerprint) -> u32 {
        Scheme::ImageBlocks.distance(&one.bits, &other.bits)
    }

    #[test]
    fn resized_image_is_similar() {
        let original = fingerprint(&picture(256, 192)).unwrap();
        for (width, height) in [(128, 96), (64, 48)] {
            let distance = apart(&original, &fingerprint(&picture(width, height)).unwrap());
            let radius = Scheme::ImageBlocks.radius();
            assert!(distance <= radius, "{distance} at {width} x {height}");
        }
    }

    #[test]
    fn five_percent_crop_is_found() {
        let whole = picture(256, 192);
        let registered = fingerprint(&whole).unwrap();
        for (left, top) in [(0, 0), (12, 9), (6, 5), (3, 9), (12, 0)] {
            let crop = imageops::crop_imm(&whole, left, top, 244, 183).to_image();
            let nearest = probes(&crop).iter().map(|probe| apart(&registered, probe)).min();
            assert!(nearest.unwrap() <= 20, "{nearest:?} for a crop at {left}, {top}");
        }
    }

    #[test]
    fn mark_changes_only_its_blocks() {
        let mut marked = picture(256, 192);
        for (x, y) in (100..120).flat_map(|x| (80..90).map(move |y| (x, y))) {
            marked.put_pixel(x, y, Luma([255]));
        }
        let (one, other) =
            (fingerprint(&picture(256, 192)).unwrap(), fingerprint(&marked).unwrap());
        let blocks = one.bits.chunks_exact(2).zip(other.bits.chunks_exact(2));
        let changed = blocks.filter(|(one, other)| one != other).count();
        assert!((1..=4).contains(&changed), "{changed}");
    }

    #[test]
    fn plain_image_uses_another_scheme() {
        let mut image = picture(256, 192);
        for (x, y) in (0..256).flat_map(|x| (0..96).map(move |y| (x, y))) {
            image.put_pixel(x, y, Luma([255]));
        }
        assert_eq!(fingerprint(&image), None);
        assert_eq!(probes(&image).len(), 41);
    }

    #[test]
    fn smallest_image_has_probes() {
        for (width, height) in [(1, 1), (2, 300), (31, 1)] {
            assert_eq!(probes(&picture(width, height)).len(), 41);
        }
    }
}
