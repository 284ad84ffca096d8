use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use motif_sdk::gateway::wire::{
    Address, BatchReceipts, BatchRequest, GenerationRequest, ReceiptParts,
};

use super::{
    extract::{BatchBody, IdempotencyHeader, JsonBody, PathParameter},
    openapi::MeteringProblems,
};
use crate::{App, error::GatewayError, keys::Caller};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Receipt as JSON, serialized into a buffer of the right capacity.
pub struct ReceiptResponse(pub ReceiptParts);

impl IntoResponse for ReceiptResponse {
    fn into_response(self) -> Response {
        // The longest receipt, signed in a bundle.
        const CAPACITY: usize = 1_280;
        let mut buffer = Vec::with_capacity(CAPACITY);
        match serde_json::to_writer(&mut buffer, &self.0) {
            Ok(()) => ([(CONTENT_TYPE, JSON)], buffer).into_response(),
            Err(error) => GatewayError::internal(error).into_response(),
        }
    }
}

/// Pays for a generation.
///
/// Idempotent: the same request under the same key returns the same receipt. A returned receipt
/// survives any crash of the gateway.
#[utoipa::path(
    post, operation_id = "pay_for_generation",
    path = "/v1/channels/{channel}/generations",
    params(
        ("channel" = Address, Path),
        ("Idempotency-Key" = String, Header, min_length = 8, max_length = 128, pattern = "^[!-~]{8,128}$"),
    ),
    request_body = GenerationRequest,
    responses(
        (status = 200, body = ReceiptParts),
        MeteringProblems,
    )
)]
pub async fn pay(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    IdempotencyHeader(key): IdempotencyHeader,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<GenerationRequest>,
) -> Result<ReceiptResponse, GatewayError> {
    let receipt = app.metering.pay(channel, key, request, &caller).await?;
    Ok(ReceiptResponse(ReceiptParts::from(&receipt)))
}

/// Pays for several generations with one voucher, all or none.
///
/// A blended generation, which uses several licenses, is a batch whose generations have the same
/// request and output digests. A generation can capture a hold. If some cannot be paid for, nothing is
/// charged, and the problem `batch-items` names them. Idempotent, as a single generation is.
#[utoipa::path(
    post, operation_id = "pay_for_batch",
    path = "/v1/channels/{channel}/batches",
    params(
        ("channel" = Address, Path),
        ("Idempotency-Key" = String, Header, min_length = 8, max_length = 128, pattern = "^[!-~]{8,128}$"),
    ),
    request_body = BatchRequest,
    responses(
        (status = 200, body = BatchReceipts),
        MeteringProblems,
    )
)]
pub async fn pay_batch(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    IdempotencyHeader(key): IdempotencyHeader,
    Extension(caller): Extension<Caller>,
    BatchBody(request): BatchBody,
) -> Result<Json<BatchReceipts>, GatewayError> {
    let receipts = app.metering.pay_batch(channel, key, request, &caller).await?;
    Ok(Json(BatchReceipts { receipts: receipts.iter().map(ReceiptParts::from).collect() }))
}
