//! Transactions and accounts that pages reach through the gateway.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_gateway::{Faucet, FaucetHandle};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        AccountsFacts, BlockhashFacts, PaidChannels, TransactionFacts, TransactionState,
    },
    licensing,
};
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::Hash;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::world::{Answer, CHANNEL, Network, World};

const SYSTEM: Pubkey = Pubkey::new_from_array([0; 32]);
const TOKENS: Pubkey = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const ASSOCIATED_TOKENS: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
const MEMO: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

fn wallet() -> Keypair {
    Keypair::new_from_array([21; 32])
}

/// Calls a program with data.
fn call(program: Pubkey, data: &[u8]) -> Instruction {
    let accounts = vec![AccountMeta::new(wallet().pubkey(), true)];
    Instruction { program_id: program, accounts, data: data.to_vec() }
}

pub fn own() -> Instruction {
    call(licensing::PROGRAM_ID, &[1, 2, 3])
}

/// Returns the wire format of a signed transaction.
pub fn signed(instructions: &[Instruction]) -> Vec<u8> {
    let (wallet, hash) = (wallet(), Hash::new_from_array([4; 32]));
    let payer = wallet.pubkey();
    let signed = Transaction::new_signed_with_payer(instructions, Some(&payer), &[&wallet], hash);
    let mut bytes = vec![signed.signatures.len() as u8];
    signed.signatures.iter().for_each(|signature| bytes.extend_from_slice(signature.as_ref()));
    bytes.extend(signed.message.serialize());
    bytes
}

async fn post(world: &World, path: &str, body: &Value) -> Answer {
    world.send(Method::POST, path, None, Some(body.to_string().into())).await
}

pub fn encoded(transaction: &[u8]) -> String {
    BASE64_STANDARD.encode(transaction)
}

async fn send(world: &World, transaction: &[u8]) -> Answer {
    let body = json!({ "transaction": encoded(transaction) });
    post(world, "/v1/chain/transactions", &body).await
}

