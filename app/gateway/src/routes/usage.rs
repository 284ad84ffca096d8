use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use motif_sdk::gateway::wire::{Address, Problem, UsageBy, UsageFormat, UsageReport};
use serde::Deserialize;
use utoipa::IntoParams;

use super::named::{Asked, Named};
use crate::{Gateway, problem::ApiError};

/// What to report.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageAskedFor {
    /// What to add up by.
    pub by: UsageBy,
    /// From this unix second on.
    pub from: Option<i64>,
    /// Until before this unix second.
    pub until: Option<i64>,
    /// How to write it.
    #[serde(default)]
    #[param(inline)]
    pub format: UsageFormat,
}

/// What was used and spent on a channel, settled or not.
#[utoipa::path(
    get, operation_id = "report_usage",
    path = "/v1/channels/{channel}/usage",
    params(("channel" = Address, Path), UsageAskedFor),
    responses(
        (status = 200, content((UsageReport = "application/json"), (String = "text/csv"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 421, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show(
    State(gateway): State<Gateway>,
    Named(Address(channel)): Named<Address>,
    Asked(asked): Asked<UsageAskedFor>,
) -> Result<Response, ApiError> {
    let report = gateway.usage(Some(channel), asked.by, asked.from, asked.until).await?;
    Ok(written(&report, asked.format))
}

/// A report as it was asked for.
pub fn written(report: &UsageReport, format: UsageFormat) -> Response {
    match format {
        UsageFormat::Json => Json(report).into_response(),
        UsageFormat::Csv => {
            ([(CONTENT_TYPE, "text/csv; charset=utf-8")], report.csv()).into_response()
        }
    }
}
