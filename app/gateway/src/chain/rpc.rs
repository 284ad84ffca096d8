use std::{future::Future, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt, stream};
use motif_sdk::{
    Error, Pubkey,
    channel::{self, ChannelAccount, Currency},
    client::{
        CatalogueEntry, Client, ConfirmedTransaction, DynSigner, Heard, OfferFilter, PriorityFee,
        PublishedTerms, WorkDetails, WorkFilter, parse_clock,
    },
    licensing::Work,
    lineage::Lineage,
    operator::Operator,
    recognition::Registered,
    record::ChainRecord,
    till::{Till, TillShares},
};
use serde_json::json;
use solana_account::Account;
use solana_account_decoder_client_types::{UiAccount, UiAccountEncoding};
use solana_commitment_config::CommitmentConfig;
use solana_message::Hash;
use solana_rpc_client_api::{
    client_error::Error as ClientError, config::RpcAccountInfoConfig, request::RpcRequest,
    response::Response,
};
use solana_signature::Signature;
use solana_transaction_status_client_types::TransactionStatus;
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use super::{
    Chain, ChainError, NodeStatus, ReadChannel, SettlementStatus,
    node::Node,
    rejection::{is_behind, reason},
    watermarks::Watermarks,
};

/// Time limit of one node's response.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Number of confirmed transactions that are read from a node at once.
const MAX_READ_AT_ONCE: usize = 8;
/// Number of rounds while all nodes are behind the highest slot seen, and the pause between
/// them: nodes of one cluster are a few slots apart.
const MAX_ROUNDS: usize = 3;
const CATCH_UP: Duration = Duration::from_millis(300);
const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// Cluster behind JSON-RPC nodes, which are tried in order of preference; nodes in backoff come
/// last, and those that limit the rate of requests are not asked meanwhile. Responses older than the
/// highest slot seen at the same commitment are rejected. Transactions go to all nodes.
pub struct RpcChain {
    nodes: Vec<Node>,
    pub(super) seen: Watermarks,
}

/// Response with accounts.
type AccountsResponse = Response<Vec<Option<UiAccount>>>;

