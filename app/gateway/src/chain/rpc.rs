use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::join_all;
use motif_sdk::{
    Error, Pubkey,
    channel::{self, ChannelAccount},
    client::{
        CatalogueEntry, Client, ConfirmedTransaction, DynSigner, Heard, OfferFilter,
        PublishedTerms, WorkDetails, WorkFilter, parse_clock,
    },
    licensing::Work,
    lineage::Lineage,
    operator::Operator,
    recognition::Registered,
};
use serde_json::json;
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_instruction::error::InstructionError;
use solana_message::Hash;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::RpcAccountInfoConfig,
    request::{RpcError, RpcRequest},
    response::Response,
};
use solana_signature::Signature;
use solana_transaction::TransactionError;
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use super::{Chain, ChainError, NodeStatus, ReadChannel, node::Node};

/// Time limit of one node's response.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Number of rounds while all nodes are behind the highest slot seen, and the pause between
/// them: nodes of one cluster are a few slots apart.
const MAX_ROUNDS: usize = 3;
const CATCH_UP: Duration = Duration::from_millis(300);
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// Error code of a node that has not reached the requested slot.
const MIN_CONTEXT_SLOT_NOT_REACHED: i64 = -32_016;

/// Cluster behind JSON-RPC nodes, which are tried in order of preference; nodes in backoff come
/// last. Responses older than the highest slot seen are rejected. Transactions go to all nodes.
pub struct RpcChain {
    nodes: Vec<Node>,
    /// Highest slot of a response.
    seen_slot: AtomicU64,
}

/// Response with an account.
type AccountResponse = Response<Option<UiAccount>>;

/// Failure of a node's response.
enum NodeError {
    /// No response: another node may answer.
    Silent(String),
    /// Response behind the highest slot seen.
    Behind,
    /// Every node would respond the same.
    Final(ChainError),
}

impl From<Error> for NodeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Transport(reason) => Self::Silent(reason.to_string()),
            Error::Rejected(ref rejection) => {
                Self::Final(ChainError::rejection(rejection.code, error.to_string()))
            }
            Error::Unconfirmed { .. }
            | Error::NotFound { .. }
            | Error::Signer(_)
            | Error::File { .. } => Self::Final(ChainError::Unreachable(error.to_string())),
        }
    }
}

impl From<ClientError> for NodeError {
    fn from(error: ClientError) -> Self {
        if is_behind(&error) { Self::Behind } else { Self::Silent(error.to_string()) }
    }
}

impl RpcChain {
    /// Creates access through the nodes at these URLs, in order of preference.
    pub fn new<U: AsRef<str>>(rpc_urls: &[U]) -> Self {
        let nodes = rpc_urls.iter().map(|url| Node::new(url.as_ref())).collect();
        Self { nodes, seen_slot: AtomicU64::default() }
    }

    /// Returns the nodes in order of preference, those in backoff last.
    fn in_order(&self) -> Vec<&Node> {
        let (backoff, ready): (Vec<_>, Vec<_>) =
            self.nodes.iter().partition(|node| node.is_in_backoff());
        ready.into_iter().chain(backoff).collect()
    }

    /// Returns the first node's response to a request.
    async fn request<T, A>(
        &self,
        request: impl Fn(Client) -> A + Send + Sync,
    ) -> Result<T, ChainError>
    where
        A: Future<Output = Result<T, NodeError>> + Send,
        T: Send,
    {
        let mut reasons = Vec::new();
        for round in 0..MAX_ROUNDS {
            if round > 0 {
                sleep(CATCH_UP).await;
            }
            let mut some_are_behind = false;
            reasons.clear();
            for node in self.in_order() {
                node.count_request();
                match within(request(node.client.clone())).await {
                    Ok(answer) => {
                        node.record_response();
                        return Ok(answer);
                    }
                    Err(NodeError::Final(error)) => {
                        node.record_response();
                        return Err(scrubbed(node, error));
                    }
                    Err(NodeError::Silent(reason)) => reasons.push(node.record_failure(&reason)),
                    Err(NodeError::Behind) => {
                        node.record_response();
                        some_are_behind = true;
                        reasons.push(node.record_behind());
                    }
                }
            }
            if !some_are_behind {
                break;
            }
        }
        Err(ChainError::Unreachable(reasons.join("; ")))
    }

