//! The cluster for pages: they reach it only through this gateway.

use axum::{Json, extract::State};
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        AccountFacts, AccountsFacts, AccountsRequest, Address, Amount, BlockhashFacts,
        ClusterFacts, Digest, FaucetRequest, Network, Problem, SentTransaction, SponsorshipQuote,
        TransactionFacts, TransactionRequest, TransactionState,
    },
};
use solana_signature::Signature;

use super::extract::{JsonBody, PathParameter};
use crate::{
    App,
    chain::{ChainError, MAX_ACCOUNTS},
    error::GatewayError,
    relay::{RelayedTransaction, may_read, read_transaction},
};

/// Genesis hashes of the public networks.
const GENESES: [(Pubkey, Network); 3] = [
    (Pubkey::from_str_const("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"), Network::Mainnet),
    (Pubkey::from_str_const("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"), Network::Devnet),
    (Pubkey::from_str_const("4uhcVJyU9pJkvQyS88uRDiswHScQnMTcKg7HzPJSZBLe"), Network::Testnet),
];
/// Maximum amounts of one gift: 10 SOL and 10,000 test dollars.
const MAX_LAMPORTS: u64 = 10_000_000_000;
const MAX_DOLLARS: u64 = 10_000_000_000;

/// Shows the cluster of this gateway.
#[utoipa::path(get, operation_id = "show_cluster", path = "/v1/chain", responses(
    (status = 200, body = ClusterFacts),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn show(State(app): State<App>) -> Result<Json<ClusterFacts>, GatewayError> {
    let (cluster, network) = network(&app).await?;
    let faucet = app.config.faucet.is_some() && network == Network::Localnet;
    let sponsor = app.sponsor.as_ref().map(|sponsor| Address(sponsor.address()));
    Ok(Json(ClusterFacts { cluster: Digest(cluster), network, faucet, sponsor }))
}

/// Shows a blockhash for a transaction.
#[utoipa::path(get, operation_id = "show_blockhash", path = "/v1/chain/blockhash", responses(
    (status = 200, body = BlockhashFacts),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn blockhash(State(app): State<App>) -> Result<Json<BlockhashFacts>, GatewayError> {
    let (blockhash, last_valid_block_height) = app.cluster.blockhash().await?;
    Ok(Json(BlockhashFacts { blockhash: blockhash.to_string(), last_valid_block_height }))
}

/// Reads accounts. The data of accounts that Motif does not use is left out.
#[utoipa::path(post, operation_id = "read_accounts", path = "/v1/chain/accounts", request_body = AccountsRequest, responses(
    (status = 200, body = AccountsFacts),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn accounts(
    State(app): State<App>,
    JsonBody(request): JsonBody<AccountsRequest>,
) -> Result<Json<AccountsFacts>, GatewayError> {
    let count = request.addresses.len();
    if count == 0 || count > MAX_ACCOUNTS {
        let what = format!("`addresses` has {count} addresses: expected 1 to {MAX_ACCOUNTS}");
        return Err(GatewayError::MalformedJson(what));
    }
    let addresses: Vec<_> = request.addresses.iter().map(|address| address.0).collect();
    let (found, slot) = app.cluster.chain().accounts(&addresses).await?;
    let accounts = found.into_iter().map(|account| {
        let account = account?;
        let is_shown = may_read(&account.owner, account.data.len());
        let data = if is_shown { BASE64_STANDARD.encode(&account.data) } else { String::new() };
        Some(AccountFacts {
            lamports: Amount(account.lamports),
            owner: Address(account.owner),
            data,
        })
    });
    Ok(Json(AccountsFacts { slot, accounts: accounts.collect() }))
}

/// Sends a signed transaction that uses Motif, after a node's preflight check.
#[utoipa::path(post, operation_id = "send_transaction", path = "/v1/chain/transactions", request_body = TransactionRequest, responses(
    (status = 200, body = SentTransaction),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn send(
    State(app): State<App>,
    JsonBody::<_, 4_096>(request): JsonBody<TransactionRequest, 4_096>,
) -> Result<Json<SentTransaction>, GatewayError> {
    let (_, read) = read_transaction(&request.transaction)?;
    let sent = |signature| SentTransaction { signature: Signature::from(signature).to_string() };
    let Some(sponsor) = app.sponsor.as_ref().filter(|sponsor| sponsor.is_named_by(&read)) else {
        let transaction = RelayedTransaction::read(&request.transaction)?;
        submit(&app, &transaction.bytes).await?;
        return Ok(Json(sent(transaction.signature)));
    };
    let sponsored = sponsor.sign(&read).await?;
    match submit(&app, &sponsored.bytes).await {
        Ok(()) => sponsor.record(&sponsored).await,
        // No node has it.
        Err(error @ GatewayError::TransactionRefused(_)) => {
            sponsor.refund(&sponsored);
            return Err(error);
        }
        // A node may have it.
        Err(error) => {
            sponsor.record(&sponsored).await;
            return Err(error);
        }
    }
    Ok(Json(sent(sponsored.signature)))
}

