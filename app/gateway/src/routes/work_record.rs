use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use motif_sdk::gateway::wire::{
    Address, Problem, UsageFormat, WorkEarnings, WorkReceipts, WorkUsageBy, WorkUsageReport,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    extract::{PathParameter, QueryString},
    receipts::ReceiptsQuery,
};
use crate::{App, error::GatewayError};

/// Query of a work's usage.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WorkUsageQuery {
    /// Dimension to group by.
    pub by: WorkUsageBy,
    /// First unix second, rounded down to its day.
    pub from: Option<i64>,
    /// Unix second after the last, rounded up to the end of its day.
    #[serde(alias = "to")]
    pub until: Option<i64>,
    /// Format; without it, CSV for `accept: text/csv`.
    #[param(inline)]
    pub format: Option<UsageFormat>,
}

/// Query of a work's receipts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WorkReceiptsQuery {
    /// The channel.
    #[param(value_type = String)]
    pub channel: Address,
    /// Number of the first statement.
    #[serde(default)]
    pub statement: u64,
    /// First position in that statement.
    #[serde(default)]
    pub position: u32,
    /// Maximum number of receipts, at most 1,000.
    #[serde(default = "ReceiptsQuery::max_limit")]
    #[param(default = 1_000)]
    pub limit: u32,
}

/// Lists the receipts of a work on a channel, to the work's owner or a recipient, who signs the header
/// `motif-person`. Their sum on settled statements is what the channel's licenses were settled for.
#[utoipa::path(get, operation_id = "list_work_receipts", path = "/v1/works/{work}/receipts",
    params(
        ("work" = Address, Path),
        ("motif-person" = Option<String>, Header),
        WorkReceiptsQuery,
    ),
    responses(
        (status = 200, body = WorkReceipts),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn receipts(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    QueryString(query): QueryString<WorkReceiptsQuery>,
    headers: HeaderMap,
) -> Result<Json<WorkReceipts>, GatewayError> {
    let reader = app.record.reader(&headers)?;
    let limit = query.limit.min(ReceiptsQuery::max_limit());
    let from = (query.statement, query.position);
    Ok(Json(app.record.receipts(work, query.channel.0, from, limit, reader).await?))
}

/// Shows where the money of a work is. With the header `motif-person` of its owner or a recipient it
/// includes what payers have signed for at this gateway.
#[utoipa::path(get, operation_id = "show_work_earnings", path = "/v1/works/{work}/earnings",
    params(("work" = Address, Path), ("motif-person" = Option<String>, Header)),
    responses(
        (status = 200, body = WorkEarnings),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn earnings(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    headers: HeaderMap,
) -> Result<Json<WorkEarnings>, GatewayError> {
    let reader = app.record.reader(&headers)?;
    Ok(Json(app.record.work(work, reader).await?))
}

/// Reports who used a work through this gateway, when and for how much, to its owner or a recipient, who
/// signs the header `motif-person`.
#[utoipa::path(get, operation_id = "report_work_usage", path = "/v1/works/{work}/usage",
    params(
        ("work" = Address, Path),
        ("motif-person" = Option<String>, Header),
        WorkUsageQuery,
    ),
    responses(
        (status = 200, content((WorkUsageReport = "application/json"), (String = "text/csv"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn usage(
    State(app): State<App>,
    PathParameter(Address(work)): PathParameter<Address>,
    QueryString(query): QueryString<WorkUsageQuery>,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    let reader = app.record.reader(&headers)?;
    let report = app.record.usage(work, query.by, query.from, query.until, reader).await?;
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_csv = match query.format {
        Some(format) => format == UsageFormat::Csv,
        None => accepts.is_some_and(|accept| accept.trim_start().starts_with("text/csv")),
    };
    Ok(match is_csv {
        true => ([(CONTENT_TYPE, "text/csv; charset=utf-8")], report.csv()).into_response(),
        false => Json(report).into_response(),
    })
}