    /// As [`RpcChain::request`], with `None` for a missing account.
    async fn find<T, A>(
        &self,
        request: impl Fn(Client) -> A + Send + Sync,
    ) -> Result<Option<T>, ChainError>
    where
        A: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        let request = &request;
        self.request(|client| async move {
            match request(client).await {
                Ok(found) => Ok(Some(found)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Signs, submits and confirms a transaction through the first node that accepts it.
    async fn send<T, A>(&self, send: impl Fn(Client) -> A + Send + Sync) -> Result<T, ChainError>
    where
        A: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        let mut reasons = Vec::new();
        for node in self.in_order() {
            node.count_request();
            match send(node.client.clone()).await.map_err(NodeError::from) {
                Ok(sent) => {
                    node.record_response();
                    return Ok(sent);
                }
                Err(NodeError::Silent(reason)) => reasons.push(node.record_failure(&reason)),
                Err(NodeError::Behind) => reasons.push(node.record_behind()),
                Err(NodeError::Final(error)) => return Err(scrubbed(node, error)),
            }
        }
        Err(ChainError::Unreachable(reasons.join("; ")))
    }

    /// Records the slot of a response.
    ///
    /// # Errors
    /// [`NodeError::Behind`] if it is below the highest slot seen.
    fn record_slot(&self, slot: u64) -> Result<(), NodeError> {
        let before = self.seen_slot.fetch_max(slot, Ordering::Relaxed);
        if slot < before { Err(NodeError::Behind) } else { Ok(()) }
    }

    /// Returns the highest slot of a response.
    fn seen(&self) -> u64 {
        self.seen_slot.load(Ordering::Relaxed)
    }

    /// Returns an account at the highest slot seen or later, and the slot of the response.
    async fn account(&self, address: &Pubkey) -> Result<(Option<Account>, u64), ChainError> {
        self.request(|client| async move {
            let config = RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64Zstd),
                commitment: Some(CommitmentConfig::confirmed()),
                data_slice: None,
                min_context_slot: Some(self.seen()),
            };
            // The client's own method erases error codes.
            let params = json!([address.to_string(), config]);
            let found =
                client.rpc().send::<AccountResponse>(RpcRequest::GetAccountInfo, params).await?;
            // Some nodes ignore `minContextSlot`; all return their slot.
            let slot = found.context.slot;
            self.record_slot(slot)?;
            Ok((found.value.and_then(|account| account.to_account()), slot))
        })
        .await
    }

    /// Returns a confirmed transaction, or `None` if the node does not know it, and whether that
    /// answer is current: a node behind the highest slot seen proves nothing.
    async fn status(
        &self,
        node: &Node,
        signature: &Signature,
    ) -> Result<(Option<ConfirmedTransaction>, bool), NodeError> {
        let statuses =
            within(async { Ok(node.client.rpc().get_signature_statuses(&[*signature]).await?) });
        let statuses = statuses.await?;
        let is_current = self.record_slot(statuses.context.slot).is_ok();
        let status = statuses.value.first().cloned().flatten();
        if !status.is_some_and(|status| status.satisfies_commitment(CommitmentConfig::confirmed()))
        {
            return Ok((None, is_current));
        }
        // Reads its fee, or its error.
        Ok((node.client.confirmed(signature).await?, false))
    }

    async fn submit_to(
        &self,
        node: &Node,
        transaction: &[u8],
        check_at: Option<CommitmentLevel>,
    ) -> Result<(), ClientError> {
        node.count_request();
        let encoded = BASE64_STANDARD.encode(transaction);
        let config = json!({
            "encoding": "base64",
            "skipPreflight": check_at.is_none(),
            "preflightCommitment": check_at.unwrap_or(CommitmentLevel::Confirmed).to_string(),
            "minContextSlot": check_at.map(|_| self.seen()),
        });
        let params = json!([encoded, config]);
        let sent = node.client.rpc().send::<String>(RpcRequest::SendTransaction, params).await;
        match &sent {
            Err(error) if is_silent(error) => drop(node.record_failure(&error.to_string())),
            _ => node.record_response(),
        }
        sent.map(drop)
    }
}

/// Limits the time of a response.
async fn within<T>(response: impl Future<Output = Result<T, NodeError>>) -> Result<T, NodeError> {
    let late = |_| NodeError::Silent(format!("no response within {} s", TIMEOUT.as_secs()));
    timeout(TIMEOUT, response).await.map_err(late)?
}

fn scrubbed(node: &Node, error: ChainError) -> ChainError {
    match error {
        ChainError::Unreachable(text) => ChainError::Unreachable(node.scrub(&text)),
        ChainError::Refused(text) => ChainError::Refused(node.scrub(&text)),
        ChainError::Final(text) => ChainError::Final(node.scrub(&text)),
    }
}

/// Returns whether a node did not respond.
fn is_silent(error: &ClientError) -> bool {
    !matches!(error.kind(), ErrorKind::RpcError(RpcError::RpcResponseError { .. }))
}

/// Returns whether a node has not reached the requested slot.
fn is_behind(error: &ClientError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. })
            if *code == MIN_CONTEXT_SLOT_NOT_REACHED
    )
}

