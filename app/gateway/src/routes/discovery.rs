//! How crawlers and agents find terms without an account.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use motif_sdk::{
    channel,
    gateway::wire::{Address, Discovery, Problem, WorkQuery},
    licensing,
};

use super::named::Asked;
use crate::{Gateway, problem::ApiError};

/// What is here and where: the catalogue, its terms for crawlers, this interface's description.
#[utoipa::path(get, operation_id = "discover", path = "/.well-known/motif.json", responses(
    (status = 200, body = Discovery),
))]
pub async fn discover(State(gateway): State<Gateway>, headers: HeaderMap) -> Json<Discovery> {
    let base = base_url(&gateway, &headers);
    let at = |path: &str| format!("{base}{path}");
    Json(Discovery {
        operator: Address(gateway.operator()),
        licensing_program: Address(licensing::PROGRAM_ID),
        payments_program: Address(channel::PROGRAM_ID),
        works: at("/v1/works"),
        authenticate: at("/v1/authenticate"),
        rsl: at("/rsl.xml"),
        openapi: at("/openapi.json"),
    })
}

/// Lets everybody look, and says where the terms are.
#[utoipa::path(get, operation_id = "show_robots", path = "/robots.txt", responses(
    (status = 200, body = String, content_type = "text/plain"),
))]
pub async fn robots(State(gateway): State<Gateway>, headers: HeaderMap) -> String {
    format!("License: {}/rsl.xml\n\nUser-agent: *\nAllow: /\n", base_url(&gateway, &headers))
}

/// The terms of works as Really Simple Licensing 1.0, earliest registration first. Each work is
/// named by the digest of its content (RFC 6920).
#[utoipa::path(get, operation_id = "list_terms", path = "/rsl.xml", params(WorkQuery), responses(
    (status = 200, body = String, content_type = "application/rsl+xml"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn rsl(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Asked(query): Asked<WorkQuery>,
) -> Result<Response, ApiError> {
    let xml = gateway.rsl(&query, &base_url(&gateway, &headers)).await?;
    Ok(([(header::CONTENT_TYPE, "application/rsl+xml")], xml).into_response())
}

/// Where this gateway is: where it is said to be, or where it was asked for.
fn base_url(gateway: &Gateway, headers: &HeaderMap) -> String {
    if let Some(url) = &gateway.config().public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // Nothing that could end a line, a quotation or a tag gets into an answer.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let host = host.filter(|host| host.bytes().all(is_plain));
    let listen = gateway.config().listen.to_string();
    format!("http://{}", host.unwrap_or(&listen))
}
