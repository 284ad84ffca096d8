use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::problem::ApiError;

/// Answers with a problem when a request takes too long. Nothing that was begun is undone:
/// generations are idempotent, and settlements go on.
pub async fn within(State(duration): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(duration, next.run(request)).await;
    answered.unwrap_or_else(|_| ApiError::Timeout.into_response())
}
