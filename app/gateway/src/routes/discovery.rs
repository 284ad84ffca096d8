//! Discovery of terms by crawlers and agents, without an account.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use motif_sdk::{
    channel,
    gateway::wire::{Address, Discovery, Problem, WorkQuery},
    licensing,
};

use super::{extract::QueryString, tagged::tagged};
use crate::{App, error::GatewayError};

/// Media type of Really Simple Licensing.
pub(super) const RSL: HeaderValue = HeaderValue::from_static("application/rsl+xml");

/// Lists the URLs of the catalogue, its terms for crawlers, and this interface's description.
#[utoipa::path(get, operation_id = "discover", path = "/.well-known/motif.json", responses(
    (status = 200, body = Discovery),
))]
pub async fn discover(State(app): State<App>, headers: HeaderMap) -> Json<Discovery> {
    let base = gateway_url(&app, &headers);
    let at = |path: &str| format!("{base}{path}");
    Json(Discovery {
        operator: Address(app.operator()),
        licensing_program: Address(licensing::PROGRAM_ID),
        payments_program: Address(channel::PROGRAM_ID),
        works: at("/v1/works"),
        authenticate: at("/v1/authenticate"),
        rsl: at("/rsl.xml"),
        openapi: at("/openapi.json"),
    })
}

/// Allows all crawlers and names the URL of the terms.
#[utoipa::path(get, operation_id = "show_robots", path = "/robots.txt", responses(
    (status = 200, body = String, content_type = "text/plain"),
))]
pub async fn robots(State(app): State<App>, headers: HeaderMap) -> String {
    format!("License: {}/rsl.xml\n\nUser-agent: *\nAllow: /\n", gateway_url(&app, &headers))
}

/// Lists the terms of works as Really Simple Licensing 1.0, earliest registration first. Each work
/// is identified by the digest of its content (RFC 6920).
#[utoipa::path(get, operation_id = "list_terms", path = "/rsl.xml", params(WorkQuery), responses(
    (status = 200, body = String, content_type = "application/rsl+xml"),
    (status = 304),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn rsl(
    State(app): State<App>,
    headers: HeaderMap,
    QueryString(query): QueryString<WorkQuery>,
) -> Result<Response, GatewayError> {
    let xml = app.catalogue.rsl(&query, &gateway_url(&app, &headers)).await?;
    Ok(tagged(&headers, RSL, xml.into_bytes()))
}

/// Returns this gateway's base URL.
pub(super) fn gateway_url(app: &App, headers: &HeaderMap) -> String {
    base_url(app.config.public_url.as_deref(), &app.config.listen, headers)
}

/// Returns the base URL of a listener: the configured one, or the one of the request.
pub(super) fn base_url(
    public_url: Option<&str>,
    listen: &SocketAddr,
    headers: &HeaderMap,
) -> String {
    if let Some(url) = public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // The header must not end a line, a quotation or a tag of the response.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let host = host.filter(|host| host.bytes().all(is_plain));
    let listen = listen.to_string();
    format!("http://{}", host.unwrap_or(&listen))
}
