use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Time until which a node allows no requests.
#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<Option<Instant>>);

impl RateLimit {
    /// Pause after a 429 without `retry-after`.
    const DEFAULT: Duration = Duration::from_secs(1);
    /// Maximum pause, so that a node cannot end the gateway's view of the cluster.
    const MAX: Duration = Duration::from_secs(120);

    /// Records a 429 with its `retry-after`. Returns the pause.
    pub fn begin(&self, retry_after: Option<Duration>) -> Duration {
        let pause = retry_after.unwrap_or(Self::DEFAULT).clamp(Self::DEFAULT, Self::MAX);
        let until = Instant::now() + pause;
        let mut own = self.0.lock();
        *own = Some(own.map_or(until, |earlier| earlier.max(until)));
        pause
    }

    /// Returns whether the node allows no requests now.
    pub fn is_active(&self) -> bool {
        self.0.lock().is_some_and(|until| Instant::now() < until)
    }
}
