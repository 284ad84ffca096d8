use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{
    Address, Amount, ChannelBudget, ChannelList, Closing, FeeClaim, Problem, Settlements,
};

use crate::{
    Gateway,
    problem::ApiError,
    routes::{body::Body, described::SettlingProblems, named::Named},
};

/// Lists channels this gateway serves, and what waits for settlement on each.
#[utoipa::path(get, operation_id = "list_channels", path = "/v1/channels", responses(
    (status = 200, body = ChannelList),
))]
pub async fn list(State(gateway): State<Gateway>) -> Json<ChannelList> {
    Json(ChannelList { channels: gateway.channels() })
}

/// Settles a channel now.
#[utoipa::path(
    post, operation_id = "settle_channel",
    path = "/v1/channels/{channel}/settlements",
    params(("channel" = Address, Path)),
    responses(
        (status = 200, body = Settlements),
        SettlingProblems,
    )
)]
pub async fn settle(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
) -> Result<Json<Settlements>, ApiError> {
    let settlements = gateway.settle(channel).await?;
    if settlements.is_empty() {
        return Err(ApiError::NothingToSettle);
    }
    Ok(Json(Settlements { settlements }))
}

/// Settles what is owed on a channel whose payer has started closing, and ends its grace
/// period.
#[utoipa::path(
    post, operation_id = "close_channel",
    path = "/v1/channels/{channel}/close",
    params(("channel" = Address, Path)),
    responses(
        (status = 200, body = Closing),
        SettlingProblems,
    )
)]
pub async fn close(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
) -> Result<Json<Closing>, ApiError> {
    Ok(Json(gateway.close(channel).await?))
}

/// Pays the operator the fees that have settled on a channel, to its associated token account.
#[utoipa::path(
    post, operation_id = "claim_fees",
    path = "/v1/channels/{channel}/fee-claims",
    params(("channel" = Address, Path)),
    responses(
        (status = 200, body = FeeClaim),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn claim_fees(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
) -> Result<Json<FeeClaim>, ApiError> {
    let (claimed, landed) = gateway.claim_fees(channel).await?;
    Ok(Json(FeeClaim { claimed: Amount(claimed), signature: landed.signature.to_string() }))
}

/// Sets the most a channel may be used for at this gateway.
#[utoipa::path(
    put, operation_id = "set_channel_budget",
    path = "/v1/channels/{channel}/budget",
    params(("channel" = Address, Path)),
    request_body = ChannelBudget,
    responses(
        (status = 200, body = ChannelBudget),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 421, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn set_budget(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Body(budget): Body<ChannelBudget>,
) -> Result<Json<ChannelBudget>, ApiError> {
    gateway.set_channel_budget(channel, budget.budget.map(|amount| amount.0)).await?;
    Ok(Json(budget))
}
