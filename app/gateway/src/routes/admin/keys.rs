use axum::{Json, extract::State, http::StatusCode};
use motif_sdk::gateway::wire::{ApiKeyFacts, ApiKeyList, CreatedApiKey, NewApiKey, Problem};

use crate::{
    App,
    error::GatewayError,
    keys::KeyId,
    routes::extract::{JsonBody, PathParameter},
};

/// Lists API keys, oldest first.
#[utoipa::path(get, operation_id = "list_api_keys", path = "/v1/keys", responses(
    (status = 200, body = ApiKeyList),
))]
pub async fn list(State(app): State<App>) -> Json<ApiKeyList> {
    Json(ApiKeyList { keys: app.keys.list() })
}

/// Creates an API key. Only this response contains its token.
#[utoipa::path(post, operation_id = "create_api_key", path = "/v1/keys", request_body = NewApiKey, responses(
    (status = 201, body = CreatedApiKey),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn create(
    State(app): State<App>,
    JsonBody(key): JsonBody<NewApiKey>,
) -> Result<(StatusCode, Json<CreatedApiKey>), GatewayError> {
    Ok((StatusCode::CREATED, Json(app.keys.create(key).await?)))
}

/// Revokes an API key at once. Idempotent.
#[utoipa::path(delete, operation_id = "revoke_api_key", path = "/v1/keys/{key}", params(("key" = String, Path, pattern = "^[0-9a-fA-F]{16}$")), responses(
    (status = 200, body = ApiKeyFacts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn revoke(
    State(app): State<App>,
    PathParameter(key): PathParameter<KeyId>,
) -> Result<Json<ApiKeyFacts>, GatewayError> {
    Ok(Json(app.keys.revoke(key).await?))
}
