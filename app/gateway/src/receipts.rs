//! Receipts and usage.

use std::sync::Arc;

use motif_sdk::{
    Pubkey,
    gateway::wire::{ReceiptPage, ReceiptParts, UsageBy, UsageReport},
    receipt::proof::ReceiptProof,
};

use crate::{channel_registry::ChannelRegistry, error::GatewayError, store::UsageQuery};

/// Reads receipts, their proofs, and usage.
pub struct Receipts {
    pub(crate) channels: Arc<ChannelRegistry>,
}

impl Receipts {
    /// Returns a page of a statement's receipts in order; `None` for the open statement.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::StoreFailed`].
    pub async fn page(
        &self,
        channel: Pubkey,
        statement: Option<u64>,
        limit: u32,
        offset: u32,
    ) -> Result<ReceiptPage, GatewayError> {
        let (store, channel) = (self.channels.store(), self.channels.get(&channel).await?);
        let open = channel.lock().ledger.open_statement().number;
        let statement = statement.unwrap_or(open);
        let generations =
            store.queries().generations(channel.id(), statement, limit, offset).await?;
        let total = store.queries().count(channel.id(), statement).await?;
        let parts = generations.iter().map(|generation| ReceiptParts::from(&generation.receipt));
        Ok(ReceiptPage { statement, offset, total, receipts: parts.collect() })
    }

    /// Returns the usage of a channel, settled or not; `None` for all channels.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::StoreFailed`].
    pub async fn usage(
        &self,
        channel: Option<Pubkey>,
        by: UsageBy,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<UsageReport, GatewayError> {
        let channel_id = match channel {
            Some(channel) => Some(self.channels.get(&channel).await?.id()),
            None => None,
        };
        let query = UsageQuery { by, channel_id, from, until };
        Ok(UsageReport {
            by,
            from,
            until,
            rows: self.channels.store().reports().usage(&query).await?,
        })
    }

    /// Returns the proof of a settled receipt against its channel's account.
    ///
    /// # Errors
    /// [`GatewayError::UnknownReceipt`], [`GatewayError::ReceiptNotSettled`],
    /// [`GatewayError::ReceiptUnprovable`], [`GatewayError::StoreFailed`].
    pub async fn proof(&self, receipt: &[u8; 32]) -> Result<ReceiptProof, GatewayError> {
        Ok(self.channels.store().lookup().proof(receipt).await?)
    }
}
