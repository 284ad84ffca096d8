use axum::{Extension, Json, extract::State, http::HeaderMap};
use motif_sdk::gateway::wire::{
    Address, Digest, GenerationRequest, HoldFacts, HoldRequest, Problem, ReceiptParts,
    ReleaseRequest,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    extract::{IdempotencyHeader, JsonBody, PathParameter, QueryString},
    generations::ReceiptResponse,
    openapi::MeteringProblems,
};
use crate::{App, error::GatewayError, keys::Caller, traces};

/// Holds units on a channel for a generation whose units are not known yet.
///
/// A hold charges nothing. It ends when it is captured, released or expired. Idempotent: the same
/// request under the same key is the same hold.
#[utoipa::path(
    post, operation_id = "hold",
    path = "/v1/channels/{channel}/holds",
    params(
        ("channel" = Address, Path),
        ("Idempotency-Key" = String, Header, min_length = 8, max_length = 128, pattern = "^[!-~]{8,128}$"),
    ),
    request_body = HoldRequest,
    responses(
        (status = 200, body = HoldFacts),
        MeteringProblems,
    )
)]
pub async fn hold(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    IdempotencyHeader(key): IdempotencyHeader,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<HoldRequest>,
) -> Result<Json<HoldFacts>, GatewayError> {
    Ok(Json(app.holds.add(channel, &key, &request, &caller).await?))
}

/// Captures a hold: pays for the units used, up to those held.
///
/// Idempotent: the same request returns the same receipt.
#[utoipa::path(
    post, operation_id = "capture_hold",
    path = "/v1/holds/{hold}/capture",
    params(("hold" = Digest, Path)),
    request_body = GenerationRequest,
    responses(
        (status = 200, body = ReceiptParts),
        MeteringProblems,
    )
)]
pub async fn capture(
    State(app): State<App>,
    PathParameter(Digest(hold)): PathParameter<Digest>,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<GenerationRequest>,
) -> Result<ReceiptResponse, GatewayError> {
    traces::set_attribute(traces::CHANNEL, request.voucher.voucher.channel.to_string());
    let receipt = app.holds.capture(hold, request, &caller).await?;
    Ok(ReceiptResponse(ReceiptParts::from(&receipt)))
}

/// Query of a hold's receipt.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HoldQuery {
    /// Channel of the hold.
    pub channel: Address,
}

/// Returns the receipt of a captured hold again, until a day after the hold's end.
///
/// Shown to the API key that placed the hold or captured it, to the channel's payer, and to the holder of
/// an API key that is bound to the channel. A seller that was killed before it stored the receipt, or
/// whose payer captured the hold itself, delivers the answer without the payer's voucher.
#[utoipa::path(
    get, operation_id = "show_hold_receipt",
    path = "/v1/holds/{hold}/receipt",
    params(
        ("hold" = Digest, Path),
        ("motif-reader" = Option<String>, Header),
        HoldQuery,
    ),
    responses(
        (status = 200, body = ReceiptParts),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receipt(
    State(app): State<App>,
    PathParameter(Digest(hold)): PathParameter<Digest>,
    QueryString(query): QueryString<HoldQuery>,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
) -> Result<ReceiptResponse, GatewayError> {
    let receipt = app.holds.receipt(&query.channel.0, &hold, &headers, &caller).await?;
    Ok(ReceiptResponse(ReceiptParts::from(&receipt)))
}

/// Releases a hold: the generation failed, and nothing is charged. Idempotent.
#[utoipa::path(
    post, operation_id = "release_hold",
    path = "/v1/holds/{hold}/release",
    params(("hold" = Digest, Path)),
    request_body = ReleaseRequest,
    responses(
        (status = 200, body = HoldFacts),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn release(
    State(app): State<App>,
    PathParameter(Digest(hold)): PathParameter<Digest>,
    JsonBody(request): JsonBody<ReleaseRequest>,
) -> Result<Json<HoldFacts>, GatewayError> {
    traces::set_attribute(traces::CHANNEL, request.channel.0.to_string());
    Ok(Json(app.holds.release(hold, &request).await?))
}
