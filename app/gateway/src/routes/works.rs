use axum::{extract::State, http::HeaderMap, response::Response};
use motif_sdk::gateway::wire::{
    Address, LineageFacts, Problem, WorkDetailsFacts, WorkList, WorkQuery,
};

use super::{
    extract::{PathParameter, QueryString},
    tagged::tagged_json,
};
use crate::{App, error::GatewayError};

/// Lists registered works with their latest terms, earliest first.
#[utoipa::path(get, operation_id = "list_works", path = "/v1/works", params(WorkQuery), responses(
    (status = 200, body = WorkList),
    (status = 304),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<App>,
    QueryString(query): QueryString<WorkQuery>,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    Ok(tagged_json(&headers, &app.catalogue.works(&query).await?))
}

/// Shows all on-chain facts of a work.
#[utoipa::path(get, operation_id = "show_work", path = "/v1/works/{work}", params(("work" = Address, Path)), responses(
    (status = 200, body = WorkDetailsFacts),
    (status = 304),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    Ok(tagged_json(&headers, &*app.catalogue.work(work).await?))
}

/// Shows a work's ancestors and descendants with their shares of earnings.
#[utoipa::path(get, operation_id = "show_lineage", path = "/v1/works/{work}/lineage", params(("work" = Address, Path)), responses(
    (status = 200, body = LineageFacts),
    (status = 304),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn lineage(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    Ok(tagged_json(&headers, &*app.catalogue.lineage(work).await?))
}
