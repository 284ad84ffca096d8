/// Error returned when content cannot be recognized.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecognitionError {
    /// Error returned when content cannot be decoded and its digest is not registered.
    #[error("the content's digest is not registered, and it cannot be decoded: {0}")]
    Unreadable(String),
    /// Error returned when decoding exceeds its limits and the digest is not registered.
    #[error("the content's digest is not registered, and decoding exceeds memory or time limits")]
    TooCostly,
    /// Error returned when a request has too many fingerprints.
    #[error("too many fingerprints: {0}, expected at most 64")]
    TooManyFingerprints(usize),
    /// Error returned when too many uploads are in progress.
    #[error("too many uploads: repeat the request, or send fingerprints only")]
    Busy,
    /// Error returned before all works are read from the chain.
    #[error("works are being read from the chain: repeat the request")]
    NotReady,
}
