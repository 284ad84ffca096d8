use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{Gateway, problem::ApiError};

/// Whether the process runs.
#[utoipa::path(get, operation_id = "alive", path = "/healthz", responses((status = 200, body = Object)))]
pub async fn alive() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// Whether the gateway can serve: its store takes writes, its cluster answers.
#[utoipa::path(get, operation_id = "ready", path = "/readyz", responses(
    (status = 200, body = Object),
    (status = 503, body = motif_sdk::gateway::wire::Problem, content_type = "application/problem+json"),
))]
pub async fn ready(State(gateway): State<Gateway>) -> Result<Json<Value>, ApiError> {
    gateway.ready().await?;
    Ok(Json(json!({ "status": "ready" })))
}
