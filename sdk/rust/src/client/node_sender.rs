use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::{
    client_error::{self, Error as ClientError, ErrorKind},
    request::{RpcError, RpcRequest, RpcResponseErrorData},
};
use tokio::time::{Instant, sleep};

use super::RateLimit;
use crate::http;

/// JSON-RPC error code of a transaction that fails in simulation.
const PREFLIGHT_FAILURE: i64 = -32_002;
/// JSON-RPC error code of a node that is behind its cluster.
const NODE_UNHEALTHY: i64 = -32_005;

/// Time limit of one attempt.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Pauses between attempts; [`NodeSender::patience`] limits their number.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(200))
    .with_max_delay(Duration::from_secs(4))
    .with_jitter()
    .without_max_times();

/// JSON-RPC requests to one node over HTTP.
///
/// A request is repeated while the node fails in a way that passes: status 408, 429, 502, 503 or 504, a
/// closed connection, no response in time, an invalid response, or a node behind its cluster.
/// Pauses double, with jitter, up to four seconds, or are those of `retry-after`. A transaction or
/// an airdrop is repeated only if it has not reached the node; [`Client::send`] reads the status of
/// the others. A refused connection is repeated only if the node has responded before, so that a wrong URL is
/// reported at once.
///
/// [`Client::send`]: super::Client::send
pub struct NodeSender {
    http: reqwest::Client,
    url: String,
    limit: Arc<RateLimit>,
    patience: Duration,
    requests: AtomicU64,
    has_responded: AtomicBool,
}

/// Failed attempt.
struct Failure {
    error: ClientError,
    /// Whether a later attempt may succeed.
    is_temporary: bool,
    /// Whether the node has certainly not acted on the request.
    was_not_taken: bool,
    /// Pause that the node asks for.
    pause: Option<Duration>,
    /// Whether the node limits the rate of requests.
    is_limit: bool,
}

impl NodeSender {
    /// Default of [`NodeSender::patience`].
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// Creates a sender to the node at `url`, without connecting to it.
    pub fn new(url: &str) -> Self {
        Self {
            // Fails only if the system resolver cannot be set up.
            http: http::client_builder().timeout(TIMEOUT).build().unwrap_or_default(),
            url: url.to_owned(),
            limit: Arc::default(),
            patience: Self::PATIENCE,
            requests: AtomicU64::default(),
            has_responded: AtomicBool::default(),
        }
    }

    /// Sets how long a request is repeated. Pauses of rate limits, at most [`RateLimit::MAX`] in sum, are not
    /// counted. Zero: every request is sent once. Default: 30 seconds.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets the rate limit that a 429 begins, for a caller that has other nodes.
    pub fn rate_limit(self, limit: Arc<RateLimit>) -> Self {
        Self { limit, ..self }
    }

    async fn attempt(&self, request: &RpcRequest, body: &Value) -> Result<Value, Failure> {
        let response = self.http.post(&self.url).json(body).send().await?;
        self.has_responded.store(true, Ordering::Relaxed);
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let pause = self.limit.begin(retry_after(&response));
            let text = format!("the node limits requests for {} s", pause.as_secs());
            return Err(Failure {
                error: RpcError::ForUser(text).into(),
                is_temporary: true,
                was_not_taken: true,
                pause: Some(pause),
                is_limit: true,
            });
        }
        if let 408 | 502..=504 = status.as_u16() {
            let text = format!("the node returned HTTP status {status}");
            let failure = Failure::temporary(RpcError::ForUser(text).into());
            return Err(Failure { pause: retry_after(&response), ..failure });
        }
        let response = response.error_for_status().map_err(|error| Failure::last(error.into()))?;
        let body = read_bounded(response, max_bytes(request)).await?;
        let answer = serde_json::from_slice(&body);
        let mut answer: Value = answer.map_err(|error| Failure::temporary(error.into()))?;
        match &answer["error"] {
            Value::Null => Ok(answer["result"].take()),
            error => {
                let is_temporary = error["code"].as_i64() == Some(NODE_UNHEALTHY);
                let last = Failure::last(rejection(error).into());
                Err(Failure { is_temporary, ..last })
            }
        }
    }

    /// Returns whether a request is sent again after this failure.
    fn repeats(&self, request: &RpcRequest, failure: &Failure) -> bool {
        let acts = matches!(request, RpcRequest::SendTransaction | RpcRequest::RequestAirdrop);
        let is_absent =
            is_unconnected(&failure.error) && !self.has_responded.load(Ordering::Relaxed);
        failure.is_temporary && !is_absent && (!acts || failure.was_not_taken)
    }
}

