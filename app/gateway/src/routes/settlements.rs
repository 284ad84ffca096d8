use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, Closing, PayerProof, Settlements};

use super::{
    extract::{JsonBody, PathParameter},
    openapi::PayerSettlementProblems,
};
use crate::{App, error::GatewayError};

/// Settles a channel on its payer's signed request. Operators use the admin interface.
#[utoipa::path(
    post, operation_id = "settle_channel",
    path = "/v1/channels/{channel}/settlements",
    params(("channel" = Address, Path)),
    request_body = PayerProof,
    responses(
        (status = 200, body = Settlements),
        PayerSettlementProblems,
    )
)]
pub async fn settle(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    JsonBody(proof): JsonBody<PayerProof>,
) -> Result<Json<Settlements>, GatewayError> {
    let settlements = app.settler.settle_for_payer(channel, &proof).await?;
    if settlements.is_empty() {
        return Err(GatewayError::NothingToSettle);
    }
    Ok(Json(Settlements { settlements }))
}

/// Settles a channel whose payer has started to close it, and ends its grace period, so that the
/// payer can withdraw at once.
#[utoipa::path(
    post, operation_id = "close_channel",
    path = "/v1/channels/{channel}/close",
    params(("channel" = Address, Path)),
    request_body = PayerProof,
    responses(
        (status = 200, body = Closing),
        PayerSettlementProblems,
    )
)]
pub async fn close(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    JsonBody(proof): JsonBody<PayerProof>,
) -> Result<Json<Closing>, GatewayError> {
    Ok(Json(app.settler.close_for_payer(channel, &proof).await?))
}
