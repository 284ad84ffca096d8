use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use futures::StreamExt;
use motif_sdk::{
    fingerprint::MAX_CONTENT_BYTES,
    gateway::wire::{Authentication, AuthenticationRequest, Problem},
    recognition::Index,
};

use super::extract::JsonBody;
use crate::{
    App,
    admission::ClientAddress,
    error::{GatewayError, RecognitionError},
    recognition::Upload,
};

/// Returns the registered works that content matches, their terms, and the receipts that licensed
/// it. The body is the content itself with any content type except JSON, or its digest and
/// fingerprints as JSON, so that the content need not be uploaded.
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
    State(app): State<App>,
    request: Request,
) -> Result<Json<Authentication>, GatewayError> {
    if is_json(&request) {
        let body = JsonBody::<AuthenticationRequest>::from_request(request, &()).await;
        let JsonBody(content) = body?;
        let fingerprints = content.fingerprints.len();
        if fingerprints > Index::MAX_PROBES {
            return Err(RecognitionError::TooManyFingerprints(fingerprints).into());
        }
        return Ok(Json(app.recognizer.authenticate(&content).await?));
    }
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(GatewayError::EncodedBody);
    }
    let mut upload = app.recognizer.begin_upload(ClientAddress::of(&request).0);
    let content = content(request, &mut upload).await?;
    // A slow upload takes no place of others.
    let _permit = app.recognizer.permit()?;
    if content.is_empty() {
        return Err(RecognitionError::Unreadable("it is empty".to_owned()).into());
    }
    Ok(Json(app.recognizer.authenticate_content(content).await?))
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// Reads a body of at most the maximum size of content.
async fn content(request: Request, upload: &mut Upload) -> Result<Vec<u8>, GatewayError> {
    let mut chunks = request.into_body().into_data_stream();
    let mut content = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            GatewayError::MalformedJson(format!("Failed to buffer the request body: {error}"))
        })?;
        if content.len() + chunk.len() > MAX_CONTENT_BYTES {
            return Err(GatewayError::BodyTooLarge(MAX_CONTENT_BYTES));
        }
        upload.add(chunk.len())?;
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}
