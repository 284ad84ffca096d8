use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Operator, Problem};

use crate::{Gateway, problem::ApiError};

/// Who runs this gateway, and which channels it serves.
#[utoipa::path(get, operation_id = "show_operator", path = "/v1/operator", responses(
    (status = 200, body = Operator),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(gateway): State<Gateway>) -> Result<Json<Operator>, ApiError> {
    Ok(Json(gateway.describe().await?))
}
