use super::Item;

/// Names a hold: SHA-256 of its channel, incarnation and idempotency key.
pub type HoldId = [u8; 32];

/// Room that is kept for a generation whose units are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The most it may use.
    pub item: Item,
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Last unix second in which it can be captured.
    pub expires_at: i64,
}
