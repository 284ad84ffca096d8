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
        CatalogueEntry, Client, ConfirmedTransaction, Heard, OfferFilter, PublishedTerms,
        WorkDetails, WorkFilter,
    },
    licensing::Work,
    lineage::Lineage,
    recognition::Registered,
};
use serde_json::json;
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_keypair::Keypair;
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

use super::{Chain, ChainError, NodeStanding, ReadChannel, node::Node};

/// How long one node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often everybody is asked when all answers are older than what is known, and the pause
/// between: nodes of one cluster are a few slots apart.
const ROUNDS: usize = 3;
const CATCH_UP: Duration = Duration::from_millis(300);
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
/// What a node answers that has not reached the slot it was asked for.
const MIN_CONTEXT_SLOT_NOT_REACHED: i64 = -32_016;

/// A cluster behind JSON-RPC nodes, which are asked in the order they are named: the next where
/// one does not answer, those that failed lately last. A node that is behind what another one
/// has said already takes nobody back. Transactions go to all of them.
pub struct RpcChain {
    nodes: Vec<Node>,
    /// The newest slot that anything was read at.
    seen_slot: AtomicU64,
}

/// How an account is answered.
type Found = Response<Option<UiAccount>>;

/// Why a node's answer is none.
enum Fault {
    /// The next node may know better.
    Silent(String),
    /// It knows less than is known already.
    Behind,
    /// Every node would say the same.
    Final(ChainError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Transport(reason) => Self::Silent(reason.to_string()),
            Error::Rejected(_) => Self::Final(ChainError::Refused(error.to_string())),
            Error::Unconfirmed { .. }
            | Error::NotFound { .. }
            | Error::Signer(_)
            | Error::File { .. } => Self::Final(ChainError::Unreachable(error.to_string())),
        }
    }
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        if is_behind(&error) { Self::Behind } else { Self::Silent(error.to_string()) }
    }
}

impl RpcChain {
    /// The cluster behind the nodes at these URLs, the preferred one first.
    pub fn new<U: AsRef<str>>(rpc_urls: &[U]) -> Self {
        let nodes = rpc_urls.iter().map(|url| Node::new(url.as_ref())).collect();
        Self { nodes, seen_slot: AtomicU64::default() }
    }

    /// Those that answer first, each group in the order it was named in.
    fn in_order(&self) -> Vec<&Node> {
        let (resting, ready): (Vec<_>, Vec<_>) =
            self.nodes.iter().partition(|node| node.is_resting());
        ready.into_iter().chain(resting).collect()
    }

    /// The first answer there is.
    async fn ask<T, A>(&self, question: impl Fn(Client) -> A + Send + Sync) -> Result<T, ChainError>
    where
        A: Future<Output = Result<T, Fault>> + Send,
        T: Send,
    {
        let mut reasons = Vec::new();
        for round in 0..ROUNDS {
            if round > 0 {
                sleep(CATCH_UP).await;
            }
            let mut some_are_behind = false;
            reasons.clear();
            for node in self.in_order() {
                node.asked();
                match within(question(node.client.clone())).await {
                    Ok(answer) => {
                        node.answered();
                        return Ok(answer);
                    }
                    Err(Fault::Final(error)) => {
                        node.answered();
                        return Err(scrubbed(node, error));
                    }
                    Err(Fault::Silent(reason)) => reasons.push(node.failed(&reason)),
                    Err(Fault::Behind) => {
                        node.answered();
                        some_are_behind = true;
                        reasons.push(node.is_behind());
                    }
                }
            }
            if !some_are_behind {
                break;
            }
        }
        Err(ChainError::Unreachable(reasons.join("; ")))
    }

