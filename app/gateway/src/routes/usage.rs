use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use motif_sdk::gateway::wire::{Address, Problem, UsageBy, UsageFormat, UsageReport};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    channels::readable,
    extract::{PathParameter, QueryString},
};
use crate::{App, error::GatewayError, keys::Caller};

/// Query of a usage report.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Dimension to group by.
    pub by: UsageBy,
    /// First unix second.
    pub from: Option<i64>,
    /// Unix second after the last.
    pub until: Option<i64>,
    /// Format of the report.
    #[serde(default)]
    #[param(inline)]
    pub format: UsageFormat,
}

/// Reports usage and spending of a channel, settled or not, to its payer or the holder of an API key
/// that is bound to the channel.
#[utoipa::path(
    get, operation_id = "report_usage",
    path = "/v1/channels/{channel}/usage",
    params(
        ("channel" = Address, Path),
        ("motif-reader" = Option<String>, Header),
        UsageQuery,
    ),
    responses(
        (status = 200, content((UsageReport = "application/json"), (String = "text/csv"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 421, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(app): State<App>,
    PathParameter(Address(channel)): PathParameter<Address>,
    QueryString(query): QueryString<UsageQuery>,
    headers: HeaderMap,
    Extension(caller): Extension<Caller>,
) -> Result<Response, GatewayError> {
    let (channel, _) = readable(&app, &channel, &headers, &caller).await?;
    let report = app.receipts.usage(&channel, query.by, query.from, query.until).await?;
    Ok(render(&report, query.format))
}

/// Returns a report in the requested format.
pub fn render(report: &UsageReport, format: UsageFormat) -> Response {
    match format {
        UsageFormat::Json => Json(report).into_response(),
        UsageFormat::Csv => {
            ([(CONTENT_TYPE, "text/csv; charset=utf-8")], report.csv()).into_response()
        }
    }
}
