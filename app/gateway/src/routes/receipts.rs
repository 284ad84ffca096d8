use axum::{Json, extract::State};
use motif_sdk::gateway::wire::{Address, Digest, Problem, ReceiptPage, ReceiptProofParts};
use serde::Deserialize;
use utoipa::IntoParams;

use super::named::{Asked, Named};
use crate::{Gateway, problem::ApiError};

/// Which receipts to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReceiptsAsked {
    /// Those of this statement; of the open one without it.
    pub statement: Option<u64>,
    /// At most so many, and never more than 1,000.
    #[serde(default = "ReceiptsAsked::most")]
    #[param(default = 1_000)]
    pub limit: u32,
    /// From this position on.
    #[serde(default)]
    pub offset: u32,
}

impl ReceiptsAsked {
    /// The longest page.
    pub fn most() -> u32 {
        1_000
    }
}

/// Lists receipts of a statement in order.
#[utoipa::path(
    get, operation_id = "list_receipts",
    path = "/v1/channels/{channel}/receipts",
    params(("channel" = Address, Path), ReceiptsAsked),
    responses(
        (status = 200, body = ReceiptPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 421, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Asked(asked): Asked<ReceiptsAsked>,
) -> Result<Json<ReceiptPage>, ApiError> {
    let limit = asked.limit.min(ReceiptsAsked::most());
    let page = gateway.receipt_page(channel, asked.statement, limit, asked.offset).await?;
    Ok(Json(page))
}

/// What proves a settled receipt against its channel's account.
#[utoipa::path(get, operation_id = "prove_receipt", path = "/v1/receipts/{receipt}/proof", params(("receipt" = Digest, Path)), responses(
    (status = 200, body = ReceiptProofParts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn proof(
    State(gateway): State<Gateway>,
    Named(Digest(receipt)): Named<Digest>,
) -> Result<Json<ReceiptProofParts>, ApiError> {
    let proof = gateway.proof(&receipt).await?;
    Ok(Json(ReceiptProofParts::from(&proof)))
}
