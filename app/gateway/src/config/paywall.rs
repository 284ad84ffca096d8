use std::net::SocketAddr;

use motif_paywall::PaywallConfig;

/// Paywall in front of a model server, on a listener of its own.
#[derive(Clone, Debug)]
pub struct PaywallListener {
    /// Listen address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The paywall. The gateway's `limits.request_seconds` replaces its `request_seconds`.
    pub paywall: PaywallConfig,
}

impl PaywallListener {
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        for fault in self.paywall.faults() {
            check(false, &format!("paywall.{}", fault.key), &fault.what);
        }
        let has_upstream = self.paywall.routes.upstream().is_some();
        check(has_upstream, "paywall.routes", "must name the model server as `upstream`");
    }
}
