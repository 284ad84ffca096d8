//! Opens channels at the request of clients.

use std::{sync::Arc, time::Duration};

use motif_sdk::Pubkey;

use crate::{
    cache::{Cache, MaxAges},
    channel::ChannelHandle,
    channel_sync::ChannelSync,
    error::GatewayError,
};

/// Opens channels. Concurrent requests for one channel share a read from the cluster; an address
/// without a channel is read again after a second.
pub struct ChannelOpening {
    sync: Arc<ChannelSync>,
    reads: Cache<Pubkey, Arc<ChannelHandle>>,
}

impl ChannelOpening {
    const MAX_ADDRESSES: usize = 4_096;
    /// A channel is read anew for each later request, which may follow a top-up.
    const AGES: MaxAges = MaxAges { value: Duration::ZERO, error: Duration::from_secs(1) };

    /// Creates the component.
    pub fn new(sync: Arc<ChannelSync>) -> Self {
        Self { sync, reads: Cache::new(Self::AGES, Self::MAX_ADDRESSES) }
    }

    /// Opens a channel, or reads it again.
    ///
    /// # Errors
    /// As [`ChannelSync::open`].
    pub async fn open(&self, address: Pubkey) -> Result<Arc<ChannelHandle>, GatewayError> {
        let sync = self.sync.clone();
        self.reads.get(address, || async move { sync.open(address).await }).await
    }
}
