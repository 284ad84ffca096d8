//! Metadata and pictures of works. What is served has a fixed type and cannot run as a page.

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use motif_paywall::{BodyError, HeldBody};
use motif_sdk::gateway::wire::{Address, Digest, Metadata, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    extract::{PathParameter, QueryString},
    tagged::tagged,
};
use crate::{
    App,
    admission::RateLimited,
    error::GatewayError,
    hosting::{MAX_PICTURE_BYTES, PictureSize},
    html::escaped,
};

/// Work that names what is uploaded.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NamedBy {
    /// Address of the work.
    pub work: Address,
}

/// Size of a picture.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SizeQuery {
    /// Size; default `large`.
    #[param(inline)]
    pub size: Option<SizeWord>,
}

/// Word for a picture's size.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SizeWord {
    /// At most 1,024 pixels a side.
    Large,
    /// At most 256 pixels a side.
    Small,
}

/// What is hosted.
#[derive(Serialize, ToSchema)]
pub struct Hosted {
    /// SHA-256 of the upload.
    pub digest: Digest,
}

/// Shows hosted metadata.
#[utoipa::path(get, operation_id = "show_metadata", path = "/v1/metadata/{digest}", params(("digest" = Digest, Path)), responses(
    (status = 200, body = Metadata),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show_metadata(
    State(app): State<App>,
    PathParameter(digest): PathParameter<Digest>,
) -> Result<Response, GatewayError> {
    let document = app.hosting.metadata(&digest).await?;
    Ok(fixed("application/json", document))
}

/// Hosts metadata that a registered work names.
#[utoipa::path(put, operation_id = "host_metadata", path = "/v1/metadata/{digest}",
    params(("digest" = Digest, Path), NamedBy),
    request_body = Metadata,
    responses(
        (status = 200, body = Hosted),
        (status = 201, body = Hosted),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn put_metadata(
    State(app): State<App>,
    PathParameter(digest): PathParameter<Digest>,
    QueryString(named): QueryString<NamedBy>,
    request: Request,
) -> Result<Response, GatewayError> {
    let document = read(&app, request, Metadata::MAX_BYTES).await?;
    let is_new = app.hosting.put_metadata(&digest, &named.work.0, &document.bytes).await?;
    Ok(hosted(digest, is_new))
}

/// Shows a hosted picture.
#[utoipa::path(get, operation_id = "show_preview", path = "/v1/previews/{digest}",
    params(("digest" = Digest, Path), SizeQuery),
    responses(
        (status = 200, body = Vec<u8>, content_type = "image/jpeg"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn show_preview(
    State(app): State<App>,
    PathParameter(digest): PathParameter<Digest>,
    QueryString(query): QueryString<SizeQuery>,
) -> Result<Response, GatewayError> {
    let size = match query.size {
        Some(SizeWord::Small) => PictureSize::Small,
        Some(SizeWord::Large) | None => PictureSize::Large,
    };
    Ok(fixed("image/jpeg", app.hosting.picture(&digest, size).await?))
}

/// Hosts a picture that the hosted metadata of a registered work names. It is decoded in a sandbox and
/// encoded anew.
#[utoipa::path(put, operation_id = "host_preview", path = "/v1/previews/{digest}",
    params(("digest" = Digest, Path), NamedBy),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = Hosted),
        (status = 201, body = Hosted),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn put_preview(
    State(app): State<App>,
    PathParameter(digest): PathParameter<Digest>,
    QueryString(named): QueryString<NamedBy>,
    request: Request,
) -> Result<Response, GatewayError> {
    let picture = read(&app, request, MAX_PICTURE_BYTES).await?;
    let is_new = app.hosting.put_picture(&digest, &named.work.0, picture.bytes.clone()).await?;
    Ok(hosted(digest, is_new))
}

/// Shows a badge of a work, as a picture.
#[utoipa::path(get, operation_id = "show_badge", path = "/v1/badge/{work}", params(("work" = String, Path)), responses(
    (status = 200, body = String, content_type = "image/svg+xml"),
    (status = 304),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn badge(
    State(app): State<App>,
    PathParameter::<String>(file): PathParameter<String>,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    let name = file.strip_suffix(".svg").unwrap_or(&file);
    let work: Result<Address, _> = name.parse();
    let work = work.map_err(|error| GatewayError::InvalidPath(file.clone(), format!("{error}")))?;
    let facts = app.catalogue.work(work.0).await?;
    let title = match facts.work.title.as_str() {
        "" => facts.work.kind.to_string(),
        title => title.to_owned(),
    };
    let svg = svg(&title);
    let mut response =
        tagged(&headers, HeaderValue::from_static("image/svg+xml"), svg.into_bytes());
    lock(&mut response);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    Ok(response)
}

/// Draws a badge, without anything that runs or loads.
fn svg(title: &str) -> String {
    let shown: String = title.chars().take(40).collect();
    // Widths of the common sans serif: about 7 units a character at size 11.
    let right = 20 + 7 * shown.chars().count();
    let (width, middle) = (100 + right, 100 + right / 2);
    let shown = escaped(&shown);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" \
         aria-label=\"Motif licensed: {shown}\"><rect width=\"{width}\" height=\"20\" rx=\"3\" fill=\"#333\"/>\
         <path d=\"M100 0h{}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H100z\" fill=\"#0a6e4f\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\
         <text x=\"50\" y=\"14\">Motif licensed</text><text x=\"{middle}\" y=\"14\">{shown}</text></g></svg>",
        right - 3
    )
}

/// Reads an upload within the budget of uploads.
async fn read(app: &App, request: Request, most: usize) -> Result<HeldBody, GatewayError> {
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(GatewayError::EncodedBody);
    }
    let body: Body = request.into_body();
    let collected = app.hosting.bodies.collect(body, most).await;
    collected.map_err(|error| match error {
        BodyError::TooLarge => GatewayError::BodyTooLarge(most),
        BodyError::Broken => GatewayError::MalformedJson("the body is incomplete".to_owned()),
        BodyError::Full => {
            let wait = std::time::Duration::from_secs(1);
            RateLimited { limit: "uploads", wait }.into()
        }
    })
}

fn hosted(digest: Digest, is_new: bool) -> Response {
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    (status, Json(Hosted { digest })).into_response()
}

/// Returns content whose address is its digest.
fn fixed(kind: &'static str, body: Bytes) -> Response {
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response();
    lock(&mut response);
    let headers = response.headers_mut();
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(CACHE_CONTROL, kept);
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    response
}

/// Keeps a response from being read as another type, or from running as a page.
fn lock(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = "default-src 'none'; sandbox";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badge_shows_hostile_title_as_text() {
        let badge = svg("</text><script>alert(1)</script>");
        assert!(
            badge.contains("&lt;/text&gt;&lt;script&gt;") && !badge.contains("<script"),
            "{badge}"
        );
    }
}
