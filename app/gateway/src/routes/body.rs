use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, rejection::JsonRejection},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use motif_sdk::gateway::wire::ReceiptParts;
use serde::de::DeserializeOwned;

use crate::{problem::ApiError, router::MAX_BODY_BYTES};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body of at most [`MAX_BODY_BYTES`], whose refusals are problems.
pub struct Body<T>(pub T);

/// A receipt as JSON, written into memory that is about as long.
pub struct WrittenReceipt(pub ReceiptParts);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, ApiError> {
        // Nothing is decompressed here, so that a body is as long as it is.
        if request.headers().contains_key(CONTENT_ENCODING) {
            return Err(ApiError::EncodedBody);
        }
        if request.headers().get(CONTENT_TYPE) != Some(&JSON) {
            DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
            let read = Json::from_request(request, state).await;
            return read.map(|Json(body)| Self(body)).map_err(refused);
        }
        let bytes = read(request).await?;
        // Quicker than to keep track of where a fault would be, which only a fault needs.
        if let Some(body) =
            str::from_utf8(&bytes).ok().and_then(|text| serde_json::from_str(text).ok())
        {
            return Ok(Self(body));
        }
        Json::from_bytes(&bytes).map(|Json(body)| Self(body)).map_err(refused)
    }
}

/// The bytes of a body: where they came at once, as they lie.
async fn read(request: Request) -> Result<Bytes, ApiError> {
    match Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::BodyTooLarge(MAX_BODY_BYTES)),
        Err(error) => {
            let what = format!("Failed to buffer the request body: {error}");
            Err(ApiError::MalformedJson(what))
        }
    }
}

impl IntoResponse for WrittenReceipt {
    fn into_response(self) -> Response {
        // The longest, signed together with others.
        const LENGTH: usize = 1_280;
        let mut written = Vec::with_capacity(LENGTH);
        match serde_json::to_writer(&mut written, &self.0) {
            Ok(()) => ([(CONTENT_TYPE, JSON)], written).into_response(),
            Err(error) => ApiError::Internal(error.into()).into_response(),
        }
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
