use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Problem, Reconciliation};

use crate::{Gateway, problem::ApiError};

/// Holds vouchers, statements, receipts and the chain against each other, to the unit.
#[utoipa::path(get, operation_id = "reconcile", path = "/v1/reconciliation", responses(
    (status = 200, body = Reconciliation),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(gateway): State<Gateway>) -> Result<Json<Reconciliation>, ApiError> {
    Ok(Json(gateway.reconcile().await?))
}
