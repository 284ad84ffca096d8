use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, Closing, PayerProof, Settlements};

use super::{body::Body, described::PayerSettlingProblems, named::Named};
use crate::{Gateway, problem::ApiError};

/// Settles a channel now, because its payer asks. Operators have a URL of their own.
#[utoipa::path(
    post, operation_id = "settle_channel",
    path = "/v1/channels/{channel}/settlements",
    params(("channel" = Address, Path)),
    request_body = PayerProof,
    responses(
        (status = 200, body = Settlements),
        PayerSettlingProblems,
    )
)]
pub async fn settle(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Body(proof): Body<PayerProof>,
) -> Result<Json<Settlements>, ApiError> {
    let settlements = gateway.settle_for_payer(channel, &proof).await?;
    if settlements.is_empty() {
        return Err(ApiError::NothingToSettle);
    }
    Ok(Json(Settlements { settlements }))
}

/// Settles what is owed on a channel whose payer has started closing, and ends its grace
/// period, so that the payer can withdraw at once.
#[utoipa::path(
    post, operation_id = "close_channel",
    path = "/v1/channels/{channel}/close",
    params(("channel" = Address, Path)),
    request_body = PayerProof,
    responses(
        (status = 200, body = Closing),
        PayerSettlingProblems,
    )
)]
pub async fn close(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Body(proof): Body<PayerProof>,
) -> Result<Json<Closing>, ApiError> {
    Ok(Json(gateway.close_for_payer(channel, &proof).await?))
}
