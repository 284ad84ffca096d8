use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::{StatusCode, header::CONTENT_ENCODING},
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
        let read = Json::<T>::from_request(request, state).await;
        read.map(|Json(body)| Self(body)).map_err(refused)
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
