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
//! - [`perceive`]: media type and fingerprint of content, from its bytes; [`perceive_source`]: of a file of
//!   any length.
//! - [`Comparability`]: how a work of such content is found, or why its fingerprint is missing, in words.
//! - [`Scheme`]: how fingerprints are made and compared.
//! - [`Likeness`]: distance of two fingerprints; [`Confidence`]: its measured error rates.
//! - [`recognition`]: index of registered works, by digest and by fingerprint.
//!
//! Decoders enforce limits but run in this process. Decode untrusted content in a process of its
//! own: `motif_credentials::DecodingWorker` does.

mod audio;
mod charset;
mod comparability;
mod confidence;
mod content;
mod digest;
#[cfg(feature = "documents")]
mod documents;
mod format;
mod image;
mod likeness;
pub mod local;
mod markup;
mod media;
mod minhash;
mod missing;
pub mod recognition;
mod scheme;
mod text;

#[cfg(feature = "documents")]
pub use self::documents::DocumentError;
pub use self::{
    audio::{AudioError, DecodedAudio, decode_audio, read_audio},
    comparability::Comparability,
    confidence::Confidence,
    content::{ContentError, Perceived, perceive, perceive_source},
    digest::{content_digest, read_digest, set_digest},
    format::UnreadFormat,
    image::{Decoded, ImageError, Seen, decode_image, essential_png, read_image},
    likeness::Likeness,
    media::{MAX_CONTENT_BYTES, Media},
    missing::{Caveat, Missing},
    scheme::{Metric, Scheme, distance},
    text::{FingerprintedText, TextError, fingerprint_text, read_text},
};
use motif_interface::licensing::Fingerprint;

/// Returns the fingerprint of content without a scheme.
pub fn none() -> Fingerprint {
    Fingerprint { scheme: Scheme::None as u16, bits: [0; 32] }
}
