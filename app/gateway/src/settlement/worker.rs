use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use motif_sdk::Pubkey;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{SettlementPolicy, Settler, read_schedule::ReadSchedule};
use crate::{channel::ChannelHandle, error::GatewayError, health::Heartbeat};

/// Maximum number of channels that settle at the same time.
const MAX_SETTLING: usize = 256;
/// Of these, the number kept for urgent ones.
const URGENT_ONLY: usize = 64;
/// Pause after a channel's first failure, in polls of the cluster: five seconds. Doubled after each
/// further one, up to the maximum: five minutes, or 15 seconds for an urgent channel.
const FIRST_BACKOFF_POLLS: u32 = 10;
const MAX_BACKOFF_POLLS: u32 = 600;
const MAX_URGENT_BACKOFF_POLLS: u32 = 30;

/// Background settlement: applies the settlement policy and settles before a payer's close takes
/// effect.
pub struct SettlementWorker {
    pub(crate) settler: Arc<Settler>,
    pub(crate) policy: Arc<SettlementPolicy>,
    pub(crate) heartbeat: Arc<Heartbeat>,
    /// Pause between two rounds.
    pub(crate) every: Duration,
    /// Maximum age of a used channel's last read.
    pub(crate) max_blind: Duration,
}

/// Settlements in progress and due.
struct Settlements {
    running: JoinSet<(Pubkey, Result<(), GatewayError>)>,
    settling: HashSet<Pubkey>,
    /// Due channels, the most urgent first.
    due: VecDeque<Arc<ChannelHandle>>,
    backoff: HashMap<Pubkey, Backoff>,
}

/// Pause of a channel whose last settlement failed.
struct Backoff {
    began: Instant,
    duration: Duration,
}

impl SettlementWorker {
    /// Runs until `stop` is cancelled. Finishes settlements in progress.
    pub async fn run(self, stop: CancellationToken) {
        let mut schedule = ReadSchedule::new(self.max_blind);
        let mut settlements = Settlements {
            running: JoinSet::new(),
            settling: HashSet::new(),
            due: VecDeque::new(),
            backoff: HashMap::new(),
        };
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.round(&mut schedule, &mut settlements) => {}
            }
            let woken = timeout(self.every, self.policy.woken());
            tokio::pin!(woken);
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    _ = &mut woken => break,
                    Some(ended) = settlements.running.join_next() => {
                        self.record_end(&mut settlements, ended);
                        self.begin_due(&mut settlements);
                    }
                }
            }
        }
        while settlements.running.join_next().await.is_some() {}
    }

    /// Reads the channels whose turn it is and begins to settle those that are due. A failure delays
    /// its channel only.
    async fn round(&self, schedule: &mut ReadSchedule, settlements: &mut Settlements) {
        let sync = &self.settler.sync;
        sync.cluster.observe_clock().await;
        self.heartbeat.beat();
        while let Some(ended) = settlements.running.try_join_next() {
            self.record_end(settlements, ended);
        }
        let now = sync.cluster.now();
        let read = schedule.due(&sync.channels.list(), now, std::time::Instant::now());
        let results = sync.refresh_all(&read).await;
        self.heartbeat.beat();
        let now = sync.cluster.now();
        let mut due = Vec::new();
        for (channel, result) in read.into_iter().zip(results) {
            let is_free = !settlements.settling.contains(&channel.address)
                && !self.is_paused(settlements, &channel, now);
            match result {
                Ok(()) if is_free && self.policy.is_due(&channel, now) => due.push(channel),
                // The payer has deleted the closed account.
                Err(GatewayError::UnknownChannel(_)) if channel.lock().ledger.is_over(now) => {}
                // Counted when it was read. Nothing settles without the cluster.
                Ok(()) | Err(GatewayError::ChainUnreachable(_)) => {}
                Err(error) if is_free => self.record_failure(settlements, channel.address, &error),
                Err(_) => {}
            }
        }
        due.sort_by_cached_key(|channel| {
            let deadline = self.policy.deadline(channel, now).unwrap_or(i64::MAX);
            (!self.policy.is_urgent(channel, now), deadline)
        });
        settlements.due = due.into();
        self.begin_due(settlements);
    }

    /// Begins to settle due channels while there is room.
    fn begin_due(&self, settlements: &mut Settlements) {
        let now = self.settler.sync.cluster.now();
        while let Some(channel) = settlements.due.pop_front() {
            let is_urgent = self.policy.is_urgent(&channel, now);
            let room = if is_urgent { MAX_SETTLING } else { MAX_SETTLING - URGENT_ONLY };
            if settlements.running.len() >= room {
                settlements.due.push_front(channel);
                return;
            }
            let (settler, address) = (self.settler.clone(), channel.address);
            if settlements.settling.insert(address) {
                let settling =
                    async move { (address, settler.settle_due(address).await.map(drop)) };
                settlements.running.spawn(settling);
            }
        }
    }

    fn record_end(
        &self,
        settlements: &mut Settlements,
        ended: Result<(Pubkey, Result<(), GatewayError>), tokio::task::JoinError>,
    ) {
        match ended {
            Ok((channel, result)) => {
                settlements.settling.remove(&channel);
                match result {
                    Ok(()) => drop(settlements.backoff.remove(&channel)),
                    Err(error) => self.record_failure(settlements, channel, &error),
                }
            }
            // The settlement itself runs in a task of its own, whose panic is an error.
            Err(error) => tracing::error!(%error, "a settlement ended without a result"),
        }
    }

    fn record_failure(&self, settlements: &mut Settlements, channel: Pubkey, error: &GatewayError) {
        self.settler.metrics.settlement_failures.inc();
        tracing::warn!(%channel, %error, "settlement delayed");
        let poll = self.settler.sync.cluster.poll_interval();
        let earlier = settlements.backoff.get(&channel).map(|earlier| earlier.duration * 2);
        let duration = earlier.unwrap_or(poll * FIRST_BACKOFF_POLLS);
        let duration = duration.min(poll * MAX_BACKOFF_POLLS);
        settlements.backoff.insert(channel, Backoff { began: Instant::now(), duration });
    }

    /// Returns whether a channel's last failure is recent.
    fn is_paused(&self, settlements: &Settlements, channel: &ChannelHandle, now: i64) -> bool {
        let Some(backoff) = settlements.backoff.get(&channel.address) else { return false };
        let poll = self.settler.sync.cluster.poll_interval();
        let duration = match self.policy.is_urgent(channel, now) {
            true => backoff.duration.min(poll * MAX_URGENT_BACKOFF_POLLS),
            false => backoff.duration,
        };
        backoff.began.elapsed() < duration
    }
}
