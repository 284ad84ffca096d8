use image::DynamicImage;
use sha2::{Digest, Sha256};

use super::keypoint::{Keypoint, LEVELS, UNITS, keypoints};
use super::pattern::TURN;

const MAGIC: &[u8; 16] = b"motif-features\0\0";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 32;
const POINT_BYTES: usize = 38;

/// Local features of a registered picture.
///
/// File: `motif-features` and two zeros, version 1 (u16), scheme 1 (u16), width and height of the
/// picture in pixels (u32 each), longer side of the frame (u16), number of keypoints (u16), then 38
/// bytes each: x, y (u16 each), level, angle (u8 each), descriptor (32). Integers are
/// little-endian. Keypoints ascend strictly by angle, level, y, x and descriptor, so a picture has
/// one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    width: u32,
    height: u32,
    side: u16,
    points: Vec<Keypoint>,
}

/// Errors of reading a file of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeaturesError {
    /// Error returned when the bytes do not begin like a file of features.
    #[error("no file of features")]
    UnknownFormat,
    /// Error returned when the version or the scheme is unknown.
    #[error("features have version {version} and scheme {scheme}; expected 1 and 1")]
    UnknownVersion {
        /// Version of the format.
        version: u16,
        /// Scheme of the descriptors.
        scheme: u16,
    },
    /// Error returned when there are too many keypoints.
    #[error("{0} keypoints; at most {max} are allowed", max = Features::MAX_POINTS)]
    TooMany(usize),
    /// Error returned when the length does not fit the number of keypoints.
    #[error("{found} bytes of features; expected {expected}")]
    OtherLength {
        /// Length of the file.
        found: usize,
        /// Length of a file with its number of keypoints.
        expected: usize,
    },
    /// Error returned when the picture has no pixels, or its frame is too large.
    #[error("a picture of {width} x {height} pixels in a frame of {side}")]
    InvalidSize {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Pixels of the frame's longer side.
        side: u16,
    },
    /// Error returned when a keypoint has an unknown level or angle or is outside of the frame.
    #[error("keypoint {0} has an invalid level, angle or place")]
    InvalidPoint(usize),
    /// Error returned when a keypoint does not come after the one before.
    #[error("keypoint {0} is out of order")]
    OutOfOrder(usize),
}

impl Features {
    /// Number of the scheme.
    pub const SCHEME: u16 = 1;
    /// Maximum number of keypoints.
    pub const MAX_POINTS: usize = 400;
    /// Maximum length of a file.
    pub const MAX_BYTES: usize = HEAD_BYTES + Self::MAX_POINTS * POINT_BYTES;
    /// Maximum longer side of the frame.
    const SIDE: u16 = 512;

    /// Describes a picture. A plain picture has no keypoints.
    pub fn new(image: &DynamicImage) -> Self {
        let (side, points) = keypoints(image, Self::SIDE, Self::MAX_POINTS);
        Self { width: image.width(), height: image.height(), side, points }
    }

    /// Returns the keypoints.
    pub fn points(&self) -> &[Keypoint] {
        &self.points
    }

    /// Returns width and height of the picture, pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Returns the pixels of the picture in a pixel of the frame.
    pub(super) fn frame_pixel(&self) -> f32 {
        self.width.max(self.height) as f32 / f32::from(self.side.max(1))
    }

    /// Returns the area of the frame, pixels.
    pub(super) fn area(&self) -> f32 {
        self.width as f32 * self.height as f32 / (self.frame_pixel() * self.frame_pixel()).max(1e-6)
    }

    /// Returns the SHA-256 of the file.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.to_bytes()).into()
    }

    /// Writes the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.points.len() * POINT_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(Self::SCHEME.to_le_bytes());
        bytes.extend(self.width.to_le_bytes());
        bytes.extend(self.height.to_le_bytes());
        bytes.extend(self.side.to_le_bytes());
        bytes.extend((self.points.len() as u16).to_le_bytes()); // at most MAX_POINTS
        for point in &self.points {
            bytes.extend(point.x.to_le_bytes());
            bytes.extend(point.y.to_le_bytes());
            bytes.extend([point.level, point.angle]);
            bytes.extend(point.bits.iter().flat_map(|word| word.to_le_bytes()));
        }
        bytes
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FeaturesError`]. Lengths are checked before memory is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FeaturesError> {
        let (head, rest) =
            bytes.split_first_chunk::<HEAD_BYTES>().ok_or(FeaturesError::UnknownFormat)?;
        if !head.starts_with(MAGIC) {
            return Err(FeaturesError::UnknownFormat);
        }
        let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let (version, scheme) = (short(16), short(18));
        if (version, scheme) != (VERSION, Self::SCHEME) {
            return Err(FeaturesError::UnknownVersion { version, scheme });
        }
        let (width, height, side) = (long(20), long(24), short(28));
        let count = usize::from(short(30));
        if count > Self::MAX_POINTS {
            return Err(FeaturesError::TooMany(count));
        }
        let (read, tail) = rest.as_chunks::<POINT_BYTES>();
        if read.len() != count || !tail.is_empty() {
            let expected = HEAD_BYTES + count * POINT_BYTES;
            return Err(FeaturesError::OtherLength { found: bytes.len(), expected });
        }
        if width == 0 || height == 0 || side == 0 || side > Self::SIDE {
            return Err(FeaturesError::InvalidSize { width, height, side });
        }
        let longer = u64::from(width.max(height));
        let limit =
            |length: u32| (u64::from(length) * u64::from(side) / longer).max(1) * u64::from(UNITS);
        let (right, bottom) = (limit(width), limit(height));
        let mut points = Vec::with_capacity(count);
        for (number, bytes) in read.iter().enumerate() {
            let point = point(bytes);
            let is_valid = point.level < LEVELS
                && usize::from(point.angle) < TURN
                && u64::from(point.x) < right
                && u64::from(point.y) < bottom;
            if !is_valid {
                return Err(FeaturesError::InvalidPoint(number));
            }
            if points.last().is_some_and(|before| *before >= point) {
                return Err(FeaturesError::OutOfOrder(number));
            }
            points.push(point);
        }
        Ok(Self { width, height, side, points })
    }
}

fn point(bytes: &[u8; POINT_BYTES]) -> Keypoint {
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let words = bytes[6..].as_chunks::<8>().0;
    Keypoint {
        x: short(0),
        y: short(2),
        level: bytes[4],
        angle: bytes[5],
        bits: std::array::from_fn(|word| u64::from_le_bytes(words[word])),
    }
}

/// Keypoints of a picture that may contain registered pictures, or parts of them: more of them, and
/// smaller ones, than [`Features`] has.
#[derive(Clone, Debug)]
pub struct Query {
    pub(super) points: Vec<Keypoint>,
    /// Pixels of the picture in a pixel of the frame.
    pub(super) frame_pixel: f32,
}

impl Query {
    /// Maximum number of keypoints.
    pub const MAX_POINTS: usize = 1_200;
    const SIDE: u16 = 1_024;

    /// Describes a picture.
    pub fn new(image: &DynamicImage) -> Self {
        let (side, points) = keypoints(image, Self::SIDE, Self::MAX_POINTS);
        let longer = image.width().max(image.height());
        Self { points, frame_pixel: longer as f32 / f32::from(side.max(1)) }
    }

    /// Returns the number of keypoints.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether the picture is plain.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

impl From<&Features> for Query {
    fn from(features: &Features) -> Self {
        Self { points: features.points.clone(), frame_pixel: features.frame_pixel() }
    }
}
