use std::{
    convert::Infallible,
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
use motif_sdk::Pubkey;
use opentelemetry::{
    KeyValue,
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use rand::RngCore;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    Gateway,
    admission::ClientAddress,
    problem::Slug,
    traces::{self, Traces},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// What requests are counted as that lead nowhere known.
const NO_ROUTE: &str = "none";
/// The longest id that is taken over from a proxy.
const MAX_ID_BYTES: usize = 64;
/// Digits of an id that is given here.
const ID_DIGITS: usize = 16;

/// Names requests, and tells the log and the figures how they went. Whatever is logged
/// meanwhile carries the name.
#[derive(Clone)]
pub struct Observe(pub Gateway);

/// What answers requests while they are observed.
#[derive(Clone)]
pub struct Observed<S> {
    gateway: Gateway,
    inner: S,
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { gateway: self.0.clone(), inner }
    }
}

impl<S> Service<Request> for Observed<S>
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
        let answering = span.in_scope(|| match self.gateway.traces() {
            None => Either::Left(self.inner.call(request)),
            Some(_) => {
                let (gateway, inner) = (self.gateway.clone(), self.inner.clone());
                let traced = traced(gateway, method, path.clone(), id.clone(), request, inner);
                Either::Right(Box::pin(traced))
            }
        });
        let gateway = self.gateway.clone();
        Box::pin(async move {
            let Ok(mut response) = answering.instrument(span.clone()).await;
            let (status, took) = (response.status().as_u16(), begun.elapsed());
            let slug = response.extensions().get::<Slug>().map(|slug| slug.0);
            if let Some(slug) = slug {
                gateway.metrics().refused(slug);
            }
            gateway.metrics().answered(route_of(path.as_ref()), method, status, took);
            span.in_scope(|| {
                let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                tracing::info!(status, slug, microseconds, "answered");
            });
            let headers = response.headers_mut();
            // Keeps browsers from taking an answer for anything but what it says it is.
            headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
            headers.insert(REQUEST_ID, id);
            Ok(response)
        })
    }
}

/// Answers a request as a span of the trace that it says it belongs to, or of a new one.
async fn traced(
    gateway: Gateway,
    method: &'static str,
    path: Option<MatchedPath>,
    id: HeaderValue,
    mut request: Request,
    mut inner: impl Service<Request, Response = Response, Error = Infallible>,
) -> Result<Response, Infallible> {
    let Some(traces) = gateway.traces() else { return inner.call(request).await };
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
    let answering = async { inner.call(request).await };
    let Ok(response) = answering.with_context(context.clone()).await;
    let slug = response.extensions().get::<Slug>().map(|slug| slug.0);
    let status = response.status();
    span.set_attribute(KeyValue::new(traces::STATUS, i64::from(status.as_u16())));
    traces::end(&context, slug, status.is_server_error());
    Ok(response)
}

/// The channel in a request's path, if it is one.
async fn channel(request: &mut Request) -> Option<Pubkey> {
    let names = request.extract_parts::<RawPathParams>().await.ok()?;
    let (_, channel) = names.iter().find(|(name, _)| *name == "channel")?;
    channel.parse().ok()
}

fn route_of(path: Option<&MatchedPath>) -> &str {
    path.map_or(NO_ROUTE, MatchedPath::as_str)
}

/// The id a proxy gave, if it is harmless in a log, or a new one.
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
        // Hexadecimal digits fit into a header.
        HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// An id is visible ASCII, whoever gave it.
fn text_of(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

/// Methods as labels: clients may invent any.
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
