use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The cluster's time, as far as it is known: settlement is judged by it, so metering is too.
#[derive(Debug, Default)]
pub struct Clock {
    /// Cluster minus this machine, seconds.
    ahead_seconds: AtomicI64,
}

impl Clock {
    /// Unix seconds on the cluster.
    pub fn now(&self) -> i64 {
        here().saturating_add(self.ahead_seconds.load(Ordering::Relaxed))
    }

    /// Takes over what the cluster said just now.
    ///
    /// Only a cluster that is ahead moves this clock: one that idles, or a node that lags, must
    /// not make what has expired look alive.
    pub fn observe(&self, cluster_now: i64) {
        let ahead = cluster_now.saturating_sub(here()).max(0);
        self.ahead_seconds.store(ahead, Ordering::Relaxed);
    }
}

/// Unix seconds on this machine.
pub fn here() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
