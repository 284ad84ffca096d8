use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    api_keys::ApiKeys,
    channel::ChannelHandle,
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    store::{Lease, Leases, StoreError},
};

/// Lease durations after which an unused channel is idle.
const IDLE_LEASES: u32 = 6;
/// Maximum number of channels released at once. The process that acquires one loads its ledger.
const MAX_RELEASED_AT_ONCE: usize = 8;

/// Number of channels that are loaded side by side.
const LOADED_AT_ONCE: usize = 6;
/// Maximum time for which the start waits for channels; others are loaded in the background.
const START_WITHIN: Duration = Duration::from_secs(2);

/// Background job on a shared store: renews leases every third of their duration and releases
/// channels above this process's share.
pub struct LeaseRenewal {
    pub(crate) channels: Arc<ChannelRegistry>,
    pub(crate) keys: Arc<ApiKeys>,
    pub(crate) cluster: Arc<Cluster>,
}

impl LeaseRenewal {
    /// Runs until it is aborted. Returns at once if the store is not shared.
    pub async fn run_lease_renewal(self) {
        let store = self.channels.store().clone();
        let Some(leases) = store.leases() else { return };
        let mut idle = IdleTracker::default();
        // Rounds start on time, however long one takes. The first one continues the start.
        let mut rounds = interval(leases.duration() / 3);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let released = match self.renew(None).await {
                Ok(share) => self.release_excess(leases, &mut idle, share).await,
                Err(error) => Err(error),
            };
            if let Err(error) = released {
                tracing::warn!(%error, "lease renewal failed");
            }
        }
    }

    /// Acquires free channels for a limited time, so that a start does not wait for many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn start(&self) -> Result<(), StoreError> {
        self.renew(Some(Instant::now() + START_WITHIN)).await.map(drop)
    }

    /// Renews this process's leases, removes channels whose lease is lost, acquires free channels
    /// until the deadline, and updates API keys that other processes changed. Returns this process's
    /// share of the channels.
    ///
    /// # Errors
    /// [`StoreError`]. A channel that cannot be loaded does not affect the others.
    async fn renew(&self, deadline: Option<Instant>) -> Result<usize, StoreError> {
        let channels = &self.channels;
        let Some(leases) = channels.store().leases() else { return Ok(usize::MAX) };
        let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let share = loop {
            let renewal = Instant::now() + leases.duration() / 3;
            let until = deadline.map_or(renewal, |deadline| deadline.min(renewal));
            let turn = channels.lock_loading().await;
            let mut held = leases.renew().await?;
            let mut count = held.len();
            for channel in channels.list() {
                match held.get(&channel.id()) {
                    Some(lease) if *lease == channel.lease => {
                        held.remove(&channel.id());
                    }
                    _ => channels.remove(&channel),
                }
            }
            drop(turn);
            self.load(held.into_values().collect(), until).await;
            let share = leases.share().await?;
            let is_done = loop {
                // A full process leaves free channels to others for one lease, then takes the rest.
                let room = share.saturating_sub(count);
                let acquired = match room {
                    0 => leases.acquire_free(usize::MAX, leases.duration()).await?,
                    room => leases.acquire_free(room, Duration::ZERO).await?,
                };
                let is_done = acquired.is_empty();
                count += acquired.len();
                self.load(acquired, until).await;
                if is_done || Instant::now() >= until {
                    break is_done;
                }
            };
            if is_done || is_late() {
                break share;
            }
        };
        self.keys.refresh().await?;
        Ok(share)
    }

    /// Loads channels side by side for a limited time. The rest is loaded after the next renewal, or by
    /// the next request.
    async fn load(&self, leases: Vec<Lease>, until: Instant) {
        let channels = &self.channels;
        let loading = leases.into_iter().map(|lease| async move {
            if Instant::now() >= until {
                return;
            }
            match channels.load_leased(lease).await {
                Ok(()) | Err(StoreError::Corrupt(_)) => {} // quarantined
                Err(error) => {
                    let channel = lease.channel_id.0;
                    tracing::error!(channel, %error, "channel cannot be loaded");
                }
            }
        });
        futures::stream::iter(loading).buffer_unordered(LOADED_AT_ONCE).collect::<()>().await;
    }

    /// Releases idle channels above this process's share.
    async fn release_excess(
        &self,
        leases: &Leases,
        idle: &mut IdleTracker,
        share: usize,
    ) -> Result<(), StoreError> {
        let channels = &self.channels;
        let duration = leases.duration() * IDLE_LEASES;
        let idle = idle.idle(&channels.list(), duration, self.cluster.now());
        let excess = channels.len().saturating_sub(share);
        for channel in idle.into_iter().take(excess.min(MAX_RELEASED_AT_ONCE)) {
            let _turn = channels.lock_loading().await;
            // Keeps a settlement from starting until the channel is removed.
            let Ok(_settling) = channel.settling.try_lock() else { continue };
            channels.remove(&channel);
            channels.store().writer().flush().await?;
            leases.release(channel.lease).await?;
            tracing::info!(channel = %channel.address, "channel released to other processes");
        }
        Ok(())
    }
}

/// Time of each channel's last payment.
#[derive(Debug, Default)]
struct IdleTracker(HashMap<Lease, (Progress, Instant)>);

/// Open statement and its number of receipts.
type Progress = (u64, u32);

impl IdleTracker {
    /// Returns channels idle for at least `duration`, with no holds and no settlement in
    /// progress; `now` is unix seconds. Call it periodically: activity is measured between calls.
    fn idle(
        &mut self,
        channels: &[Arc<ChannelHandle>],
        duration: Duration,
        now: i64,
    ) -> Vec<Arc<ChannelHandle>> {
        let called_at = Instant::now();
        let mut seen = HashMap::with_capacity(channels.len());
        let mut idle = Vec::new();
        for channel in channels {
            let (progress, is_free) = {
                let locked = channel.lock();
                let (ledger, open) = (&locked.ledger, locked.ledger.open_statement());
                let is_free = ledger.has_no_holds(now) && ledger.cut_statements().is_empty();
                ((open.number, open.receipts), is_free)
            };
            let before = self.0.get(&channel.lease).filter(|(before, _)| *before == progress);
            let since = before.map_or(called_at, |(_, since)| *since);
            if is_free && called_at.duration_since(since) >= duration {
                idle.push(channel.clone());
            }
            seen.insert(channel.lease, (progress, since));
        }
        self.0 = seen;
        idle
    }
}
