use axum::{
    Extension, Json,
    extract::{FromRequestParts, State},
    http::{HeaderName, request::Parts},
};
use motif_sdk::gateway::{
    IdempotencyKey,
    wire::{Address, BatchReceipts, BatchRequest, GenerationRequest, ReceiptParts},
};

use super::{
    body::{Body, WrittenReceipt},
    described::MeteringProblems,
    named::Named,
};
use crate::{Gateway, keys::Caller, problem::ApiError};

/// Pays for a generation.
///
/// Idempotent: the same request under the same key yields the same receipt. When this has
/// answered, the receipt survives any crash of the gateway.
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
pub async fn accept(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Key(key): Key,
    Extension(caller): Extension<Caller>,
    Body(request): Body<GenerationRequest>,
) -> Result<WrittenReceipt, ApiError> {
    let receipt = gateway.accept(channel, key, request, &caller).await?;
    Ok(WrittenReceipt(ReceiptParts::from(&receipt)))
}

/// Pays for several generations with one voucher: all of them or none.
///
/// A blended generation, which uses several licenses, is a batch whose generations name the
/// same request and output. Idempotent, as a single generation is.
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
pub async fn accept_batch(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Key(key): Key,
    Extension(caller): Extension<Caller>,
    Body(request): Body<BatchRequest>,
) -> Result<Json<BatchReceipts>, ApiError> {
    let receipts = gateway.accept_batch(channel, key, request, &caller).await?;
    Ok(Json(BatchReceipts { receipts: receipts.iter().map(ReceiptParts::from).collect() }))
}

const HEADER: HeaderName = HeaderName::from_static(IdempotencyKey::HEADER);

/// The `Idempotency-Key` header.
pub struct Key(pub IdempotencyKey);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let header = parts.headers.get(HEADER);
        let header = header.ok_or(ApiError::IdempotencyKeyMissing)?;
        let key = header.to_str().ok().and_then(|text| text.parse().ok());
        key.map(Self).ok_or(ApiError::IdempotencyKeyInvalid)
    }
}