/// Failure of a node's response.
pub(super) enum NodeError {
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
            Error::Rejected(rejection) => {
                Self::Final(ChainError::rejection(rejection.code, reason(&rejection)))
            }
            Error::Unconfirmed { .. }
            | Error::NotFound { .. }
            | Error::Unsignable { .. }
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
        Self::with_fees(rpc_urls, PriorityFee::default())
    }

    /// As [`RpcChain::new`], with the priority fee of transactions other than settlements.
    pub fn with_fees<U: AsRef<str>>(rpc_urls: &[U], priority_fee: PriorityFee) -> Self {
        let nodes = rpc_urls.iter().map(|url| Node::new(url.as_ref(), priority_fee)).collect();
        Self { nodes, seen: Watermarks::default() }
    }

    /// Returns the nodes that allow requests: those that are ready and those in backoff, each in
    /// order of preference.
    pub(super) fn by_state(&self) -> (Vec<&Node>, Vec<&Node>) {
        let allowed = self.nodes.iter().filter(|node| !node.is_limited());
        allowed.partition(|node| !node.is_in_backoff())
    }

    /// Returns the nodes that allow requests in order of preference, those in backoff last.
    pub(super) fn in_order(&self) -> Vec<&Node> {
        let (ready, backoff) = self.by_state();
        ready.into_iter().chain(backoff).collect()
    }

    /// Returns the first node's response to a request.
    pub(super) async fn request<T, A>(
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
                let asked = node.count_request();
                match within(request(node.client.clone())).await {
                    Ok(answer) => {
                        node.record_response();
                        return Ok(answer);
                    }
                    Err(NodeError::Final(error)) => {
                        node.record_response();
                        return Err(scrubbed(node, error));
                    }
                    Err(NodeError::Silent(reason)) => {
                        reasons.push(node.record_failure(&reason, asked))
                    }
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
        Err(unreachable(&reasons))
    }

    /// As [`RpcChain::request`], with `None` for a missing account.
    pub(super) async fn find<T, A>(
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
            let asked = node.count_request();
            match send(node.client.clone()).await.map_err(NodeError::from) {
                Ok(sent) => {
                    node.record_response();
                    return Ok(sent);
                }
                Err(NodeError::Silent(reason)) => reasons.push(node.record_failure(&reason, asked)),
                Err(NodeError::Behind) => reasons.push(node.record_behind()),
                Err(NodeError::Final(error)) => return Err(scrubbed(node, error)),
            }
        }
        Err(unreachable(&reasons))
    }

    /// Returns accounts at the highest confirmed slot seen or later, and the slot of the response.
    pub(super) async fn read_accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<(Vec<Option<Account>>, u64), ChainError> {
        let texts: Vec<_> = addresses.iter().map(Pubkey::to_string).collect();
        let texts = &texts;
        self.request(|client| async move {
            let config = RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64Zstd),
                commitment: Some(CommitmentConfig::confirmed()),
                data_slice: None,
                min_context_slot: self.seen.min_context_slot(),
            };
            // The client's own method erases error codes.
            let (request, params) = (RpcRequest::GetMultipleAccounts, json!([texts, config]));
            let found = client.rpc().send::<AccountsResponse>(request, params).await?;
            // Some nodes ignore `minContextSlot`; all return their slot.
            let slot = found.context.slot;
            if !self.seen.record_confirmed(slot) {
                return Err(NodeError::Behind);
            }
            if found.value.len() != texts.len() {
                return Err(NodeError::Silent("the node returned too few accounts".into()));
            }
            let read = |account: Option<UiAccount>| account.and_then(|one| one.to_account());
            Ok((found.value.into_iter().map(read).collect(), slot))
        })
        .await
    }

    /// Returns the statuses of transactions at a node, with `None` for those that it does not know,
    /// and whether that proves that they have not landed: a node without all finalized blocks
    /// proves nothing.
    async fn statuses_at(
        &self,
        node: &Node,
        signatures: &[Signature],
    ) -> Result<(Vec<Option<SettlementStatus>>, bool), NodeError> {
        let found = async { Ok(node.client.rpc().get_signature_statuses(signatures).await?) };
        let found = within(found).await?;
        let proves_absence = self.seen.has_finalized(found.context.slot);
        let statuses = signatures.iter().zip(found.value);
        let reads: Vec<_> =
            statuses.map(|(signature, status)| confirmed_at(node, signature, status)).collect();
        let statuses = stream::iter(reads).buffered(MAX_READ_AT_ONCE).collect().await;
        Ok((statuses, proves_absence))
    }
}

/// Returns a transaction that a node has confirmed, with its fee, or its error. `None` if the node has
/// not confirmed it.
async fn confirmed_at(
    node: &Node,
    signature: &Signature,
    status: Option<TransactionStatus>,
) -> Option<SettlementStatus> {
    let status =
        status.filter(|status| status.satisfies_commitment(CommitmentConfig::confirmed()))?;
    let read = async { Ok(node.client.confirmed_by(signature, &status).await?) };
    let silent = |reason: &str| Err(ChainError::Unreachable(node.scrub(reason)));
    Some(match within(read).await {
        Ok(Some(landed)) => Ok(Some(landed)),
        Ok(None) | Err(NodeError::Behind) => silent("the node does not return the transaction yet"),
        Err(NodeError::Final(error)) => Err(scrubbed(node, error)),
        Err(NodeError::Silent(reason)) => silent(&reason),
    })
}

