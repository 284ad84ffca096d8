//! What the gateway asks of a node, and nothing else.

mod endpoint;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{
    Error, Pubkey,
    channel::{self, ChannelAccount},
    client::{
        CatalogueEntry, Client, Heard, Landed, OfferFilter, PublishedTerms, WorkDetails, WorkFilter,
    },
    licensing::Work,
    lineage::Lineage,
    recognition::Registered,
};
use serde_json::json;
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_keypair::Keypair;
use solana_message::Hash;
use solana_rpc_client_api::{client_error::Error as ClientError, request::RpcRequest};
use solana_signature::Signature;
use solana_transaction::TransactionError;
use tokio::sync::mpsc::Sender;

pub use endpoint::Endpoint;

/// Why the chain did not do or say what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No answer, or none that makes sense; nothing is known.
    #[error("the cluster cannot be reached: {0}")]
    Unreachable(String),
    /// A transaction was refused; it changed nothing.
    #[error("{0}")]
    Refused(String),
}

/// A channel's account.
#[derive(Clone, Debug)]
pub struct ReadChannel {
    /// What it says.
    pub account: ChannelAccount,
    /// Its data, as it is on chain.
    pub data: Vec<u8>,
}

/// One cluster, through one node. Tests script it.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// Whether there is an answer at all.
    async fn reach(&self) -> Result<(), ChainError>;
    /// The cluster's tag.
    async fn cluster(&self) -> Result<[u8; 32], ChainError>;
    /// Unix seconds on the cluster.
    async fn now(&self) -> Result<i64, ChainError>;
    /// A work; `None` where there is none.
    async fn work(&self, address: &Pubkey) -> Result<Option<Work>, ChainError>;
    /// The works that match, with their latest terms, earliest registration first.
    async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError>;
    /// Everything there is about a work; `None` where there is none.
    async fn work_details(&self, address: &Pubkey) -> Result<Option<WorkDetails>, ChainError>;
    /// A work's ancestors and descendants; `None` where there is no such work.
    async fn lineage(&self, address: &Pubkey) -> Result<Option<Lineage>, ChainError>;
    /// These works, each with its latest terms; those that are none are left out.
    async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError>;
    /// What it takes to recognise every work there is.
    async fn registered(&self) -> Result<Vec<Registered>, ChainError>;
    /// Tells of works as they are registered, until the node says no more.
    async fn follow_works(&self, tell: Sender<Heard>) -> Result<(), ChainError>;
    /// A version of a work's terms; `None` where there is none.
    async fn terms(&self, work: &Pubkey, number: u32)
    -> Result<Option<PublishedTerms>, ChainError>;
    /// A channel; `None` where there is none.
    async fn channel(&self, address: &Pubkey) -> Result<Option<ReadChannel>, ChainError>;
    /// A blockhash, and the last block height at which it is good.
    async fn blockhash(&self) -> Result<(Hash, u64), ChainError>;
    /// The height of the last block that can no longer be undone.
    async fn final_height(&self) -> Result<u64, ChainError>;
    /// Sends a signed transaction. `Refused` only where the node has checked it first and
    /// therefore not sent it on.
    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError>;
    /// A transaction that landed; `None` while that is not known. `Refused` when it failed.
    async fn landed(&self, signature: &Signature) -> Result<Option<Landed>, ChainError>;
    /// Ends a channel's grace period.
    async fn close(&self, operator: &Keypair, channel: &Pubkey) -> Result<Landed, ChainError>;
    /// Pays the operator its fees; base units.
    async fn claim_fees(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<(u64, Landed), ChainError>;
}

/// A cluster behind a JSON-RPC node.
pub struct RpcChain {
    client: Client,
    endpoint: Endpoint,
}

impl RpcChain {
    /// The cluster behind the node at `rpc_url`.
    pub fn new(rpc_url: &str) -> Self {
        Self { client: Client::new(rpc_url), endpoint: Endpoint::new(rpc_url) }
    }

    /// What an error means, without what the node's URL hides: clients quote it whole.
    fn error(&self, error: Error) -> ChainError {
        let text = self.endpoint.scrub(&error.to_string());
        match error {
            Error::Rejected(_) => ChainError::Refused(text),
            Error::Unconfirmed { .. }
            | Error::Transport(_)
            | Error::NotFound { .. }
            | Error::Gateway(_)
            | Error::File { .. } => ChainError::Unreachable(text),
        }
    }

