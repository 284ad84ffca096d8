//! Options that every command accepts.

use std::path::PathBuf;

use clap::Args;
use motif_sdk::client::PriorityFee;

/// Options that every command accepts.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub struct CommonArgs {
    /// URL of the Solana JSON-RPC node [default: that of `solana config`, or http://127.0.0.1:8899]
    #[arg(long, global = true, value_name = "URL", env = "MOTIF_RPC_URL", hide_env_values = true)]
    pub rpc_url: Option<String>,

    /// URL of the gateway
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "MOTIF_GATEWAY_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8787"
    )]
    pub gateway_url: String,

    /// Keypair file that signs and pays; `-` reads stdin [default: that of `solana config`, or
    /// ~/.config/solana/id.json]
    #[arg(long, global = true, env = "MOTIF_KEYPAIR", hide_env_values = true, value_name = "FILE")]
    pub keypair: Option<PathBuf>,

    /// Priority fee of transactions: off, micro-lamports per compute unit, or a percentile of recent
    /// fees, of which at most 100,000 lamports a transaction are paid [default: p50]
    #[arg(
        long,
        global = true,
        value_name = "off|N|pNN",
        env = "MOTIF_PRIORITY_FEE",
        hide_env_values = true
    )]
    pub priority_fee: Option<PriorityFee>,

    /// Print the result as one line of JSON, the last line of stdout
    #[arg(long, global = true)]
    pub json: bool,

    /// Seconds to wait for a node or gateway on this machine that is still starting
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 20)]
    pub wait_seconds: u64,
}
