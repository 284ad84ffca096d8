use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::HeaderMap};
use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, ChannelState, OpenChannel, Problem},
};

use super::extract::{JsonBody, PathParameter};
use crate::{
    App,
    channel::ChannelHandle,
    channel_reader::ChannelReader,
    channel_state::{channel_state, public_state, without_vouchers},
    error::GatewayError,
    keys::Caller,
};

/// Opens an on-chain channel at this gateway, or reads it again after a top-up or an acceptance.
///
/// Returns the channel as it is on chain, or its state at this gateway to those who may read it.
#[utoipa::path(post, operation_id = "open_channel", path = "/v1/channels", params(
    ("motif-reader" = Option<String>, Header),
), request_body = OpenChannel, responses(
    (status = 200, body = ChannelState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 421, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
    JsonBody(OpenChannel { channel }): JsonBody<OpenChannel>,
) -> Result<Json<ChannelState>, GatewayError> {
    let channel = app.opening.open(channel.0).await?;
    match ChannelReader::of(&headers, &caller, &channel.address, &channel.account())? {
        Some(reader) => Ok(Json(state(&app, &channel, reader).await?)),
        None => {
            let account = channel.lock().ledger.account().clone();
            Ok(Json(public_state(channel.address, account, app.config.margins())))
        }
    }
}

/// Shows a channel's state at this gateway to its payer, with its vouchers, or to the holder of an
/// API key that is bound to the channel.
#[utoipa::path(get, operation_id = "show_channel", path = "/v1/channels/{channel}", params(
    ("channel" = Address, Path),
    ("motif-reader" = Option<String>, Header),
), responses(
    (status = 200, body = ChannelState),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 421, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
) -> Result<Json<ChannelState>, GatewayError> {
    let (channel, reader) = readable(&app, &channel, &headers, &caller).await?;
    Ok(Json(state(&app, &channel, reader).await?))
}

/// Returns a channel that the request may read.
///
/// # Errors
/// [`GatewayError::UnknownChannel`], [`GatewayError::NotByPayer`], [`GatewayError::RequestStale`].
pub async fn readable(
    app: &App,
    address: &Pubkey,
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<(Arc<ChannelHandle>, ChannelReader), GatewayError> {
    let channel = app.channels.get(address).await?;
    let reader = ChannelReader::of(headers, caller, address, &channel.account())?;
    Ok((channel, reader.ok_or(GatewayError::NotByPayer)?))
}

/// Returns a channel's state. All of it is on disk, so a crash reverts nothing that was shown.
async fn state(
    app: &App,
    channel: &ChannelHandle,
    reader: ChannelReader,
) -> Result<ChannelState, GatewayError> {
    let state = channel_state(&channel.lock().ledger);
    app.channels.store().writer().flush().await?;
    Ok(match reader {
        ChannelReader::Payer => state,
        ChannelReader::KeyHolder => without_vouchers(state),
    })
}
