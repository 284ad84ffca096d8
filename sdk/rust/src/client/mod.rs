//! Async client of a Solana cluster: reads accounts, and builds, sends and confirms transactions.
//!
//! ```no_run
//! # async fn example() -> Result<(), motif_sdk::Error> {
//! use motif_sdk::client::{Client, WorkFilter};
//!
//! let client = Client::new("http://127.0.0.1:8899");
//! for (address, work) in client.works(&WorkFilter::default()).await? {
//!     println!("{address} is a {:?} by {}", work.kind, work.creator);
//! }
//! # Ok(())
//! # }
//! ```

mod accounts;
mod batch;
mod catalogue;
mod channels;
mod compute_budget;
mod config;
mod confirm;
mod disputes;
mod earnings;
mod envelope;
mod node_sender;
mod operators;
mod priority_fee;
mod rate_limit;
#[cfg(feature = "fingerprint")]
mod recognition;
mod rights;
mod sale_error;
mod sale_rules;
mod sales;
mod signable;
mod splits;
mod till_payment;
mod tills;
mod transport;
mod unsignable;
mod works;

use std::{collections::BTreeSet, sync::Arc};

use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::{nonblocking::rpc_client::RpcClient, rpc_client::RpcClientConfig};
use solana_signer::Signer;

#[cfg(feature = "fingerprint")]
pub use self::recognition::Heard;
pub use self::{
    accounts::{PublishedTerms, WorkFilter, parse_clock},
    batch::{PACKET_BYTES, packed},
    catalogue::{CatalogueEntry, OfferFilter, WorkDetails, awaited},
    channels::{AcceptTerms, OpenChannel, RotateVoucherKey, Settle, SettleCosigned},
    compute_budget::ComputeBudget,
    confirm::ConfirmedTransaction,
    earnings::{Claim, Collected},
    envelope::LARGE_PACKET_BYTES,
    node_sender::NodeSender,
    priority_fee::{Attempt, InvalidPriorityFee, PriorityFee},
    rate_limit::RateLimit,
    rights::{Approve, RevokeApproval},
    sale_error::SaleError,
    sale_rules::{sale_amount, sale_obstacle, sale_price},
    sales::{Sale, VerifiedSale},
    splits::ChangeSplit,
    tills::{PayTill, SignedPayment, SweptTill},
    transport::TransportError,
    unsignable::Unsignable,
    works::{PublishTerms, RegisterWork},
};

/// A signer of transactions: a keypair, a hardware wallet or a remote service.
///
/// `Sync`, so that futures of [`Client`] can be spawned. A `&Keypair` coerces to `&DynSigner`.
pub type DynSigner = dyn Signer + Sync;

/// Fee of a signature, lamports.
const BASE_FEE: u64 = 5_000;

/// A client of one cluster, which reads and confirms at `confirmed`. Clones share connections.
#[derive(Clone)]
pub struct Client {
    rpc: Arc<RpcClient>,
    priority_fee: PriorityFee,
    /// Addresses that may be paid although no key signs for them.
    allowed: Arc<BTreeSet<Pubkey>>,
}

impl Client {
    /// Creates a client of the RPC node at `rpc_url`, without connecting to it. Requests are repeated
    /// while the node fails in a way that passes: see [`NodeSender`].
    pub fn new(rpc_url: &str) -> Self {
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        Self::from_rpc(RpcClient::new_sender(NodeSender::new(rpc_url), config))
    }

    /// Creates a client on an RPC client, which must have the commitment `confirmed`.
    pub fn from_rpc(rpc: RpcClient) -> Self {
        Self { rpc: Arc::new(rpc), priority_fee: PriorityFee::default(), allowed: Arc::default() }
    }

    /// Priority fee of transactions. Default: [`PriorityFee::default`].
    pub fn priority_fee(self, priority_fee: PriorityFee) -> Self {
        Self { priority_fee, ..self }
    }

    /// Returns the maximum fee of a transaction with one signature, lamports.
    pub fn max_fee(&self) -> u64 {
        BASE_FEE.saturating_add(self.priority_fee.most_lamports())
    }

    /// Returns the underlying RPC client.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }
}
