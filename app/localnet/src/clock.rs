//! The chain's clock on any localnet whose URL is known.

use serde_json::{Value, json};
use solana_clock::Clock;
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;

use crate::{LocalnetError, direct_client::direct};

pub(crate) const CLOCK: Pubkey =
    Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// Returns the unix time of the localnet at `rpc_url`, in seconds.
///
/// # Errors
/// [`LocalnetError::Rpc`] if it does not answer.
pub async fn unix_time(rpc_url: &str) -> Result<i64, LocalnetError> {
    read_clock(&client(rpc_url)).await
}

/// Moves the clock of the localnet at `rpc_url` forward by `seconds` and returns the unix time it
/// then shows, in seconds. Slots move along; blockhashes stay valid. Each call moves it again.
///
/// # Errors
/// [`LocalnetError::Rpc`] if it does not answer, or has no time travel, as validators.
pub async fn advance_seconds(rpc_url: &str, seconds: u64) -> Result<i64, LocalnetError> {
    let client = client(rpc_url);
    let now = read_clock(&client).await?;
    if seconds == 0 {
        return Ok(now);
    }

    // The end of the second: the clock may have moved on since it was read, and cannot go back.
    let target_milliseconds =
        (now as u64).saturating_add(seconds).saturating_mul(1_000).saturating_add(999);
    let method = RpcRequest::Custom { method: "surfnet_timeTravel" };
    client
        .send::<Value>(method, json!([{ "absoluteTimestamp": target_milliseconds }]))
        .await
        .map_err(|source| failed("time travel", source))?;
    read_clock(&client).await
}

fn client(rpc_url: &str) -> RpcClient {
    direct(rpc_url, CommitmentConfig::processed())
}

async fn read_clock(client: &RpcClient) -> Result<i64, LocalnetError> {
    let data = client.get_account_data(&CLOCK).await;
    let data = data.map_err(|source| failed("reading the Clock sysvar", source))?;
    let clock: Clock = wincode::deserialize(&data).map_err(|_| LocalnetError::InvalidClock)?;
    Ok(clock.unix_timestamp)
}

fn failed(
    request: &'static str,
    source: solana_rpc_client_api::client_error::Error,
) -> LocalnetError {
    LocalnetError::Rpc { request, source: Box::new(source) }
}
