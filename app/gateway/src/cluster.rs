//! Access to the cluster.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use motif_sdk::Pubkey;
use opentelemetry::trace::SpanKind;
use prometheus_client::metrics::counter::Counter;
use solana_message::Hash;
use tokio::{
    sync::{Mutex, OnceCell},
    time::Instant,
};

use crate::{
    chain::{Chain, ChainError, MAX_CHANNELS, ReadChannel},
    clock::Clock,
    traces::traced,
};

/// The cluster: its nodes, its clock and its tag.
pub struct Cluster {
    chain: Arc<dyn Chain>,
    clock: Clock,
    tag: OnceCell<[u8; 32]>,
    /// Newest blockhash with its last valid height.
    blockhash: SharedRead<(Hash, u64)>,
    final_height: SharedRead<u64>,
    /// Number of failed reads.
    failures: Counter,
}

/// Value that callers read together, with the time of the read. Held during a read.
struct SharedRead<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for SharedRead<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Copy> SharedRead<T> {
    /// Returns the value if it is younger than `max_age`, or else reads it.
    async fn newest<F: Future<Output = Result<T, ChainError>>>(
        &self,
        max_age: Duration,
        read: impl FnOnce() -> F,
    ) -> Result<T, ChainError> {
        let mut newest = self.0.lock().await;
        match &*newest {
            Some((read_at, value)) if read_at.elapsed() < max_age => Ok(*value),
            _ => {
                let value = read().await?;
                *newest = Some((Instant::now(), value));
                Ok(value)
            }
        }
    }
}

impl Cluster {
    /// Creates access to a cluster. Nothing is read until it is needed.
    pub fn new(chain: Arc<dyn Chain>, failures: Counter) -> Self {
        let (blockhash, final_height) = (SharedRead::default(), SharedRead::default());
        let (clock, tag) = (Clock::default(), OnceCell::new());
        Self { chain, clock, tag, blockhash, final_height, failures }
    }

    /// Returns the cluster's nodes.
    pub fn chain(&self) -> &Arc<dyn Chain> {
        &self.chain
    }

    /// Returns the cluster's tag, which is read once.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`].
    pub async fn tag(&self) -> Result<[u8; 32], ChainError> {
        self.tag.get_or_try_init(|| self.chain.cluster()).await.copied()
    }

    /// Returns the cluster's time in unix seconds.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Updates the clock from the cluster. The clock continues unchanged if no node answers.
    pub async fn observe_clock(&self) {
        match self.chain.now().await {
            Ok(now) => self.clock.observe(now),
            Err(_) => {
                self.failures.inc();
            }
        }
    }

    /// Returns the pause between two reads of pending transactions.
    pub fn poll_interval(&self) -> Duration {
        self.chain.poll_interval()
    }

    /// Returns the minimum pause between two reads of statuses, which answer all pending transactions at
    /// once: half a poll, because a buyer waits for the end of a payment.
    pub fn status_interval(&self) -> Duration {
        self.poll_interval() / 2
    }

    /// Returns a blockhash at most two polls old and the last block height at which it is valid.
    /// Settlements side by side share one read.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`].
    pub async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        self.blockhash.newest(self.poll_interval() * 2, || self.chain.blockhash()).await
    }

    /// Returns the height of the last finalized block as of four polls ago or later. Settlements side by
    /// side share one read.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`].
    pub async fn final_height(&self) -> Result<u64, ChainError> {
        self.final_height.newest(self.poll_interval() * 4, || self.chain.final_height()).await
    }

    /// Reads channels' accounts, several batches at once. Returns them in their order, with `None` for
    /// those that do not exist.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`], for each channel of a batch that was not read.
    pub async fn read_channels(
        &self,
        addresses: &[Pubkey],
    ) -> Vec<Result<Option<ReadChannel>, ChainError>> {
        const BATCHES_AT_ONCE: usize = 4;
        let reads: Vec<_> =
            addresses.chunks(MAX_CHANNELS).map(|batch| self.read_batch(batch)).collect();
        let reads: Vec<_> = stream::iter(reads).buffered(BATCHES_AT_ONCE).collect().await;
        reads.into_iter().flatten().collect()
    }

    async fn read_batch(
        &self,
        addresses: &[Pubkey],
    ) -> Vec<Result<Option<ReadChannel>, ChainError>> {
        match self.chain.channels(addresses).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => {
                self.failures.inc();
                vec![Err(error); addresses.len()]
            }
        }
    }

    /// Reads a channel's account. Returns `None` if the channel does not exist.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`].
    pub async fn read_channel(&self, address: &Pubkey) -> Result<Option<ReadChannel>, ChainError> {
        let read = traced("read channel", SpanKind::Client, self.chain.channel(address)).await;
        read.inspect_err(|_| {
            self.failures.inc();
        })
    }
}
