use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, ChannelState, OpenChannel, Problem};

use super::extract::{JsonBody, PathParameter};
use crate::{App, channel::ChannelHandle, channel_state::channel_state, error::GatewayError};

/// Opens an on-chain channel at this gateway, or reads it again after a top-up or an acceptance.
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
    State(app): State<App>,
    JsonBody(OpenChannel { channel }): JsonBody<OpenChannel>,
) -> Result<Json<ChannelState>, GatewayError> {
    let channel = app.sync.open(channel.0).await?;
    Ok(Json(state(&app, &channel).await?))
}

/// Shows a channel's state at this gateway.
#[utoipa::path(get, operation_id = "show_channel", path = "/v1/channels/{channel}", params(("channel" = Address, Path)), responses(
    (status = 200, body = ChannelState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 421, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
) -> Result<Json<ChannelState>, GatewayError> {
    let channel = app.channels.get(&channel).await?;
    Ok(Json(state(&app, &channel).await?))
}

/// Returns a channel's state. All of it is on disk, so a crash reverts nothing that was shown.
async fn state(app: &App, channel: &ChannelHandle) -> Result<ChannelState, GatewayError> {
    let state = channel_state(&channel.lock().ledger);
    app.channels.store().writer().flush().await?;
    Ok(state)
}
