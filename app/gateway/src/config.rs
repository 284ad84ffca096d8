use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use motif_sdk::Pubkey;
use solana_keypair::Keypair;

/// How a gateway runs.
#[derive(Clone)]
pub struct GatewayConfig {
    /// JSON-RPC node of the cluster.
    pub rpc_url: String,
    /// Signs receipts and settlements, and pays for transactions.
    pub operator: Arc<Keypair>,
    /// The store's file; it is created where there is none.
    pub store: PathBuf,
    /// Where to listen; port 0 for any free one.
    pub listen: SocketAddr,
    /// The least fee a channel must give, on top of prices.
    pub operator_fee_bps: u16,
    /// The least grace period a channel must have.
    pub min_grace_seconds: u32,
    /// The least a voucher and its licence must still be valid for: time to settle in.
    pub min_voucher_seconds: u32,
    /// Mints it serves channels of; empty for any.
    pub mints: Vec<Pubkey>,
    /// When to settle without being asked.
    pub settle: SettlePolicy,
}

/// When the settlement worker settles a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlePolicy {
    /// Once the open statement's prices reach this many base units; `None` for no such limit.
    pub at_amount: Option<u64>,
    /// Once the open statement's first generation is this old.
    pub at_age_seconds: u32,
    /// Once the open statement has this many receipts; bounds memory, too.
    pub at_receipts: u32,
    /// How often the worker looks, at channels and at the chain.
    pub look_every: Duration,
}

impl GatewayConfig {
    /// A gateway on a free loopback port that takes no fee, with an hour of grace, vouchers
    /// valid for ten minutes at least, any mint, and the default policy.
    pub fn new(rpc_url: &str, operator: Arc<Keypair>, store: PathBuf) -> Self {
        Self {
            rpc_url: rpc_url.to_owned(),
            operator,
            store,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            operator_fee_bps: 0,
            min_grace_seconds: 3_600,
            min_voucher_seconds: 600,
            mints: Vec::new(),
            settle: SettlePolicy::default(),
        }
    }
}

impl Default for SettlePolicy {
    /// Every hour, and at half a million receipts.
    fn default() -> Self {
        Self {
            at_amount: None,
            at_age_seconds: 3_600,
            at_receipts: 500_000,
            look_every: Duration::from_secs(5),
        }
    }
}