    /// "There is none" as a value.
    fn optional<T>(&self, found: Result<T, Error>) -> Result<Option<T>, ChainError> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(error)),
        }
    }

    fn unreachable(&self, error: &ClientError) -> ChainError {
        ChainError::Unreachable(self.endpoint.scrub(&error.to_string()))
    }
}

#[async_trait]
impl Chain for RpcChain {
    async fn reach(&self) -> Result<(), ChainError> {
        let height = self.client.rpc().get_block_height().await;
        height.map(drop).map_err(|error| self.unreachable(&error))
    }

    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        let config = self.client.config().await;
        Ok(config.map_err(|error| self.error(error))?.cluster)
    }

    async fn now(&self) -> Result<i64, ChainError> {
        self.client.now().await.map_err(|error| self.error(error))
    }

    async fn work(&self, address: &Pubkey) -> Result<Option<Work>, ChainError> {
        self.optional(self.client.work(address).await)
    }

    async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError> {
        let found = self.client.catalogue(works, offers).await;
        found.map_err(|error| self.error(error))
    }

    async fn work_details(&self, address: &Pubkey) -> Result<Option<WorkDetails>, ChainError> {
        self.optional(self.client.work_details(address).await)
    }

    async fn lineage(&self, address: &Pubkey) -> Result<Option<Lineage>, ChainError> {
        self.optional(self.client.lineage(address).await)
    }

    async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError> {
        self.client.entries(works).await.map_err(|error| self.error(error))
    }

    async fn registered(&self) -> Result<Vec<Registered>, ChainError> {
        self.client.registered().await.map_err(|error| self.error(error))
    }

    async fn follow_works(&self, tell: Sender<Heard>) -> Result<(), ChainError> {
        self.client.follow_works(&tell).await.map_err(|error| self.error(error))
    }

    async fn terms(
        &self,
        work: &Pubkey,
        number: u32,
    ) -> Result<Option<PublishedTerms>, ChainError> {
        self.optional(self.client.terms(work, number).await)
    }

    async fn channel(&self, address: &Pubkey) -> Result<Option<ReadChannel>, ChainError> {
        let found = self.client.account(address).await;
        let found = found.map_err(|error| self.error(error))?;
        let ours = found.filter(|account| account.owner == channel::PROGRAM_ID);
        Ok(ours.and_then(|account| {
            let data = account.data;
            ChannelAccount::from_bytes(&data).map(|account| ReadChannel { account, data })
        }))
    }

    async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        let confirmed = CommitmentConfig::confirmed();
        let latest = self.client.rpc().get_latest_blockhash_with_commitment(confirmed).await;
        latest.map_err(|error| self.unreachable(&error))
    }

    async fn final_height(&self) -> Result<u64, ChainError> {
        let finalized = CommitmentConfig::finalized();
        let height = self.client.rpc().get_block_height_with_commitment(finalized).await;
        height.map_err(|error| self.unreachable(&error))
    }

    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError> {
        let encoded = BASE64_STANDARD.encode(transaction);
        let config = json!({
            "encoding": "base64",
            "skipPreflight": !check_first,
            "preflightCommitment": CommitmentLevel::Confirmed.to_string(),
        });
        let params = json!([encoded, config]);
        let sent = self.client.rpc().send::<String>(RpcRequest::SendTransaction, params).await;
        sent.map(drop).map_err(|error| match error.get_transaction_error() {
            // Both mean that this node is not where another one is already.
            Some(TransactionError::AlreadyProcessed | TransactionError::BlockhashNotFound)
            | None => self.unreachable(&error),
            Some(_) => ChainError::Refused(self.endpoint.scrub(&error.to_string())),
        })
    }

    async fn landed(&self, signature: &Signature) -> Result<Option<Landed>, ChainError> {
        self.client.landed(signature).await.map_err(|error| self.error(error))
    }

    async fn close(&self, operator: &Keypair, channel: &Pubkey) -> Result<Landed, ChainError> {
        let closed = self.client.start_closing(operator, channel).await;
        closed.map_err(|error| self.error(error))
    }

    async fn claim_fees(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<(u64, Landed), ChainError> {
        let claimed = self.client.claim_fees(operator, channel).await;
        claimed.map_err(|error| self.error(error))
    }
}
