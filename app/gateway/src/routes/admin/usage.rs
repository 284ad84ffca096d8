use axum::{extract::State, response::Response};
use motif_sdk::gateway::wire::{Problem, UsageReport};

use crate::{
    App,
    error::GatewayError,
    routes::{
        extract::QueryString,
        usage::{UsageQuery, render},
    },
};

/// Reports usage and spending of all channels, settled or not.
#[utoipa::path(get, operation_id = "report_all_usage", path = "/v1/usage", params(UsageQuery), responses(
    (status = 200, content((UsageReport = "application/json"), (String = "text/csv"))),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(app): State<App>,
    QueryString(query): QueryString<UsageQuery>,
) -> Result<Response, GatewayError> {
    let report = app.receipts.total_usage(query.by, query.from, query.until).await?;
    Ok(render(&report, query.format))
}
