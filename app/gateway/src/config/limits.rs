use std::time::Duration;

/// What one client may take of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a client may take to send a request's head, or to say nothing between requests.
    pub head_seconds: u32,
    /// How long a request may take that only asks this gateway, its body included.
    pub request_seconds: u32,
    /// The longest head of a request, bytes.
    pub head_bytes: u32,
    /// Open connections, of everybody.
    pub connections: u32,
    /// Open connections of one address.
    pub connections_per_address: u32,
    /// Requests of one address.
    pub address: Rate,
    /// Vouchers of one channel that its key has signed.
    pub channel: Rate,
    /// Requests with one API key.
    pub key: Rate,
    /// Settlements a payer may ask for: each costs the operator a transaction.
    pub settlements: Rate,
}

/// How often somebody may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How often in the long run; zero for as often as it likes.
    pub count: u32,
    /// In what time.
    pub within: Duration,
    /// How often at once, after a pause.
    pub burst: u32,
}

impl Rate {
    /// So many a second.
    pub const fn per_second(count: u32, burst: u32) -> Self {
        Self { count, within: Duration::from_secs(1), burst }
    }

    /// So many an hour.
    pub const fn per_hour(count: u32, burst: u32) -> Self {
        Self { count, within: Duration::from_secs(3_600), burst }
    }

    /// The time in which one more is earned; `None` without a limit.
    pub fn interval(&self) -> Option<Duration> {
        self.within.checked_div(self.count)
    }
}

impl Limits {
    /// Clients keep idle connections for 15 seconds; a shorter deadline would cut them off.
    const MIN_HEAD_SECONDS: u32 = 16;
    /// The HTTP implementation's own floor.
    const MIN_HEAD_BYTES: u32 = 8_192;

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let enough = self.head_seconds >= Self::MIN_HEAD_SECONDS;
        check(enough, "limits.head_seconds", "must be 16 at least");
        check(self.request_seconds > 0, "limits.request_seconds", "must be above zero");
        let enough = self.head_bytes >= Self::MIN_HEAD_BYTES;
        check(enough, "limits.head_bytes", "must be 8192 at least");
        check(self.connections > 0, "limits.connections", "must be above zero");
        let some = self.connections_per_address > 0;
        check(some, "limits.connections_per_address", "must be above zero");
        for (key, rate) in [
            ("limits.address_burst", self.address),
            ("limits.channel_burst", self.channel),
            ("limits.key_burst", self.key),
            ("limits.settlements_burst", self.settlements),
        ] {
            check(rate.burst > 0 || rate.count == 0, key, "must be above zero");
        }
    }
}

impl Default for Limits {
    /// Room for a platform at full speed from one address, and not for much more.
    fn default() -> Self {
        Self {
            head_seconds: 30,
            request_seconds: 30,
            head_bytes: 16_384,
            connections: 8_192,
            connections_per_address: 2_048,
            address: Rate::per_second(20_000, 40_000),
            channel: Rate::per_second(10_000, 20_000),
            key: Rate::per_second(10_000, 20_000),
            settlements: Rate::per_hour(60, 20),
        }
    }
}
