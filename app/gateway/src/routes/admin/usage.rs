use axum::{extract::State, response::Response};
use motif_sdk::gateway::wire::{Problem, UsageReport};

use crate::{
    Gateway,
    problem::ApiError,
    routes::{
        named::Asked,
        usage::{UsageAskedFor, written},
    },
};

/// What was used and spent on all channels, settled or not.
#[utoipa::path(get, operation_id = "report_all_usage", path = "/v1/usage", params(UsageAskedFor), responses(
    (status = 200, content((UsageReport = "application/json"), (String = "text/csv"))),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(
    State(gateway): State<Gateway>,
    Asked(asked): Asked<UsageAskedFor>,
) -> Result<Response, ApiError> {
    let report = gateway.usage(None, asked.by, asked.from, asked.until).await?;
    Ok(written(&report, asked.format))
}
