use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, Closing, PayerProof, Problem, Settlements};

use super::{body::Body, named::Named};
use crate::{Gateway, problem::ApiError};

/// Settles a channel now, because its payer asks. Operators have a URL of their own.
#[utoipa::path(
    post, operation_id = "settle_channel",
    path = "/v1/channels/{channel}/settlements",
    params(("channel" = Address, Path)),
    request_body = PayerProof,
    responses(
        (status = 200, body = Settlements),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
        (status = 504, body = Problem, content_type = "application/problem+json"),
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
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
        (status = 504, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn close(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Body(proof): Body<PayerProof>,
) -> Result<Json<Closing>, ApiError> {
    Ok(Json(gateway.close_for_payer(channel, &proof).await?))
}
