use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, ChannelState, OpenChannel, Problem};

use super::{body::Body, named::Named};
use crate::{Gateway, problem::ApiError};

/// Has the gateway serve a channel that was opened on chain, or read it again after a top-up
/// or an acceptance.
#[utoipa::path(post, operation_id = "open_channel", path = "/v1/channels", request_body = OpenChannel, responses(
    (status = 200, body = ChannelState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 421, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn open(
    State(gateway): State<Gateway>,
    Body(OpenChannel { channel }): Body<OpenChannel>,
) -> Result<Json<ChannelState>, ApiError> {
    let desk = gateway.open_channel(channel.0).await?;
    Ok(Json(gateway.state(&desk).await?))
}

/// A channel as the gateway has it.
#[utoipa::path(get, operation_id = "show_channel", path = "/v1/channels/{channel}", params(("channel" = Address, Path)), responses(
    (status = 200, body = ChannelState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 421, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
) -> Result<Json<ChannelState>, ApiError> {
    let desk = gateway.desk(&channel).await?;
    Ok(Json(gateway.state(&desk).await?))
}
