//! Keypoints of a picture with oriented binary descriptors.

use image::DynamicImage;

use super::{
    corners::{Corner, corners},
    pattern::{RADIUS, TURN, direction, turned},
    plane::Plane,
};
use crate::image::brightness;

/// Number of scales, each five sixths of the one before.
pub const LEVELS: u8 = 8;
/// Longer side up to which small pictures are enlarged, pixels.
const ENLARGED_SIDE: u32 = 512;
/// Minimum area of the frame for each keypoint, pixels.
const AREA: usize = 400;
/// Units of a keypoint's position in a pixel of the frame.
pub const UNITS: u16 = 32;
/// Minimum distance of a keypoint from the edges: its points and their blur.
const MARGIN: usize = RADIUS as usize + 2;
/// Minimum difference of compared points, units of the blurred plane, so that noise on plain
/// surfaces sets no bits.
const MIN_DIFFERENCE: u16 = 156;

/// Place in a picture with a descriptor of its surroundings.
///
/// Points are ordered by direction, then by level and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keypoint {
    /// Direction from darkness to light, 64ths of a turn, from right to down.
    pub angle: u8,
    /// Scale: five sixths to this power.
    pub level: u8,
    /// Position from the top, 32nds of a pixel of the frame.
    pub y: u16,
    /// Position from the left, 32nds of a pixel of the frame.
    pub x: u16,
    /// Descriptor.
    pub bits: [u64; 4],
}

impl Keypoint {
    /// Returns the keypoint of the mirrored picture, at the same place.
    pub fn mirrored(&self) -> Self {
        let [a, b, c, d] = self.bits;
        let angle = (TURN + TURN / 2 - usize::from(self.angle)) % TURN;
        Self { angle: angle as u8, bits: [c, d, a, b], ..*self } // below TURN
    }
}

/// Returns the longer side of the frame, into which the picture is scaled, and up to `wanted`
/// keypoints, fewer for a small frame. Pictures are enlarged by at most two, up to [`ENLARGED_SIDE`].
pub fn keypoints(image: &DynamicImage, max_side: u16, wanted: usize) -> (u16, Vec<Keypoint>) {
    let longer = image.width().max(image.height());
    let enlarged = longer.saturating_mul(2).min(ENLARGED_SIDE);
    let side = longer.max(enlarged).min(max_side.into());
    let scaled = |length: u32| {
        let scaled = u64::from(length) * u64::from(side) / u64::from(longer.max(1));
        scaled.max(1) as usize // at most `side`
    };
    let (width, height) = (scaled(image.width()), scaled(image.height()));
    let (given_width, given_height) = (image.width() as usize, image.height() as usize);
    let levels = brightness(image).into_raw();
    let given = Plane { width: given_width, height: given_height, levels };
    if given.levels.is_empty() {
        return (0, Vec::new());
    }
    let frame = given.resized(width, height);
    // Crowded keypoints would fit any transformation.
    let wanted = wanted.min(width * height / AREA);

    let mut points = Vec::with_capacity(wanted);
    let mut rest_of_weights: usize = (0..LEVELS).map(weight).sum();
    for level in 0..LEVELS {
        // What a level lacks is left to the next ones.
        let share = (wanted - points.len()) * weight(level) / rest_of_weights;
        rest_of_weights -= weight(level);
        let (up, down) = (6_usize.pow(level.into()), 5_usize.pow(level.into()));
        let shrunk = |length: usize| ((length * down + up / 2) / up).max(1);
        let plane = frame.resized(shrunk(width), shrunk(height));
        let found = corners(&plane, MARGIN, share);
        if found.is_empty() {
            continue;
        }
        let blurred = plane.blurred();
        points.extend(found.iter().map(|corner| {
            let angle = angle(&plane, corner);
            let place = |at: usize, length: usize, shrunk: usize| {
                // The center of a pixel, scaled by the ratio of the planes.
                ((2 * at + 1) * length * usize::from(UNITS) / (2 * shrunk)) as u16 // below 2^16
            };
            Keypoint {
                angle: angle as u8, // below TURN
                level,
                y: place(corner.y, height, plane.height),
                x: place(corner.x, width, plane.width),
                bits: bits(&blurred, corner, angle),
            }
        }));
    }
    points.sort_unstable();
    points.dedup();
    (side as u16, points) // at most `max_side`
}

/// Share of a level in the keypoints.
fn weight(level: u8) -> usize {
    5_usize.pow(level.into()) * 6_usize.pow((LEVELS - 1 - level).into())
}

/// Returns the direction of the intensity centroid (P. Rosin, "Measuring corner properties", 1999).
fn angle(plane: &Plane<u8>, corner: &Corner) -> usize {
    let (mut across, mut down) = (0_i64, 0_i64);
    for y in -RADIUS..=RADIUS {
        let row = corner.y.wrapping_add_signed(y as isize) * plane.width + corner.x;
        for x in -RADIUS..=RADIUS {
            if x * x + y * y <= RADIUS * RADIUS {
                let level = i64::from(plane.levels[row.wrapping_add_signed(x as isize)]);
                across += i64::from(x) * level;
                down += i64::from(y) * level;
            }
        }
    }
    let along = |angle: &usize| {
        let (cosine, sine) = direction(*angle);
        across * i64::from(cosine) + down * i64::from(sine)
    };
    (0..TURN).rev().max_by_key(along).unwrap_or(0)
}

fn bits(blurred: &Plane<u16>, corner: &Corner, angle: usize) -> [u64; 4] {
    let at = |(x, y): (i8, i8)| {
        let row = corner.y.wrapping_add_signed(y.into());
        blurred.levels[row * blurred.width + corner.x.wrapping_add_signed(x.into())]
    };
    let mut bits = [0; 4];
    for (place, [one, other]) in turned(angle).iter().enumerate() {
        let is_darker = at(*one) + MIN_DIFFERENCE < at(*other); // below 2^16
        bits[place / 64] |= u64::from(is_darker) << (place % 64);
    }
    bits
}
