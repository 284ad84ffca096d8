//! The tools over streamable HTTP.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use motif_sdk::fingerprint::content_digest;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};

use super::{server::Server, shop::Shop};

/// Path of the endpoint.
pub const PATH: &str = "/mcp";

/// Token that clients must present, as its digest.
#[derive(Clone)]
pub struct AccessToken([u8; 32]);

impl AccessToken {
    pub fn new(token: &str) -> Self {
        Self(content_digest(token.as_bytes()))
    }

    /// Returns whether a request presents the token. Digests are compared, so that the time taken says
    /// nothing about the token.
    fn admits(&self, request: &Request) -> bool {
        let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer "));
        token.is_some_and(|token| content_digest(token.trim().as_bytes()) == self.0)
    }
}

/// Returns the router of the endpoint. Requests of web pages are refused: they carry an origin.
pub fn router(shop: Arc<Shop>, token: AccessToken) -> Router {
    let config = StreamableHttpServerConfig::default().enforce_origin_validation();
    let sessions = Arc::new(LocalSessionManager::default());
    let service =
        StreamableHttpService::new(move || Ok(Server::new(shop.clone())), sessions, config);
    Router::new().nest_service(PATH, service).layer(from_fn_with_state(token, admit))
}

async fn admit(State(token): State<AccessToken>, request: Request, next: Next) -> Response {
    if token.admits(&request) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response()
}
