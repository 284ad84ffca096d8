use std::sync::Arc;

use motif_sdk::{Pubkey, gateway::wire::Closing};
use opentelemetry::trace::FutureExt;
use solana_signer::Signer;

use super::{Scope, Settler, submit};
use crate::error::GatewayError;

impl Settler {
    /// Settles a channel whose payer has started to close it. Ends its grace period, so that the
    /// payer can withdraw at once, if this gateway has the operator's authority and the channel has
    /// no watcher.
    ///
    /// Continues when the caller is dropped. Idempotent.
    ///
    /// # Errors
    /// [`GatewayError::ChannelNotClosing`]; otherwise as [`Settler::settle`].
    pub async fn close(self: &Arc<Self>, address: Pubkey) -> Result<Closing, GatewayError> {
        let settler = self.clone();
        let closing = async move { settler.close_channel(address).await };
        let closing = tokio::spawn(closing.with_current_context());
        closing.await.map_err(GatewayError::internal)?
    }

    async fn close_channel(&self, address: Pubkey) -> Result<Closing, GatewayError> {
        let (sync, cluster) = (&self.sync, &self.sync.cluster);
        let channel = sync.channels.get(&address).await?;
        cluster.observe_clock().await;
        if sync.refresh(&channel).await?.closes_at == i64::MAX {
            return Err(GatewayError::ChannelNotClosing);
        }
        let settlements = self.settle_channel(&channel, Scope::All).await?;
        let account = channel.account();
        let closes_at = account.closes_at;
        // Only the operator's authority can end the grace period, which may be kept elsewhere.
        let is_authority = self.submitter.keypair.pubkey() == account.operator;
        if closes_at <= cluster.now() || !is_authority || account.watcher().is_some() {
            return Ok(Closing {
                settlements,
                signature: None,
                compute_units: 0,
                fee_lamports: 0,
                closes_at,
            });
        }
        let landed = cluster.chain().close(&self.submitter.keypair, &address).await;
        let landed = landed.map_err(submit::rejected)?;
        Ok(Closing {
            settlements,
            signature: Some(landed.signature.to_string()),
            compute_units: landed.compute_units,
            fee_lamports: landed.fee_lamports,
            closes_at: self
                .read_until(&channel, |account| account.closes_at != closes_at)
                .await?
                .closes_at,
        })
    }
}
