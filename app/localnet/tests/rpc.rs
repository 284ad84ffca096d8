//! What stock clients rely on, asked of a localnet the way they ask.

// A step that fails is a test that fails.
#![allow(clippy::unwrap_used)]

use futures::StreamExt;
use motif_localnet::{Localnet, LocalnetConfig, TestDollar};
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    config::{
        RpcAccountInfoConfig, RpcSendTransactionConfig, RpcSignatureSubscribeConfig,
        RpcSimulateTransactionConfig, RpcTransactionLogsConfig, RpcTransactionLogsFilter,
    },
    request::RpcRequest,
    response::RpcSignatureResult,
};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::{Transaction, TransactionError};
use std::time::Duration;
use tokio::time::timeout;

const SOL: u64 = 1_000_000_000;
const SOON: Duration = Duration::from_secs(10);
const SYSTEM_PROGRAM: &str = "11111111111111111111111111111111";
const TOKEN_PROGRAM: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

struct World {
    localnet: Localnet,
    client: RpcClient,
    payer: Keypair,
}

impl World {
    async fn new() -> Self {
        let localnet = Localnet::start(LocalnetConfig::new()).await.unwrap();
        let client =
            RpcClient::new_with_commitment(localnet.rpc_url(), CommitmentConfig::confirmed());
        let payer = Keypair::new();
        localnet.faucet().airdrop_sol(&payer.pubkey(), 10 * SOL).await.unwrap();
        Self { localnet, client, payer }
    }

    async fn transfer(&self, to: &Pubkey, lamports: u64) -> Transaction {
        let blockhash = self.client.get_latest_blockhash().await.unwrap();
        let pay = transfer(&self.payer.pubkey(), to, lamports);
        Transaction::new_signed_with_payer(
            &[pay],
            Some(&self.payer.pubkey()),
            &[&self.payer],
            blockhash,
        )
    }

    async fn ask(&self, method: &'static str, params: Value) -> Value {
        self.client.send(RpcRequest::Custom { method }, params).await.unwrap()
    }
}

