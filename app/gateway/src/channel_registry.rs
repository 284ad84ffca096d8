//! Channels held by this process.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::wire::{Address, Amount, ChannelSummary},
};
use opentelemetry::trace::SpanKind;
use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    channel::ChannelHandle,
    error::GatewayError,
    ledger::{Ledger, Margins},
    metrics::Exposure,
    store::{Change, ChannelId, Lease, Leases, Store, StoreError},
    traces::traced,
};

/// Channels held by this process. On a shared store each channel is held by one process at a
/// time, under a lease.
pub struct ChannelRegistry {
    channels: RwLock<HashMap<Pubkey, Arc<ChannelHandle>>>,
    /// Held while a channel is loaded or released, so that each has one handle.
    loading: Mutex<()>,
    /// Channels that cannot be loaded because their stored state is corrupt.
    unreadable: parking_lot::Mutex<BTreeSet<ChannelId>>,
    store: Store,
    margins: Margins,
}

impl ChannelRegistry {
    /// Creates an empty registry.
    pub fn new(store: Store, margins: Margins) -> Self {
        Self {
            channels: RwLock::default(),
            loading: Mutex::default(),
            unreadable: parking_lot::Mutex::default(),
            store,
            margins,
        }
    }

    /// Returns the store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns a channel. On a shared store a free channel is acquired.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::HeldElsewhere`],
    /// [`GatewayError::ChannelMoving`], [`GatewayError::StoreFailed`].
    pub async fn get(&self, address: &Pubkey) -> Result<Arc<ChannelHandle>, GatewayError> {
        let leases = self.store.leases();
        if let Some(channel) = self.held(address) {
            // State may be stale if leases could not be renewed.
            let lapsed = leases.is_some_and(Leases::have_expired);
            return if lapsed { Err(GatewayError::ChannelMoving) } else { Ok(channel) };
        }
        if leases.is_none() {
            return Err(GatewayError::UnknownChannel(*address));
        }
        // Boxed: this branch is rare and its future is large.
        let acquiring = async {
            let id = self.store.queries().newest_channel(&address.to_bytes()).await?;
            self.acquire(address, id.ok_or(GatewayError::UnknownChannel(*address))?).await
        };
        Box::pin(acquiring).await
    }

    /// Returns a channel that this process holds.
    pub(crate) fn held(&self, address: &Pubkey) -> Option<Arc<ChannelHandle>> {
        self.channels.read().get(address).cloned()
    }

    /// Returns all channels that this process holds.
    pub fn list(&self) -> Vec<Arc<ChannelHandle>> {
        self.channels.read().values().cloned().collect()
    }

    /// Returns the number of channels that this process holds.
    pub(crate) fn len(&self) -> usize {
        self.channels.read().len()
    }

