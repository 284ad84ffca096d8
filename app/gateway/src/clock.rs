use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The cluster's time, as far as it is known: settlement is judged by it, so metering is too.
///
/// It is never behind this machine's clock, nor behind the time that has passed since it began:
/// a clock that is set back makes nothing alive again that has expired.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    began_at: i64,
    /// Cluster minus this machine, seconds.
    ahead_seconds: AtomicI64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), began_at: here(), ahead_seconds: AtomicI64::default() }
    }
}

impl Clock {
    /// Unix seconds on the cluster.
    pub fn now(&self) -> i64 {
        self.steady(here()).saturating_add(self.ahead_seconds.load(Ordering::Relaxed))
    }

    /// Takes over what the cluster said just now.
    ///
    /// Only a cluster that is ahead moves this clock: one that idles, or a node that lags, must
    /// not make what has expired look alive.
    pub fn observe(&self, cluster_now: i64) {
        let ahead = cluster_now.saturating_sub(self.steady(here())).max(0);
        self.ahead_seconds.store(ahead, Ordering::Relaxed);
    }

    /// This machine's time, wherever its clock has been set to meanwhile.
    fn steady(&self, here: i64) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX);
        here.max(self.began_at.saturating_add(passed))
    }
}

/// Unix seconds on this machine.
pub fn here() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_takes_no_time_back() {
        let clock = Clock::default();
        let now = clock.now();
        assert!(clock.steady(here() - 600) >= now);
        assert_eq!(clock.steady(now + 600), now + 600, "set forward, it is followed");
    }

    #[test]
    fn a_cluster_that_is_behind_is_not_followed_and_one_ahead_is() {
        let clock = Clock::default();
        clock.observe(here() - 600);
        assert!(clock.now() - here() < 2);
        clock.observe(here() + 600);
        assert!(clock.now() - here() >= 599);
        clock.observe(here() - 600);
        assert!((0..2).contains(&(clock.now() - here())), "and not for ever");
    }
}
