//! Client of a localnet, without proxies.

use std::time::Duration;

use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::{
    http_sender::HttpSender, nonblocking::rpc_client::RpcClient, rpc_client::RpcClientConfig,
};
use solana_rpc_client_api::client_error::reqwest;

/// Time limit of a request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Creates a client of the localnet at `rpc_url`, which no proxy of the environment stands before.
pub(crate) fn direct(rpc_url: &str, commitment: CommitmentConfig) -> RpcClient {
    // Fails only if the system resolver cannot be set up.
    let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().unwrap_or_default();
    let sender = HttpSender::new_with_client(rpc_url, http);
    RpcClient::new_sender(sender, RpcClientConfig::with_commitment(commitment))
}
