//! Receipts and usage.

use std::sync::Arc;

use motif_sdk::{
    gateway::wire::{ReceiptPage, ReceiptParts, UsageBy, UsageReport},
    receipt::proof::ReceiptProof,
};

use crate::{
    channel::ChannelHandle,
    channel_registry::ChannelRegistry,
    error::GatewayError,
    store::{Reporting, UsageQuery},
};

/// Reads receipts, their proofs, and usage, apart from the connections of payments and settlements.
pub struct Receipts {
    pub(crate) channels: Arc<ChannelRegistry>,
}

impl Receipts {
    /// Returns a page of a statement's receipts in order; `None` for the open statement.
    ///
    /// # Errors
    /// [`GatewayError::ReadsBusy`], [`GatewayError::StoreFailed`].
    pub async fn page(
        &self,
        channel: &ChannelHandle,
        statement: Option<u64>,
        limit: u32,
        offset: u32,
    ) -> Result<ReceiptPage, GatewayError> {
        let open = channel.lock().ledger.open_statement().number;
        let statement = statement.unwrap_or(open);
        let queries = self.reporting().queries();
        let generations = queries.generations(channel.id(), statement, limit, offset).await?;
        let total = queries.count(channel.id(), statement).await?;
        let parts = generations.iter().map(|generation| ReceiptParts::from(&generation.receipt));
        Ok(ReceiptPage { statement, offset, total, receipts: parts.collect() })
    }

    /// Returns the usage of a channel, settled or not.
    ///
    /// # Errors
    /// [`GatewayError::ReadsBusy`], [`GatewayError::StoreFailed`].
    pub async fn usage(
        &self,
        channel: &ChannelHandle,
        by: UsageBy,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<UsageReport, GatewayError> {
        let query = UsageQuery { by, channel_id: Some(channel.id()), from, until };
        let rows = self.reporting().reports().usage(&query).await?;
        Ok(UsageReport { by, from, until, rows })
    }

    /// Returns the usage of all channels, for the operator: without a limit of time.
    ///
    /// # Errors
    /// [`GatewayError::StoreFailed`].
    pub async fn total_usage(
        &self,
        by: UsageBy,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<UsageReport, GatewayError> {
        let query = UsageQuery { by, channel_id: None, from, until };
        let rows = self.channels.store().reports().usage(&query).await?;
        Ok(UsageReport { by, from, until, rows })
    }

    /// Returns the proof of a settled receipt against its channel's account.
    ///
    /// # Errors
    /// [`GatewayError::UnknownReceipt`], [`GatewayError::ReceiptNotSettled`],
    /// [`GatewayError::ReceiptUnprovable`], [`GatewayError::ReadsBusy`],
    /// [`GatewayError::StoreFailed`].
    pub async fn proof(&self, receipt: &[u8; 32]) -> Result<ReceiptProof, GatewayError> {
        Ok(self.reporting().lookup().proof(receipt).await?)
    }

    fn reporting(&self) -> &Reporting {
        self.channels.store().reporting()
    }
}
