use std::time::Duration;

/// Events that creators and payers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsConfig {
    /// Time for which events are kept, days.
    pub keep_days: u32,
    /// Interval of the reads of this gateway's books: generations of one interval are one event.
    pub every: Duration,
    /// Interval of the reads of the chain.
    pub chain_every: Duration,
    /// Part of a channel's deposit below which the channel is low, basis points.
    pub low_bps: u16,
    /// Time before an end at which it is told, days.
    pub notice_days: u32,
    /// Maximum number of open streams.
    pub streams: u32,
    /// Maximum number of webhooks of all persons.
    pub webhooks: u32,
    /// Whether webhooks may have `http` URLs and private addresses.
    pub allow_private: bool,
    /// Time of failures after which a webhook is disabled, days.
    pub failing_days: u32,
    /// Time between the first try of a delivery and the second.
    pub first_retry: Duration,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            keep_days: 30,
            every: Duration::from_secs(5),
            chain_every: Duration::from_secs(60),
            low_bps: 1_000,
            notice_days: 7,
            streams: 256,
            webhooks: 10_000,
            allow_private: false,
            failing_days: 3,
            first_retry: Duration::from_secs(5),
        }
    }
}

impl EventsConfig {
    /// Checks the settings.
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        check(self.keep_days <= 3_650, "events.keep_days", "must be at most 3650");
        check(!self.every.is_zero(), "events.every_seconds", "must be above 0");
        check(!self.chain_every.is_zero(), "events.chain_seconds", "must be above 0");
        check(self.low_bps <= 10_000, "events.low_bps", "must be at most 10000");
        check(self.notice_days <= 3_650, "events.notice_days", "must be at most 3650");
        check(self.failing_days <= 3_650, "events.failing_days", "must be at most 3650");
    }
}
