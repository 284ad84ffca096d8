use std::time::Duration;

use axum::{
    BoxError, Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use motif_sdk::gateway::wire::ReceiptParts;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    callers::Caller,
    detached::detached,
    headers,
    problem::PayerError,
    purchase::{Answer, HEAD_WITHIN, PaidBody, Purchase},
    target::Target,
};

/// Asks for the price instead of the answer: `true`.
const DRY_RUN: HeaderName = HeaderName::from_static("motif-dry-run");
/// Maximum cost of the answer, base units.
const MAX_COST: HeaderName = HeaderName::from_static("motif-max-cost");

/// Time in which the parts of a stream leave before its connection is broken.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// Fetches the URL that the path names, and pays for the answer.
pub async fn forward(
    State(app): State<App>,
    caller: Caller,
    Extension(gone): Extension<CancellationToken>,
    request: Request,
) -> Result<Response, PayerError> {
    let settings = &app.service.settings.proxy;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = Target::from_path(path, &settings.private_targets)?;
    let (parts, body) = request.into_parts();
    let mut headers = parts.headers;
    let is_dry_run = match own(&headers, &DRY_RUN)? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(PayerError::header(DRY_RUN, "`true` or `false`")),
    };
    let invalid = |_| PayerError::header(MAX_COST, "a number of base units");
    let max_cost = own(&headers, &MAX_COST)?.map(str::parse).transpose().map_err(invalid)?;
    headers::strip_for_target(&mut headers);
    let max = settings.max_request_bytes;
    let body = to_bytes(body, max).await.map_err(|_| PayerError::BodyTooLarge(max))?;
    let method = parts.method;
    let (shown, of) = (target.shown(), caller.clone());
    let purchase = Purchase { method, target, headers, body, caller, max_cost, is_dry_run, gone };
    let bought = app.service.buy(purchase).await.inspect_err(|error| {
        tracing::warn!(caller = %of, request = %shown, error = error.slug(), "not bought");
    });
    response(bought?, app.url.as_deref())
}

fn own<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, PayerError> {
    let text = headers.get(name).map(|value| value.to_str());
    text.transpose().map_err(|_| PayerError::header(name, "visible ASCII"))
}

fn response(answer: Answer, url: Option<&str>) -> Result<Response, PayerError> {
    match answer {
        Answer::Unpaid(response) => Ok(passed_on(response)),
        Answer::Redirect(status, to) => {
            // Through the proxy again, so that the client sends its token nowhere else.
            let location = format!("{}/{to}", url.unwrap_or_default());
            let location = HeaderValue::try_from(location).map_err(|_| PayerError::Internal)?;
            Ok((status, [(header::LOCATION, location)]).into_response())
        }
        Answer::Refused { status, kind, body } => Ok(whole(status, &kind, Bytes::from_owner(body))),
        Answer::Paid { status, kind, body, receipt } => {
            let mut response = whole(status, &kind, body.into());
            let receipt = ReceiptParts::from(&*receipt).to_header();
            if let Ok(receipt) = HeaderValue::try_from(receipt) {
                response.headers_mut().insert(ReceiptParts::HEADER, receipt);
            }
            Ok(response)
        }
        Answer::Stream(body) => Ok(streamed(*body)),
        Answer::Offer(offer) => Ok(axum::Json(offer).into_response()),
    }
}

/// Returns an answer as it came, while it comes.
fn passed_on(response: reqwest::Response) -> Response {
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers::strip_for_client(&mut headers);
    let chunks = stream::unfold(Some(response), async |response| {
        let mut response = response?;
        match timeout(HEAD_WITHIN, response.chunk()).await {
            Ok(Ok(Some(chunk))) => Some((Ok(chunk), Some(response))),
            Ok(Ok(None)) => None,
            Ok(Err(error)) => Some((Err(BoxError::from(error)), None)),
            Err(error) => Some((Err(error.into()), None)),
        }
    });
    let mut passed = Response::new(Body::from_stream(chunks));
    (*passed.status_mut(), *passed.headers_mut()) = (status, headers);
    passed
}

fn whole(status: u16, kind: &str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    with_kind(response, kind)
}

/// Returns a stream whose parts are paid for as the client reads them. An error breaks the connection, so
/// that no client takes the stream for complete.
fn streamed(body: PaidBody) -> Response {
    let kind = body.kind().to_owned();
    let parts = stream::unfold(Some(body), async |body| {
        let mut body = body?;
        // Nothing is paid meanwhile: a client that leaves frees the stream's place.
        body.wait().await;
        // A part that is being paid for is paid for with its reservation, also for a client that is gone.
        let next = detached(async move { (body.next().await, body) }).await;
        match next {
            Ok((Ok(Some(part)), body)) => Some((Ok(Bytes::from(part.body)), Some(body))),
            Ok((Ok(None), _)) => None,
            Ok((Err(error), body)) => {
                let caller = body.caller();
                tracing::warn!(%caller, error = error.slug(), "stream ended early");
                // The connection breaks at once, also if paid parts are still in its buffer.
                sleep(FLUSH_WITHIN).await;
                Some((Err(error), None))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    with_kind(Response::new(Body::from_stream(parts)), &kind)
}

fn with_kind(mut response: Response, kind: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::try_from(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