    /// As [`RpcChain::ask`], with "there is none" as a value.
    async fn find<T, A>(
        &self,
        question: impl Fn(Client) -> A + Send + Sync,
    ) -> Result<Option<T>, ChainError>
    where
        A: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        let question = &question;
        self.ask(|client| async move {
            match question(client).await {
                Ok(found) => Ok(Some(found)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Has a transaction signed, sent and confirmed through the first node that takes it. What
    /// one has taken is not given to the next.
    async fn send<T, A>(&self, sending: impl Fn(Client) -> A + Send + Sync) -> Result<T, ChainError>
    where
        A: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        let mut reasons = Vec::new();
        for node in self.in_order() {
            node.asked();
            match sending(node.client.clone()).await.map_err(Fault::from) {
                Ok(sent) => {
                    node.answered();
                    return Ok(sent);
                }
                Err(Fault::Silent(reason)) => reasons.push(node.failed(&reason)),
                Err(Fault::Behind) => reasons.push(node.is_behind()),
                Err(Fault::Final(error)) => return Err(scrubbed(node, error)),
            }
        }
        Err(ChainError::Unreachable(reasons.join("; ")))
    }

    /// A node has answered from this slot.
    ///
    /// # Errors
    /// [`Fault::Behind`] when that is before what was heard of already.
    fn saw(&self, slot: u64) -> Result<(), Fault> {
        let before = self.seen_slot.fetch_max(slot, Ordering::Relaxed);
        if slot < before { Err(Fault::Behind) } else { Ok(()) }
    }

    fn seen(&self) -> u64 {
        self.seen_slot.load(Ordering::Relaxed)
    }

    /// An account, as it is at the newest slot heard of or later, and that slot.
    async fn account(&self, address: &Pubkey) -> Result<(Option<Account>, u64), ChainError> {
        self.ask(|client| async move {
            let config = RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64Zstd),
                commitment: Some(CommitmentConfig::confirmed()),
                data_slice: None,
                min_context_slot: Some(self.seen()),
            };
            // The client's own way to read an account makes every error one text.
            let params = json!([address.to_string(), config]);
            let found = client.rpc().send::<Found>(RpcRequest::GetAccountInfo, params).await?;
            // Some nodes do not know `minContextSlot`; all say where they are.
            let slot = found.context.slot;
            self.saw(slot)?;
            Ok((found.value.and_then(|account| account.to_account()), slot))
        })
        .await
    }

    /// Whether this node knows that a transaction landed; `None` while it knows nothing, and
    /// whether that counts: it does not from a node that is behind.
    async fn status(
        &self,
        node: &Node,
        signature: &Signature,
    ) -> Result<(Option<ConfirmedTransaction>, bool), Fault> {
        let statuses =
            within(async { Ok(node.client.rpc().get_signature_statuses(&[*signature]).await?) });
        let statuses = statuses.await?;
        let is_current = self.saw(statuses.context.slot).is_ok();
        let status = statuses.value.first().cloned().flatten();
        if !status.is_some_and(|status| status.satisfies_commitment(CommitmentConfig::confirmed()))
        {
            return Ok((None, is_current));
        }
        // With what it cost, or why it failed.
        Ok((node.client.confirmed(signature).await?, false))
    }

    async fn submit_to(
        &self,
        node: &Node,
        transaction: &[u8],
        check_at: Option<CommitmentLevel>,
    ) -> Result<(), ClientError> {
        node.asked();
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
            Err(error) if is_silent(error) => drop(node.failed(&error.to_string())),
            _ => node.answered(),
        }
        sent.map(drop)
    }
}

/// An answer, if it comes in time.
async fn within<T>(answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = |_| Fault::Silent(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
    timeout(ANSWER_WITHIN, answer).await.map_err(late)?
}

fn scrubbed(node: &Node, error: ChainError) -> ChainError {
    match error {
        ChainError::Unreachable(text) => ChainError::Unreachable(node.scrub(&text)),
        ChainError::Refused(text) => ChainError::Refused(node.scrub(&text)),
    }
}

/// Whether a node said nothing, rather than no.
fn is_silent(error: &ClientError) -> bool {
    !matches!(error.kind(), ErrorKind::RpcError(RpcError::RpcResponseError { .. }))
}

/// Whether a node has not reached the slot it was asked for.
fn is_behind(error: &ClientError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. })
            if *code == MIN_CONTEXT_SLOT_NOT_REACHED
    )
}

/// Whether a request has certainly not reached a node.
fn never_left(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Reqwest(error) if error.is_connect())
}

/// Whether a node has checked a transaction and not sent it on.
fn is_refusal(error: &ClientError) -> bool {
    match error.get_transaction_error() {
        // Both mean that this node is not where another one is already.
        Some(TransactionError::AlreadyProcessed | TransactionError::BlockhashNotFound) | None => {
            false
        }
        Some(_) => true,
    }
}

