use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{App, error::GatewayError};

/// Checks that the store works and the settlement worker makes progress. A restart repairs what
/// a 503 reports.
#[utoipa::path(get, operation_id = "alive", path = "/healthz", responses(
    (status = 200, body = Object),
    (status = 503, body = motif_sdk::gateway::wire::Problem, content_type = "application/problem+json"),
))]
pub async fn alive(State(app): State<App>) -> Result<Json<Value>, GatewayError> {
    app.health.check_alive()?;
    Ok(Json(json!({ "status": "alive" })))
}

/// Checks that the gateway can serve: the store takes writes, the settle key is configured, the receipt
/// key's signer and the cluster answer, the operator can pay, and no shutdown has begun.
#[utoipa::path(get, operation_id = "ready", path = "/readyz", responses(
    (status = 200, body = Object),
    (status = 503, body = motif_sdk::gateway::wire::Problem, content_type = "application/problem+json"),
))]
pub async fn ready(State(app): State<App>) -> Result<Json<Value>, GatewayError> {
    app.operator_keys.check_settle()?;
    app.health.check_ready().await?;
    Ok(Json(json!({ "status": "ready" })))
}
