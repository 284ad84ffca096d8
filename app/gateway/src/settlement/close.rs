use std::sync::Arc;

use motif_sdk::{Pubkey, gateway::wire::Closing};
use motif_signer::Purpose;
use opentelemetry::trace::FutureExt;

use super::{Scope, Settler, submit};
use crate::{
    error::GatewayError,
    operator_keys::{BlockingSigner, sign_blocking},
    store::ExpenseKind,
};

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
        let authority = self.submitter.keys.authority();
        let authority = authority.filter(|key| key.public_key() == account.operator);
        let may_close = closes_at > cluster.now() && account.watcher().is_none();
        let Some(authority) = authority.filter(|_| may_close) else {
            return Ok(Closing {
                settlements,
                signature: None,
                compute_units: 0,
                fee_lamports: 0,
                closes_at,
            });
        };
        let chain = cluster.chain().clone();
        let close =
            move |authority: BlockingSigner| async move { chain.close(&authority, &address).await };
        let landed = sign_blocking(authority, Purpose::Authority, close).await?;
        let landed = landed.map_err(submit::rejected)?;
        self.expenses.record(ExpenseKind::Close, &landed).await;
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
