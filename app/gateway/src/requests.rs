//! What every request goes through: an id, a log line, figures, and the question who asks.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::{
    RequestExt,
    extract::{DefaultBodyLimit, MatchedPath, RawPathParams, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{AUTHORIZATION, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use motif_sdk::{Pubkey, gateway::wire::ScopeWord};
use opentelemetry::{
    KeyValue,
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use rand::RngCore;
use tracing::Instrument;

use crate::{
    Gateway,
    admission::{ClientAddress, Peer},
    keys::Caller,
    problem::{ApiError, Slug},
    router::MAX_BODY_BYTES,
    routes::timeout,
    traces::{self, Traces},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What requests are counted as that lead nowhere known.
const NO_ROUTE: &str = "none";
/// The longest id that is taken over from a proxy.
const MAX_ID_BYTES: usize = 64;

/// Names a request, and tells the log and the figures how it went. Whatever is logged
/// meanwhile carries the name. Keeps browsers from taking an answer for anything but what it says
/// it is.
pub async fn observe(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let method = method_name(request.method());
    let client = client_address(&gateway, &request);
    request.extensions_mut().insert(client);
    let name = id.to_str().unwrap_or_default();
    let span = tracing::info_span!("request", id = %name, method, route, client = %client.0);
    let answering = async {
        match gateway.traces() {
            Some(traces) => traced(traces, method, route, name, request, next).await,
            None => next.run(request).await,
        }
    };
    let mut response = answering.instrument(span.clone()).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    let slug = response.extensions().get::<Slug>().map(|slug| slug.0);
    if let Some(slug) = slug {
        gateway.metrics().refused(slug);
    }
    gateway.metrics().answered(route, method, status, took);
    span.in_scope(|| {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(status, slug, microseconds, "answered");
    });
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REQUEST_ID, id);
    response
}

/// Answers a request as a span of the trace that it says it belongs to, or of a new one.
async fn traced(
    traces: &Traces,
    method: &'static str,
    route: &str,
    id: &str,
    mut request: Request,
    next: Next,
) -> Response {
    let parent = Traces::parent(request.headers());
    let context = traces.begin(format!("{method} {route}"), SpanKind::Server, &parent);
    let span = context.span();
    span.set_attribute(KeyValue::new(traces::METHOD, method));
    span.set_attribute(KeyValue::new(traces::REQUEST_ID, id.to_owned()));
    if route != NO_ROUTE {
        span.set_attribute(KeyValue::new(traces::ROUTE, route.to_owned()));
    }
    if let Some(channel) = channel(&mut request).await {
        span.set_attribute(KeyValue::new(traces::CHANNEL, channel.to_string()));
    }
    let response = next.run(request).with_context(context.clone()).await;
    let slug = response.extensions().get::<Slug>().map(|slug| slug.0);
    let status = response.status();
    span.set_attribute(KeyValue::new(traces::STATUS, i64::from(status.as_u16())));
    traces::end(&context, slug, status.is_server_error());
    response
}

/// The channel in a request's path, if it is one.
async fn channel(request: &mut Request) -> Option<Pubkey> {
    let names = request.extract_parts::<RawPathParams>().await.ok()?;
    let (_, channel) = names.iter().find(|(name, _)| *name == "channel")?;
    channel.parse().ok()
}

/// Lets an address in as often as it may.
pub async fn admit(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<ClientAddress>();
    let client = client.map_or(IpAddr::from([0; 4]), |client| client.0);
    match gateway.admission().address(client) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// As [`admit`], where nothing reads a long body.
pub async fn admit_short(gateway: State<Gateway>, mut request: Request, next: Next) -> Response {
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    admit(gateway, request, next).await
}

/// Finds out who asks, and lets in whoever may, to look or to pay, for so long.
pub async fn authorize(
    State((gateway, within)): State<(Gateway, Duration)>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let scope = if is_reading { ScopeWord::Read } else { ScopeWord::Meter };
    let caller = caller(&gateway, request.headers()).await.and_then(|caller| {
        caller.allow(scope, gateway.config().api_keys_required)?;
        Ok(caller)
    });
    match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            timeout::within(State(within), request, next).await
        }
        Err(error) => error.into_response(),
    }
}

/// Lets operators in: by the secret, or by an API key that may everything. For so long.
pub async fn authorize_admin(
    State((gateway, within)): State<(Gateway, Duration)>,
    request: Request,
    next: Next,
) -> Response {
    let secret = gateway.config().admin.as_ref().map(|admin| &admin.secret);
    let token = bearer(request.headers());
    let is_operator = secret.zip(token).is_some_and(|(secret, token)| secret.is(token));
    let allowed = match is_operator {
        true => Ok(()),
        false => caller(&gateway, request.headers())
            .await
            .and_then(|caller| caller.allow(ScopeWord::Admin, true)),
    };
    match allowed {
        Ok(()) => timeout::within(State(within), request, next).await,
        Err(error) => error.into_response(),
    }
}

/// The holder of the API key that a request names, or anybody.
async fn caller(gateway: &Gateway, headers: &HeaderMap) -> Result<Caller, ApiError> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(Caller::default());
    }
    let token = bearer(headers).ok_or(ApiError::Unauthorized)?;
    gateway.holder_of(token).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn client_address(gateway: &Gateway, request: &Request) -> ClientAddress {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::from([0; 4]), |peer| peer.0.ip());
    ClientAddress::find(peer, request.headers(), &gateway.config().trusted_proxies)
}

/// The id a proxy gave, if it is harmless in a log, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let given = headers.get(REQUEST_ID).filter(|id| {
        let bytes = id.as_bytes();
        (1..=MAX_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(is_plain)
    });
    given.cloned().unwrap_or_else(|| {
        let id = format!("{:016x}", rand::rng().next_u64());
        // Hexadecimal digits fit into a header.
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
    })
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
