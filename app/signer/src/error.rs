use motif_interface::Pubkey;

use crate::Purpose;

/// Error returned when a key signs nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Error returned when a signer exceeds the deadline of a purpose.
    #[error("the signer of {key} did not sign within {seconds} s")]
    Timeout {
        /// The key.
        key: Pubkey,
        /// Deadline.
        seconds: u64,
    },
    /// Error returned when the signing process cannot be reached or breaks off.
    #[error("the signer of {key} is unreachable: {reason}")]
    Unreachable {
        /// The key.
        key: Pubkey,
        /// Cause.
        reason: String,
    },
    /// Error returned when the signing process refuses.
    #[error("the signer of {key} refused: {reason}")]
    Refused {
        /// The key.
        key: Pubkey,
        /// Reason that the signing process gave.
        reason: String,
    },
    /// Error returned when a signature does not verify.
    #[error("the signer of {0} returned an invalid signature")]
    InvalidSignature(Pubkey),
    /// Error returned when bytes are not what a purpose signs.
    #[error("these bytes are not signed for the purpose `{0}`")]
    WrongPurpose(Purpose),
    /// Error returned when a key is not among the configured ones.
    #[error("the operator's account names the key {0}: expected a configured key")]
    KeyNotConfigured(Pubkey),
    /// Error returned when an operator's account has no receipt key of a time.
    #[error("the operator's account has no receipt key of the time of issue")]
    NoReceiptKey,
}
