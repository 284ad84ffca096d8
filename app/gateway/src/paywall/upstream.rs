use std::{convert::Infallible, str::FromStr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use opentelemetry::trace::SpanKind;
use serde::Deserialize;
use tower::{Service, service_fn};

use super::{PaywallRefusal, headers};
use crate::{admission::ClientAddress, error::GatewayError, traces};

/// Where the server behind a paywall is. Only its operator says so: nothing in a request does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UpstreamUrl(String);

/// What is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server's URL begins with http:// or https:// and has neither user, query nor fragment")]
pub struct NotUpstream;

/// Forwards requests to a server that runs elsewhere. Follows no redirects, and uses no proxy of
/// the environment's.
#[derive(Clone, Debug)]
pub struct Upstream {
    http: reqwest::Client,
    url: UpstreamUrl,
    most_request_bytes: usize,
}

impl UpstreamUrl {
    /// The URL of a target there.
    fn of(&self, target: &str) -> String {
        format!("{}{target}", self.0)
    }
}

impl FromStr for UpstreamUrl {
    type Err = NotUpstream;

    fn from_str(text: &str) -> Result<Self, NotUpstream> {
        let url: reqwest::Url = text.parse().map_err(|_| NotUpstream)?;
        let is_plain = ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if is_plain { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(NotUpstream) }
    }
}

impl TryFrom<String> for UpstreamUrl {
    type Error = NotUpstream;

    fn try_from(text: String) -> Result<Self, NotUpstream> {
        text.parse()
    }
}

impl Upstream {
    const CONNECT_WITHIN: Duration = Duration::from_secs(10);
    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

    /// Forwards to the server at `url`; `most_request_bytes` bounds what has no price.
    pub fn new(url: UpstreamUrl, most_request_bytes: usize) -> Self {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Bytes are counted, and stand in receipts, as they are.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .no_proxy()
            .connect_timeout(Self::CONNECT_WITHIN)
            .tcp_nodelay(true);
        // It fails only where the system's resolver cannot be set up.
        Self { http: builder.build().unwrap_or_default(), url, most_request_bytes }
    }

    /// The server as a service, to put prices in front of.
    pub fn service(
        self,
    ) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync
    {
        service_fn(move |request| {
            let upstream = self.clone();
            async move { Ok(upstream.forward(request).await) }
        })
    }

    async fn forward(self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let client = parts.extensions.get::<ClientAddress>().copied();
        let host = parts.headers.get(header::HOST).cloned();
        headers::towards_upstream(&mut parts.headers);
        if let Some(address) = client.and_then(|client| client.0.to_string().parse().ok()) {
            parts.headers.insert(Self::FORWARDED_FOR, address);
        }
        if let Some(host) = host {
            parts.headers.insert(Self::FORWARDED_HOST, host);
        }
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let Ok(body) = to_bytes(body, self.most_request_bytes).await else {
            return GatewayError::BodyTooLarge(self.most_request_bytes).into_response();
        };
        let mut request = self.http.request(parts.method, self.url.of(target));
        if !body.is_empty() {
            request = request.body(body);
        }
        let sent = async {
            traces::inject(&mut parts.headers);
            request.headers(parts.headers).send().await
        };
        match traces::traced("model server", SpanKind::Client, sent).await {
            Ok(answered) => answer(answered),
            Err(error) => {
                // Its own words name the server: they are for the log alone.
                tracing::warn!(%error, "the server behind the paywall gave no answer");
                let what = if error.is_connect() { "it cannot be reached" } else { "no answer" };
                GatewayError::from(PaywallRefusal::UpstreamFailed(what.to_owned())).into_response()
            }
        }
    }
}

fn answer(mut answered: reqwest::Response) -> Response {
    let status = answered.status();
    let mut headers = std::mem::take(answered.headers_mut());
    headers::towards_client(&mut headers);
    let chunks = stream::unfold(Some(answered), async |answered| {
        let mut answered = answered?;
        match answered.chunk().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(answered))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    let mut response = Response::new(Body::from_stream(chunks));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
