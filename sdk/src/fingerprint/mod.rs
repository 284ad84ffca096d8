//! Digests of content: exact, and look-alike.
//!
//! A content digest is proof of identity. A fingerprint is only a hint: different content can
//! have the same one, on purpose too.
//!
//! ```
//! use motif_sdk::fingerprint::{ImageError, content_digest, decode_image};
//!
//! assert_eq!(content_digest(b"")[..4], [0xE3, 0xB0, 0xC4, 0x42]);
//! assert!(matches!(decode_image(b"no picture"), Err(ImageError::UnknownFormat)));
//! ```

mod image;

pub use self::image::{Decoded, ImageError, decode_image};
use licensing::Fingerprint;
use sha2::{Digest, Sha256};

/// How the bits of a [`Fingerprint`] were made. Append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// No fingerprint.
    None = 0,
    /// 256 bits of the image's horizontal gradients in a 16 x 16 grid.
    ImageGradient = 1,
}

/// SHA-256 of content: what a work is registered and found by.
pub fn content_digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// The fingerprint of content for which there is no scheme.
pub fn none() -> Fingerprint {
    Fingerprint { scheme: Scheme::None as u16, bits: [0; 32] }
}

/// How many of 256 bits differ; `None` for fingerprints of different schemes, or of none.
pub fn distance(one: &Fingerprint, other: &Fingerprint) -> Option<u32> {
    let comparable = one.scheme == other.scheme && one.scheme != Scheme::None as u16;
    let differing = one.bits.iter().zip(&other.bits).map(|(a, b)| (a ^ b).count_ones());
    comparable.then(|| differing.sum())
}
