use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio_util::sync::CancellationToken;

use crate::{
    api, app::App, callers::Caller, connections::OpenConnection, detached::detached, page,
    problem::PayerError, proxy,
};

/// Returns the routes of a service: its interface, its pages, and the proxy for every other path.
pub fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(page::show))
        .layer(from_fn_with_state(app.clone(), authenticate_browser));
    let own = Router::new()
        .route("/v1/pay", post(api::pay))
        .route("/v1/holds", post(api::hold))
        .route("/v1/captures", post(api::capture))
        .route("/v1/releases", post(api::release))
        .route("/v1/receipts", get(api::receipts))
        .route("/v1/channels", get(api::channels))
        .route("/v1/budgets", get(api::budgets))
        .route("/v1/exchanges", get(api::exchanges))
        .route("/metrics", get(api::metrics))
        .fallback(proxy::forward)
        .layer(from_fn_with_state(app.clone(), authenticate));
    let open =
        Router::new().route("/healthz", get(api::health)).route("/page.css", get(page::style));
    open.merge(pages)
        .merge(own)
        .layer(from_fn(run_to_the_end))
        .layer(from_fn_with_state(app.clone(), check_host))
        .with_state(app)
}

async fn authenticate(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, PayerError> {
    let caller = app.callers.take(request.headers_mut())?;
    note_caller(&request);
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Browsers send the token as a password, to pages that change nothing only.
async fn authenticate_browser(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, PayerError> {
    let taken = app.callers.of_browser(request.headers());
    let caller = taken.map_or_else(|| app.callers.take(request.headers_mut()), Ok)?;
    note_caller(&request);
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn note_caller(request: &Request) {
    if let Some(open) = request.extensions().get::<Arc<OpenConnection>>() {
        open.note_caller();
    }
}

/// Finishes a request whose client has disconnected, so that budgets and receipts are complete. Its extension
/// is cancelled then, for what need not be finished.
async fn run_to_the_end(mut request: Request, next: Next) -> Response {
    let gone = CancellationToken::new();
    request.extensions_mut().insert(gone.clone());
    let _present = gone.drop_guard();
    let ran = detached(next.run(request)).await;
    ran.unwrap_or_else(IntoResponse::into_response)
}

/// Rejects requests that a browser was led to by another name of this machine.
async fn check_host(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, PayerError> {
    if app.url.is_some() && !is_own_host(request.headers()) {
        return Err(PayerError::OtherHost);
    }
    Ok(next.run(request).await)
}

fn is_own_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let ip = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = PayerError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PayerError> {
        parts.extensions.get::<Self>().cloned().ok_or(PayerError::Unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_host_is_rejected() {
        let fits = |host: &str| {
            is_own_host(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]))
        };
        assert!(["127.0.0.1:8792", "localhost", "LOCALHOST:1", "[::1]:8792"].into_iter().all(fits));
        for other in ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", ""] {
            assert!(!fits(other), "{other}");
        }
        assert!(!is_own_host(&HeaderMap::new()));
    }
}
