use ed25519_dalek::SigningKey;
use motif_sdk::Pubkey;

/// Channel and its payers' view of it.
#[derive(Clone)]
pub struct Seat {
    pub channel: Pubkey,
    pub key: SigningKey,
    pub prices: [Price; 2],
    pub fee_bps: u64,
    pub account: motif_sdk::channel::Channel,
    /// Index of the withdrawn license.
    pub ended: Option<u16>,
}

/// Price of a license in the reference model.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    pub price: u64,
    pub free_units: u64,
    pub cap: u64,
}

impl Price {
    /// Returns the total price of `units`.
    pub fn of(&self, units: u64) -> u64 {
        units.saturating_sub(self.free_units) * self.price
    }
}
