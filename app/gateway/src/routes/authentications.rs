use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request, State},
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use motif_sdk::{
    fingerprint::MAX_CONTENT_BYTES,
    gateway::wire::{Authentication, AuthenticationRequest, Problem},
    recognition::Index,
};

use super::body::Body;
use crate::{Gateway, problem::ApiError};

/// Says whose content is, on what terms, and which receipt licensed it. The body is the content
/// itself, under any content type but JSON; or its digest and fingerprints as JSON, so that the
/// content need not leave its owner.
#[utoipa::path(post, operation_id = "authenticate", path = "/v1/authenticate",
    request_body(content(
        (AuthenticationRequest = "application/json"),
        (Vec<u8> = "application/octet-stream"),
    )),
    responses(
    (status = 200, body = Authentication),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn authenticate(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Json<Authentication>, ApiError> {
    if is_json(&request) {
        let Body(asked) = Body::<AuthenticationRequest>::from_request(request, &()).await?;
        if asked.fingerprints.len() > Index::MAX_PROBES {
            return Err(ApiError::TooManyFingerprints(asked.fingerprints.len()));
        }
        return Ok(Json(gateway.authenticate(&asked).await?));
    }
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(ApiError::EncodedBody);
    }
    let recognition = gateway.recognition();
    let _room = recognition.room()?;
    let content = content(request).await?;
    if content.is_empty() {
        return Err(ApiError::ContentUnreadable("there is none".to_owned()));
    }
    Ok(Json(gateway.authenticate_content(content.into()).await?))
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The body, of which no more is read than content may have.
async fn content(request: Request) -> Result<Bytes, ApiError> {
    let read = to_bytes(request.into_body(), MAX_CONTENT_BYTES).await;
    read.map_err(|_| ApiError::BodyTooLarge(MAX_CONTENT_BYTES))
}
