use std::{net::SocketAddr, path::PathBuf};

use crate::paywall::PaidRoutes;

/// A price in front of a model server, on a listener of its own.
#[derive(Clone, Debug)]
pub struct PaywallConfig {
    /// Where; port 0 for any free one.
    pub listen: SocketAddr,
    /// Which routes cost what.
    pub routes: PaidRoutes,
    /// The folder that answers are kept in; it is made where there is none.
    pub spool: PathBuf,
    /// The most bytes of answers that are kept at once.
    pub keep_bytes: u64,
    /// How long answers are kept after the last second in which they could be paid for.
    pub keep_seconds: u32,
    /// Answers that are being made at once.
    pub running: u32,
    /// Streams that are open at once, paused ones among them.
    pub streams: u32,
    /// Answers that one channel has not paid for yet; each was work for nothing if it never does.
    pub unpaid: u32,
    /// How long a stream waits for the voucher for its next part.
    pub pause_seconds: u32,
}

impl PaywallConfig {
    /// A paywall with the default limits.
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
        check(fits, "paywall.keep_bytes", "must have room for the longest answer of its routes");
        let has_upstream = self.routes.upstream().is_some();
        check(has_upstream, "paywall.routes", "must name the server behind them as `upstream`");
    }
}