/// Creates the error of a request that no node answered.
pub(super) fn unreachable(reasons: &[String]) -> ChainError {
    ChainError::Unreachable(match reasons {
        [] => "every node limits the rate of requests".to_owned(),
        reasons => reasons.join("; "),
    })
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

#[async_trait]
impl Chain for RpcChain {
    async fn reach(&self) -> Result<(), ChainError> {
        // A node that is behind is of no use.
        self.read_accounts(&[CLOCK]).await.map(drop)
    }

    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.request(|client| async move { Ok(client.config().await?.cluster) }).await
    }

    async fn now(&self) -> Result<i64, ChainError> {
        let (accounts, _) = self.read_accounts(&[CLOCK]).await?;
        let clock = accounts.into_iter().next().flatten();
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

    async fn channels(&self, addresses: &[Pubkey]) -> Result<Vec<Option<ReadChannel>>, ChainError> {
        let (found, slot) = self.read_accounts(addresses).await?;
        let read = |account: Option<Account>| {
            let data = account.filter(|account| account.owner == channel::PROGRAM_ID)?.data;
            let account = ChannelAccount::from_bytes(&data)?;
            Some(ReadChannel { account, data, slot })
        };
        Ok(found.into_iter().map(read).collect())
    }

    async fn record(&self) -> Result<ChainRecord, ChainError> {
        self.request(|client| async move { Ok(client.record().await?) }).await
    }

    async fn accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<(Vec<Option<Account>>, u64), ChainError> {
        self.read_accounts(addresses).await
    }

    async fn balance(&self, account: &Pubkey) -> Result<u64, ChainError> {
        let (found, _) = self.read_accounts(std::slice::from_ref(account)).await?;
        Ok(found.into_iter().flatten().next().map_or(0, |account| account.lamports))
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
            self.seen.record_finalized(slot);
            Ok(height)
        })
        .await
    }

    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError> {
        match check_first {
            true => self.submit_checked(transaction, false).await,
            false => self.submit_to_all(transaction).await,
        }
    }

    async fn relay(&self, transaction: &[u8]) -> Result<(), ChainError> {
        self.submit_checked(transaction, true).await
    }

    async fn statuses(
        &self,
        signatures: &[Signature],
    ) -> Result<Vec<SettlementStatus>, ChainError> {
        let mut reasons = Vec::new();
        let mut found: Vec<Option<SettlementStatus>> = vec![None; signatures.len()];
        let mut are_known = false;
        for node in self.in_order() {
            // What one node has confirmed is confirmed. A node in backoff is not worth waiting for.
            let is_found = found.iter().all(Option::is_some);
            if is_found || (are_known && node.is_in_backoff()) {
                break;
            }
            let asked = node.count_request();
            match self.statuses_at(node, signatures).await {
                Ok((statuses, proves_absence)) => {
                    node.record_response();
                    for (found, status) in found.iter_mut().zip(statuses) {
                        *found = found.take().or(status);
                    }
                    are_known |= proves_absence;
                    if !proves_absence {
                        reasons.push(node.record_behind());
                    }
                }
                Err(NodeError::Final(error)) => return Err(scrubbed(node, error)),
                Err(NodeError::Silent(reason)) => reasons.push(node.record_failure(&reason, asked)),
                Err(NodeError::Behind) => reasons.push(node.record_behind()),
            }
        }
        let unknown = || if are_known { Ok(None) } else { Err(unreachable(&reasons)) };
        Ok(found.into_iter().map(|status| status.unwrap_or_else(unknown)).collect())
    }

    async fn simulate(&self, transaction: &[u8]) -> Result<u64, ChainError> {
        self.simulate_with(transaction, true).await
    }

    async fn recent_fees(&self, accounts: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        self.request(|client| async move { Ok(client.recent_fees(accounts).await?) }).await
    }

    async fn operator(&self, authority: &Pubkey) -> Result<Option<Operator>, ChainError> {
        self.find(|client| async move { client.operator(authority).await }).await
    }

    async fn till(&self, address: &Pubkey) -> Result<Option<Till>, ChainError> {
        self.read_till(address).await
    }

    async fn currency(&self, mint: &Pubkey) -> Result<Option<(Currency, u8)>, ChainError> {
        self.read_currency(mint).await
    }

    async fn open_till(
        &self,
        funder: &DynSigner,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<(), ChainError> {
        self.send(|client| async move { client.open_till(funder, shares, currency).await })
            .await
            .map(drop)
    }

    async fn check_payment(&self, transaction: &[u8]) -> Result<(), ChainError> {
        self.simulate_with(transaction, false).await.map(drop)
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