impl Failure {
    /// A failure that every attempt meets.
    fn last(error: ClientError) -> Self {
        Self { error, is_temporary: false, was_not_taken: true, pause: None, is_limit: false }
    }

    /// A failure that passes, of a request that may have reached the node.
    fn temporary(error: ClientError) -> Self {
        Self { error, is_temporary: true, was_not_taken: false, pause: None, is_limit: false }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let was_not_taken = error.is_connect();
        Self { was_not_taken, ..Self::temporary(error.into()) }
    }
}

/// Returns whether no connection to the node was made.
pub(super) fn is_unconnected(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Reqwest(error) if error.is_connect())
}

#[async_trait]
impl RpcSender for NodeSender {
    async fn send(&self, request: RpcRequest, params: Value) -> client_error::Result<Value> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let body = request.build_request_json(id, params);
        let (began, mut limited) = (Instant::now(), Duration::ZERO);
        let mut pauses = BACKOFF.build();
        let mut attempts = 1_u32;
        loop {
            let failure = match self.attempt(&request, &body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let pause = failure.pause.or_else(|| pauses.next()).unwrap_or_default();
            if failure.is_limit {
                limited = limited.saturating_add(pause);
            }
            let until = self.patience.saturating_add(limited);
            let is_over =
                limited > RateLimit::MAX || began.elapsed().saturating_add(pause) >= until;
            if self.patience.is_zero() || is_over || !self.repeats(&request, &failure) {
                return Err(given_up(failure.error, attempts, began.elapsed()));
            }
            sleep(pause).await;
            attempts = attempts.saturating_add(1);
        }
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        self.url.clone()
    }
}

/// Returns the error of a request that is not sent again. Rejections and refused connections keep their kind.
fn given_up(error: ClientError, attempts: u32, elapsed: Duration) -> ClientError {
    let keeps_kind = matches!(error.kind(), ErrorKind::RpcError(RpcError::RpcResponseError { .. }))
        || is_unconnected(&error);
    if attempts == 1 || keeps_kind {
        return error;
    }
    let reason = reason(&error);
    let text = format!("{reason} ({attempts} attempts in {} s)", elapsed.as_secs());
    RpcError::ForUser(text).into()
}

