use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
};
use serde::de::DeserializeOwned;

use crate::{problem::ApiError, router::MAX_BODY_BYTES};

/// A JSON body whose refusals are problems.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Nothing is decompressed here, so that a body is as long as it is.
        if request.headers().contains_key(CONTENT_ENCODING) {
            return Err(ApiError::EncodedBody);
        }
        let kind = request.headers().get(CONTENT_TYPE);
        if kind.is_none_or(|kind| kind != "application/json") {
            let read = Json::from_request(request, state).await;
            return read.map(|Json(body)| Self(body)).map_err(refused);
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|refusal| refused(JsonRejection::BytesRejection(refusal)))?;
        // Quicker than to keep track of where a fault would be, which only a fault needs.
        if let Ok(body) = serde_json::from_slice(&bytes) {
            return Ok(Self(body));
        }
        Json::from_bytes(&bytes).map(|Json(body)| Self(body)).map_err(refused)
    }
}

fn refused(rejection: JsonRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::BodyTooLarge(MAX_BODY_BYTES);
    }
    match rejection {
        JsonRejection::MissingJsonContentType(_) => ApiError::UnsupportedMediaType,
        malformed => ApiError::MalformedJson(malformed.body_text()),
    }
}
