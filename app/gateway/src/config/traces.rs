use std::fmt;

use crate::chain::Endpoint;

/// Exporter of traces by OTLP over HTTP.
#[derive(Clone)]
pub struct TraceConfig {
    /// URL of the collector with its path. It may contain a key and is never shown whole.
    pub endpoint: String,
    /// Number of requests in 10,000 that are traced. A request's `traceparent` header takes
    /// precedence.
    pub sampled_bps: u16,
}

impl TraceConfig {
    const ALL_BPS: u16 = 10_000;

    /// Traces all requests to the collector at this URL.
    pub fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), sampled_bps: Self::ALL_BPS }
    }

    /// Returns the sampling ratio, 0 to 1.
    pub(crate) fn sampled_ratio(&self) -> f64 {
        f64::from(self.sampled_bps) / f64::from(Self::ALL_BPS)
    }

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let url = self.endpoint.parse::<reqwest::Url>();
        let is_url = url.is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
        check(is_url, "traces.endpoint", "must be an http:// or https:// URL");
        let is_part = self.sampled_bps <= Self::ALL_BPS;
        check(is_part, "traces.sampled_bps", "must be at most 10000");
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