/// Returns an error's text with that of its deepest cause, which the error of an HTTP request leaves out.
pub(super) fn reason(error: &ClientError) -> String {
    let ErrorKind::Reqwest(http) = error.kind() else { return error.to_string() };
    let Some(mut cause) = http.source() else { return http.to_string() };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{http}: {cause}")
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
async fn read_bounded(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_bytes {
            let text = format!("the node's response has more than {max_bytes} bytes");
            return Err(Failure::last(RpcError::ForUser(text).into()));
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

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        sync::atomic::AtomicUsize,
    };

    use solana_commitment_config::CommitmentConfig;
    use solana_pubkey::Pubkey;
    use solana_rpc_client::{nonblocking::rpc_client::RpcClient, rpc_client::RpcClientConfig};

    use super::*;
    use crate::{Error, client::Client};

    const ABSENT: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"context":{"slot":1},"value":null}}"#;

    /// What a scripted node does with one request.
    #[derive(Clone)]
    enum Step {
        Answer,
        /// Status and further header lines, with a load balancer's HTML.
        Status(u16, &'static str),
        /// The connection is closed without a response.
        Close,
        /// JSON of an error or of a broken response.
        Body(&'static str),
    }

    /// Starts a node that takes the first steps once and repeats the last one. Returns its URL and the number of
    /// its requests.
    fn node(steps: &[Step]) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (steps, asked) = (steps.to_vec(), Arc::new(AtomicUsize::new(0)));
        let counter = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                read_request(&mut stream);
                let number = counter.fetch_add(1, Ordering::Relaxed);
                let (status, header, body) = match &steps[number.min(steps.len() - 1)] {
                    Step::Close => continue,
                    Step::Answer => (200, "", ABSENT),
                    Step::Body(body) => (200, "", *body),
                    Step::Status(status, header) => (*status, *header, "<html>sorry</html>"),
                };
                let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n{header}");
                let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (url, asked)
    }

    fn read_request(stream: &mut TcpStream) {
        let (mut text, mut buffer) = (String::new(), [0; 4_096]);
        loop {
            let length = stream.read(&mut buffer).unwrap_or(0);
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_lowercase();
            let announced = head.split_once("content-length: ").unwrap().1;
            let announced: usize = announced.lines().next().unwrap().parse().unwrap();
            if length == 0 || body.len() >= announced {
                return;
            }
        }
    }

    fn client(url: &str, patience: Duration) -> Client {
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        let sender = NodeSender::new(url).patience(patience);
        Client::from_rpc(RpcClient::new_sender(sender, config))
    }

    #[tokio::test]
    async fn failures_that_pass_are_repeated() {
        for failure in [
            Step::Status(502, ""),
            Step::Status(503, ""),
            Step::Status(504, ""),
            Step::Status(503, "retry-after: 1\r\n"),
            Step::Status(429, "retry-after: 1\r\n"),
            Step::Close,
            Step::Body("<html>busy</html>"),
            Step::Body(r#"{"error":{"code":-32005,"message":"Node is behind by 42 slots"}}"#),
        ] {
            let (url, asked) = node(&[failure.clone(), failure, Step::Answer]);
            let read = client(&url, NodeSender::PATIENCE).account(&Pubkey::default()).await;
            assert_eq!((read.unwrap(), asked.load(Ordering::Relaxed)), (None, 3));
        }
    }

    #[tokio::test]
    async fn failed_read_is_no_missing_account() {
        let (url, asked) = node(&[Step::Status(503, "")]);
        let client = client(&url, Duration::from_secs(1));
        let read = client.work(&Pubkey::default()).await.unwrap_err();
        let Error::Transport(_) = &read else { panic!("{read}") };
        let text = read.to_string();
        assert!(!text.contains("NotFound"), "{text}");
        let parts = ["node failed", "getAccountInfo", "503", "attempts in"];
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        assert!((2..20).contains(&asked.load(Ordering::Relaxed)), "{asked:?}");
    }

    #[tokio::test]
    async fn lasting_failures_are_not_repeated() {
        let invalid = r#"{"error":{"code":-32602,"message":"Invalid params"}}"#;
        for failure in [Step::Status(403, ""), Step::Status(401, ""), Step::Body(invalid)] {
            let (url, asked) = node(&[failure]);
            let read = client(&url, NodeSender::PATIENCE).account(&Pubkey::default()).await;
            read.unwrap_err();
            assert_eq!(asked.load(Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn absent_node_is_reported_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let began = Instant::now();
        let read = client(&url, NodeSender::PATIENCE).account(&Pubkey::default()).await;
        let text = read.unwrap_err().to_string();
        assert!(began.elapsed() < Duration::from_secs(5) && text.contains("refused"), "{text}");
    }

    #[tokio::test]
    async fn sent_transaction_is_not_repeated() {
        for (failure, attempts) in [(Step::Close, 1), (Step::Status(504, ""), 1)] {
            let (url, asked) = node(&[failure, Step::Answer]);
            let sender = NodeSender::new(&url);
            let sent = sender.send(RpcRequest::SendTransaction, serde_json::json!(["AA=="])).await;
            sent.unwrap_err();
            assert_eq!(asked.load(Ordering::Relaxed), attempts);
        }
        let (url, asked) = node(&[Step::Status(429, ""), Step::Answer]);
        let sent =
            NodeSender::new(&url).send(RpcRequest::SendTransaction, serde_json::json!([])).await;
        assert_eq!((sent.is_ok(), asked.load(Ordering::Relaxed)), (true, 2));
    }

    #[tokio::test]
    async fn sender_without_patience_sends_once() {
        for failure in [Step::Status(503, ""), Step::Status(429, ""), Step::Close] {
            let (url, asked) = node(&[failure]);
            client(&url, Duration::ZERO).account(&Pubkey::default()).await.unwrap_err();
            assert_eq!(asked.load(Ordering::Relaxed), 1);
        }
    }
}
