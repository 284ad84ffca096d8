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

/// The way to a collector. Asked by the exporter's own thread, it sends on the gateway's
/// runtime, and counts and logs what did not arrive.
#[derive(Clone)]
pub struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    endpoint: Endpoint,
    failures: Counter,
    is_failing: Arc<AtomicBool>,
}

impl Collector {
    const ANSWER_WITHIN: Duration = Duration::from_secs(5);

    /// The way to a collector from the present runtime; `failures` counts attempts.
    pub fn new(endpoint: Endpoint, failures: Counter) -> Result<Self, reqwest::Error> {
        // What is sent may carry a key: nobody redirects it elsewhere.
        let builder = reqwest::Client::builder().redirect(Policy::none());
        let http = builder.timeout(Self::ANSWER_WITHIN).build()?;
        let (runtime, is_failing) = (Handle::current(), Arc::default());
        Ok(Self { http, runtime, endpoint, failures, is_failing })
    }

    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = match reqwest::Request::try_from(request) {
            Ok(request) => self.http.execute(request).await,
            Err(error) => Err(error),
        };
        let answered = match sent {
            Ok(answered) => answered,
            Err(error) => {
                self.has_failed(&error.without_url().to_string());
                return Err("no collector took it".into());
            }
        };
        let status = answered.status();
        match status.is_success() {
            true => self.has_taken(),
            false => self.has_failed(&format!("status {}", status.as_u16())),
        }
        let mut response = Response::new(answered.bytes().await.unwrap_or_default());
        *response.status_mut() = status;
        Ok(response)
    }

    fn has_failed(&self, reason: &str) {
        self.failures.inc();
        // Once: whoever is away stays away for many batches.
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(collector = ?self.endpoint, reason, "traces are being lost");
        }
    }

    fn has_taken(&self) {
        if self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!(collector = ?self.endpoint, "traces arrive again");
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
