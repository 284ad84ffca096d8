use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use motif_sdk::client::{Client, NodeSender, PriorityFee, RateLimit};
use parking_lot::Mutex;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::{nonblocking::rpc_client::RpcClient, rpc_client::RpcClientConfig};

use super::Endpoint;

/// Backoff after a node's first failure, doubled after each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Minimum backoff as a multiple of the time in which the node did not respond.
const BACKOFF_OF_WAIT: u32 = 6;

/// Status of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Scheme and host, without secrets.
    pub host: String,
    /// Number of requests.
    pub requests: u64,
    /// Number of failed requests.
    pub failures: u64,
    /// Number of responses behind the highest slot seen.
    pub behind: u64,
    /// Whether the node is in backoff after a failure, or allows no requests for a time.
    pub is_in_backoff: bool,
}

/// JSON-RPC node of the cluster, with its status.
pub(super) struct Node {
    pub client: Client,
    endpoint: Endpoint,
    requests: AtomicU64,
    failures: AtomicU64,
    behind: AtomicU64,
    backoff: Mutex<Backoff>,
    limit: Arc<RateLimit>,
}

/// Time for which other nodes are preferred.
#[derive(Clone, Copy, Default)]
struct Backoff {
    until: Option<Instant>,
    /// Zero while the node answers.
    duration: Duration,
}

impl Node {
    /// Creates access to a node. `priority_fee` is that of transactions which the client builds.
    pub fn new(rpc_url: &str, priority_fee: PriorityFee) -> Self {
        let limit = Arc::new(RateLimit::default());
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        // Another node is asked instead of this one again.
        let sender = NodeSender::new(rpc_url).patience(Duration::ZERO).rate_limit(limit.clone());
        let rpc = RpcClient::new_sender(sender, config);
        Self {
            client: Client::from_rpc(rpc).priority_fee(priority_fee),
            limit,
            endpoint: Endpoint::new(rpc_url),
            requests: AtomicU64::default(),
            failures: AtomicU64::default(),
            behind: AtomicU64::default(),
            backoff: Mutex::default(),
        }
    }

    /// Returns a client's error text without the secrets of the node's URL.
    pub fn scrub(&self, text: &str) -> String {
        self.endpoint.scrub(text)
    }

    /// Counts a request. Returns when it began.
    pub fn count_request(&self) -> Instant {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Instant::now()
    }

    /// Records a response, which may be a rejection.
    pub fn record_response(&self) {
        let mut backoff = self.backoff.lock();
        if !backoff.duration.is_zero() {
            tracing::info!(node = ?self.endpoint, "node recovered");
            *backoff = Backoff::default();
        }
    }

    /// Records that a request which began at `asked` failed. Returns the reason without secrets. A node that was
    /// waited for is avoided longer than one that refuses connections.
    pub fn record_failure(&self, reason: &str, asked: Instant) -> String {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let reason = self.scrub(reason);
        let mut backoff = self.backoff.lock();
        if backoff.duration.is_zero() {
            tracing::warn!(node = ?self.endpoint, reason, "node failed");
        }
        let waited = asked.elapsed().saturating_mul(BACKOFF_OF_WAIT);
        let duration = (backoff.duration * 2).max(waited).clamp(FIRST_BACKOFF, MAX_BACKOFF);
        *backoff = Backoff { until: Some(Instant::now() + duration), duration };
        format!("{:?}: {reason}", self.endpoint)
    }

    /// Records a response behind the highest slot seen. Returns the reason.
    pub fn record_behind(&self) -> String {
        self.behind.fetch_add(1, Ordering::Relaxed);
        format!("{:?}: is behind", self.endpoint)
    }

    /// Returns whether the node allows no requests for a time.
    pub fn is_limited(&self) -> bool {
        self.limit.is_active()
    }

    /// Returns whether the node is in backoff.
    pub fn is_in_backoff(&self) -> bool {
        self.is_limited() || self.backoff.lock().until.is_some_and(|until| Instant::now() < until)
    }

    /// Returns the node's status.
    pub fn status(&self) -> NodeStatus {
        NodeStatus {
            host: format!("{:?}", self.endpoint),
            requests: self.requests.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            behind: self.behind.load(Ordering::Relaxed),
            is_in_backoff: self.is_in_backoff(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_until_node_answers() {
        let node = Node::new("http://127.0.0.1:9", PriorityFee::Off);
        assert!(!node.is_in_backoff());
        let duration = || node.backoff.lock().duration;
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            node.record_failure("away", Instant::now());
            assert_eq!((node.is_in_backoff(), duration().as_secs()), (true, expected));
        }
        node.record_response();
        assert_eq!((node.is_in_backoff(), node.status().failures), (false, 8));
    }

    #[test]
    fn hanging_node_is_avoided_for_a_minute() {
        let node = Node::new("http://127.0.0.1:9", PriorityFee::Off);
        let asked = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        node.record_failure("no response within 10 s", asked);
        assert_eq!(node.backoff.lock().duration, MAX_BACKOFF);
    }

    #[test]
    fn failure_hides_url_secrets() {
        let node = Node::new("https://rpc.example/v2/canary-canary", PriorityFee::Off);
        let text = node.record_failure(
            "error sending request for url (https://rpc.example/v2/canary-canary)",
            Instant::now(),
        );
        assert!(text.starts_with("https://rpc.example: ") && !text.contains("canary"), "{text}");
        assert_eq!(node.status().host, "https://rpc.example");
    }
}
