use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Estimate of the cluster's time, which decides expiry in settlement and therefore in metering.
///
/// It is never behind this machine's clock, nor behind the time elapsed since it was created, so
/// that setting a clock back does not revive expired vouchers.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    began_at: i64,
    /// Cluster's time minus this machine's, seconds.
    ahead_seconds: AtomicI64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), began_at: system_now(), ahead_seconds: AtomicI64::default() }
    }
}

impl Clock {
    /// Returns the cluster's time in unix seconds.
    pub fn now(&self) -> i64 {
        self.steady(system_now()).saturating_add(self.ahead_seconds.load(Ordering::Relaxed))
    }

    /// Updates the clock from the cluster's present time.
    ///
    /// Only a cluster that is ahead moves the clock: an idle cluster or a lagging node must not
    /// revive expired vouchers.
    pub fn observe(&self, cluster_now: i64) {
        let ahead = cluster_now.saturating_sub(self.steady(system_now())).max(0);
        self.ahead_seconds.store(ahead, Ordering::Relaxed);
    }

    /// Returns this machine's time, corrected if its clock was set back.
    fn steady(&self, system_now: i64) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX);
        system_now.max(self.began_at.saturating_add(passed))
    }
}

/// Returns this machine's time in unix seconds.
pub fn system_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_never_runs_backwards() {
        let clock = Clock::default();
        let now = clock.now();
        assert!(clock.steady(system_now() - 600) >= now);
        assert_eq!(clock.steady(now + 600), now + 600, "a clock set forward is followed");
    }

    #[test]
    fn only_cluster_ahead_moves_clock() {
        let clock = Clock::default();
        clock.observe(system_now() - 600);
        assert!(clock.now() - system_now() < 2);
        clock.observe(system_now() + 600);
        assert!(clock.now() - system_now() >= 599);
        clock.observe(system_now() - 600);
        assert!((0..2).contains(&(clock.now() - system_now())), "the offset shrinks again");
    }
}
