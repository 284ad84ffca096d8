use axum::{Json, extract::State, http::StatusCode};
use motif_sdk::gateway::wire::{ApiKeyFacts, ApiKeyList, CreatedApiKey, NewApiKey, Problem};

use crate::{
    Gateway,
    keys::KeyId,
    problem::ApiError,
    routes::{body::Body, named::Named},
};

/// Lists API keys, oldest first.
#[utoipa::path(get, operation_id = "list_api_keys", path = "/v1/keys", responses(
    (status = 200, body = ApiKeyList),
))]
pub async fn list(State(gateway): State<Gateway>) -> Json<ApiKeyList> {
    Json(ApiKeyList { keys: gateway.api_keys() })
}

/// Makes an API key. The answer is the only one that ever has its token.
#[utoipa::path(post, operation_id = "create_api_key", path = "/v1/keys", request_body = NewApiKey, responses(
    (status = 201, body = CreatedApiKey),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn create(
    State(gateway): State<Gateway>,
    Body(key): Body<NewApiKey>,
) -> Result<(StatusCode, Json<CreatedApiKey>), ApiError> {
    Ok((StatusCode::CREATED, Json(gateway.create_api_key(key).await?)))
}

/// Ends an API key at once. Safe to repeat.
#[utoipa::path(delete, operation_id = "revoke_api_key", path = "/v1/keys/{key}", params(("key" = String, Path, pattern = "^[0-9a-fA-F]{16}$")), responses(
    (status = 200, body = ApiKeyFacts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn revoke(
    State(gateway): State<Gateway>,
    Named(key): Named<KeyId>,
) -> Result<Json<ApiKeyFacts>, ApiError> {
    Ok(Json(gateway.revoke_api_key(key).await?))
}
