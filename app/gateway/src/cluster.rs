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
    /// Newest blockhash with its last valid height, and the time of the read.
    blockhash: Mutex<Option<(Instant, (Hash, u64))>>,
    /// Number of failed reads.
    failures: Counter,
}

impl Cluster {
    /// Creates access to a cluster. Nothing is read until it is needed.
    pub fn new(chain: Arc<dyn Chain>, failures: Counter) -> Self {
        let (tag, blockhash) = (OnceCell::new(), Mutex::default());
        Self { chain, clock: Clock::default(), tag, blockhash, failures }
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

    /// Returns a blockhash at most two polls old and the last block height at which it is valid.
    /// Settlements side by side share one read.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`].
    pub async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        let mut newest = self.blockhash.lock().await;
        match &*newest {
            Some((read_at, found)) if read_at.elapsed() < self.poll_interval() * 2 => Ok(*found),
            _ => {
                let found = self.chain.blockhash().await?;
                *newest = Some((Instant::now(), found));
                Ok(found)
            }
        }
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
