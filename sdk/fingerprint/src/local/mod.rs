//! Local features of pictures: keypoints with oriented binary descriptors, found again in crops,
//! turned, mirrored, framed and captioned copies, and in pages that contain the picture.
//!
//! ```
//! use motif_fingerprint::local::{Features, LocalIndex, Query};
//! # let cell = |x: u32, y: u32| u64::from(x / 12 * 7_919 + y / 10 * 104_729);
//! # let pixel = |x, y| image::Luma([(cell(x, y).pow(2) / 1_000 % 200) as u8]);
//! # let picture = image::DynamicImage::ImageLuma8(image::GrayImage::from_fn(300, 260, pixel));
//!
//! let features = Features::new(&picture);
//! let index = LocalIndex::new([("harbor", &features)]);
//!
//! let part = picture.crop_imm(20, 10, 260, 230).fliph();
//! let found = index.find(&Query::new(&part));
//! assert_eq!(found[0].work, "harbor");
//! assert!(found[0].transform.is_mirrored());
//! ```
//!
//! - [`Features`]: what a work's metadata names by its SHA-256 and a gateway hosts.
//! - [`Query`]: keypoints of a picture in question.
//! - [`LocalIndex`]: index of features; verifies the geometry of what it finds.
//!
//! Everything up to the descriptors is computed in integers, so every machine makes the same file
//! of a decoded picture.

mod corners;
mod features;
mod geometry;
mod index;
mod keypoint;
mod pattern;
mod plane;

pub use self::{
    features::{Features, FeaturesError, Query},
    geometry::Transform,
    index::{LocalIndex, Match},
    keypoint::Keypoint,
};

#[cfg(test)]
mod tests;
