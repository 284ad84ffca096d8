//! Access to the cluster.

use std::sync::Arc;

use motif_sdk::Pubkey;
use opentelemetry::trace::SpanKind;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::OnceCell;

use crate::{
    chain::{Chain, ChainError, ReadChannel},
    clock::Clock,
    traces::traced,
};

/// The cluster: its nodes, its clock and its tag.
pub struct Cluster {
    chain: Arc<dyn Chain>,
    clock: Clock,
    tag: OnceCell<[u8; 32]>,
    /// Number of failed reads.
    failures: Counter,
}

impl Cluster {
    /// Creates access to a cluster. Nothing is read until it is needed.
    pub fn new(chain: Arc<dyn Chain>, failures: Counter) -> Self {
        Self { chain, clock: Clock::default(), tag: OnceCell::new(), failures }
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
