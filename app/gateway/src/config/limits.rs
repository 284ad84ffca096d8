use std::time::Duration;

/// Limits of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time limit of a request's head and of an idle connection, seconds.
    pub head_seconds: u32,
    /// Time limit of a request that needs no transaction, its body included, seconds.
    pub request_seconds: u32,
    /// Time in which a client that reads a response must take at least 16 KiB, seconds.
    pub write_seconds: u32,
    /// Maximum length of a request's head, bytes.
    pub head_bytes: u32,
    /// Maximum number of open connections.
    pub connections: u32,
    /// Maximum number of open connections of one address.
    pub connections_per_address: u32,
    /// Rate of requests of one address.
    pub address: Rate,
    /// Rate of requests of one address that read from the cluster or aggregate rows of the store.
    pub reads: Rate,
    /// Rate of vouchers of one channel with a valid signature.
    pub channel: Rate,
    /// Rate of requests with one API key.
    pub key: Rate,
    /// Rate of settlements on a payer's request. Each costs the operator a transaction.
    pub settlements: Rate,
}

/// Rate limit with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Long-term count; zero if it is unlimited.
    pub count: u32,
    /// Period of the count.
    pub within: Duration,
    /// Maximum count at once, after a pause.
    pub burst: u32,
}

impl Rate {
    /// Creates a rate per second.
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self { count, within: Duration::from_secs(1), burst }
    }

    /// Creates a rate per hour.
    pub const fn per_hour(count: u32, burst: u32) -> Self {
        Self { count, within: Duration::from_secs(3_600), burst }
    }

    /// Returns the time per unit, or `None` if the rate is unlimited.
    pub fn interval(&self) -> Option<Duration> {
        self.within.checked_div(self.count)
    }
}

impl Limits {
    /// Above the 15 seconds for which clients keep idle connections.
    const MIN_HEAD_SECONDS: u32 = 16;
    /// Minimum of the HTTP implementation.
    const MIN_HEAD_BYTES: u32 = 8_192;

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let enough = self.head_seconds >= Self::MIN_HEAD_SECONDS;
        check(enough, "limits.head_seconds", "must be at least 16");
        check(self.request_seconds > 0, "limits.request_seconds", "must be above zero");
        check(self.write_seconds > 0, "limits.write_seconds", "must be above zero");
        let enough = self.head_bytes >= Self::MIN_HEAD_BYTES;
        check(enough, "limits.head_bytes", "must be at least 8192");
        check(self.connections > 0, "limits.connections", "must be above zero");
        let some = self.connections_per_address > 0;
        check(some, "limits.connections_per_address", "must be above zero");
        for (key, rate) in [
            ("limits.address_burst", self.address),
            ("limits.reads_burst", self.reads),
            ("limits.channel_burst", self.channel),
            ("limits.key_burst", self.key),
            ("limits.settlements_burst", self.settlements),
        ] {
            check(rate.burst > 0 || rate.count == 0, key, "must be above zero");
        }
    }
}

impl Default for Limits {
    /// Limits that one platform at full speed stays within, from one address.
    fn default() -> Self {
        Self {
            head_seconds: 30,
            request_seconds: 30,
            write_seconds: 30,
            head_bytes: 16_384,
            connections: 8_192,
            connections_per_address: 2_048,
            address: Rate::per_second(20_000, 40_000),
            reads: Rate::per_second(50, 500),
            channel: Rate::per_second(10_000, 20_000),
            key: Rate::per_second(10_000, 20_000),
            settlements: Rate::per_hour(60, 20),
        }
    }
}
