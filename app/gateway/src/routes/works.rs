use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{
    Address, LineageFacts, Problem, WorkDetailsFacts, WorkList, WorkQuery,
};

use super::named::{Asked, Named};
use crate::{Gateway, problem::ApiError};

/// Lists registered works with their latest terms, earliest first.
#[utoipa::path(get, operation_id = "list_works", path = "/v1/works", params(WorkQuery), responses(
    (status = 200, body = WorkList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(gateway): State<Gateway>,
    Asked(query): Asked<WorkQuery>,
) -> Result<Json<WorkList>, ApiError> {
    Ok(Json(gateway.works(&query).await?))
}

/// Everything the chain says about a work.
#[utoipa::path(get, operation_id = "show_work", path = "/v1/works/{work}", params(("work" = Address, Path)), responses(
    (status = 200, body = WorkDetailsFacts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(gateway): State<Gateway>,
    Named(Address(work)): Named<Address>,
) -> Result<Json<WorkDetailsFacts>, ApiError> {
    Ok(Json(gateway.work(work).await?))
}

/// The works a work descends from and those that descend from it, with what of their earnings
/// reaches whom.
#[utoipa::path(get, operation_id = "show_lineage", path = "/v1/works/{work}/lineage", params(("work" = Address, Path)), responses(
    (status = 200, body = LineageFacts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn lineage(
    State(gateway): State<Gateway>,
    Named(Address(work)): Named<Address>,
) -> Result<Json<LineageFacts>, ApiError> {
    Ok(Json(gateway.lineage(work).await?))
}
