use serde::{Deserialize, Serialize};

use super::{Address, Digest, PayerProof};

/// Request to hold funds for a generation whose units are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// Index of the license on the channel.
    pub license: u16,
    /// Maximum units of the generation, above zero.
    pub units: u32,
    /// SHA-256 of the request, as stated by the platform.
    pub request_digest: Digest,
    /// Last unix second in which the hold can be captured.
    pub expires_at: i64,
    /// Proof of the payer's request, over `motif_sdk::gateway::hold_details`.
    pub proof: PayerProof,
}

/// Request to release a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// Channel of the hold.
    pub channel: Address,
    /// Proof of the payer's request; its details are the hold's name.
    pub proof: PayerProof,
}

/// Hold of funds for a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldFacts {
    /// Name of the hold.
    pub hold: Digest,
    /// Channel that pays.
    pub channel: Address,
    /// Index of the license on the channel.
    pub license: u16,
    /// Maximum units of the generation.
    pub units: u32,
    /// SHA-256 of the request, as stated by the platform.
    pub request_digest: Digest,
    /// Last unix second in which the hold can be captured.
    pub expires_at: i64,
    /// State of the hold.
    pub state: HoldState,
}

/// State of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HoldState {
    /// Funds are held until the expiry.
    Open,
    /// The generation was paid.
    Captured,
    /// The hold was released and nothing was paid.
    Released,
}
