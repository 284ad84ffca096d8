use motif_wire::HoldState;

use crate::api_key::KeyId;

/// SHA-256 of a hold's channel, incarnation and idempotency key.
pub type HoldId = [u8; 32];

/// Units of one license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Index of the license.
    pub license: u16,
    /// Units.
    pub units: u32,
}

/// Room reserved for a generation whose units are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// License, and maximum units of the generation.
    pub item: Item,
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Last unix second in which the hold can be captured.
    pub expires_at: i64,
}

/// Hold with its state in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredHold {
    /// The hold.
    pub hold: Hold,
    /// Open, captured or released. An expired hold stays open in the store.
    pub state: HoldState,
    /// API key that placed it.
    pub api_key: Option<KeyId>,
    /// Statement of the generation that captured it.
    pub statement: Option<u64>,
}
