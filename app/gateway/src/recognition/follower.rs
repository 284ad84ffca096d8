use std::{
    sync::Arc,
    time::{Duration, Instant},
};

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

use super::Recognizer;
use crate::error::GatewayError;

/// Interval of complete reads while notifications arrive.
const REREAD_AFTER: Duration = Duration::from_secs(600);
/// Without notifications, the pause is ten times the duration of a read.
const PAUSE_FACTOR: u32 = 10;
const PAUSES: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(300);
/// Maximum number of notified works that are not indexed yet.
const MAX_QUEUED: usize = 4_096;

/// Background job that builds the index of works and keeps it current: by notifications of a
/// node, or by complete reads if the node sends none.
pub struct WorksFollower {
    recognizer: Arc<Recognizer>,
}

impl WorksFollower {
    /// Creates the job.
    pub fn new(recognizer: Arc<Recognizer>) -> Self {
        Self { recognizer }
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&self) {
        self.restore().await;
        loop {
            let (tell, mut heard) = channel(MAX_QUEUED);
            let chain = self.recognizer.cluster.chain().clone();
            let listening = tokio::spawn(async move { chain.follow_works(tell).await });
            let listens = matches!(heard.recv().await, Some(Heard::Listening));
            let began = Instant::now();
            let read = self.read().await;
            let pause = (began.elapsed() * PAUSE_FACTOR).clamp(*PAUSES.start(), *PAUSES.end());
            if let Err(error) = &read {
                tracing::warn!(%error, "works cannot be read from the chain");
            }
            if listens && read.is_ok() {
                // Ends when the notifications end or a complete read is due.
                let _ = timeout(REREAD_AFTER, self.index_notified(&mut heard)).await;
            } else {
                sleep(pause).await;
            }
            listening.abort();
        }
    }

    /// Restores the index of the last run, which serves until the chain is read.
    async fn restore(&self) {
        let Some(path) = self.recognizer.snapshot.clone() else { return };
        let Ok(cluster) = self.recognizer.cluster.tag().await else { return };
        let restored = spawn_blocking(move || snapshot::read(&path, &cluster).map(Index::new));
        match restored.await {
            Ok(Ok(index)) => {
                tracing::info!(works = index.len(), "works index restored");
                self.recognizer.index.write().index = index;
            }
            Ok(Err(error)) => tracing::info!(%error, "works index is rebuilt"),
            Err(error) => tracing::error!(%error, "works index not restored"),
        }
    }

    /// Reads all works and rebuilds the index if they differ.
    async fn read(&self) -> Result<(), GatewayError> {
        let read_at = self.recognizer.cluster.now();
        let registered = self.recognizer.cluster.chain().registered().await?;
        let cluster = self.recognizer.cluster.tag().await?;
        let path = self.recognizer.snapshot.clone();
        let is_known = self.is_known(&registered);
        let indexing = spawn_blocking(move || {
            if is_known {
                return None;
            }
            let kept = path.map_or(Ok(()), |path| snapshot::write(&path, &cluster, &registered));
            if let Err(error) = kept {
                tracing::warn!(%error, "works index not saved"); // the next start takes longer
            }
            Some(Index::new(registered))
        });
        let index = indexing.await.map_err(GatewayError::internal)?;
        let mut known = self.recognizer.index.write();
        if let Some(index) = index {
            known.index = index;
        }
        known.read_at = Some(read_at);
        Ok(())
    }

    /// Returns whether the index has exactly these works.
    fn is_known(&self, registered: &[Registered]) -> bool {
        let known = self.recognizer.index.read();
        known.index.len() == registered.len()
            && registered.iter().all(|entry| known.index.knows(&entry.work))
    }

    async fn index_notified(&self, heard: &mut Receiver<Heard>) {
        while let Some(heard) = heard.recv().await {
            let Heard::Work(work) = heard else { continue };
            let merge = {
                let mut known = self.recognizer.index.write();
                known.index.insert(work);
                known.index.has_long_tail().then(|| known.index.merge())
            };
            let Some(merge) = merge else { continue };
            match spawn_blocking(merge).await {
                Ok(merged) => self.recognizer.index.write().index.take_over(merged),
                Err(error) => tracing::error!(%error, "works index not merged"),
            }
        }
    }
}
