//! Open License Protocol: license tokens from receipts of sales. Errors are those of OAuth 2.0.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::gateway::wire::{Problem, sale::SaleReceipt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::extract::MAX_BODY_BYTES;
use crate::{
    App,
    error::GatewayError,
    sale::{LicenseClaims, LicenseError, Sales, TokenRefusal},
};

/// Request of a license token. The client authenticates by HTTP basic authentication: its identifier is
/// the payer's address, its secret the receipt, as in the header `motif-receipt`.
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `client_credentials`.
    grant_type: String,
    /// Address of the work.
    resource: String,
}

/// A license token.
#[derive(Serialize, ToSchema)]
pub struct LicenseToken {
    /// The token, for `Authorization: License`.
    access_token: String,
    /// `License`.
    token_type: String,
    /// Seconds until the token expires.
    expires_in: i64,
}

/// Request of the state of a license token.
#[derive(Deserialize, ToSchema)]
pub struct IntrospectionRequest {
    /// The token.
    token: String,
    /// Address of the work that it has to license; absent for any.
    resource: Option<String>,
}

/// State of a license token.
#[derive(Serialize, ToSchema)]
pub struct Introspection {
    /// Whether it is valid, and licenses the work.
    active: bool,
    /// `License`; absent if it is not active.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<String>,
    /// What it states; absent if it is not active.
    #[serde(flatten)]
    claims: Option<LicenseClaims>,
}

/// Error of OAuth 2.0.
#[derive(Serialize, ToSchema)]
pub struct OauthError {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `invalid_target` or
    /// `unsupported_grant_type`.
    error: &'static str,
    /// What is wrong, and what was expected.
    error_description: &'static str,
}

/// Why a request has no response.
pub enum OlpError {
    /// It is refused.
    Oauth(OauthError),
    /// Another reason.
    Gateway(GatewayError),
}

/// Issues a license token of the Open License Protocol to the payer of a sale, until an hour after it.
#[utoipa::path(
    post, operation_id = "issue_license_token",
    path = "/olp/token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = LicenseToken),
        (status = 400, body = OauthError),
        (status = 401, body = OauthError),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn token(State(app): State<App>, request: Request) -> Result<Response, OlpError> {
    let sales = sales(&app)?.clone();
    let client = client(request.headers());
    let form: TokenRequest = form(request).await?;
    if form.grant_type != "client_credentials" {
        let error = "unsupported_grant_type";
        return Err(refusal(error, "expected the grant type `client_credentials`"));
    }
    let (payer, receipt) = client.ok_or_else(|| OlpError::from(TokenRefusal::InvalidClient))?;
    let issued = sales.issue_license(&payer, &receipt, form.resource.trim()).await;
    let (access_token, claims) = issued.map_err(|error| match error {
        LicenseError::Refused(refusal) => refusal.into(),
        LicenseError::Gateway(error) => OlpError::Gateway(error),
    })?;
    let token_type = "License".to_owned();
    let token = LicenseToken { access_token, token_type, expires_in: claims.exp - claims.iat };
    let no_store = HeaderValue::from_static("no-store");
    Ok(([(CACHE_CONTROL, no_store)], Json(token)).into_response())
}

/// Shows whether a license token is valid, and what it states.
#[utoipa::path(
    post, operation_id = "introspect_license_token",
    path = "/olp/introspect",
    request_body(content = IntrospectionRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = Introspection),
        (status = 400, body = OauthError),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn introspect(
    State(app): State<App>,
    request: Request,
) -> Result<Json<Introspection>, OlpError> {
    let sales = sales(&app)?.clone();
    let form: IntrospectionRequest = form(request).await?;
    let licenses = |claims: &LicenseClaims| {
        form.resource.as_ref().is_none_or(|work| claims.aud.to_string() == work.trim())
    };
    let claims = sales.license(form.token.trim()).filter(licenses);
    let token_type = claims.as_ref().map(|_| "License".to_owned());
    Ok(Json(Introspection { active: claims.is_some(), token_type, claims }))
}

fn sales(app: &App) -> Result<&Arc<Sales>, OlpError> {
    app.sales.as_ref().ok_or(OlpError::Gateway(GatewayError::NotFound))
}

/// Returns the payer and the receipt of HTTP basic authentication.
fn client(headers: &HeaderMap) -> Option<(String, SaleReceipt)> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
    let (payer, receipt) = text.split_once(':')?;
    Some((payer.to_owned(), SaleReceipt::from_header(receipt).ok()?))
}

async fn form<T: DeserializeOwned>(mut request: Request) -> Result<T, OlpError> {
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    let read = Form::from_request(request, &()).await;
    let malformed = |_| refusal("invalid_request", "expected a form with all required fields");
    read.map(|Form(form)| form).map_err(malformed)
}

fn refusal(error: &'static str, error_description: &'static str) -> OlpError {
    OlpError::Oauth(OauthError { error, error_description })
}

impl From<TokenRefusal> for OlpError {
    fn from(refused: TokenRefusal) -> Self {
        match refused {
            TokenRefusal::InvalidClient => {
                refusal("invalid_client", "expected the payer and a receipt of this operator")
            }
            TokenRefusal::InvalidGrant => {
                refusal("invalid_grant", "expected a receipt of the last hour")
            }
            TokenRefusal::InvalidTarget => {
                refusal("invalid_target", "expected the address of the work in the receipt")
            }
        }
    }
}

impl IntoResponse for OlpError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Oauth(error) => error,
            Self::Gateway(error) => return error.into_response(),
        };
        let is_client = error.error == "invalid_client";
        let status = if is_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let mut response = (status, Json(error)).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_client {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"olp\""));
        }
        response
    }
}
