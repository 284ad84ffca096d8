use std::sync::atomic::{AtomicU32, Ordering};

use motif_sdk::gateway::ProblemType;
use parking_lot::Mutex;

/// Progress of the settlement of a channel's oldest statement, for metrics and the admin interface.
#[derive(Debug, Default)]
pub struct SettlementProgress {
    attempts: AtomicU32,
    failure: Mutex<Option<ProblemType>>,
}

impl SettlementProgress {
    /// Number of attempts from which a settlement is delayed, an alarm.
    pub const DELAYED_ATTEMPTS: u32 = 3;

    /// Records the number of transactions signed for the statement.
    pub fn record_attempts(&self, attempts: usize) {
        self.attempts.store(u32::try_from(attempts).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Records the end of a call that settles: its problem, or `None` if everything has settled.
    pub fn record_end(&self, failure: Option<ProblemType>) {
        if failure.is_none() {
            self.record_attempts(0);
        }
        *self.failure.lock() = failure;
    }

    /// Returns the number of transactions signed for the statement; 0 if nothing is being settled.
    pub fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Returns whether the settlement has taken many attempts.
    pub fn is_delayed(&self) -> bool {
        self.attempts() >= Self::DELAYED_ATTEMPTS
    }

    /// Returns the problem that the last call ended with.
    pub fn failure(&self) -> Option<ProblemType> {
        *self.failure.lock()
    }
}
