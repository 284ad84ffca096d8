use axum::{Extension, Json, extract::State, http::HeaderMap};
use motif_sdk::gateway::wire::{Address, Digest, Problem, ReceiptPage, ReceiptProofParts};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    channels::readable,
    extract::{PathParameter, QueryString},
};
use crate::{App, error::GatewayError, keys::Caller};

/// Query of a page of receipts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReceiptsQuery {
    /// Number of the statement; the open statement if it is missing.
    pub statement: Option<u64>,
    /// Maximum number of receipts, at most 1,000.
    #[serde(default = "ReceiptsQuery::max_limit")]
    #[param(default = 1_000)]
    pub limit: u32,
    /// Position of the first receipt.
    #[serde(default)]
    pub offset: u32,
}

impl ReceiptsQuery {
    /// Returns the maximum page size.
    pub fn max_limit() -> u32 {
        1_000
    }
}

/// Lists the receipts of a statement in order, to the channel's payer or the holder of an API key
/// that is bound to the channel.
#[utoipa::path(
    get, operation_id = "list_receipts",
    path = "/v1/channels/{channel}/receipts",
    params(
        ("channel" = Address, Path),
        ("motif-reader" = Option<String>, Header),
        ReceiptsQuery,
    ),
    responses(
        (status = 200, body = ReceiptPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 421, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    QueryString(query): QueryString<ReceiptsQuery>,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
) -> Result<Json<ReceiptPage>, GatewayError> {
    let (channel, _) = readable(&app, &channel, &headers, &caller).await?;
    let limit = query.limit.min(ReceiptsQuery::max_limit());
    let page = app.receipts.page(&channel, query.statement, limit, query.offset).await?;
    Ok(Json(page))
}

/// Returns the proof of a settled receipt against its channel's account.
#[utoipa::path(get, operation_id = "prove_receipt", path = "/v1/receipts/{receipt}/proof", params(("receipt" = Digest, Path)), responses(
    (status = 200, body = ReceiptProofParts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn proof(
    State(app): State<App>,
    PathParameter(Digest(receipt)): PathParameter<Digest>,
) -> Result<Json<ReceiptProofParts>, GatewayError> {
    let proof = app.receipts.proof(&receipt).await?;
    Ok(Json(ReceiptProofParts::from(&proof)))
}
