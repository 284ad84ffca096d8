//! Perceptual fingerprints of images, audio and text, and an index to search them.
//!
//! A content digest proves identity. A fingerprint is only a hint: different content can have the
//! same fingerprint, also on purpose.
//!
//! ```
//! use motif_fingerprint::{Media, Scheme, perceive};
//!
//! let text = "It was a bright cold day in April, and the clocks were striking thirteen. "
//!     .repeat(4);
//! let perceived = perceive(text.as_bytes())?;
//! assert_eq!((perceived.media, perceived.media_type), (Media::Text, "text/plain"));
//! assert_eq!(perceived.fingerprint.scheme, Scheme::TextShingles as u16);
//! # Ok::<(), motif_fingerprint::ContentError>(())
//! ```
//!
//! - [`perceive`]: media type and fingerprint of content, from its bytes.
//! - [`Scheme`]: how fingerprints are made and compared.
//! - [`Likeness`]: distance of two fingerprints; [`Confidence`]: its measured error rates.
//! - [`recognition`]: index of registered works, by digest and by fingerprint.
//!
//! Decoders enforce limits but run in this process. Decode untrusted content in a process of its
//! own: `motif_credentials::DecodingWorker` does.

mod audio;
mod blocks;
mod confidence;
mod content;
mod image;
mod likeness;
pub mod local;
mod minhash;
mod mp4;
mod opus;
pub mod recognition;
mod scheme;
mod text;

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

/// Returns the SHA-256 of content, by which a work is registered and found.
pub fn content_digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// Returns the fingerprint of content without a scheme.
pub fn none() -> Fingerprint {
    Fingerprint { scheme: Scheme::None as u16, bits: [0; 32] }
}
