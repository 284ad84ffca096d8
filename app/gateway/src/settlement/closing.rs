use motif_sdk::{Pubkey, gateway::wire::Closing};
use opentelemetry::trace::FutureExt;

use super::landing;
use crate::{Gateway, problem::ApiError};

impl Gateway {
    /// Settles what is owed on a channel whose payer has started closing, and ends its grace
    /// period, so that the payer can withdraw at once. Safe to repeat.
    ///
    /// Goes on when whoever asked has gone.
    ///
    /// # Errors
    /// [`ApiError::ChannelNotClosing`]; otherwise as [`Gateway::settle`].
    pub async fn close(&self, address: Pubkey) -> Result<Closing, ApiError> {
        let gateway = self.clone();
        let closing = async move { gateway.close_now(address).await };
        let closing = tokio::spawn(closing.with_current_context());
        closing.await.map_err(|error| ApiError::Internal(Box::new(error)))?
    }

    async fn close_now(&self, address: Pubkey) -> Result<Closing, ApiError> {
        let desk = self.desk(&address).await?;
        self.observe_clock().await;
        if self.look(&desk).await?.closes_at == i64::MAX {
            return Err(ApiError::ChannelNotClosing);
        }
        let settlements = self.settle_desk(&desk).await?;
        if desk.channel().closes_at <= self.now() {
            return Ok(Closing {
                settlements,
                signature: None,
                compute_units: 0,
                fee_lamports: 0,
                closes_at: desk.channel().closes_at,
            });
        }
        let landed = self.chain().close(self.keypair(), &address).await;
        let landed = landed.map_err(landing::refused)?;
        Ok(Closing {
            settlements,
            signature: Some(landed.signature.to_string()),
            compute_units: landed.compute_units,
            fee_lamports: landed.fee_lamports,
            closes_at: self.look(&desk).await?.closes_at,
        })
    }
}
