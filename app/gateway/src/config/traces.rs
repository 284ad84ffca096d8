use std::fmt;

use crate::chain::Endpoint;

/// Where traces of requests go, by OTLP over HTTP.
#[derive(Clone)]
pub struct TraceConfig {
    /// The collector's URL, its path included. It may hold a key: it is never shown whole.
    pub endpoint: String,
    /// How many requests in 10,000 are traced. A request that comes with a `traceparent` has
    /// decided that already.
    pub sampled_bps: u16,
}

impl TraceConfig {
    const ALL_BPS: u16 = 10_000;

    /// All requests, to the collector at this URL.
    pub fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), sampled_bps: Self::ALL_BPS }
    }

    /// The part of all requests that is traced, 0 to 1.
    pub(crate) fn sampled_ratio(&self) -> f64 {
        f64::from(self.sampled_bps) / f64::from(Self::ALL_BPS)
    }

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let url = self.endpoint.parse::<reqwest::Url>();
        let is_url = url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
        check(is_url, "traces.endpoint", "must be a URL that begins with http:// or https://");
        let is_part = self.sampled_bps <= Self::ALL_BPS;
        check(is_part, "traces.sampled_bps", "must be 10000 at most");
    }
}

impl fmt::Debug for TraceConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TraceConfig")
            .field("endpoint", &Endpoint::new(&self.endpoint))
            .field("sampled_bps", &self.sampled_bps)
            .finish()
    }
}
