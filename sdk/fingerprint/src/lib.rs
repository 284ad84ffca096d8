//! Digests of content: exact, and look-alike.
//!
//! A content digest is proof of identity. A fingerprint is only a hint: different content can
//! have the same one, on purpose too.
//!
//! - [`perceive`]: what content is, by its own bytes, and its fingerprint;
//!   [`DecodingWorker`]: the same in a process of its own.
//! - [`Scheme`]: how fingerprints are made and compared, one entry a way.
//! - [`Likeness`]: how near two fingerprints are; [`Confidence`]: what that is worth, as measured.
//!
//! ```
//! use motif_sdk::fingerprint::{ImageError, content_digest, decode_image};
//!
//! assert_eq!(content_digest(b"")[..4], [0xE3, 0xB0, 0xC4, 0x42]);
//! assert!(matches!(decode_image(b"no picture"), Err(ImageError::UnknownFormat)));
//! ```

mod audio;
mod blocks;
mod confidence;
mod content;
mod image;
mod likeness;
mod minhash;
mod mp4;
mod opus;
mod scheme;
mod text;
#[cfg(not(fuzzing))]
mod worker;

#[cfg(not(fuzzing))]
pub use self::worker::{DecodingWorker, Examined, WorkerError, serve_decoding};
pub use self::{
    audio::{AudioError, DecodedAudio, decode_audio},
    confidence::Confidence,
    content::{ContentError, MAX_CONTENT_BYTES, Media, Perceived, perceive},
    image::{Decoded, ImageError, Seen, decode_image},
    likeness::Likeness,
    scheme::{Metric, Scheme, distance},
    text::{TextError, read_text},
};
use motif_interface::licensing::Fingerprint;
use sha2::{Digest, Sha256};

/// SHA-256 of content: what a work is registered and found by.
pub fn content_digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// The fingerprint of content for which there is no scheme.
pub fn none() -> Fingerprint {
    Fingerprint { scheme: Scheme::None as u16, bits: [0; 32] }
}
