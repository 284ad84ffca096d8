use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{Gateway, problem::ApiError};

/// Whether the process works. What a 503 here names, starting it again cures: a store that has
/// failed takes nothing before that, and a worker that has stopped settles nothing.
#[utoipa::path(get, operation_id = "alive", path = "/healthz", responses(
    (status = 200, body = Object),
    (status = 503, body = motif_sdk::gateway::wire::Problem, content_type = "application/problem+json"),
))]
pub async fn alive(State(gateway): State<Gateway>) -> Result<Json<Value>, ApiError> {
    gateway.alive()?;
    Ok(Json(json!({ "status": "alive" })))
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
