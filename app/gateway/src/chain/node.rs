use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use motif_sdk::client::Client;

use super::Endpoint;

/// After a node's first failure; doubled with each that follows.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How one node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStanding {
    /// Scheme and host; never a provider's key.
    pub host: String,
    /// Questions it was asked.
    pub asked: u64,
    /// Those it did not answer.
    pub failed: u64,
    /// Answers that were older than what was known already.
    pub behind: u64,
    /// Whether it has failed lately and is asked last.
    pub is_resting: bool,
}

/// One JSON-RPC node of the cluster, and how it did so far.
pub(super) struct Node {
    pub client: Client,
    endpoint: Endpoint,
    asked: AtomicU64,
    failed: AtomicU64,
    behind: AtomicU64,
    rest: Mutex<Rest>,
}

/// For how long others are asked first.
#[derive(Clone, Copy, Default)]
struct Rest {
    until: Option<Instant>,
    /// Zero while the node answers.
    lasts: Duration,
}

impl Node {
    pub fn new(rpc_url: &str) -> Self {
        Self {
            client: Client::new(rpc_url),
            endpoint: Endpoint::new(rpc_url),
            asked: AtomicU64::default(),
            failed: AtomicU64::default(),
            behind: AtomicU64::default(),
            rest: Mutex::default(),
        }
    }

    /// A text of a client about this node, without what its URL hides: clients quote it whole.
    pub fn scrub(&self, text: &str) -> String {
        self.endpoint.scrub(text)
    }

    /// The node will be asked something.
    pub fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// It has answered, if only with a refusal.
    pub fn answered(&self) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if !rest.lasts.is_zero() {
            tracing::info!(node = ?self.endpoint, "the node answers again");
            *rest = Rest::default();
        }
    }

    /// It has not; returns why, as it may be shown.
    pub fn failed(&self, reason: &str) -> String {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let reason = self.scrub(reason);
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if rest.lasts.is_zero() {
            tracing::warn!(node = ?self.endpoint, reason, "the node does not answer");
        }
        let lasts = (rest.lasts * 2).clamp(FIRST_REST, LONGEST_REST);
        *rest = Rest { until: Some(Instant::now() + lasts), lasts };
        format!("{:?}: {reason}", self.endpoint)
    }

    /// It has answered from a slot before one that was heard of already.
    pub fn is_behind(&self) -> String {
        self.behind.fetch_add(1, Ordering::Relaxed);
        format!("{:?}: is behind", self.endpoint)
    }

    pub fn is_resting(&self) -> bool {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.until.is_some_and(|until| Instant::now() < until)
    }

    pub fn standing(&self) -> NodeStanding {
        NodeStanding {
            host: format!("{:?}", self.endpoint),
            asked: self.asked.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            behind: self.behind.load(Ordering::Relaxed),
            is_resting: self.is_resting(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_fails_rests_longer_each_time_and_not_once_it_answers() {
        let node = Node::new("http://127.0.0.1:9");
        assert!(!node.is_resting());
        let lasts = || node.rest.lock().unwrap().lasts;
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            node.failed("away");
            assert_eq!((node.is_resting(), lasts().as_secs()), (true, expected));
        }
        node.answered();
        assert_eq!((node.is_resting(), node.standing().failed), (false, 8));
    }

    #[test]
    fn a_providers_key_is_not_shown_when_its_node_fails() {
        let node = Node::new("https://rpc.example/v2/canary-canary");
        let said =
            node.failed("error sending request for url (https://rpc.example/v2/canary-canary)");
        assert!(said.starts_with("https://rpc.example: ") && !said.contains("canary"), "{said}");
        assert_eq!(node.standing().host, "https://rpc.example");
    }
}