    /// Waits until no channel is being loaded or released.
    pub(crate) async fn lock_loading(&self) -> MutexGuard<'_, ()> {
        self.loading.lock().await
    }

    /// Acquires a channel's lease and loads it.
    ///
    /// # Errors
    /// [`GatewayError::HeldElsewhere`], [`GatewayError::StoreFailed`].
    pub(crate) async fn acquire(
        &self,
        address: &Pubkey,
        id: ChannelId,
    ) -> Result<Arc<ChannelHandle>, GatewayError> {
        let _turn = self.loading.lock().await;
        if let Some(channel) = self.held(address).filter(|channel| channel.id() == id) {
            return Ok(channel); // a concurrent request loaded it
        }
        let lease = match self.store.leases() {
            None => Lease { channel_id: id, epoch: 0 },
            Some(leases) => leases.acquire(id).await?.map_err(|held| {
                let (channel, url) = (*address, held.url);
                GatewayError::HeldElsewhere { channel, url }
            })?,
        };
        Ok(self.load_channel(lease).await?)
    }

    /// Loads a channel from the store, in place of its earlier incarnation. The caller holds
    /// [`ChannelRegistry::lock_loading`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn load_channel(
        &self,
        lease: Lease,
    ) -> Result<Arc<ChannelHandle>, StoreError> {
        let recovered = self.store.recovery().channel(lease.channel_id).await;
        {
            let mut unreadable = self.unreadable.lock();
            match &recovered {
                Err(StoreError::Corrupt(_)) => unreadable.insert(lease.channel_id),
                Ok(_) | Err(_) => unreadable.remove(&lease.channel_id),
            };
        }
        let stored = recovered?;
        let (address, account) = (stored.address, stored.account);
        let mut ledger = Ledger::restore(address, account, self.margins, stored.cut, stored.open);
        ledger.set_budget(stored.budget);
        ledger.restore_holds(stored.holds);
        if let Some(statement) = stored.stopped_at {
            ledger.stop_at(statement);
        }
        let digest = stored.account_digest;
        let channel = Arc::new(ChannelHandle::new(lease, ledger, stored.keys, digest));
        self.channels.write().insert(channel.address, channel.clone());
        Ok(channel)
    }

    /// Loads all channels of a store that one process has to itself. A corrupt channel does not
    /// affect the others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn load_all(&self) -> Result<(), StoreError> {
        for id in self.store.queries().newest_channels().await? {
            match self.load_channel(Lease { channel_id: id, epoch: 0 }).await {
                Err(error @ StoreError::Corrupt(_)) => {
                    tracing::error!(channel = id.0, %error, "channel cannot be loaded");
                }
                loaded => drop(loaded?),
            }
        }
        Ok(())
    }

    /// Removes a channel's handle.
    pub(crate) fn remove(&self, channel: &ChannelHandle) {
        let mut channels = self.channels.write();
        if channels.get(&channel.address).is_some_and(|held| held.lease == channel.lease) {
            channels.remove(&channel.address);
        }
    }

    /// Waits until a change of a channel is on disk. Removes the channel's handle if the change
    /// was rejected, because its ledger is ahead of the disk: the lease is lost, or other
    /// processes have spent the API key's budget.
    pub(crate) async fn commit<T>(
        &self,
        channel: &ChannelHandle,
        written: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, GatewayError> {
        let written = traced("commit", SpanKind::Internal, written).await;
        if matches!(written, Err(StoreError::LeaseLost | StoreError::KeyBudget { .. })) {
            self.remove(channel);
        }
        Ok(written?)
    }

    /// Writes a change of a channel and waits until it is on disk.
    ///
    /// # Errors
    /// As [`ChannelRegistry::commit`].
    pub(crate) async fn write(
        &self,
        channel: &ChannelHandle,
        change: Change,
    ) -> Result<(), GatewayError> {
        self.commit(channel, self.store.writer().write_channel(channel.lease, change)).await
    }

    /// Returns a channel as recorded in the store, whichever process holds it.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::StoreFailed`].
    pub(crate) async fn recorded(
        &self,
        address: &Pubkey,
    ) -> Result<(ChannelId, Channel), GatewayError> {
        let id = self.store.queries().newest_channel(&address.to_bytes()).await?;
        let id = id.ok_or(GatewayError::UnknownChannel(*address))?;
        let recorded = self.store.queries().recorded(id).await?;
        Ok((id, recorded.account.channel))
    }

    /// Returns the number of a channel's open statement as recorded in the store.
    ///
    /// # Errors
    /// [`GatewayError::StoreFailed`].
    pub(crate) async fn recorded_open_statement(
        &self,
        id: ChannelId,
        channel: &Channel,
    ) -> Result<u64, GatewayError> {
        let cut = self.store.reports().books(id, 0, 0).await?.statements;
        let next = cut.last_key_value().map_or(0, |(number, _)| number + 1);
        Ok(next.max(channel.statements.length))
    }

    /// Sets the maximum total of a channel, base units; `None` for its whole deposit.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`], [`GatewayError::StoreFailed`].
    pub async fn set_budget(
        &self,
        channel: Pubkey,
        budget: Option<u64>,
    ) -> Result<(), GatewayError> {
        let channel = self.get(&channel).await?;
        let written = {
            let mut locked = channel.lock();
            locked.ledger.set_budget(budget);
            let change = Change::Budget { channel_id: channel.id(), budget };
            self.store.writer().write_channel(channel.lease, change)
        };
        self.commit(&channel, written).await
    }

    /// Returns a summary of each channel, by address.
    pub fn summaries(&self) -> Vec<ChannelSummary> {
        let mut channels = self.list();
        channels.sort_by_key(|channel| channel.address);
        channels.iter().map(|channel| summary(channel)).collect()
    }

    /// Returns the unsettled amounts of all channels at `now`.
    pub fn exposure(&self, now: i64) -> Exposure {
        let unreadable = self.unreadable.lock().len() as u64;
        let mut exposure = Exposure { unreadable, ..Exposure::default() };
        let mut amounts = BTreeMap::<String, u64>::new();
        for channel in self.list() {
            exposure.channels += 1;
            let locked = channel.lock();
            exposure.stopped += u64::from(locked.ledger.stopped_at().is_some());
            exposure.delayed += u64::from(channel.progress.is_delayed());
            exposure.dormant += u64::from(channel.is_dormant());
            let (ledger, open) = (&locked.ledger, locked.ledger.open_statement());
            let cut = ledger.cut_statements().iter().map(|cut| u64::from(cut.receipts));
            exposure.receipts += cut.sum::<u64>() + u64::from(open.receipts);
            if !channel.is_dormant() && !ledger.is_over(now) {
                let unseen = channel.unseen_for().as_secs();
                exposure.blind_seconds = exposure.blind_seconds.max(unseen);
            }
            let age = open.begun_at.map_or(0, |begun_at| now.saturating_sub(begun_at));
            exposure.oldest_seconds = exposure.oldest_seconds.max(age);
            let amount = amounts.entry(ledger.channel().mint.to_string()).or_default();
            *amount = amount.saturating_add(ledger.exposed());
        }
        exposure.amounts = amounts.into_iter().collect();
        exposure
    }
}

fn summary(channel: &ChannelHandle) -> ChannelSummary {
    let locked = channel.lock();
    let ledger = &locked.ledger;
    let cut = ledger.cut_statements().iter().map(|cut| cut.receipts);
    ChannelSummary {
        channel: Address(channel.address),
        payer: Address(channel.payer),
        mint: Address(ledger.channel().mint),
        cumulative: Amount(ledger.cumulative().unwrap_or(u64::MAX)),
        available: Amount(ledger.available()),
        exposed: Amount(ledger.exposed()),
        unsettled_receipts: cut.sum::<u32>() + ledger.open_statement().receipts,
        settle_before: ledger.settle_before(),
        closes_at: Some(ledger.channel().closes_at).filter(|at| *at != i64::MAX),
        budget: ledger.budget().map(Amount),
        settlement_attempts: channel.progress.attempts(),
        settlement_problem: channel.progress.failure().map(|problem| problem.slug().to_owned()),
    }
}