#[tokio::test]
async fn a_transaction_is_read_back_with_its_fee_and_compute_units() {
    let world = World::new().await;
    let transaction = world.transfer(&Pubkey::new_unique(), SOL).await;
    let signature = world.client.send_and_confirm_transaction(&transaction).await.unwrap();

    let config = json!({
        "encoding": "json",
        "commitment": "confirmed",
        "maxSupportedTransactionVersion": 0,
    });
    let found = world.ask("getTransaction", json!([signature.to_string(), config])).await;

    assert_eq!(found["meta"]["fee"], 5_000, "{found}");
    assert_eq!(found["meta"]["computeUnitsConsumed"], 150);
    assert_eq!(found["meta"]["err"], Value::Null);
    assert!(found["meta"]["logMessages"].as_array().unwrap().len() >= 2);
    let now = world.localnet.unix_time().await.unwrap();
    let block_time = found["blockTime"].as_i64().unwrap();
    assert!((now - 5..=now + 1).contains(&block_time), "{block_time} {now}");

    let found =
        world.ask("getSignaturesForAddress", json!([world.payer.pubkey().to_string()])).await;
    assert!(
        found.as_array().unwrap().iter().any(|row| row["signature"] == signature.to_string()),
        "{found}"
    );
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn a_simulation_tells_units_and_errors_and_changes_nothing() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();

    let fine = world.transfer(&payee, SOL).await;
    let config = RpcSimulateTransactionConfig { sig_verify: true, ..Default::default() };
    let result = world.client.simulate_transaction_with_config(&fine, config).await.unwrap().value;
    assert_eq!((result.err, result.units_consumed), (None, Some(150)));

    let too_much = world.transfer(&payee, 1_000 * SOL).await;
    let result = world.client.simulate_transaction(&too_much).await.unwrap().value;
    assert!(result.err.is_some());
    assert!(result.logs.unwrap().iter().any(|line| line.contains("insufficient lamports")));

    assert_eq!(world.client.get_balance(&payee).await.unwrap(), 0);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn preflight_refuses_what_would_fail_and_without_it_the_failure_lands_and_costs_its_fee() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();
    let too_much = world.transfer(&payee, 1_000 * SOL).await;

    let refused = world.client.send_transaction(&too_much).await.unwrap_err();
    assert!(refused.get_transaction_error().is_some(), "{refused}");
    assert_eq!(world.client.get_balance(&world.payer.pubkey()).await.unwrap(), 10 * SOL);

    let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    let signature = world.client.send_transaction_with_config(&too_much, config).await.unwrap();
    let landed = timeout(SOON, async {
        loop {
            let status =
                world.client.get_signature_statuses(&[signature]).await.unwrap().value.remove(0);
            if let Some(status) = status {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(landed.await.unwrap().err.is_some());
    assert_eq!(world.client.get_balance(&world.payer.pubkey()).await.unwrap(), 10 * SOL - 5_000);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn a_repeated_transaction_a_wrong_signature_and_an_unknown_blockhash_are_refused() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();
    let transaction = world.transfer(&payee, SOL).await;
    world.client.send_and_confirm_transaction(&transaction).await.unwrap();

    let refused = world.client.send_transaction(&transaction).await.unwrap_err();
    assert!(refused.to_string().contains("already been processed"), "{refused}");

    let mut forged = world.transfer(&payee, 2 * SOL).await;
    forged.signatures[0] = world.payer.sign_message(b"something else");
    let refused = world.client.send_transaction(&forged).await.unwrap_err();
    assert!(refused.to_string().contains("did not pass signature verification"), "{refused}");

    let pay = transfer(&world.payer.pubkey(), &payee, SOL);
    let unknown = solana_transaction::Hash::new_unique();
    let payer = &world.payer;
    let stale =
        Transaction::new_signed_with_payer(&[pay], Some(&payer.pubkey()), &[payer], unknown);
    let refused = world.client.send_transaction(&stale).await.unwrap_err();
    assert_eq!(
        refused.get_transaction_error(),
        Some(TransactionError::BlockhashNotFound),
        "{refused}"
    );

    assert_eq!(world.client.get_balance(&payee).await.unwrap(), SOL);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn accounts_are_read_many_at_once_and_found_by_their_bytes() {
    let world = World::new().await;
    let faucet = world.localnet.faucet();
    let dollar = TestDollar::new();
    let owners = [Pubkey::new_unique(), Pubkey::new_unique()];
    for owner in &owners {
        faucet.mint_dollars(owner, 7_000_000).await.unwrap();
    }

    let wanted = [dollar.mint, Pubkey::new_unique(), dollar.account_of(&owners[1])];
    let accounts = world.client.get_multiple_accounts(&wanted).await.unwrap();
    let sizes: Vec<_> =
        accounts.iter().map(|account| account.as_ref().map(|a| a.data.len())).collect();
    assert_eq!(sizes, [Some(82), None, Some(165)]);

    // Token accounts of this mint and owner, their amounts only: a data slice.
    let config = json!({
        "encoding": "base64",
        "dataSlice": { "offset": 64, "length": 8 },
        "filters": [
            { "dataSize": 165 },
            { "memcmp": { "offset": 0, "bytes": dollar.mint.to_string() } },
            { "memcmp": { "offset": 32, "bytes": owners[0].to_string() } },
        ],
    });
    let found = world.ask("getProgramAccounts", json!([TOKEN_PROGRAM, config])).await;
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["pubkey"], dollar.account_of(&owners[0]).to_string());
    assert_eq!(found[0]["account"]["data"], json!(["wM9qAAAAAAA=", "base64"]));

    let config = json!({ "encoding": "base64", "filters": [{ "dataSize": 164 }] });
    let none = world.ask("getProgramAccounts", json!([TOKEN_PROGRAM, config])).await;
    assert_eq!(none, json!([]));
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn subscribers_hear_of_signatures_logs_and_accounts() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();
    let subscriptions = PubsubClient::new(world.localnet.ws_url()).await.unwrap();
    let confirmed = Some(CommitmentConfig::confirmed());
    let transaction = world.transfer(&payee, SOL).await;
    let signature = transaction.signatures[0];

    let by_signature = RpcSignatureSubscribeConfig { commitment: confirmed, ..Default::default() };
    let by_mention = RpcTransactionLogsFilter::Mentions(vec![SYSTEM_PROGRAM.to_string()]);
    let by_account = RpcAccountInfoConfig { commitment: confirmed, ..Default::default() };
    let (mut signatures, _unsubscribe_signature) =
        subscriptions.signature_subscribe(&signature, Some(by_signature)).await.unwrap();
    let logs_config = RpcTransactionLogsConfig { commitment: confirmed };
    let (mut logs, _unsubscribe_logs) =
        subscriptions.logs_subscribe(by_mention, logs_config).await.unwrap();
    let (mut accounts, _unsubscribe_account) =
        subscriptions.account_subscribe(&payee, Some(by_account)).await.unwrap();

    world.client.send_transaction(&transaction).await.unwrap();

    let heard = timeout(SOON, signatures.next()).await.unwrap().unwrap().value;
    assert!(
        matches!(heard, RpcSignatureResult::ProcessedSignature(result) if result.err.is_none())
    );
    let heard = timeout(SOON, accounts.next()).await.unwrap().unwrap().value;
    assert_eq!(heard.lamports, SOL);
    let heard = timeout(SOON, logs.next()).await.unwrap().unwrap().value;
    assert_eq!((heard.signature, heard.err), (signature.to_string(), None));

    // A signature that has landed before anybody asked is told of at once.
    // The client loses an answer that overtakes that of its subscription: then it asks again.
    let mut told = false;
    for _ in 0..5 {
        let by_signature =
            RpcSignatureSubscribeConfig { commitment: confirmed, ..Default::default() };
        let (mut late, _unsubscribe_late) =
            subscriptions.signature_subscribe(&signature, Some(by_signature)).await.unwrap();
        told |= timeout(SOON, late.next()).await.is_ok_and(|heard| heard.is_some());
        if told {
            break;
        }
    }
    assert!(told);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn a_transaction_becomes_final() {
    let world = World::new().await;
    let transaction = world.transfer(&Pubkey::new_unique(), SOL).await;
    let signature = world.client.send_and_confirm_transaction(&transaction).await.unwrap();
    let started = std::time::Instant::now();
    let finalized = timeout(Duration::from_secs(30), async {
        while !world
            .client
            .confirm_transaction_with_commitment(&signature, CommitmentConfig::finalized())
            .await
            .unwrap()
            .value
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    finalized.await.unwrap();
    println!("final {:?} after confirmation", started.elapsed());
    world.localnet.stop().await.unwrap();
}
