use axum::Json;

use crate::router;

/// Describes this interface.
#[utoipa::path(get, operation_id = "show_admin_interface", path = "/openapi.json", responses((status = 200, body = Object)))]
pub async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(router::admin_openapi())
}
