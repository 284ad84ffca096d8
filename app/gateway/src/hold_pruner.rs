//! Deletion of holds that have ended.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    cluster::Cluster,
    store::{Change, Store, StoreError},
};

/// Time for which an expired hold is kept, seconds: requests of its payer still find its outcome.
const KEPT_SECONDS: i64 = 86_400;
/// Pause between two looks for such holds.
const EVERY: Duration = Duration::from_secs(60);
/// Pause between two deletions, of up to 10,000 holds each.
const PAUSE: Duration = Duration::from_millis(500);

/// Background job that deletes holds a day after they expire, whatever their outcome.
pub struct HoldPruner {
    pub(crate) store: Store,
    pub(crate) cluster: Arc<Cluster>,
}

impl HoldPruner {
    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.prune().await {
                Ok(true) => PAUSE,
                Ok(false) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "expired holds were not deleted");
                    EVERY
                }
            };
        }
    }

    /// Deletes some holds. Returns whether there were any.
    async fn prune(&self) -> Result<bool, StoreError> {
        let before = self.cluster.now().saturating_sub(KEPT_SECONDS);
        let has_holds = self.store.queries().has_holds_before(before).await?;
        if has_holds {
            self.store.writer().write(Change::HoldsPruned { before }).await?;
        }
        Ok(has_holds)
    }
}
