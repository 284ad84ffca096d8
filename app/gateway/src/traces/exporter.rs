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

use super::{SpanTracer, collector::Collector};
use crate::{chain::Endpoint, config::TraceConfig};

/// Starts spans and exports them to a collector in batches, from a thread of its own. Spans are
/// dropped if the queue is full; nothing waits for the collector.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Error returned when the exporter cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// Error returned when the endpoint or an `OTEL_EXPORTER_OTLP_*` variable is invalid. The
    /// text hides the endpoint's secrets.
    #[error("{0}")]
    Exporter(String),
    /// Error returned when the HTTP client cannot be created.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
}

impl Traces {
    const SERVICE: &str = "motif-gateway";
    /// Maximum wait for the last export at shutdown.
    const FLUSH_WITHIN: Duration = Duration::from_secs(5);

    /// Starts the exporter. `url` is the URL of this process; `failures` counts failed exports.
    /// Call it on the runtime that sends them.
    ///
    /// `OTEL_EXPORTER_OTLP_HEADERS` may hold the collector's credentials; `OTEL_BSP_*` and
    /// `OTEL_RESOURCE_ATTRIBUTES` apply too.
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

    /// Starts a span as a child of `parent`. Returns its context.
    pub(crate) fn begin(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        parent: &Context,
    ) -> Context {
        let span = self.tracer.span_builder(name).with_kind(kind);
        let span = span.start_with_context(&self.tracer, parent);
        parent.with_span(span).with_value(SpanTracer(self.tracer.clone()))
    }

    /// Returns the trace of a request's `traceparent` header, or an empty context if the header is
    /// missing or invalid.
    pub(crate) fn parent(headers: &HeaderMap) -> Context {
        TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &HeaderExtractor(headers))
    }

    /// Exports the remaining spans within five seconds.
    pub(crate) async fn stop(&self) {
        let provider = self.provider.clone();
        // Blocks on the exporter's thread, which sends on this runtime.
        let stopping = move || provider.shutdown_with_timeout(Self::FLUSH_WITHIN);
        match tokio::task::spawn_blocking(stopping).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => tracing::warn!("last traces lost"),
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Traces")
    }
}
