use axum::{Extension, Json, extract::State};
use motif_sdk::gateway::wire::{
    Address, Digest, GenerationRequest, HoldFacts, HoldRequest, Problem, ReceiptParts,
    ReleaseRequest,
};

use super::{
    body::{Body, WrittenReceipt},
    described::MeteringProblems,
    generations::Key,
    named::Named,
};
use crate::{Gateway, keys::Caller, problem::ApiError, traces};

/// Keeps room on a channel for a generation whose units are not known yet.
///
/// A hold pays nothing. It ends when it is captured or released, or by itself. Idempotent: the
/// same request under the same key is the same hold.
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
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Key(key): Key,
    Body(request): Body<HoldRequest>,
) -> Result<Json<HoldFacts>, ApiError> {
    Ok(Json(gateway.hold(channel, &key, &request).await?))
}

/// Pays for a generation that room was held for: what it has really used, and its output.
///
/// Idempotent: the same request yields the same receipt.
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
    State(gateway): State<Gateway>,
    Named(Digest(hold)): Named<Digest>,
    Extension(caller): Extension<Caller>,
    Body(request): Body<GenerationRequest>,
) -> Result<WrittenReceipt, ApiError> {
    traces::note(traces::CHANNEL, request.voucher.channel.0.to_string());
    let receipt = gateway.capture(hold, request, &caller).await?;
    Ok(WrittenReceipt(ReceiptParts::from(&receipt)))
}

/// Gives a hold up: the generation failed, and nothing is paid. Safe to repeat.
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
    State(gateway): State<Gateway>,
    Named(Digest(hold)): Named<Digest>,
    Body(request): Body<ReleaseRequest>,
) -> Result<Json<HoldFacts>, ApiError> {
    traces::note(traces::CHANNEL, request.channel.0.to_string());
    Ok(Json(gateway.release(hold, &request).await?))
}
