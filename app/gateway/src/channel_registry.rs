//! Channels held by this process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::wire::{Address, Amount, ChannelSummary, QuarantinedChannel},
};
use opentelemetry::trace::SpanKind;
use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    channel::ChannelHandle,
    clock::system_now,
    error::GatewayError,
    forgotten_statements::record_forgotten,
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
    /// Channels of a file store whose ledgers were ahead of the disk, until they are loaded again.
    refused: parking_lot::Mutex<HashMap<Pubkey, ChannelId>>,
    /// Epoch of the newest lease on a file store, which numbers the handles of a channel.
    epoch: AtomicI64,
    /// Channels that are not served because their stored state is corrupt.
    quarantine: parking_lot::Mutex<BTreeMap<ChannelId, Quarantined>>,
    store: Store,
    margins: Margins,
}

/// Channel whose stored state is corrupt.
#[derive(Clone, Debug)]
struct Quarantined {
    /// `None` if its row cannot be read.
    address: Option<Pubkey>,
    reason: String,
}

impl ChannelRegistry {
    /// Creates an empty registry.
    pub fn new(store: Store, margins: Margins) -> Self {
        Self {
            channels: RwLock::default(),
            loading: Mutex::default(),
            refused: parking_lot::Mutex::default(),
            epoch: AtomicI64::new(0),
            quarantine: parking_lot::Mutex::default(),
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
    /// [`GatewayError::UnknownChannel`], [`GatewayError::ChannelQuarantined`],
    /// [`GatewayError::HeldElsewhere`], [`GatewayError::ChannelMoving`],
    /// [`GatewayError::StoreFailed`].
    pub async fn get(&self, address: &Pubkey) -> Result<Arc<ChannelHandle>, GatewayError> {
        let leases = self.store.leases();
        if let Some(channel) = self.held(address) {
            // State may be stale if leases could not be renewed.
            let lapsed = leases.is_some_and(Leases::have_expired);
            return if lapsed { Err(GatewayError::ChannelMoving) } else { Ok(channel) };
        }
        if leases.is_none() {
            let id = self.refused.lock().get(address).copied();
            let id = id.ok_or_else(|| self.not_held(*address))?;
            return Box::pin(self.acquire(address, id)).await;
        }
        // Boxed: this branch is rare and its future is large.
        let acquiring = async {
            let id = self.store.queries().newest_channel(&address.to_bytes()).await?;
            self.acquire(address, id.ok_or(GatewayError::UnknownChannel(*address))?).await
        };
        Box::pin(acquiring).await
    }

    /// Returns the error of a channel that this process does not hold.
    fn not_held(&self, address: Pubkey) -> GatewayError {
        let quarantine = self.quarantine.lock();
        let mut addresses = quarantine.values().map(|quarantined| quarantined.address);
        match addresses.any(|quarantined| quarantined == Some(address)) {
            true => GatewayError::ChannelQuarantined(address),
            false => GatewayError::UnknownChannel(address),
        }
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
    /// [`GatewayError::HeldElsewhere`], [`GatewayError::ChannelQuarantined`],
    /// [`GatewayError::StoreFailed`].
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
            None => {
                let epoch = self.epoch.fetch_add(1, Ordering::Relaxed) + 1;
                Lease { channel_id: id, epoch }
            }
            Some(leases) => leases.acquire(id).await?.map_err(|held| {
                let (channel, url) = (*address, held.url);
                GatewayError::HeldElsewhere { channel, url }
            })?,
        };
        self.load_channel(lease).await.map_err(|error| match error {
            StoreError::Corrupt(_) => GatewayError::ChannelQuarantined(*address),
            error => error.into(),
        })
    }

    /// Loads a channel from the store, in place of its earlier incarnation. The caller holds
    /// [`ChannelRegistry::lock_loading`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load_channel(&self, lease: Lease) -> Result<Arc<ChannelHandle>, StoreError> {
        let channel = self.recover(lease).await?;
        self.channels.write().insert(channel.address, channel.clone());
        self.refused.lock().remove(&channel.address);
        Ok(channel)
    }

    /// Loads a channel whose lease this process holds, unless a later lease of it is loaded meanwhile.
    ///
    /// # Errors
    /// As [`ChannelRegistry::load_channel`].
    pub(crate) async fn load_leased(&self, lease: Lease) -> Result<(), StoreError> {
        let channel = self.recover(lease).await?;
        let _turn = self.loading.lock().await;
        let is_later = |held: &ChannelHandle| match held.id() == lease.channel_id {
            true => held.lease.epoch >= lease.epoch,
            false => held.opened_slot > channel.opened_slot,
        };
        if !self.held(&channel.address).is_some_and(|held| is_later(&held)) {
            self.channels.write().insert(channel.address, channel);
        }
        Ok(())
    }

