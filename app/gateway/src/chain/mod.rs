//! What the gateway asks of the cluster, and nothing else.

mod endpoint;
mod node;
mod rpc;

use async_trait::async_trait;
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    client::{
        CatalogueEntry, ConfirmedTransaction, Heard, OfferFilter, PublishedTerms, WorkDetails,
        WorkFilter,
    },
    licensing::Work,
    lineage::Lineage,
    recognition::Registered,
};
use solana_keypair::Keypair;
use solana_message::Hash;
use solana_signature::Signature;
use tokio::sync::mpsc::Sender;

pub use endpoint::Endpoint;
pub use node::NodeStanding;
pub use rpc::RpcChain;

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
    /// The slot it was read at.
    pub slot: u64,
}

/// One cluster. Tests script it.
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
    /// A transaction that landed; `None` where a node that is up to date knows of none.
    /// `Refused` when it failed.
    async fn landed(
        &self,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, ChainError>;
    /// Ends a channel's grace period.
    async fn close(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<ConfirmedTransaction, ChainError>;
    /// Pays the operator its fees; base units.
    async fn claim_fees(
        &self,
        operator: &Keypair,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ChainError>;
    /// How the nodes behind this do, in the order in which they are preferred.
    fn nodes(&self) -> Vec<NodeStanding> {
        Vec::new()
    }
}
