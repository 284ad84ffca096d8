use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{
    Address, Amount, ChannelBudget, ChannelList, Closing, FeeClaim, Problem, Settlements,
};

use crate::{
    App,
    error::GatewayError,
    routes::{
        extract::{JsonBody, PathParameter},
        openapi::SettlementProblems,
    },
};

/// Lists the channels of this gateway with their unsettled amounts.
#[utoipa::path(get, operation_id = "list_channels", path = "/v1/channels", responses(
    (status = 200, body = ChannelList),
))]
pub async fn list(State(app): State<App>) -> Json<ChannelList> {
    let (channels, quarantined) = (app.channels.summaries(), app.channels.quarantined());
    Json(ChannelList { channels, quarantined })
}

/// Settles a channel.
#[utoipa::path(
    post, operation_id = "settle_channel",
    path = "/v1/channels/{channel}/settlements",
    params(("channel" = Address, Path)),
    responses(
        (status = 200, body = Settlements),
        SettlementProblems,
    )
)]
pub async fn settle(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
) -> Result<Json<Settlements>, GatewayError> {
    let settlements = app.settler.settle(channel).await?;
    if settlements.is_empty() {
        return Err(GatewayError::NothingToSettle);
    }
    Ok(Json(Settlements { settlements }))
}

/// Settles a channel whose payer has started to close it, and ends its grace period.
#[utoipa::path(
    post, operation_id = "close_channel",
    path = "/v1/channels/{channel}/close",
    params(("channel" = Address, Path)),
    responses(
        (status = 200, body = Closing),
        SettlementProblems,
    )
)]
pub async fn close(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
) -> Result<Json<Closing>, GatewayError> {
    Ok(Json(app.settler.close(channel).await?))
}

/// Pays a channel's settled fees to the operator's associated token account.
#[utoipa::path(
    post, operation_id = "claim_fees",
    path = "/v1/channels/{channel}/fee-claims",
    params(("channel" = Address, Path)),
    responses(
        (status = 200, body = FeeClaim),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn claim_fees(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
) -> Result<Json<FeeClaim>, GatewayError> {
    let (claimed, landed) = app.settler.claim_fees(channel).await?;
    Ok(Json(FeeClaim { claimed: Amount(claimed), signature: landed.signature.to_string() }))
}

/// Sets the maximum total of a channel at this gateway.
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
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    JsonBody(budget): JsonBody<ChannelBudget>,
) -> Result<Json<ChannelBudget>, GatewayError> {
    app.channels.set_budget(channel, budget.budget.map(|amount| amount.0)).await?;
    Ok(Json(budget))
}
