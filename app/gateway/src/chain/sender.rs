use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::{
    client_error,
    request::{RpcError, RpcRequest, RpcResponseErrorData},
};

use super::rate_limit::RateLimit;

/// Error code of a transaction that fails in simulation.
const PREFLIGHT_FAILURE: i64 = -32_002;

/// Time limit of requests that the SDK's client sends.
const TIMEOUT: Duration = Duration::from_secs(30);

/// JSON-RPC requests to one node over HTTP.
///
/// A 429 ends a request and pauses the node: the stock sender sleeps within the request, so that
/// other nodes are not asked.
pub(super) struct NodeSender {
    client: reqwest::Client,
    url: String,
    limit: Arc<RateLimit>,
    requests: AtomicU64,
}

impl NodeSender {
    /// Creates a sender that pauses `limit` when the node limits the rate of requests.
    pub fn new(url: &str, limit: Arc<RateLimit>) -> Self {
        // Every other request has a shorter limit of its own.
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
        Self { client, url: url.to_owned(), limit, requests: AtomicU64::default() }
    }
}

#[async_trait]
impl RpcSender for NodeSender {
    async fn send(&self, request: RpcRequest, params: Value) -> client_error::Result<Value> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let body = request.build_request_json(id, params);
        let response = self.client.post(&self.url).json(&body).send().await?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let pause = self.limit.begin(retry_after(&response));
            let limited = format!("the node limits requests for {} s", pause.as_secs());
            return Err(RpcError::ForUser(limited).into());
        }
        let body = read_bounded(response.error_for_status()?, max_bytes(&request)).await?;
        let mut answer: Value = serde_json::from_slice(&body)?;
        match &answer["error"] {
            Value::Null => Ok(answer["result"].take()),
            error => Err(rejection(error).into()),
        }
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        self.url.clone()
    }
}

/// Returns the maximum size of a node's response, bytes.
fn max_bytes(request: &RpcRequest) -> usize {
    match request {
        // All works of a cluster.
        RpcRequest::GetProgramAccounts => 256 << 20,
        _ => 16 << 20,
    }
}

/// Reads a body of at most `max_bytes`: a failing node does not fill this process's memory.
async fn read_bounded(mut response: Response, max_bytes: usize) -> client_error::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            let text = format!("the node's response has more than {max_bytes} bytes");
            return Err(RpcError::ForUser(text).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    header.trim().parse().ok().map(Duration::from_secs)
}

/// Returns a node's error, with the result of the simulation if that failed.
fn rejection(error: &Value) -> RpcError {
    let code = error["code"].as_i64().unwrap_or_default();
    let message = error["message"].as_str().unwrap_or("the node returned an error").to_owned();
    let simulated = (code == PREFLIGHT_FAILURE)
        .then(|| serde_json::from_value(error["data"].clone()).ok())
        .flatten();
    let data = simulated.map_or(RpcResponseErrorData::Empty, |simulated| {
        RpcResponseErrorData::SendTransactionPreflightFailure(simulated)
    });
    RpcError::RpcResponseError { code, message, data }
}