/// Returns whether a request did not reach the node.
fn never_left(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Reqwest(error) if error.is_connect())
}

/// Returns whether a node's preflight check rejected a transaction.
fn is_refusal(error: &ClientError) -> bool {
    match error.get_transaction_error() {
        // Both indicate a node that is behind another one.
        Some(TransactionError::AlreadyProcessed | TransactionError::BlockhashNotFound) | None => {
            false
        }
        Some(_) => true,
    }
}

/// Returns the error code of the program that rejected a transaction.
fn program_code(error: &ClientError) -> Option<u32> {
    match error.get_transaction_error()? {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(code),
        _ => None,
    }
}

#[async_trait]
impl Chain for RpcChain {
    async fn reach(&self) -> Result<(), ChainError> {
        self.request(|client| async move { Ok(client.rpc().get_block_height().await.map(drop)?) })
            .await
    }

    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.request(|client| async move { Ok(client.config().await?.cluster) }).await
    }

    async fn now(&self) -> Result<i64, ChainError> {
        let (clock, _) = self.account(&CLOCK).await?;
        let clock = clock.and_then(|clock| parse_clock(&clock.data));
        let absent = || ChainError::Unreachable("the node returned no clock".into());
        Ok(clock.ok_or_else(absent)?.unix_timestamp)
    }

    async fn work(&self, address: &Pubkey) -> Result<Option<Work>, ChainError> {
        self.find(|client| async move { client.work(address).await }).await
    }

    async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError> {
        self.request(|client| async move { Ok(client.catalogue(works, offers).await?) }).await
    }

    async fn work_details(&self, address: &Pubkey) -> Result<Option<WorkDetails>, ChainError> {
        self.find(|client| async move { client.work_details(address).await }).await
    }

    async fn lineage(&self, address: &Pubkey) -> Result<Option<Lineage>, ChainError> {
        self.find(|client| async move { client.lineage(address).await }).await
    }

    async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError> {
        self.request(|client| async move { Ok(client.entries(works).await?) }).await
    }

    async fn registered(&self) -> Result<Vec<Registered>, ChainError> {
        self.request(|client| async move { Ok(client.registered().await?) }).await
    }

    /// Follows one node until its notifications end. Websockets are optional, so a failure does
    /// not count against the node.
    async fn follow_works(&self, tell: Sender<Heard>) -> Result<(), ChainError> {
        let nodes = self.in_order();
        let node = nodes.first().ok_or_else(|| ChainError::Unreachable("no node".into()))?;
        let followed = node.client.follow_works(&tell).await;
        followed.map_err(|error| ChainError::Unreachable(node.scrub(&error.to_string())))
    }

    async fn terms(
        &self,
        work: &Pubkey,
        number: u32,
    ) -> Result<Option<PublishedTerms>, ChainError> {
        self.find(|client| async move { client.terms(work, number).await }).await
    }

    async fn channel(&self, address: &Pubkey) -> Result<Option<ReadChannel>, ChainError> {
        let (found, slot) = self.account(address).await?;
        let ours = found.filter(|account| account.owner == channel::PROGRAM_ID);
        Ok(ours.and_then(|account| {
            let data = account.data;
            ChannelAccount::from_bytes(&data).map(|account| ReadChannel { account, data, slot })
        }))
    }

    async fn balance(&self, account: &Pubkey) -> Result<u64, ChainError> {
        let (found, _) = self.account(account).await?;
        Ok(found.map_or(0, |account| account.lamports))
    }

    async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        let confirmed = CommitmentConfig::confirmed();
        self.request(|client| async move {
            Ok(client.rpc().get_latest_blockhash_with_commitment(confirmed).await?)
        })
        .await
    }

    async fn final_height(&self) -> Result<u64, ChainError> {
        let finalized = CommitmentConfig::finalized();
        self.request(|client| async move {
            let height = client.rpc().get_block_height_with_commitment(finalized).await?;
            // A later read of a signature must come from a node that has reached this slot.
            let slot = client.rpc().get_slot_with_commitment(finalized).await?;
            self.seen_slot.fetch_max(slot, Ordering::Relaxed);
            Ok(height)
        })
        .await
    }

    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError> {
        if !check_first {
            let nodes = self.nodes.iter();
            let sent = join_all(nodes.map(|node| self.submit_to(node, transaction, None))).await;
            let taken = sent.iter().any(Result::is_ok);
            let said = || {
                self.nodes.iter().zip(&sent).filter_map(|(node, sent)| {
                    sent.as_ref().err().map(|error| node.scrub(&error.to_string()))
                })
            };
            return match taken {
                true => Ok(()),
                false => Err(ChainError::Unreachable(said().collect::<Vec<_>>().join("; "))),
            };
        }
        let mut reasons = Vec::new();
        // A node that did not respond may have forwarded it.
        let mut may_be_sent = false;
        for node in self.in_order() {
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
                    if is_refusal(&error) && !may_be_sent {
                        return Err(ChainError::rejection(program_code(&error), said));
                    }
                    may_be_sent |= is_silent(&error) && !never_left(&error);
                    reasons.push(said);
                }
                Err(_) => {
                    may_be_sent = true;
                    reasons.push(node.record_failure("no response in time"));
                }
            }
        }
        Err(ChainError::Unreachable(reasons.join("; ")))
    }

    async fn landed(
        &self,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, ChainError> {
        let mut reasons = Vec::new();
        let mut is_known = false;
        for node in self.in_order() {
            if is_known && node.is_in_backoff() {
                break; // a node in backoff is not worth waiting for
            }
            node.count_request();
            match self.status(node, signature).await {
                Ok((Some(landed), _)) => {
                    node.record_response();
                    return Ok(Some(landed));
                }
                Ok((None, is_current)) => {
                    node.record_response();
                    is_known |= is_current;
                    if !is_current {
                        reasons.push(node.record_behind());
                    }
                }
                Err(NodeError::Final(error)) => return Err(scrubbed(node, error)),
                Err(NodeError::Silent(reason)) => reasons.push(node.record_failure(&reason)),
                Err(NodeError::Behind) => reasons.push(node.record_behind()),
            }
        }
        if is_known { Ok(None) } else { Err(ChainError::Unreachable(reasons.join("; "))) }
    }

    async fn operator(&self, authority: &Pubkey) -> Result<Option<Operator>, ChainError> {
        self.find(|client| async move { client.operator(authority).await }).await
    }

    async fn close(
        &self,
        authority: &DynSigner,
        channel: &Pubkey,
    ) -> Result<ConfirmedTransaction, ChainError> {
        self.send(|client| async move { client.request_close(channel).send(authority).await }).await
    }

    async fn claim_fees(
        &self,
        funder: &DynSigner,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ChainError> {
        self.send(|client| async move { client.claim_fees(funder, channel).await }).await
    }

    fn nodes(&self) -> Vec<NodeStatus> {
        self.nodes.iter().map(Node::status).collect()
    }
}
