use std::{net::SocketAddr, path::PathBuf};

use crate::paywall::PaidRoutes;

/// Paywall in front of a model server, on a listener of its own.
#[derive(Clone, Debug)]
pub struct PaywallConfig {
    /// Listen address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Paid routes.
    pub routes: PaidRoutes,
    /// Folder of stored answers; it is created if it does not exist.
    pub spool: PathBuf,
    /// Maximum size of stored answers, bytes.
    pub keep_bytes: u64,
    /// Time for which answers are stored after their payment deadline, seconds.
    pub keep_seconds: u32,
    /// Maximum number of concurrent requests to the model server.
    pub running: u32,
    /// Maximum number of open streams, paused ones included.
    pub streams: u32,
    /// Maximum number of unpaid answers per channel.
    pub unpaid: u32,
    /// Time limit of a stream's wait for the next voucher, seconds.
    pub pause_seconds: u32,
}

impl PaywallConfig {
    /// Creates a paywall with the default limits.
    pub fn new(listen: SocketAddr, routes: PaidRoutes, spool: PathBuf) -> Self {
        Self {
            listen,
            routes,
            spool,
            keep_bytes: 1 << 30,
            keep_seconds: 600,
            running: 64,
            streams: 256,
            unpaid: 8,
            pause_seconds: 60,
        }
    }

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        for (number, key) in [
            (self.running, "paywall.running"),
            (self.streams, "paywall.streams"),
            (self.unpaid, "paywall.unpaid"),
            (self.pause_seconds, "paywall.pause_seconds"),
        ] {
            check(number > 0, key, "must be above zero");
        }
        let longest = self.routes.paid().iter().map(|route| route.most_answer_bytes).max();
        let fits = longest.is_none_or(|longest| self.keep_bytes >= longest as u64);
        check(fits, "paywall.keep_bytes", "must be at least the largest answer of the routes");
        let has_upstream = self.routes.upstream().is_some();
        check(has_upstream, "paywall.routes", "must name the model server as `upstream`");
    }
}
