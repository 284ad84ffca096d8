use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, KindWord, Problem, WorkFacts, WorkList};
use serde::Deserialize;
use utoipa::IntoParams;

use super::named::{Asked, Named};
use crate::{Gateway, problem::ApiError};

/// Which works to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorksAsked {
    /// Only those this key registered.
    pub creator: Option<Address>,
    /// Only those of this kind.
    pub kind: Option<KindWord>,
}

/// Lists registered works, earliest first.
#[utoipa::path(get, operation_id = "list_works", path = "/v1/works", params(WorksAsked), responses(
    (status = 200, body = WorkList),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(gateway): State<Gateway>,
    Asked(asked): Asked<WorksAsked>,
) -> Result<Json<WorkList>, ApiError> {
    let works = gateway.works(asked.creator, asked.kind).await?;
    Ok(Json(WorkList { works }))
}

/// A work and its latest terms.
#[utoipa::path(get, operation_id = "show_work", path = "/v1/works/{work}", params(("work" = Address, Path)), responses(
    (status = 200, body = WorkFacts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(gateway): State<Gateway>,
    Named(Address(work)): Named<Address>,
) -> Result<Json<WorkFacts>, ApiError> {
    Ok(Json(gateway.work(work).await?))
}
