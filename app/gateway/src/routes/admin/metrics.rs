use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use crate::{App, metrics::Metrics};

/// Shows metrics in the OpenMetrics format.
#[utoipa::path(get, operation_id = "show_metrics", path = "/metrics", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
))]
pub async fn show(State(app): State<App>) -> Response {
    let text = app.metrics.text(&app.exposure(), &app.cluster.chain().nodes());
    ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], text).into_response()
}
