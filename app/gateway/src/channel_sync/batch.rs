use std::sync::Arc;

use futures::future::join_all;

use super::ChannelSync;
use crate::{
    chain::{ChainError, ReadChannel},
    channel::ChannelHandle,
    error::GatewayError,
};

impl ChannelSync {
    /// Reads channels from the cluster, a hundred in a request, and records what has settled. Returns
    /// one result for each channel, in their order.
    ///
    /// The errors are those of [`ChannelSync::refresh`].
    pub async fn refresh_all(
        self: &Arc<Self>,
        channels: &[Arc<ChannelHandle>],
    ) -> Vec<Result<(), GatewayError>> {
        let addresses: Vec<_> = channels.iter().map(|channel| channel.address).collect();
        let reads = self.cluster.read_channels(&addresses).await;
        let reads = channels.iter().zip(reads);
        join_all(reads.map(|(channel, read)| self.observe_read(channel, read))).await
    }

    async fn observe_read(
        self: &Arc<Self>,
        channel: &Arc<ChannelHandle>,
        read: Result<Option<ReadChannel>, ChainError>,
    ) -> Result<(), GatewayError> {
        let read = read?.ok_or(GatewayError::UnknownChannel(channel.address))?;
        self.observe(channel, read).await
    }
}
