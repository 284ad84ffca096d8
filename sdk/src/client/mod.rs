//! An async client of a cluster: sends, confirms, reads, and sorts what goes wrong.
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

mod catalogue;
mod config;
mod disputes;
mod envelope;
mod landing;
mod packing;
mod payments;
mod reading;
mod recognition;
mod rights;
mod splits;
mod works;

use std::sync::Arc;

use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

pub use self::{
    catalogue::{CatalogueEntry, OfferFilter, WorkDetails, awaited},
    envelope::LARGE_PACKET_BYTES,
    landing::Landed,
    packing::{PACKET_BYTES, packed},
    payments::Collected,
    reading::{PublishedTerms, WorkFilter},
    recognition::Heard,
};

/// A connection to one cluster; clones share it. Reads and confirms at `confirmed`.
#[derive(Clone)]
pub struct Client {
    rpc: Arc<RpcClient>,
}

impl Client {
    /// A client of the RPC node at `rpc_url`. Nothing is sent before it is used.
    pub fn new(rpc_url: &str) -> Self {
        let commitment = CommitmentConfig::confirmed();
        Self { rpc: Arc::new(RpcClient::new_with_commitment(rpc_url.to_owned(), commitment)) }
    }

    /// The RPC client underneath, for what this one does not offer.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }
}
