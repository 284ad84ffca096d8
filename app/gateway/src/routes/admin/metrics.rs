use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use crate::{Gateway, metrics::Metrics};

/// Figures about the gateway, as Prometheus reads them.
#[utoipa::path(get, operation_id = "show_metrics", path = "/metrics", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
))]
pub async fn show(State(gateway): State<Gateway>) -> Response {
    let text = gateway.metrics().text(&gateway.exposure(), &gateway.chain().nodes());
    ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], text).into_response()
}