    /// Restores a channel from the store. A corrupt channel is quarantined until it is restored.
    async fn recover(&self, lease: Lease) -> Result<Arc<ChannelHandle>, StoreError> {
        let recovered = self.store.recovery().channel(lease.channel_id).await;
        match &recovered {
            Ok(_) => drop(self.quarantine.lock().remove(&lease.channel_id)),
            Err(StoreError::Corrupt(reason)) => self.quarantine(lease.channel_id, reason).await,
            Err(_) => {}
        }
        let stored = recovered?;
        if let Err(error) = record_forgotten(&self.store, lease, &stored, system_now()).await {
            tracing::error!(channel = %stored.address, %error, "settled statements are not recorded");
        }
        let (address, account) = (stored.address, stored.account);
        let mut ledger = Ledger::restore(address, account, self.margins, stored.cut, stored.open);
        ledger.set_budget(stored.budget);
        ledger.restore_holds(stored.holds);
        if let Some(statement) = stored.stopped_at {
            ledger.stop_at(statement);
        }
        let digest = stored.account_digest;
        Ok(Arc::new(ChannelHandle::new(lease, ledger, stored.keys, digest)))
    }

    async fn quarantine(&self, id: ChannelId, reason: &str) {
        let address = self.store.queries().address(id).await.ok();
        let quarantined = Quarantined { address, reason: reason.to_owned() };
        let earlier = self.quarantine.lock().insert(id, quarantined);
        if earlier.is_none_or(|earlier| earlier.reason != reason) {
            let name = address.map(|address| address.to_string()).unwrap_or_default();
            tracing::error!(channel = name, id = id.0, reason, "channel quarantined");
        }
    }

    /// Loads all channels of a store that one process has to itself. A corrupt channel does not
    /// affect the others.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn load_all(&self) -> Result<(), StoreError> {
        for id in self.store.queries().newest_channels().await? {
            match self.load_channel(Lease { channel_id: id, epoch: 0 }).await {
                Err(StoreError::Corrupt(_)) => {} // quarantined
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
    /// was rejected, because its ledger is ahead of the disk: the lease is lost, other processes
    /// have spent the API key's budget, or its receipts were not signed. A channel of a file store
    /// is loaded again.
    pub(crate) async fn commit<T>(
        &self,
        channel: &ChannelHandle,
        written: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, GatewayError> {
        let written = traced("commit", SpanKind::Internal, written).await;
        let is_ahead = matches!(
            written,
            Err(StoreError::LeaseLost
                | StoreError::KeyBudget { .. }
                | StoreError::OutOfRange(_)
                | StoreError::Unsigned(_))
        );
        if is_ahead && self.store.leases().is_some() {
            self.remove(channel);
        } else if is_ahead {
            Box::pin(self.reload(channel)).await;
        }
        Ok(written?)
    }

    /// Replaces a channel's handle on a file store by the channel as it is on disk. If it cannot be
    /// read, the next request tries again.
    async fn reload(&self, channel: &ChannelHandle) {
        let (address, id) = (channel.address, channel.id());
        if self.held(&address).is_none_or(|held| held.lease != channel.lease) {
            return; // replaced already
        }
        self.refused.lock().insert(address, id);
        self.remove(channel);
        if let Err(error) = self.acquire(&address, id).await {
            tracing::error!(channel = %address, %error, "channel cannot be loaded again");
        }
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
        if budget.is_some_and(|budget| i64::try_from(budget).is_err()) {
            return Err(StoreError::OutOfRange("budget").into());
        }
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

    /// Returns the channels that are not served because their stored state is corrupt.
    pub fn quarantined(&self) -> Vec<QuarantinedChannel> {
        let quarantine = self.quarantine.lock();
        let quarantined = |(id, quarantined): (&ChannelId, &Quarantined)| QuarantinedChannel {
            id: id.0,
            channel: quarantined.address.map(Address),
            reason: quarantined.reason.clone(),
        };
        quarantine.iter().map(quarantined).collect()
    }

    /// Returns the unsettled amounts of all channels at `now`.
    pub fn exposure(&self, now: i64) -> Exposure {
        let unreadable = self.quarantine.lock().len() as u64;
        let damaged_rows = self.store.damaged_rows() as u64;
        let mut exposure = Exposure { unreadable, damaged_rows, ..Exposure::default() };
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
        unsettled_receipts: cut.fold(ledger.open_statement().receipts, u32::saturating_add),
        settle_before: ledger.settle_before(),
        closes_at: Some(ledger.channel().closes_at).filter(|at| *at != i64::MAX),
        budget: ledger.budget().map(Amount),
        settlement_attempts: channel.progress.attempts(),
        settlement_problem: channel.progress.failure().map(|problem| problem.slug().to_owned()),
    }
}
