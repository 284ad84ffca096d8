use std::task::Poll;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use motif_sdk::{
    gateway::{
        IdempotencyKey,
        wire::{BatchReceipts, ReceiptParts},
    },
    receipt::SignedReceipt,
};
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use super::History;

/// Repeats a request until it gets a response.
pub async fn resolve(service: Router, history: &History, number: usize) {
    history.count(|counts| counts.retried += 1);
    deliver(service, history, number, None).await;
}

/// Sends a request and records its response; returns whether it was served. With `polls`, the
/// sender disconnects after this number of polls; returns `None` then.
pub async fn deliver(
    service: Router,
    history: &History,
    number: usize,
    polls: Option<u32>,
) -> Option<bool> {
    let asked = history.asked(number);
    history.count(|counts| counts.requests += 1);
    let request = post(&asked.path, asked.key.as_deref(), asked.body);
    let mut call = Box::pin(service.oneshot(request));
    let mut response = None;
    for _ in 0..polls.unwrap_or(0) {
        if let Poll::Ready(ready) = futures::poll!(&mut call) {
            response = Some(ready.unwrap());
            break;
        }
        tokio::task::yield_now().await;
    }
    let response = match (response, polls) {
        (Some(response), _) => response,
        (None, None) => call.await.unwrap(),
        (None, Some(_)) => {
            drop(call);
            history.count(|counts| counts.dropped += 1);
            return None;
        }
    };
    let receipts = match asked.path.ends_with("/batches") {
        true => answer::<BatchReceipts>(response).await.map(|answer| answer.receipts),
        false => answer::<ReceiptParts>(response).await.map(|one| vec![one]),
    };
    match receipts {
        Ok(receipts) => {
            history.receipts(number, receipts.iter().map(SignedReceipt::from).collect());
            Some(true)
        }
        Err(status) if status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE => {
            history.refused(number);
            Some(false)
        }
        Err(status) => {
            history.broke(format!("request {number} was answered with {status}"));
            history.refused(number);
            Some(false)
        }
    }
}

/// Returns a JSON request, with an idempotency key if there is one.
pub fn post(path: &str, key: Option<&str>, body: Vec<u8>) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header(IdempotencyKey::HEADER, key);
    }
    request.body(Body::from(body)).unwrap()
}

/// Returns the receipts of a response, or the status of a problem.
pub async fn answer<T: DeserializeOwned>(
    response: axum::response::Response,
) -> Result<T, StatusCode> {
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    if !status.is_success() {
        return Err(status);
    }
    Ok(serde_json::from_slice(&body).unwrap())
}
