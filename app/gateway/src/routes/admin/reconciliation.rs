use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Problem, Reconciliation};

use crate::{App, error::GatewayError};

/// Compares vouchers, statements, receipts and the chain, to the base unit.
#[utoipa::path(get, operation_id = "reconcile", path = "/v1/reconciliation", responses(
    (status = 200, body = Reconciliation),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(app): State<App>) -> Result<Json<Reconciliation>, GatewayError> {
    Ok(Json(app.reconciler.reconcile().await?))
}
