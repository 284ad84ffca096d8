use serde::{Deserialize, Serialize};

use super::{Address, Digest, PayerProof};

/// Room to keep for a generation whose units are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// Index of the license on the channel.
    pub license: u16,
    /// The most the generation may use, above zero.
    pub units: u32,
    /// SHA-256 of the request, as the platform states it.
    pub request_digest: Digest,
    /// Last unix second in which it can be captured.
    pub expires_at: i64,
    /// Proves that the payer asks, over `motif_sdk::gateway::hold_details`.
    pub proof: PayerProof,
}

/// Ends a hold that is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The channel it is on.
    pub channel: Address,
    /// Proves that the payer asks; its details are the hold's digest.
    pub proof: PayerProof,
}

/// A hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldFacts {
    /// Names it.
    pub hold: Digest,
    /// The channel that pays.
    pub channel: Address,
    /// Index of the license on the channel.
    pub license: u16,
    /// The most the generation may use.
    pub units: u32,
    /// SHA-256 of the request, as the platform stated it.
    pub request_digest: Digest,
    /// Last unix second in which it can be captured.
    pub expires_at: i64,
    /// What became of it.
    pub state: HoldState,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HoldState {
    /// Room is kept for it, until it expires.
    Open,
    /// It was paid for.
    Captured,
    /// It was given up, and nothing was paid.
    Released,
}
