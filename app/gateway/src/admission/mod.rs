//! Rate limits of addresses, channels, API keys and settlement requests.

mod address;
mod host;
mod rate_limiter;

use std::{net::IpAddr, time::Duration};

use motif_sdk::Pubkey;
use motif_store::KeyId;

pub use address::{ClientAddress, ForwardingHeader, network};
pub use host::InvalidHost;
pub use rate_limiter::RateLimiter;

use crate::config::Limits;

/// All rate limiters of a gateway. Their memory is fixed, whatever the number of clients.
#[derive(Debug)]
pub struct Admission {
    addresses: RateLimiter,
    reads: RateLimiter,
    channels: RateLimiter,
    keys: RateLimiter,
    settlements: RateLimiter,
}

/// Error returned when a rate limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests (limit: {limit}); retry in {} seconds", self.retry_seconds())]
pub struct RateLimited {
    /// Name of the limit.
    pub limit: &'static str,
    /// Time until the request is allowed.
    pub wait: Duration,
}

impl RateLimited {
    /// Returns the wait in whole seconds, rounded up.
    pub fn retry_seconds(&self) -> u64 {
        self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)
    }
}

impl Admission {
    const ADDRESSES: usize = 65_536;
    const CHANNELS: usize = 16_384;
    const KEYS: usize = 4_096;

    /// Creates rate limiters with full bursts.
    pub fn new(limits: &Limits) -> Self {
        Self {
            addresses: RateLimiter::new(limits.address, Self::ADDRESSES),
            reads: RateLimiter::new(limits.reads, Self::ADDRESSES),
            channels: RateLimiter::new(limits.channel, Self::CHANNELS),
            keys: RateLimiter::new(limits.key, Self::KEYS),
            settlements: RateLimiter::new(limits.settlements, Self::CHANNELS),
        }
    }

    /// Counts a request of an address.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn address(&self, address: IpAddr) -> Result<(), RateLimited> {
        let network = address::network(address);
        self.addresses.take(&network, 1).map_err(limited("address"))
    }

    /// Counts a request of an address that reads from the cluster or aggregates rows of the store.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn read(&self, address: IpAddr) -> Result<(), RateLimited> {
        let network = address::network(address);
        self.reads.take(&network, 1).map_err(limited("reads"))
    }

    /// Counts generations of a channel. Call it after the voucher's signature is verified, so
    /// that only the payer can exhaust its channel's limit.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn channel(&self, channel: &Pubkey, generations: u32) -> Result<(), RateLimited> {
        self.channels.take(channel, generations).map_err(limited("channel"))
    }

    /// Counts a request with a valid API key.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn key(&self, key: KeyId) -> Result<(), RateLimited> {
        self.keys.take(&key, 1).map_err(limited("api-key"))
    }

    /// Counts a settlement that an authenticated payer requests.
    ///
    /// # Errors
    /// [`RateLimited`].
    pub fn settlement(&self, channel: &Pubkey) -> Result<(), RateLimited> {
        self.settlements.take(channel, 1).map_err(limited("settlements"))
    }
}

fn limited(limit: &'static str) -> impl Fn(Duration) -> RateLimited {
    move |wait| RateLimited { limit, wait }
}
