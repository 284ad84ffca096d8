use axum::Json;

use crate::router;

/// Describes this interface.
#[utoipa::path(get, operation_id = "show_interface", path = "/openapi.json", responses((status = 200, body = Object)))]
pub async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(router::openapi())
}
