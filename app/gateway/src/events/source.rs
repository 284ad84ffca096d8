use std::{sync::Arc, time::Duration};

use motif_sdk::Pubkey;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    books,
    chain::{Comparison, Conditions},
    hub::EventHub,
    readers::Readers,
};
use crate::{
    channel_registry::ChannelRegistry,
    clock::system_now,
    cluster::Cluster,
    config::EventsConfig,
    error::GatewayError,
    record::persons,
    store::{ChannelNews, EventBooks, Told, ToldSoFar},
};

/// Events that are told in one transaction, if there are more.
const AT_ONCE: usize = 1_000;
/// Interval of the deletions of old events.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
const SECONDS_PER_DAY: i64 = 86_400;

/// Background job that finds out what happened and tells it. Payments never wait for it: it reads what
/// the tables have, on connections of its own.
pub struct EventSource {
    events: Arc<EventHub>,
    books: EventBooks,
    cluster: Arc<Cluster>,
    channels: Arc<ChannelRegistry>,
    operator: Pubkey,
    /// `None` until they are read from the store, and again if another process has told events.
    so_far: Option<ToldSoFar>,
    /// `None` before the first read of the chain.
    readers: Option<Readers>,
    /// Time of the last read of the chain.
    chain_read_at: Option<Instant>,
    pruned_at: Option<Instant>,
}

impl EventSource {
    /// Creates the job.
    pub fn new(
        events: Arc<EventHub>,
        books: EventBooks,
        cluster: Arc<Cluster>,
        channels: Arc<ChannelRegistry>,
        operator: Pubkey,
    ) -> Self {
        Self {
            events,
            books,
            cluster,
            channels,
            operator,
            so_far: None,
            readers: None,
            chain_read_at: None,
            pruned_at: None,
        }
    }

    /// Runs until `stop` is cancelled, and then ends all streams.
    pub async fn run(mut self, stop: CancellationToken) {
        let Some(config) = self.events.config.clone() else { return };
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => break, // what is not committed is rolled back
                looked = self.look(&config) => looked,
            };
            if let Err(error) = looked {
                tracing::warn!(%error, "events are told later");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(config.every) => {}
            }
        }
        self.events.closing.cancel();
    }

    /// Tells what happened since the last look.
    async fn look(&mut self, config: &EventsConfig) -> Result<(), GatewayError> {
        let is_due = self.chain_read_at.is_none_or(|at| at.elapsed() >= config.chain_every);
        self.load().await?;
        if is_due {
            self.look_at_chain(config).await?;
            self.load().await?;
        }
        let news = self.books.news().await?;
        let knows = |work: &Pubkey| self.readers.as_ref().is_some_and(|all| all.know(work));
        let has_unknown = news.iter().flat_map(works).any(|work| !knows(&work));
        if !is_due && has_unknown {
            // A work that was registered since the last read.
            self.look_at_chain(config).await?;
        }
        let mut told = Told::default();
        for channel in news {
            let Some(readers) = &self.readers else { break };
            told.events.extend(books::events(&channel, readers));
            told.cursors.push(channel.cursor);
            if told.events.len() >= AT_ONCE {
                self.tell(std::mem::take(&mut told)).await?;
            }
        }
        self.tell(told).await?;
        self.events.refresh().await?;
        if self.pruned_at.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
            let kept = i64::from(config.keep_days).saturating_mul(SECONDS_PER_DAY);
            while self.events.log.prune(system_now().saturating_sub(kept)).await? {}
            self.pruned_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Reads how far the sources are told, before they are read: what another process tells
    /// meanwhile makes the write fail.
    async fn load(&mut self) -> Result<(), GatewayError> {
        if self.so_far.is_none() {
            self.so_far = Some(self.events.log.so_far().await?);
        }
        Ok(())
    }

    async fn look_at_chain(&mut self, config: &EventsConfig) -> Result<(), GatewayError> {
        let record = self.cluster.chain().record().await?;
        self.chain_read_at = Some(Instant::now());
        *self.events.known.write() = persons(&record).copied().collect();
        let readers = Readers::new(&record);
        let left = self.channels.list().into_iter();
        let left = left.map(|channel| (channel.address, channel.lock().ledger.available()));
        let conditions = Conditions {
            operator: self.operator,
            low_bps: config.low_bps,
            notice_days: config.notice_days,
            now: self.cluster.now(),
            left: &left.collect(),
        };
        let told = match &self.so_far {
            Some(so_far) => Comparison::run(&record, &readers, so_far, conditions),
            None => Told::default(),
        };
        self.readers = Some(readers);
        self.tell(told).await
    }

    /// Tells events, unless another process has told some since the last load. They are found again at
    /// the next look.
    async fn tell(&mut self, told: Told) -> Result<(), GatewayError> {
        let Some(mut so_far) = self.so_far.take() else { return Ok(()) };
        let is_first = told.is_chain_read && !so_far.is_chain_read;
        let is_empty =
            told.events.is_empty() && told.cursors.is_empty() && told.marks.is_empty() && !is_first;
        if !is_empty {
            let version = self.events.log.tell(so_far.version, system_now(), &told).await?;
            let Some(version) = version else { return Ok(()) };
            so_far.version = version;
            so_far.is_chain_read |= told.is_chain_read;
            so_far.marks.extend(told.marks);
        }
        self.so_far = Some(so_far);
        Ok(())
    }
}

fn works(news: &ChannelNews) -> impl Iterator<Item = Pubkey> {
    let used = news.uses.iter().map(|new| new.work);
    used.chain(news.settled.iter().filter_map(|new| new.work))
}
