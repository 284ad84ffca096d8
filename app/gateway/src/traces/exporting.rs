use std::{borrow::Cow, fmt, time::Duration};

use axum::http::HeaderMap;
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{SpanKind, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use prometheus_client::metrics::counter::Counter;

use super::{Recorder, collector::Collector};
use crate::{chain::Endpoint, config::TraceConfig};

/// Begins spans, and sends them to a collector in batches from a thread of its own. A span that
/// finds the queue full is dropped; nothing waits for a collector.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The endpoint, or what the environment says in `OTEL_EXPORTER_OTLP_*`, cannot be followed.
    /// The endpoint is not shown whole.
    #[error("{0}")]
    Exporter(String),
    /// No connections can be made.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
}

impl Traces {
    const SERVICE: &str = "motif-gateway";
    /// How long a gateway that stops waits for the last spans to be taken.
    const FLUSH_WITHIN: Duration = Duration::from_secs(5);

    /// Sends spans to a collector; `url` is where clients find this process, and `failures`
    /// counts attempts that nobody took. Call it on the runtime that is to send them.
    ///
    /// Collectors that want to know who sends are told by the variable
    /// `OTEL_EXPORTER_OTLP_HEADERS`; `OTEL_BSP_*` and `OTEL_RESOURCE_ATTRIBUTES` hold as well.
    ///
    /// # Errors
    /// [`TraceError`].
    pub fn start(config: &TraceConfig, url: &str, failures: Counter) -> Result<Self, TraceError> {
        let endpoint = Endpoint::new(&config.endpoint);
        let refused = |error: ExporterBuildError| endpoint.scrub(&error.to_string());
        let collector = Collector::new(endpoint.clone(), failures)?;
        let exporter = SpanExporter::builder().with_http().with_http_client(collector);
        let exporter = exporter.with_endpoint(&config.endpoint).build();
        let exporter = exporter.map_err(refused).map_err(TraceError::Exporter)?;
        let resource = Resource::builder()
            .with_service_name(Self::SERVICE)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", url.to_owned()))
            .build();
        let root = Sampler::TraceIdRatioBased(config.sampled_ratio());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(resource)
            .build();
        let tracer = provider.tracer(Self::SERVICE);
        Ok(Self { provider, tracer })
    }

    /// Begins a span under another, if there is one; what runs in the context is a part of it.
    pub(crate) fn begin(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        parent: &Context,
    ) -> Context {
        let span = self.tracer.span_builder(name).with_kind(kind);
        let span = span.start_with_context(&self.tracer, parent);
        parent.with_span(span).with_value(Recorder(self.tracer.clone()))
    }

    /// The trace that a request says it belongs to, by its `traceparent`; an empty context
    /// where it says none, or nothing that can be read.
    pub(crate) fn parent(headers: &HeaderMap) -> Context {
        TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &HeaderExtractor(headers))
    }

    /// Sends what is left, for five seconds at most, and nothing after that.
    pub(crate) async fn stop(&self) {
        let provider = self.provider.clone();
        // The exporter's thread is waited for; it sends on this runtime.
        let stopping = move || provider.shutdown_with_timeout(Self::FLUSH_WITHIN);
        match tokio::task::spawn_blocking(stopping).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => tracing::warn!("the last traces were lost"),
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Traces")
    }
}
