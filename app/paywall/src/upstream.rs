use std::{convert::Infallible, net::IpAddr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use tower::{Service, service_fn};

use crate::{error::PaywallError, headers, upstream_url::UpstreamUrl};

/// Address of the client, among a request's extensions. [`Upstream`] forwards it to the model
/// server as `x-forwarded-for`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardedFor(pub IpAddr);

/// Reverse proxy to the model server. Follows no redirects and ignores proxy settings of the
/// environment.
#[derive(Clone, Debug)]
pub struct Upstream {
    http: reqwest::Client,
    url: UpstreamUrl,
    max_request_bytes: usize,
}

impl Upstream {
    const CONNECT_WITHIN: Duration = Duration::from_secs(10);
    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

    /// Creates a proxy to the server at `url`; `max_request_bytes` limits every request's body.
    pub fn new(url: UpstreamUrl, max_request_bytes: usize) -> Self {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Meters and receipts need the bytes exactly as the server sent them.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .no_proxy()
            .connect_timeout(Self::CONNECT_WITHIN)
            .tcp_nodelay(true);
        // Building fails only if the system's resolver cannot be set up.
        Self { http: builder.build().unwrap_or_default(), url, max_request_bytes }
    }

    /// Returns the proxy as a service that [`crate::PaywallLayer`] can wrap.
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
        let client = parts.extensions.get::<ForwardedFor>().copied();
        let host = parts.headers.get(header::HOST).cloned();
        headers::strip_for_upstream(&mut parts.headers);
        // Without the header, every coding would be allowed.
        parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(address) = client.and_then(|client| client.0.to_string().parse().ok()) {
            parts.headers.insert(Self::FORWARDED_FOR, address);
        }
        if let Some(host) = host {
            parts.headers.insert(Self::FORWARDED_HOST, host);
        }
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let Ok(body) = to_bytes(body, self.max_request_bytes).await else {
            return PaywallError::BodyTooLarge(self.max_request_bytes).into_response();
        };
        let mut request = self.http.request(parts.method, self.url.join(target));
        if !body.is_empty() {
            request = request.body(body);
        }
        match request.headers(parts.headers).send().await {
            Ok(answered) => answer(answered),
            Err(error) => {
                // The error names the server's address, so only the log has it.
                tracing::warn!(%error, "request to the model server failed");
                let what = if error.is_connect() { "it is unreachable" } else { "no response" };
                PaywallError::UpstreamFailed(what.to_owned()).into_response()
            }
        }
    }
}

fn answer(mut answered: reqwest::Response) -> Response {
    let status = answered.status();
    let mut headers = std::mem::take(answered.headers_mut());
    headers::strip_for_client(&mut headers);
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
