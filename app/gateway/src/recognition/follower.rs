use std::time::{Duration, Instant};

use motif_sdk::{
    client::Heard,
    recognition::{Index, Registered, snapshot},
};
use tokio::{
    sync::mpsc::{Receiver, channel},
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{Gateway, problem::ApiError};

/// Even where everything is heard, all is read again now and then.
const READ_AGAIN: Duration = Duration::from_secs(600);
/// Where nothing is heard, reading takes at most a tenth of the time.
const READING_SHARE: u32 = 10;
const PAUSES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(300);
/// Works that were heard of and not yet indexed.
const WAITING: usize = 4_096;

/// Builds the index of a gateway from the chain, and keeps it current: by listening to the node,
/// or, where the node does not talk, by reading everything now and then.
pub struct Follower {
    gateway: Gateway,
}

impl Follower {
    /// A follower for a gateway.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }

    /// Follows until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&self) {
        self.restore().await;
        loop {
            let (tell, mut heard) = channel(WAITING);
            let chain = self.gateway.shared_chain();
            let listening = tokio::spawn(async move { chain.follow_works(tell).await });
            let listens = matches!(heard.recv().await, Some(Heard::Listening));
            let began = Instant::now();
            let read = self.read().await;
            let pause = (began.elapsed() * READING_SHARE).clamp(*PAUSES.start(), *PAUSES.end());
            if let Err(error) = &read {
                tracing::warn!(%error, "works cannot be read");
            }
            if listens && read.is_ok() {
                // Ends when the node falls silent, and when it is time to read again.
                let _ = timeout(READ_AGAIN, self.take(&mut heard)).await;
            } else {
                sleep(pause).await;
            }
            listening.abort();
        }
    }

    /// What was known when the gateway ran last, until the chain has been read.
    async fn restore(&self) {
        let Some(path) = self.gateway.recognition().snapshot.clone() else { return };
        let Ok(cluster) = self.gateway.cluster().await else { return };
        let restored = spawn_blocking(move || snapshot::read(&path, &cluster).map(Index::new));
        match restored.await {
            Ok(Ok(index)) => {
                tracing::info!(works = index.len(), "the index was restored");
                self.gateway.recognition().known_mut().index = index;
            }
            Ok(Err(error)) => tracing::info!(%error, "the index is built anew"),
            Err(error) => tracing::error!(%error, "the index was not restored"),
        }
    }

    /// Reads all works and indexes them anew.
    async fn read(&self) -> Result<(), ApiError> {
        let read_at = self.gateway.now();
        let registered = self.gateway.chain().registered().await?;
        let cluster = self.gateway.cluster().await?;
        let path = self.gateway.recognition().snapshot.clone();
        let is_known = self.is_known(&registered);
        let indexing = spawn_blocking(move || {
            if is_known {
                return None;
            }
            let kept = path.map_or(Ok(()), |path| snapshot::write(&path, &cluster, &registered));
            if let Err(error) = kept {
                tracing::warn!(%error, "the index cannot be kept"); // the next start reads longer
            }
            Some(Index::new(registered))
        });
        let index = indexing.await.map_err(|error| ApiError::Internal(Box::new(error)))?;
        let mut known = self.gateway.recognition().known_mut();
        if let Some(index) = index {
            known.index = index;
        }
        known.read_at = Some(read_at);
        Ok(())
    }

    /// Whether the index has just these works: then there is nothing to build.
    fn is_known(&self, registered: &[Registered]) -> bool {
        let known = self.gateway.recognition().known();
        known.index.len() == registered.len()
            && registered.iter().all(|entry| known.index.knows(&entry.work))
    }

    async fn take(&self, heard: &mut Receiver<Heard>) {
        while let Some(heard) = heard.recv().await {
            let Heard::Work(work) = heard else { continue };
            let merge = {
                let mut known = self.gateway.recognition().known_mut();
                known.index.insert(work);
                known.index.has_long_tail().then(|| known.index.merge())
            };
            let Some(merge) = merge else { continue };
            match spawn_blocking(merge).await {
                Ok(merged) => self.gateway.recognition().known_mut().index.take_over(merged),
                Err(error) => tracing::error!(%error, "the index was not sorted"),
            }
        }
    }
}
