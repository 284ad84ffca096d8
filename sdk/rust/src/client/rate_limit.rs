use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Time until which a node allows no requests.
#[derive(Debug, Default)]
pub struct RateLimit(Mutex<Option<Instant>>);

impl RateLimit {
    /// Pause after a 429 without `retry-after`.
    pub const DEFAULT: Duration = Duration::from_secs(1);
    /// Maximum pause, so that a node cannot end a caller's view of the cluster.
    pub const MAX: Duration = Duration::from_secs(120);

    /// Records a 429 with its `retry-after`. Returns the pause.
    pub fn begin(&self, retry_after: Option<Duration>) -> Duration {
        let pause = retry_after.unwrap_or(Self::DEFAULT).clamp(Self::DEFAULT, Self::MAX);
        let until = Instant::now() + pause;
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Some(own.map_or(until, |earlier| earlier.max(until)));
        pause
    }

    /// Returns the time for which the node still allows no requests; zero if it allows them.
    pub fn remaining(&self) -> Duration {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Returns whether the node allows no requests now.
    pub fn is_active(&self) -> bool {
        !self.remaining().is_zero()
    }
}
