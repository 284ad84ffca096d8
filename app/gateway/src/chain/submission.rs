//! Submission of signed transactions to nodes.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::join_all;
use motif_sdk::Refusal;
use serde_json::json;
use solana_commitment_config::CommitmentLevel;
use solana_rpc_client_api::{client_error::Error as ClientError, request::RpcRequest};
use solana_transaction::TransactionError;
use tokio::time::timeout;

use super::{
    ChainError,
    node::Node,
    rejection::{is_behind, is_refusal, is_silent, never_left, reason},
    rpc::{RpcChain, TIMEOUT, unreachable},
};

/// Time limit of one node's response to a transaction that goes to all nodes.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(5);

impl RpcChain {
    /// Sends a transaction to all nodes without a preflight check. One that takes it is enough.
    pub(super) async fn submit_to_all(&self, transaction: &[u8]) -> Result<(), ChainError> {
        let mut reasons = Vec::new();
        // A node in backoff delays the others by its time limit.
        let (ready, backoff) = self.by_state();
        for nodes in [ready, backoff] {
            let sent = nodes.iter().map(|node| self.forward(node, transaction));
            let sent = join_all(sent).await;
            if sent.iter().any(Result::is_ok) {
                return Ok(());
            }
            reasons.extend(sent.into_iter().filter_map(Result::err));
        }
        Err(unreachable(&reasons))
    }

    /// Sends a transaction to a node without a preflight check.
    async fn forward(&self, node: &Node, transaction: &[u8]) -> Result<(), String> {
        let asked = Instant::now();
        match timeout(SUBMIT_TIMEOUT, self.submit_to(node, transaction, None)).await {
            Ok(sent) => sent.map_err(|error| node.scrub(&error.to_string())),
            Err(_) => Err(node.record_failure("no response in time", asked)),
        }
    }

    /// Sends a transaction that a node checks first. A node that does not know the blockhash may be behind
    /// another one; `is_final` says that the last node's answer counts, and that a transaction which has been processed was
    /// taken.
    pub(super) async fn submit_checked(
        &self,
        transaction: &[u8],
        is_final: bool,
    ) -> Result<(), ChainError> {
        let mut reasons = Vec::new();
        // A node that did not respond may have forwarded it.
        let (mut may_be_sent, mut is_expired) = (false, false);
        for node in self.in_order() {
            let asked = Instant::now();
            let checked_at = |level| self.submit_to(node, transaction, Some(level));
            let sent = timeout(TIMEOUT, async {
                match checked_at(CommitmentLevel::Confirmed).await {
                    // The node has processed its own slot: surfpool returns a slot that it
                    // confirms with the next transaction only.
                    Err(error) if is_behind(&error) => checked_at(CommitmentLevel::Processed).await,
                    sent => sent,
                }
            });
            let sent = sent.await;
            match sent {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => {
                    let said = node.scrub(&error.to_string());
                    let refusal = Refusal::from_preflight(&error).filter(|_| is_refusal(&error));
                    if let Some(refusal) = refusal.filter(|_| !may_be_sent) {
                        tracing::debug!(said, "a node refused a transaction");
                        let reason = node.scrub(&reason(&refusal));
                        return Err(ChainError::rejection(refusal.code, reason));
                    }
                    match error.get_transaction_error() {
                        Some(TransactionError::AlreadyProcessed) if is_final => return Ok(()),
                        Some(TransactionError::BlockhashNotFound) => is_expired = true,
                        _ => {}
                    }
                    may_be_sent |= is_silent(&error) && !never_left(&error);
                    reasons.push(said);
                }
                Err(_) => {
                    may_be_sent = true;
                    reasons.push(node.record_failure("no response in time", asked));
                }
            }
        }
        if is_final && is_expired && !may_be_sent {
            let what = "its blockhash is unknown or has expired: sign it again with a new one";
            return Err(ChainError::Refused(what.to_owned()));
        }
        Err(unreachable(&reasons))
    }

    async fn submit_to(
        &self,
        node: &Node,
        transaction: &[u8],
        check_at: Option<CommitmentLevel>,
    ) -> Result<(), ClientError> {
        let asked = node.count_request();
        let encoded = BASE64_STANDARD.encode(transaction);
        let config = json!({
            "encoding": "base64",
            "skipPreflight": check_at.is_none(),
            "preflightCommitment": check_at.unwrap_or(CommitmentLevel::Confirmed).to_string(),
            "minContextSlot": check_at.map(|level| self.seen.highest(level)),
        });
        let params = json!([encoded, config]);
        let sent = node.client.rpc().send::<String>(RpcRequest::SendTransaction, params).await;
        match &sent {
            Err(error) if is_silent(error) => drop(node.record_failure(&error.to_string(), asked)),
            _ => node.record_response(),
        }
        sent.map(drop)
    }
}
