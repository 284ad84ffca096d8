//! Who is let in, how often: addresses, channels and API keys have allowances.

mod address;
mod allowance;

use std::net::IpAddr;

use motif_sdk::Pubkey;

pub use address::ClientAddress;
pub use allowance::Allowances;

use crate::{config::Limits, keys::KeyId, problem::ApiError};

/// The allowances of everybody. Their memory does not depend on how many that is.
#[derive(Debug)]
pub struct Admission {
    addresses: Allowances,
    channels: Allowances,
    keys: Allowances,
    settlements: Allowances,
}

impl Admission {
    const ADDRESSES: usize = 65_536;
    const CHANNELS: usize = 16_384;
    const KEYS: usize = 4_096;

    /// Everybody has everything left.
    pub fn new(limits: &Limits) -> Self {
        Self {
            addresses: Allowances::new(limits.address, Self::ADDRESSES),
            channels: Allowances::new(limits.channel, Self::CHANNELS),
            keys: Allowances::new(limits.key, Self::KEYS),
            settlements: Allowances::new(limits.settlements, Self::CHANNELS),
        }
    }

    /// A request from an address.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`], here and below.
    pub fn address(&self, address: IpAddr) -> Result<(), ApiError> {
        let by = address::network(address);
        self.addresses.take(&by, 1).map_err(|wait| ApiError::limited("address", wait))
    }

    /// Generations of a channel. Asked only after their voucher's signature was checked: nobody
    /// else can use up a channel's allowance.
    ///
    /// # Errors
    /// As [`Admission::address`].
    pub fn channel(&self, channel: &Pubkey, generations: u32) -> Result<(), ApiError> {
        let taken = self.channels.take(channel, generations);
        taken.map_err(|wait| ApiError::limited("channel", wait))
    }

    /// A request with an API key that is good.
    ///
    /// # Errors
    /// As [`Admission::address`].
    pub fn key(&self, key: KeyId) -> Result<(), ApiError> {
        self.keys.take(&key, 1).map_err(|wait| ApiError::limited("api-key", wait))
    }

    /// A settlement that a payer has asked for and proved to be the one who does.
    ///
    /// # Errors
    /// As [`Admission::address`].
    pub fn settlement(&self, channel: &Pubkey) -> Result<(), ApiError> {
        self.settlements.take(channel, 1).map_err(|wait| ApiError::limited("settlements", wait))
    }
}
