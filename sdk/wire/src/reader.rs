use serde::{Deserialize, Serialize};

use super::{
    Address, PayerProof,
    paywall::{ParseHeaderError, from_header, to_header},
};

/// Proof of a channel's payer that it reads the channel's state, receipts and usage, in the header
/// `motif-reader`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReaderProof {
    /// Address of the channel.
    pub channel: Address,
    /// Last unix second in which the proof is valid, at most a day after it was signed.
    pub expires_at: i64,
    /// Signature of the channel's payer or its voucher key.
    pub proof: PayerProof,
}

impl ReaderProof {
    /// Name of the header.
    pub const HEADER: &'static str = "motif-reader";
    /// Maximum validity, seconds.
    pub const MAX_SECONDS: i64 = 86_400;

    /// Returns the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Parses the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_header(text)
    }
}
