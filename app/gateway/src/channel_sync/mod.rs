//! Reads channels from the cluster and records what has settled.

mod batch;
mod record;

use std::{collections::HashMap, sync::Arc};

use motif_sdk::{
    Pubkey,
    channel::{Channel, StatementRecord},
};
use opentelemetry::trace::FutureExt;
use prometheus_client::metrics::counter::Counter;

use crate::{
    GatewayConfig,
    chain::ReadChannel,
    channel::ChannelHandle,
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    error::GatewayError,
    ledger::CutStatement,
    receipts_commitment::receipts_commitment,
    store::{Change, Failpoint, Failpoints, SettledStatement},
};
use record::records;

/// Keeps channels in agreement with the cluster.
pub struct ChannelSync {
    pub(crate) channels: Arc<ChannelRegistry>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) config: Arc<GatewayConfig>,
    pub(crate) failpoints: Arc<dyn Failpoints>,
    /// Number of observed rollbacks.
    pub(crate) rollbacks: Counter,
}

impl ChannelSync {
    /// Opens a channel at this gateway, or reads it again.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], and the errors of a channel that this gateway does not
    /// serve.
    pub async fn open(
        self: &Arc<Self>,
        address: Pubkey,
    ) -> Result<Arc<ChannelHandle>, GatewayError> {
        self.cluster.observe_clock().await;
        let read = self.read(&address).await?;
        let account = &read.account.channel;
        self.check(account)?;
        match self.channels.get(&address).await {
            Ok(channel) if channel.opened_slot == account.opened_slot => {
                self.observe(&channel, read).await?;
                return Ok(channel);
            }
            Ok(_) | Err(GatewayError::UnknownChannel(_) | GatewayError::ChannelQuarantined(_)) => {}
            Err(error) => return Err(error),
        }
        let (slot, data) = (account.opened_slot, &read.data);
        let id = self
            .channels
            .store()
            .queries()
            .register_channel(&address.to_bytes(), slot, data)
            .await?;
        let channel = self.channels.acquire(&address, id).await?;
        self.observe(&channel, read).await?;
        Ok(channel)
    }

    /// Reads a channel from the cluster and records what has settled.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::ChainUnreachable`],
    /// [`GatewayError::StoreFailed`].
    pub async fn refresh(
        self: &Arc<Self>,
        channel: &Arc<ChannelHandle>,
    ) -> Result<Channel, GatewayError> {
        let read = self.read(&channel.address).await?;
        self.observe(channel, read).await?;
        Ok(channel.account())
    }

    async fn read(&self, address: &Pubkey) -> Result<ReadChannel, GatewayError> {
        let read = self.cluster.read_channel(address).await?;
        read.ok_or(GatewayError::UnknownChannel(*address))
    }

    /// Checks that this gateway serves a channel.
    fn check(&self, channel: &Channel) -> Result<(), GatewayError> {
        let config = &self.config;
        let (theirs, ours) = (channel.operator, config.operator);
        if theirs != ours {
            return Err(GatewayError::WrongOperator { theirs, ours });
        }
        let (given, least) = (channel.operator_fee_bps, config.operator_fee_bps);
        if given < least {
            return Err(GatewayError::FeeTooLow { given, least });
        }
        let (given, least) = (channel.grace_seconds, config.min_grace_seconds);
        if given < least {
            return Err(GatewayError::GraceTooShort { given, least });
        }
        if !config.mints.is_empty() && !config.mints.contains(&channel.mint) {
            return Err(GatewayError::MintNotServed(channel.mint));
        }
        let (given, least) = (channel.deposited, config.min_deposit);
        if given < least {
            return Err(GatewayError::DepositTooSmall { given, least });
        }
        if i64::try_from(channel.deposited).is_err() {
            return Err(GatewayError::DepositTooLarge(channel.deposited));
        }
        Ok(())
    }