async fn submit(app: &App, transaction: &[u8]) -> Result<(), GatewayError> {
    let sent = app.cluster.chain().relay(transaction).await;
    sent.map_err(|error| match error {
        ChainError::Refused(what) | ChainError::Final(what) => {
            GatewayError::TransactionRefused(what)
        }
        error @ ChainError::Unreachable(_) => error.into(),
    })
}

/// Shows what the operator's sponsor would pay for a transaction that registers works, publishes terms or claims
/// earnings. The request has it with the wallet as its fee payer, not signed. The sponsored one has the sponsor as
/// its fee payer, the transfer first, and is sent as any other one, without the sponsor's signature.
#[utoipa::path(post, operation_id = "quote_sponsorship", path = "/v1/chain/sponsorships", request_body = TransactionRequest, responses(
    (status = 200, body = SponsorshipQuote),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn quote_sponsorship(
    State(app): State<App>,
    JsonBody::<_, 4_096>(request): JsonBody<TransactionRequest, 4_096>,
) -> Result<Json<SponsorshipQuote>, GatewayError> {
    let sponsor = app.sponsor.as_ref().ok_or(GatewayError::NotFound)?;
    let (_, read) = read_transaction(&request.transaction)?;
    let lamports = Amount(sponsor.quote(&read).await?);
    Ok(Json(SponsorshipQuote { sponsor: Address(sponsor.address()), lamports }))
}

/// Shows the outcome of a transaction.
#[utoipa::path(get, operation_id = "show_transaction", path = "/v1/chain/transactions/{signature}",
    params(("signature" = String, Path, pattern = "^[1-9A-HJ-NP-Za-km-z]{64,88}$")),
    responses(
        (status = 200, body = TransactionFacts),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn transaction(
    State(app): State<App>,
    PathParameter(signature): PathParameter<Signature>,
) -> Result<Json<TransactionFacts>, GatewayError> {
    let mut facts = TransactionFacts {
        signature: signature.to_string(),
        state: TransactionState::Unknown,
        slot: None,
        fee_lamports: None,
        detail: None,
    };
    match app.cluster.chain().landed(&signature).await {
        Ok(None) => {}
        Ok(Some(landed)) => {
            facts.state = TransactionState::Confirmed;
            facts.slot = Some(landed.slot);
            facts.fee_lamports = Some(Amount(landed.fee_lamports));
        }
        Err(ChainError::Refused(what) | ChainError::Final(what)) => {
            facts.state = TransactionState::Failed;
            facts.detail = Some(what);
        }
        Err(error @ ChainError::Unreachable(_)) => return Err(error.into()),
    }
    Ok(Json(facts))
}

/// Gives SOL and test dollars on a localnet.
#[utoipa::path(post, operation_id = "give_test_tokens", path = "/v1/chain/faucet", request_body = FaucetRequest, responses(
    (status = 204),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn faucet(
    State(app): State<App>,
    JsonBody(request): JsonBody<FaucetRequest>,
) -> Result<axum::http::StatusCode, GatewayError> {
    let faucet = app.config.faucet.clone().ok_or(GatewayError::NotFound)?;
    if network(&app).await?.1 != Network::Localnet {
        return Err(GatewayError::NotFound);
    }
    let (lamports, dollars) =
        (request.lamports.unwrap_or_default(), request.amount.unwrap_or_default());
    if lamports.0 > MAX_LAMPORTS || dollars.0 > MAX_DOLLARS {
        let what = format!("expected at most {MAX_LAMPORTS} lamports and {MAX_DOLLARS} base units");
        return Err(GatewayError::MalformedJson(what));
    }
    let given = faucet.0.give(request.address.0, lamports.0, dollars.0).await;
    given.map_err(GatewayError::TransactionRefused)?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// Returns the tag of the cluster and its network.
async fn network(app: &App) -> Result<([u8; 32], Network), GatewayError> {
    let tag = app.cluster.tag().await?;
    let known = GENESES.iter().find(|(genesis, _)| *genesis.as_array() == tag);
    let network = known.map(|(_, network)| *network).unwrap_or_else(|| {
        let is_local = app.config.rpc_urls.iter().all(|url| is_loopback(url));
        if is_local { Network::Localnet } else { Network::Unknown }
    });
    Ok((tag, network))
}

/// Returns whether a node's URL names this machine.
fn is_loopback(url: &str) -> bool {
    let parsed = reqwest::Url::parse(url);
    parsed.is_ok_and(|url| match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|host| host.is_loopback()),
        None => false,
    })
}
