//! Perceptual fingerprints of images, audio and text.

pub use motif_fingerprint::*;

#[cfg(feature = "credentials")]
pub use motif_credentials::{
    DecodingWorker, Examined, WorkerError, attempt_escapes, serve_decoding,
};
