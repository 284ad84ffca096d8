use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Operator, Problem};

use crate::{App, error::GatewayError};

/// Shows the operator of this gateway and its requirements of channels.
#[utoipa::path(get, operation_id = "show_operator", path = "/v1/operator", responses(
    (status = 200, body = Operator),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(app): State<App>) -> Result<Json<Operator>, GatewayError> {
    Ok(Json(app.catalogue.operator().await?))
}
