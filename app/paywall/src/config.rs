use std::path::PathBuf;

use crate::{faults::Fault, route_table::PaidRoutes};

/// Configuration of a paywall.
#[derive(Clone, Debug)]
pub struct PaywallConfig {
    /// Paid routes.
    pub routes: PaidRoutes,
    /// Folder of stored answers; it is created if it does not exist.
    pub spool: PathBuf,
    /// Maximum size of stored answers, bytes.
    pub keep_bytes: u64,
    /// Time for which answers are stored after their payment deadline, seconds.
    pub keep_seconds: u32,
    /// Maximum size of all request bodies and unfinished answers in memory, bytes.
    pub body_bytes: u64,
    /// Maximum number of concurrent requests to the model server.
    pub running: u32,
    /// Maximum number of open streams, paused ones included.
    pub streams: u32,
    /// Maximum number of unpaid answers per channel.
    pub unpaid: u32,
    /// Time limit of a stream's wait for the next voucher, seconds.
    pub pause_seconds: u32,
    /// Time limit of reading a request's body, seconds.
    pub request_seconds: u32,
}

impl PaywallConfig {
    /// Creates a configuration with the default limits: 4 GiB of answers, stored for 10 minutes;
    /// 512 MiB of bodies;
    /// 64 requests, 256 streams, 8 unpaid answers per channel; 60 seconds for the next voucher
    /// and 30 for a request's body.
    pub fn new(routes: PaidRoutes, spool: PathBuf) -> Self {
        Self {
            routes,
            spool,
            keep_bytes: 4 << 30,
            keep_seconds: 600,
            body_bytes: 512 << 20,
            running: 64,
            streams: 256,
            unpaid: 8,
            pause_seconds: 60,
            request_seconds: 30,
        }
    }

    /// Returns contradictory and invalid settings, by field.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, key: &str, what: &str| {
            if !holds {
                faults.push(Fault { key: key.to_owned(), what: what.to_owned() });
            }
        };
        for (number, key) in [
            (self.running, "running"),
            (self.streams, "streams"),
            (self.unpaid, "unpaid"),
            (self.pause_seconds, "pause_seconds"),
        ] {
            check(number > 0, key, "must be above zero");
        }
        let is_folder = !self.spool.exists() || self.spool.is_dir();
        check(is_folder, "spool", "must be a folder");
        let longest = self.routes.paid().iter().map(|route| route.most_answer_bytes).max();
        let fits = longest.is_none_or(|longest| self.keep_bytes >= longest as u64);
        check(fits, "keep_bytes", "must be at least the largest answer of the routes");
        let routes = self.routes.paid().iter();
        let largest = routes.map(|route| route.most_request_bytes + route.most_answer_bytes).max();
        let fits = largest.is_none_or(|largest| self.body_bytes >= largest as u64);
        check(fits, "body_bytes", "must be at least the largest request and answer of a route");
        // Half of it is for requests of strangers.
        let fits = self.body_bytes / 2 >= self.routes.most_request_bytes() as u64;
        check(fits, "body_bytes", "must be at least twice the largest request of a route");
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_limits_are_reported() {
        let text = "[[route]]\nmethod = \"POST\"\npath = \"/images\"\n\
            work = \"BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w\"\nuse = \"generate\"\n\
            units = { fixed = 1 }\nmost_answer_bytes = 100";
        let routes = PaidRoutes::read(text, "paywall.toml").unwrap();
        let good = PaywallConfig::new(routes, "answers".into());
        assert!(good.faults().is_empty());
        let file = std::env::current_exe().unwrap();
        let wrong = PaywallConfig { spool: file, ..good.clone() };
        assert_eq!(wrong.faults()[0].key, "spool");
        let wrong = PaywallConfig { body_bytes: (2 << 20) - 1, ..good.clone() };
        assert_eq!(wrong.faults()[0].key, "body_bytes");
        let wrong = PaywallConfig { running: 0, unpaid: 0, keep_bytes: 99, ..good };
        let keys: Vec<_> = wrong.faults().into_iter().map(|fault| fault.key).collect();
        assert_eq!(keys, ["running", "unpaid", "keep_bytes"]);
    }
}
