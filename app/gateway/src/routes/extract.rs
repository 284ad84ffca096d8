//! Extractors whose rejections are problem documents.

use std::{fmt::Display, str::FromStr, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{
        DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request,
        rejection::JsonRejection,
    },
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
        request::Parts,
    },
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use motif_paywall::BodyError;
use motif_sdk::gateway::{IdempotencyKey, wire::BatchRequest};
use serde::de::DeserializeOwned;

use crate::{App, admission::RateLimited, error::GatewayError};

/// Maximum length of a body in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// What some editors and runtimes begin UTF-8 with; JSON does not have it.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(IdempotencyKey::HEADER);

/// JSON body of at most `MAX` bytes.
pub struct JsonBody<T, const MAX: usize = MAX_BODY_BYTES>(pub T);

/// Batch of generations, whose body is read within the gateway's budget of such bodies.
pub struct BatchBody(pub BatchRequest);

/// Single parameter of the path, such as a channel's address.
pub struct PathParameter<T>(pub T);

/// Query string.
pub struct QueryString<T>(pub T);

/// `Idempotency-Key` header.
pub struct IdempotencyHeader(pub IdempotencyKey);

impl<S: Send + Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for JsonBody<T, MAX> {
    type Rejection = GatewayError;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, GatewayError> {
        // Nothing is decompressed, so the limit holds for the body as sent.
        if request.headers().contains_key(CONTENT_ENCODING) {
            return Err(GatewayError::EncodedBody);
        }
        if request.headers().get(CONTENT_TYPE) != Some(&JSON) {
            DefaultBodyLimit::max(MAX).apply(&mut request);
            let read = Json::from_request(request, state).await;
            return read.map(|Json(body)| Self(body)).map_err(rejected::<MAX>);
        }
        let mut bytes = read::<MAX>(request).await?;
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes = bytes.slice(BYTE_ORDER_MARK.len()..);
        }
        // Parsing without error positions is faster. A malformed body is parsed again for them.
        if let Some(body) =
            str::from_utf8(&bytes).ok().and_then(|text| serde_json::from_str(text).ok())
        {
            return Ok(Self(body));
        }
        Json::from_bytes(&bytes).map(|Json(body)| Self(body)).map_err(rejected::<MAX>)
    }
}

impl FromRequest<App> for BatchBody {
    type Rejection = GatewayError;

    async fn from_request(request: Request, app: &App) -> Result<Self, GatewayError> {
        const MAX: usize = BatchRequest::MAX_BYTES;
        let (parts, body) = request.into_parts();
        let body = app.batch_bodies.collect(body, MAX).await.map_err(|error| match error {
            BodyError::TooLarge => GatewayError::BodyTooLarge(MAX),
            BodyError::Broken => GatewayError::MalformedJson("the body is incomplete".to_owned()),
            BodyError::Full => {
                let wait = Duration::from_secs(1);
                RateLimited { limit: "batches", wait }.into()
            }
        })?;
        let request = Request::from_parts(parts, Body::from(body.bytes));
        let JsonBody::<_, MAX>(batch) = JsonBody::from_request(request, app).await?;
        drop(body.share);
        Ok(Self(batch))
    }
}

/// Returns the bytes of a body, without a copy if they arrived in one piece.
async fn read<const MAX: usize>(request: Request) -> Result<Bytes, GatewayError> {
    match Limited::new(request.into_body(), MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(GatewayError::BodyTooLarge(MAX)),
        Err(error) => {
            let what = format!("Failed to buffer the request body: {error}");
            Err(GatewayError::MalformedJson(what))
        }
    }
}

fn rejected<const MAX: usize>(rejection: JsonRejection) -> GatewayError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return GatewayError::BodyTooLarge(MAX);
    }
    match rejection {
        JsonRejection::MissingJsonContentType(_) => GatewayError::UnsupportedMediaType,
        malformed => GatewayError::MalformedJson(malformed.body_text()),
    }
}

impl<S, T> FromRequestParts<S> for PathParameter<T>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
{
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let text = match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => text,
            Err(error) => return Err(GatewayError::InvalidPath(String::new(), error.body_text())),
        };
        let parsed = text.parse();
        parsed.map(Self).map_err(|error| GatewayError::InvalidPath(text, format!("{error}")))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryString<T> {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|error| GatewayError::InvalidQuery(error.body_text()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyHeader {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, GatewayError> {
        let header = parts.headers.get(IDEMPOTENCY_KEY);
        let header = header.ok_or(GatewayError::IdempotencyKeyMissing)?;
        let key = header.to_str().ok().and_then(|text| text.parse().ok());
        key.map(Self).ok_or(GatewayError::IdempotencyKeyInvalid)
    }
}