#[async_trait]
impl Chain for RpcChain {
    async fn reach(&self) -> Result<(), ChainError> {
        self.ask(|client| async move { Ok(client.rpc().get_block_height().await.map(drop)?) }).await
    }

    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.ask(|client| async move { Ok(client.config().await?.cluster) }).await
    }

    async fn now(&self) -> Result<i64, ChainError> {
        let (clock, _) = self.account(&CLOCK).await?;
        // Slot, epoch start, epoch, next schedule epoch, then unix time; 8 bytes each.
        let time = clock.as_ref().and_then(|clock| clock.data.get(32..40)?.try_into().ok());
        let absent = || ChainError::Unreachable("the node knows no clock".into());
        time.map(i64::from_le_bytes).ok_or_else(absent)
    }

    async fn work(&self, address: &Pubkey) -> Result<Option<Work>, ChainError> {
        self.find(|client| async move { client.work(address).await }).await
    }

    async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError> {
        self.ask(|client| async move { Ok(client.catalogue(works, offers).await?) }).await
    }

    async fn work_details(&self, address: &Pubkey) -> Result<Option<WorkDetails>, ChainError> {
        self.find(|client| async move { client.work_details(address).await }).await
    }

    async fn lineage(&self, address: &Pubkey) -> Result<Option<Lineage>, ChainError> {
        self.find(|client| async move { client.lineage(address).await }).await
    }

    async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError> {
        self.ask(|client| async move { Ok(client.entries(works).await?) }).await
    }

    async fn registered(&self) -> Result<Vec<Registered>, ChainError> {
        self.ask(|client| async move { Ok(client.registered().await?) }).await
    }

    /// Of one node, for as long as that talks. A node need not have a websocket: going without
    /// is not counted against it.
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

    async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        let confirmed = CommitmentConfig::confirmed();
        self.ask(|client| async move {
            Ok(client.rpc().get_latest_blockhash_with_commitment(confirmed).await?)
        })
        .await
    }

    async fn final_height(&self) -> Result<u64, ChainError> {
        let finalized = CommitmentConfig::finalized();
        self.ask(|client| async move {
            let height = client.rpc().get_block_height_with_commitment(finalized).await?;
            // Who is asked next whether something landed by this height must be as far.
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
        // A node that did not answer may have sent it on all the same.
        let mut may_be_sent = false;
        for node in self.in_order() {
            let checked_at = |level| self.submit_to(node, transaction, Some(level));
            let sent = timeout(ANSWER_WITHIN, async {
                match checked_at(CommitmentLevel::Confirmed).await {
                    // What it has answered from it has processed, if not confirmed: surfpool's
                    // answers name a slot that it confirms with the next transaction only.
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
                        return Err(ChainError::Refused(said));
                    }
                    may_be_sent |= is_silent(&error) && !never_left(&error);
                    reasons.push(said);
                }
                Err(_) => {
                    may_be_sent = true;
                    reasons.push(node.failed("no answer in time"));
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
            if is_known && node.is_resting() {
                break; // who does not answer is not worth waiting for
            }
            node.asked();
            match self.status(node, signature).await {
                Ok((Some(landed), _)) => {
                    node.answered();
                    return Ok(Some(landed));
                }
                Ok((None, is_current)) => {
                    node.answered();
                    is_known |= is_current;
                    if !is_current {
                        reasons.push(node.is_behind());
                    }
                }
                Err(Fault::Final(error)) => return Err(scrubbed(node, error)),
                Err(Fault::Silent(reason)) => reasons.push(node.failed(&reason)),
                Err(Fault::Behind) => reasons.push(node.is_behind()),
            }
        }
        if is_known { Ok(None) } else { Err(ChainError::Unreachable(reasons.join("; "))) }
    }

    async fn close(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<ConfirmedTransaction, ChainError> {
        self.send(|client| async move { client.request_close(operator, channel).await }).await
    }

    async fn claim_fees(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ChainError> {
        self.send(|client| async move { client.claim_fees(operator, channel).await }).await
    }

    fn nodes(&self) -> Vec<NodeStanding> {
        self.nodes.iter().map(Node::standing).collect()
    }
}
