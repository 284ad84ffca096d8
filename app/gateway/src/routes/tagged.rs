use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::error::GatewayError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Returns JSON with an entity tag, or 304 if the client has it.
pub fn tagged_json(headers: &HeaderMap, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => tagged(headers, JSON, body),
        Err(error) => GatewayError::internal(error).into_response(),
    }
}

/// Returns a body with an entity tag, or 304 if the client has it.
pub fn tagged(headers: &HeaderMap, kind: HeaderValue, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(&body).to_hex()[..32]);
    let lines = headers.get_all(IF_NONE_MATCH).iter();
    let mut known = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let is_known = known.any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    });
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(CONTENT_TYPE, kind)], body).into_response(),
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(known: &str, body: &str) -> (StatusCode, HeaderValue) {
        let headers = [(IF_NONE_MATCH, HeaderValue::from_str(known).unwrap())].into_iter();
        let response = tagged(&headers.collect(), JSON, body.into());
        (response.status(), response.headers()[ETAG].clone())
    }

    #[test]
    fn known_tag_is_not_modified() {
        let (sent, tag) = status("\"other\"", "a");
        assert_eq!(sent, StatusCode::OK);
        let tag = tag.to_str().unwrap();
        for known in [tag, &format!("\"other\", {tag}"), &format!("W/{tag}"), "*"] {
            assert_eq!(status(known, "a").0, StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(status(tag, "b").0, StatusCode::OK);
    }
}
