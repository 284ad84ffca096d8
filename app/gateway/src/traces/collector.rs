use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use prometheus_client::metrics::counter::Counter;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;

use crate::chain::Endpoint;

/// HTTP client of a collector. The exporter's thread calls it; it sends on the gateway's runtime,
/// and counts and logs failures.
#[derive(Clone)]
pub struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    endpoint: Endpoint,
    failures: Counter,
    is_failing: Arc<AtomicBool>,
}

impl Collector {
    const TIMEOUT: Duration = Duration::from_secs(5);

    /// Creates a client on the current runtime; `failures` counts failed exports.
    pub fn new(endpoint: Endpoint, failures: Counter) -> Result<Self, reqwest::Error> {
        // Requests may carry credentials, so redirects are not followed.
        let builder = motif_sdk::http::client_builder().redirect(Policy::none());
        let http = builder.timeout(Self::TIMEOUT).build()?;
        let (runtime, is_failing) = (Handle::current(), Arc::default());
        Ok(Self { http, runtime, endpoint, failures, is_failing })
    }

    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = match reqwest::Request::try_from(request) {
            Ok(request) => self.http.execute(request).await,
            Err(error) => Err(error),
        };
        let received = match sent {
            Ok(received) => received,
            Err(error) => {
                self.record_failure(&error.without_url().to_string());
                return Err("the export failed".into());
            }
        };
        let status = received.status();
        match status.is_success() {
            true => self.record_success(),
            false => self.record_failure(&format!("status {}", status.as_u16())),
        }
        let mut response = Response::new(received.bytes().await.unwrap_or_default());
        *response.status_mut() = status;
        Ok(response)
    }

    fn record_failure(&self, reason: &str) {
        self.failures.inc();
        // Logged once per outage.
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(collector = ?self.endpoint, reason, "trace export fails");
        }
    }

    fn record_success(&self) {
        if self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!(collector = ?self.endpoint, "trace export recovered");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.runtime.spawn(self.clone().send(request)).await?
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Collector").field("endpoint", &self.endpoint).finish()
    }
}
