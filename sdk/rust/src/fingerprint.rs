//! Perceptual fingerprints of images, audio and text.

pub use motif_fingerprint::*;

#[cfg(feature = "credentials")]
pub use motif_credentials::{
    DecodingWorker, Examined, Thumbnails, WorkerError, attempt_escapes, serve_decoding,
    serve_thumbnails,
};
