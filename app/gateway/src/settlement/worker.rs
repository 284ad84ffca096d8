use std::{collections::HashMap, sync::Arc, time::Duration};

use motif_sdk::Pubkey;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{SettlementPolicy, Settler};
use crate::{channel::ChannelHandle, error::GatewayError, health::Heartbeat};

const FIRST_BACKOFF: Duration = Duration::from_secs(5);
const MAX_BACKOFF: Duration = Duration::from_secs(300);
/// Time after a channel's end for which it is still read, because the cluster may roll back.
const FINAL_AFTER_SECONDS: i64 = 3_600;

/// Background settlement: applies the settlement policy and settles before a payer's close takes
/// effect.
pub struct SettlementWorker {
    pub(crate) settler: Arc<Settler>,
    pub(crate) policy: Arc<SettlementPolicy>,
    pub(crate) heartbeat: Arc<Heartbeat>,
    /// Pause between two rounds.
    pub(crate) every: Duration,
}

/// Channels whose last settlement failed: the time of the next attempt and the backoff after it.
type Backoff = HashMap<Pubkey, (Instant, Duration)>;

impl SettlementWorker {
    /// Runs until `stop` is cancelled. Finishes a settlement in progress.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            self.round(&mut backoff, &stop).await;
            let woken = timeout(self.every, self.policy.woken());
            tokio::select! {
                () = stop.cancelled() => {}
                _ = woken => {}
            }
        }
    }

    /// Reads every channel and settles those that are due. A failure delays its channel only.
    async fn round(&self, backoff: &mut Backoff, stop: &CancellationToken) {
        let sync = &self.settler.sync;
        sync.cluster.observe_clock().await;
        self.heartbeat.beat();
        for channel in sync.channels.list() {
            self.heartbeat.beat();
            let now = sync.cluster.now();
            if channel.lock().ledger.is_over(now - FINAL_AFTER_SECONDS) {
                continue;
            }
            // Urgent settlements ignore the backoff.
            let may_wait = !self.policy.is_urgent(&channel, now);
            if stop.is_cancelled() || (may_wait && is_paused(backoff, &channel)) {
                continue;
            }
            match self.refresh_and_settle(&channel, now).await {
                Ok(()) => drop(backoff.remove(&channel.address)),
                Err(error) => {
                    self.settler.metrics.settlement_failures.inc();
                    tracing::warn!(channel = %channel.address, %error, "settlement delayed");
                    let pause = backoff.get(&channel.address);
                    let pause = pause.map_or(FIRST_BACKOFF, |(_, pause)| *pause);
                    let next = MAX_BACKOFF.min(pause * 2);
                    backoff.insert(channel.address, (Instant::now() + pause, next));
                }
            }
        }
    }

    async fn refresh_and_settle(
        &self,
        channel: &Arc<ChannelHandle>,
        now: i64,
    ) -> Result<(), GatewayError> {
        match self.settler.sync.refresh(channel).await {
            Ok(_) if self.policy.is_due(channel, self.settler.sync.cluster.now()) => {
                self.settler.settle(channel.address).await.map(drop)
            }
            // The payer has deleted the closed account.
            Err(GatewayError::UnknownChannel(_)) if channel.lock().ledger.is_over(now) => Ok(()),
            refreshed => refreshed.map(drop),
        }
    }
}

fn is_paused(backoff: &Backoff, channel: &ChannelHandle) -> bool {
    backoff.get(&channel.address).is_some_and(|(until, _)| Instant::now() < *until)
}
