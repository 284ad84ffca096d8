use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use motif_sdk::gateway::wire::{
    Problem,
    x402::{FacilitatorRequest, Settlement, Supported, Verification},
};

use super::{extract::JsonBody, openapi::FacilitatorProblems};
use crate::{App, error::GatewayError, keys::Caller, sale::Sales};

/// Lists the payments that the x402 facilitator settles.
#[utoipa::path(get, operation_id = "show_supported_payments", path = "/x402/supported", responses(
    (status = 200, body = Supported),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn supported(State(app): State<App>) -> Result<Json<Supported>, GatewayError> {
    Ok(Json(sales(&app)?.supported()))
}

/// Verifies an x402 payment to a till of this operator, or of a seller with an API key. One that was sent
/// before is not valid.
#[utoipa::path(
    post, operation_id = "verify_payment",
    path = "/x402/verify",
    request_body = FacilitatorRequest,
    responses(
        (status = 200, body = Verification),
        FacilitatorProblems,
    )
)]
pub async fn verify(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<FacilitatorRequest>,
) -> Result<Json<Verification>, GatewayError> {
    Ok(Json(sales(&app)?.verify(&request, &caller).await?))
}

/// Settles an x402 payment to a till of this operator, or of a seller with an API key. One request is
/// answered that it has landed; later ones are duplicates.
#[utoipa::path(
    post, operation_id = "settle_payment",
    path = "/x402/settle",
    request_body = FacilitatorRequest,
    responses(
        (status = 200, body = Settlement),
        FacilitatorProblems,
    )
)]
pub async fn settle(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<FacilitatorRequest>,
) -> Result<Json<Settlement>, GatewayError> {
    Ok(Json(sales(&app)?.settle(&request, &caller).await?))
}

fn sales(app: &App) -> Result<&Arc<Sales>, GatewayError> {
    app.sales.as_ref().ok_or(GatewayError::NotFound)
}
