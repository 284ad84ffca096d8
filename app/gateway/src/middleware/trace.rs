use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    RequestExt,
    extract::{MatchedPath, RawPathParams, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header::X_CONTENT_TYPE_OPTIONS},
    response::Response,
};
use futures::future::{BoxFuture, Either};
use motif_sdk::{Pubkey, gateway::ProblemType};
use opentelemetry::{
    KeyValue,
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use rand::RngCore;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    App,
    admission::ClientAddress,
    metrics::Metrics,
    traces::{self, Traces},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// Route label of requests without a route.
const NO_ROUTE: &str = "none";
/// Maximum length of a request id from a proxy.
const MAX_ID_BYTES: usize = 64;
/// Number of digits of a new request id.
const ID_DIGITS: usize = 16;

/// Layer that gives each request an id and records it in the log, the metrics and the traces.
/// Log lines of a request carry its id.
#[derive(Clone)]
pub struct Trace {
    metrics: Arc<Metrics>,
    traces: Option<Arc<Traces>>,
}

/// Service behind [`Trace`].
#[derive(Clone)]
pub struct TraceService<S> {
    layer: Trace,
    inner: S,
}

impl Trace {
    /// Creates the layer of a gateway.
    pub fn new(app: &App) -> Self {
        Self { metrics: app.metrics.clone(), traces: app.traces.clone() }
    }
}

impl<S> Layer<S> for Trace {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> TraceService<S> {
        TraceService { layer: self.clone(), inner }
    }
}

impl<S> Service<Request> for TraceService<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let begun = Instant::now();
        let id = request_id(request.headers());
        let path = request.extensions().get::<MatchedPath>().cloned();
        let (method, route) = (method_name(request.method()), route_of(path.as_ref()));
        let client = ClientAddress::of(&request);
        let span = tracing::info_span!(
            "request", id = %text_of(&id), method, route, client = %client.0
        );
        let responding = span.in_scope(|| match &self.layer.traces {
            None => Either::Left(self.inner.call(request)),
            Some(traces) => {
                let (traces, inner) = (traces.clone(), self.inner.clone());
                let traced = traced(traces, method, path.clone(), id.clone(), request, inner);
                Either::Right(Box::pin(traced))
            }
        });
        let metrics = self.layer.metrics.clone();
        Box::pin(async move {
            let Ok(mut response) = responding.instrument(span.clone()).await;
            let (status, took) = (response.status().as_u16(), begun.elapsed());
            let slug = slug_of(&response);
            if let Some(slug) = slug {
                metrics.count_problem(slug);
            }
            metrics.count_request(route_of(path.as_ref()), method, status, took);
            span.in_scope(|| {
                let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                tracing::info!(status, slug, microseconds, "request finished");
            });
            let headers = response.headers_mut();
            // Browsers must not guess another content type.
            headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
            headers.insert(REQUEST_ID, id);
            Ok(response)
        })
    }
}

/// Responds in a span of the request's trace, or of a new trace.
async fn traced(
    traces: Arc<Traces>,
    method: &'static str,
    path: Option<MatchedPath>,
    id: HeaderValue,
    mut request: Request,
    mut inner: impl Service<Request, Response = Response, Error = Infallible>,
) -> Result<Response, Infallible> {
    let route = route_of(path.as_ref());
    let parent = Traces::parent(request.headers());
    let context = traces.begin(format!("{method} {route}"), SpanKind::Server, &parent);
    let span = context.span();
    span.set_attribute(KeyValue::new(traces::METHOD, method));
    span.set_attribute(KeyValue::new(traces::REQUEST_ID, text_of(&id).to_owned()));
    if path.is_some() {
        span.set_attribute(KeyValue::new(traces::ROUTE, route.to_owned()));
    }
    if let Some(channel) = channel(&mut request).await {
        span.set_attribute(KeyValue::new(traces::CHANNEL, channel.to_string()));
    }
    let responding = async { inner.call(request).await };
    let Ok(response) = responding.with_context(context.clone()).await;
    let slug = slug_of(&response);
    let status = response.status();
    span.set_attribute(KeyValue::new(traces::STATUS, i64::from(status.as_u16())));
    traces::end(&context, slug, status.is_server_error());
    Ok(response)
}

/// Returns the channel of a request's path.
async fn channel(request: &mut Request) -> Option<Pubkey> {
    let names = request.extract_parts::<RawPathParams>().await.ok()?;
    let (_, channel) = names.iter().find(|(name, _)| *name == "channel")?;
    channel.parse().ok()
}

/// Returns the slug of a problem response.
fn slug_of(response: &Response) -> Option<&'static str> {
    response.extensions().get::<ProblemType>().map(|problem| problem.slug())
}

fn route_of(path: Option<&MatchedPath>) -> &str {
    path.map_or(NO_ROUTE, MatchedPath::as_str)
}

/// Returns a proxy's request id if it is safe to log, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let given = headers.get(REQUEST_ID).filter(|id| {
        let bytes = id.as_bytes();
        (1..=MAX_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(is_plain)
    });
    given.cloned().unwrap_or_else(|| {
        let number = rand::rng().next_u64();
        let digit = |place: usize| b"0123456789abcdef"[(number >> (4 * place)) as usize & 15];
        let digits: [u8; ID_DIGITS] = std::array::from_fn(digit);
        // Hexadecimal digits are a valid header value.
        HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// Returns the text of a request id, which is visible ASCII.
fn text_of(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

/// Returns the metrics label of a method. Unknown methods share one label.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
