use super::Item;

/// Identifier of a hold: SHA-256 of its channel, incarnation and idempotency key.
pub type HoldId = [u8; 32];

/// Reservation for a generation whose units are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// License and maximum units.
    pub item: Item,
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Last unix second in which the hold can be captured.
    pub expires_at: i64,
}
