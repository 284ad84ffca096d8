//! Time on chain, of any localnet in reach: its own process or another one.

use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::{Pubkey, pubkey};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;

use crate::LocalnetError;

const CLOCK_SYSVAR: Pubkey = pubkey!("SysvarC1ock11111111111111111111111111111111");

/// What the localnet at `rpc_url` takes for now: unix seconds.
///
/// # Errors
/// - [`LocalnetError::Rpc`]: it did not answer.
pub async fn unix_time(rpc_url: &str) -> Result<i64, LocalnetError> {
    read_clock(&client(rpc_url)).await
}

/// Moves the localnet at `rpc_url` into the future by `seconds`; returns the unix time it then has.
/// Slots jump along, blockhashes stay good. There is no way back, and repeating the call moves it
/// again.
///
/// # Errors
/// - [`LocalnetError::Rpc`]: it did not answer, or is no localnet (a validator knows no time
///   travel).
pub async fn advance_seconds(rpc_url: &str, seconds: u64) -> Result<i64, LocalnetError> {
    let client = client(rpc_url);
    let now = read_clock(&client).await?;
    if seconds == 0 {
        return Ok(now);
    }

    // The end of the second: the chain may have moved on since it was read, and going back is
    // refused.
    let target_milliseconds =
        (now as u64).saturating_add(seconds).saturating_mul(1_000).saturating_add(999);
    let method = RpcRequest::Custom { method: "surfnet_timeTravel" };
    client
        .send::<Value>(method, json!([{ "absoluteTimestamp": target_milliseconds }]))
        .await
        .map_err(|source| failed("travelling in time", source))?;
    read_clock(&client).await
}

fn client(rpc_url: &str) -> RpcClient {
    RpcClient::new_with_commitment(rpc_url.to_string(), CommitmentConfig::processed())
}

async fn read_clock(client: &RpcClient) -> Result<i64, LocalnetError> {
    let data = client
        .get_account_data(&CLOCK_SYSVAR)
        .await
        .map_err(|source| failed("reading the Clock sysvar", source))?;
    // slot, epoch start, epoch, leader schedule epoch, unix timestamp: eight bytes each.
    let unix_timestamp = data.get(32..40).and_then(|bytes| bytes.try_into().ok());
    unix_timestamp.map(i64::from_le_bytes).ok_or(LocalnetError::NoClock)
}

fn failed(
    doing: &'static str,
    source: solana_rpc_client_api::client_error::Error,
) -> LocalnetError {
    LocalnetError::Rpc { doing, source: Box::new(source) }
}