    /// Applies a read, in a task that continues when the caller is dropped.
    async fn observe(
        self: &Arc<Self>,
        channel: &Arc<ChannelHandle>,
        read: ReadChannel,
    ) -> Result<(), GatewayError> {
        let (sync, channel) = (self.clone(), channel.clone());
        let applying = async move { sync.apply(&channel, read).await };
        let applying = tokio::spawn(applying.with_current_context());
        applying.await.map_err(GatewayError::internal)?
    }

    /// Updates the ledger and records settled statements with everything that their receipts'
    /// proofs need.
    async fn apply(&self, channel: &ChannelHandle, read: ReadChannel) -> Result<(), GatewayError> {
        if read.account.channel.opened_slot != channel.opened_slot
            || i64::try_from(read.account.channel.deposited).is_err()
        {
            return Ok(()); // another incarnation, or beyond the store's range
        }
        channel.mark_seen();
        let mut recorded = channel.recorded.lock().await;
        let after = read.account.channel;
        let newest = channel.mark_read_at(read.slot);
        if read.slot < newest {
            return Ok(()); // a later read was faster
        }
        let (on_chain, known) = (after.statements.length, channel.account().statements.length);
        if on_chain < known && read.slot > newest {
            if channel.mark_rolled_back(Some(on_chain)) {
                self.rollbacks.inc();
                tracing::error!(
                    channel = %channel.address, first = on_chain, end = known,
                    "the cluster rolled settlements back; they are submitted again"
                );
            }
            return Ok(());
        }
        channel.mark_rolled_back(None);
        // Every byte of the account may affect what can settle.
        let digest = *blake3::hash(&read.data).as_bytes();
        if *recorded == digest {
            return Ok(());
        }
        // Whatever may fail is read before the ledger changes: the next read finds the same statements.
        let (before, settled, roots) = loop {
            let expected = channel.lock().ledger.settled_by(on_chain);
            let roots = self.receipts_roots(channel, &expected).await?;
            let mut locked = channel.lock();
            if locked.ledger.settled_by(on_chain) != expected {
                continue; // a generation was accepted meanwhile
            }
            let before = *locked.ledger.channel();
            let settled = locked.ledger.refresh(read.account);
            if locked.ledger.open_statement().receipts == 0 {
                locked.keys = HashMap::new();
            }
            break (before, settled, roots);
        };
        let settled = self.settled_statements(channel, &before, &after, &settled, &roots);
        let (channel_id, account) = (channel.id(), read.data);
        self.channels.write(channel, Change::Observed { channel_id, account, settled }).await?;
        *recorded = digest;
        self.failpoints.hit(Failpoint::Recorded);
        Ok(())
    }

    /// Returns the root of each statement's receipts.
    async fn receipts_roots(
        &self,
        channel: &ChannelHandle,
        statements: &[CutStatement],
    ) -> Result<Vec<Option<[u8; 32]>>, GatewayError> {
        let mut roots = Vec::with_capacity(statements.len());
        for cut in statements {
            let receipts = receipts_commitment(self.channels.store(), channel.id(), cut.number);
            roots.push(receipts.await?.map(|receipts| receipts.root));
        }
        Ok(roots)
    }

    fn settled_statements(
        &self,
        channel: &ChannelHandle,
        before: &Channel,
        after: &Channel,
        settled: &[CutStatement],
        roots: &[Option<[u8; 32]>],
    ) -> Vec<SettledStatement> {
        let (records, is_proven) = records(channel.address, before, after, settled, roots);
        if !is_proven {
            tracing::error!(channel = %channel.address, "the chain settled an unknown statement");
        }
        let settled_at = self.cluster.now();
        let statement = |(cut, record): (&CutStatement, StatementRecord)| SettledStatement {
            entries: cut.statement.to_bytes(),
            record,
            is_proven,
            settled_at,
        };
        settled.iter().zip(records).map(statement).collect()
    }
}