async fn get<T: serde::de::DeserializeOwned>(world: &World, path: &str) -> T {
    let answer = world.send(Method::GET, path, None, None).await;
    answer.assert_ok();
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn own_transaction_is_relayed_and_lands() {
    let world = World::new().await;
    world.chain.state().is_taking_all = true;
    let hash: BlockhashFacts = get(&world, "/v1/chain/blockhash").await;
    assert_eq!(hash.last_valid_block_height, 1_150);
    let memo = call(MEMO, b"a note");
    let transfer = call(SYSTEM, &[&2_u32.to_le_bytes()[..], &5_u64.to_le_bytes()].concat());
    let bytes = signed(&[own(), memo, transfer, call(TOKENS, &[12, 0, 0])]);
    let answer = send(&world, &bytes).await;
    answer.assert_ok();
    let sent: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(world.chain.state().submitted.last(), Some(&bytes));
    let path = format!("/v1/chain/transactions/{}", sent["signature"].as_str().unwrap());
    let facts: TransactionFacts = get(&world, &path).await;
    assert_eq!(
        (facts.state, facts.fee_lamports.map(|fee| fee.0)),
        (TransactionState::Confirmed, Some(10_000))
    );
    let other = signed(&[call(licensing::PROGRAM_ID, &[9])]);
    let unknown = solana_signature::Signature::from(<[u8; 64]>::try_from(&other[1..65]).unwrap());
    let facts: TransactionFacts = get(&world, &format!("/v1/chain/transactions/{unknown}")).await;
    assert_eq!((facts.state, facts.slot), (TransactionState::Unknown, None));
}

#[tokio::test]
async fn foreign_programs_are_not_relayed() {
    let world = World::new().await;
    world.chain.state().is_taking_all = true;
    let foreign = Pubkey::new_from_array([77; 32]);
    for instructions in [
        vec![call(foreign, &[1])],
        vec![own(), call(foreign, &[1])],
        vec![call(foreign, &[1]), own()],
        // Create an account, assign one to another program, allocate.
        vec![own(), call(SYSTEM, &[0; 52])],
        vec![own(), call(SYSTEM, &[1, 0, 0, 0, 9])],
        vec![own(), call(SYSTEM, &[8, 0, 0, 0, 9])],
        // Approve, mint, set the authority.
        vec![own(), call(TOKENS, &[4])],
        vec![own(), call(TOKENS, &[7])],
        vec![own(), call(TOKENS, &[6])],
        vec![own(), call(TOKENS, &[])],
        // Nothing of Motif.
        vec![call(MEMO, b"free postage")],
        vec![call(TOKENS, &[12])],
    ] {
        let answer = send(&world, &signed(&instructions)).await;
        answer.assert_problem(403, "foreign-program");
    }
    assert!(world.chain.state().submitted.is_empty(), "nothing reached the cluster");
}

#[tokio::test]
async fn payout_is_relayed_by_its_memo() {
    let world = World::new().await;
    world.chain.state().is_taking_all = true;
    let list = "0123456789abcdef".repeat(4);
    let memo = |text: &str| call(MEMO, text.as_bytes());
    let named = memo(&format!("motif:payout:{list}:0-12"));
    let pay = || call(TOKENS, &[12, 5, 0, 0, 0, 0, 0, 0, 0, 6]);
    send(&world, &signed(&[named.clone(), call(ASSOCIATED_TOKENS, &[1]), pay()])).await.assert_ok();
    assert_eq!(world.chain.state().submitted.len(), 1);
    for instructions in [
        vec![memo("motif:payout"), pay()],
        vec![memo(&format!("motif:payout:{}:0-12", &list[1..])), pay()],
        vec![memo(&format!("motif:payout:{list}:0")), pay()],
        vec![memo(&format!("motif:payout:{list}:0-12 and more")), pay()],
        // Lamports, and transfers without decimals, are no part of a payout.
        vec![named.clone(), call(SYSTEM, &[&2_u32.to_le_bytes()[..], &[5; 8]].concat())],
        vec![named.clone(), pay(), call(TOKENS, &[3, 5])],
        vec![named, pay(), call(TOKENS, &[9])],
    ] {
        send(&world, &signed(&instructions)).await.assert_problem(403, "foreign-program");
    }
    assert_eq!(world.chain.state().submitted.len(), 1, "nothing more reached the cluster");
}

#[tokio::test]
async fn malformed_transactions_are_rejected() {
    let world = World::new().await;
    world.chain.state().is_taking_all = true;
    let good = signed(&[own()]);
    let mut unsigned = good.clone();
    unsigned[1..65].fill(0);
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    // Version 0 with one lookup table.
    let mut tables = [&good[..65], &[0x80], &good[65..]].concat();
    tables.push(1);
    tables.extend([5; 32]);
    tables.extend([1, 0, 0]);
    let long = [good.clone(), vec![0; 1_233]].concat();
    for wrong in [vec![], vec![0], good[..100].to_vec(), unsigned, changed, tables, long] {
        send(&world, &wrong).await.assert_problem(400, "malformed-transaction");
    }
    let text = json!({ "transaction": "not base64!" });
    let answer = post(&world, "/v1/chain/transactions", &text).await;
    answer.assert_problem(400, "malformed-transaction");
    let huge = json!({ "transaction": "A".repeat(5_000) });
    post(&world, "/v1/chain/transactions", &huge).await.assert_problem(413, "body-too-large");
    assert!(world.chain.state().submitted.is_empty());
}

#[tokio::test]
async fn refusal_of_a_node_is_told() {
    let world = World::new().await;
    world.chain.network(Network::Refusing);
    send(&world, &signed(&[own()])).await.assert_problem(422, "transaction-refused");
    world.chain.network(Network::Down);
    let down = send(&world, &signed(&[own()])).await;
    down.assert_problem(503, "chain-unreachable");
    assert!(!down.text().contains("told to be down"), "what a node says is not shown");
}

#[tokio::test]
async fn foreign_account_has_no_data() {
    let world = World::new().await;
    let account = |owner, length| Account {
        lamports: 5,
        data: vec![7; length],
        owner,
        executable: false,
        rent_epoch: 0,
    };
    let addresses: Vec<_> = (1..=4).map(|n| Pubkey::new_from_array([n; 32])).collect();
    let foreign = Pubkey::new_from_array([77; 32]);
    world.chain.state().accounts.extend([
        (addresses[0], account(licensing::PROGRAM_ID, 3)),
        (addresses[1], account(foreign, 3)),
        (addresses[2], account(TOKENS, 100_000)),
    ]);
    let texts: Vec<_> = addresses.iter().map(Pubkey::to_string).collect();
    let answer = post(&world, "/v1/chain/accounts", &json!({ "addresses": texts })).await;
    answer.assert_ok();
    let found: AccountsFacts = serde_json::from_slice(&answer.body).unwrap();
    let data: Vec<_> =
        found.accounts.iter().map(|one| one.as_ref().map(|one| one.data.as_str())).collect();
    assert_eq!(data, [Some("BwcH"), Some(""), Some(""), None]);
    for count in [0, 101] {
        let texts = vec![texts[0].clone(); count];
        let answer = post(&world, "/v1/chain/accounts", &json!({ "addresses": texts })).await;
        answer.assert_problem(400, "malformed-json");
    }
}

#[tokio::test]
async fn channels_of_a_payer_are_listed() {
    let world = World::new().await;
    let payer = world.chain.channel_account().channel.payer;
    let found: PaidChannels = get(&world, &format!("/v1/people/{payer}/channels")).await;
    let [channel] = &found.channels[..] else { panic!("{found:?}") };
    assert_eq!(
        (channel.channel.0, channel.deposited.0, channel.closes_at),
        (CHANNEL, 1_000_000, None)
    );
    assert_eq!((channel.licenses.len(), channel.licenses[0].price.0), (1, 100));
    let none: PaidChannels = get(&world, &format!("/v1/people/{CHANNEL}/channels")).await;
    assert!(none.channels.is_empty());
}

#[derive(Default)]
struct Gifts(Mutex<Vec<(Pubkey, u64, u64)>>);

#[async_trait]
impl Faucet for Gifts {
    async fn give(&self, to: Pubkey, lamports: u64, dollars: u64) -> Result<(), String> {
        self.0.lock().push((to, lamports, dollars));
        Ok(())
    }
}

#[tokio::test]
async fn faucet_gives_on_localnets_only() {
    let ask = json!({ "address": CHANNEL.to_string(), "lamports": "7", "amount": "9" });
    let world = World::new().await;
    let none = post(&world, "/v1/chain/faucet", &ask).await;
    none.assert_problem(404, "not-found");
    let gifts = Arc::new(Gifts::default());
    let handle = FaucetHandle(gifts.clone());
    let local = |config: &mut motif_gateway::GatewayConfig| {
        config.rpc_urls = vec!["http://127.0.0.1:1".to_owned()];
        config.faucet = Some(handle.clone());
    };
    let world = World::with(local).await;
    let given = post(&world, "/v1/chain/faucet", &ask).await;
    assert_eq!(given.status, 204);
    let much = json!({ "address": CHANNEL.to_string(), "lamports": "10000000001" });
    post(&world, "/v1/chain/faucet", &much).await.assert_problem(400, "malformed-json");
    let cluster: Value = get(&world, "/v1/chain").await;
    assert_eq!((&cluster["network"], &cluster["faucet"]), (&json!("localnet"), &json!(true)));
    let world = World::with(|config| {
        local(config);
        config.rpc_urls = vec!["https://rpc.example/?api-key=canary".to_owned()];
    })
    .await;
    let refused = post(&world, "/v1/chain/faucet", &ask).await;
    refused.assert_problem(404, "not-found");
    let cluster: Value = get(&world, "/v1/chain").await;
    assert!(!cluster.to_string().contains("canary") && cluster["faucet"] == json!(false));
    assert_eq!(*gifts.0.lock(), [(CHANNEL, 7, 9)]);
}
