//! The methods that stock clients call, on a localnet.

use std::time::Duration;

use futures::StreamExt;
use motif_localnet::{Localnet, LocalnetConfig, TestDollar};
use serde_json::{Value, json};
use solana_account_decoder::{UiAccountData, UiAccountEncoding};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::{Instruction, error::InstructionError};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::{
        RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig,
        RpcSignatureSubscribeConfig, RpcSimulateTransactionAccountsConfig,
        RpcSimulateTransactionConfig, RpcTransactionLogsConfig, RpcTransactionLogsFilter,
    },
    filter::RpcFilterType,
    request::{RpcError, RpcRequest, RpcResponseErrorData, TokenAccountsFilter},
    response::RpcSignatureResult,
};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::{Transaction, TransactionError};
use tokio::time::timeout;

/// The first memo program, whose cost does not grow with the memo.
const MEMO: Pubkey = solana_pubkey::pubkey!("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo");
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

    /// Posts a raw request and returns the answer.
    async fn post(&self, request: &str) -> Value {
        let client = reqwest::Client::new().post(self.localnet.rpc_url());
        client.body(request.to_owned()).send().await.unwrap().json().await.unwrap()
    }

    async fn call(&self, method: &'static str, params: Value) -> Value {
        self.client.send(RpcRequest::Custom { method }, params).await.unwrap()
    }
}

#[tokio::test]
async fn landed_transaction_is_read_back() {
    let world = World::new().await;
    let transaction = world.transfer(&Pubkey::new_unique(), SOL).await;
    let signature = world.client.send_and_confirm_transaction(&transaction).await.unwrap();

    let config = json!({
        "encoding": "json",
        "commitment": "confirmed",
        "maxSupportedTransactionVersion": 0,
    });
    let found = world.call("getTransaction", json!([signature.to_string(), config])).await;

    assert_eq!(found["meta"]["fee"], 5_000, "{found}");
    assert_eq!(found["meta"]["computeUnitsConsumed"], 150);
    assert_eq!(found["meta"]["err"], Value::Null);
    assert!(found["meta"]["logMessages"].as_array().unwrap().len() >= 2);
    let now = world.localnet.unix_time().await.unwrap();
    let block_time = found["blockTime"].as_i64().unwrap();
    assert!((now - 5..=now + 1).contains(&block_time), "{block_time} {now}");

    let found =
        world.call("getSignaturesForAddress", json!([world.payer.pubkey().to_string()])).await;
    assert!(
        found.as_array().unwrap().iter().any(|row| row["signature"] == signature.to_string()),
        "{found}"
    );
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn simulation_changes_nothing() {
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
async fn preflight_refuses_failing_transaction() {
    let world = World::new().await;
    let too_much = world.transfer(&Pubkey::new_unique(), 1_000 * SOL).await;

    let refused = world.client.send_transaction(&too_much).await.unwrap_err();

    let (code, data) = rpc_error(&refused);
    assert_eq!(code, -32_002);
    let RpcResponseErrorData::SendTransactionPreflightFailure(simulated) = data else {
        panic!("{refused}")
    };
    let logs = simulated.logs.as_ref().unwrap();
    assert!(logs.iter().any(|line| line.contains("insufficient lamports")), "{logs:?}");
    let custom = TransactionError::InstructionError(0, InstructionError::Custom(1));
    assert_eq!(refused.get_transaction_error(), Some(custom));
    assert_eq!(world.client.get_balance(&world.payer.pubkey()).await.unwrap(), 10 * SOL);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn skipped_preflight_lands_the_failure() {
    let world = World::new().await;
    let too_much = world.transfer(&Pubkey::new_unique(), 1_000 * SOL).await;

    let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    let signature = world.client.send_transaction_with_config(&too_much, config).await.unwrap();

    let status = world.client.get_signature_statuses(&[signature]).await.unwrap().value.remove(0);
    assert!(status.unwrap().err.is_some());
    assert_eq!(world.client.get_balance(&world.payer.pubkey()).await.unwrap(), 10 * SOL - 5_000);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn repeated_transaction_is_refused() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();
    let transaction = world.transfer(&payee, SOL).await;
    world.client.send_and_confirm_transaction(&transaction).await.unwrap();

    let refused = world.client.send_transaction(&transaction).await.unwrap_err();
    assert_eq!(refused.get_transaction_error(), Some(TransactionError::AlreadyProcessed));

    // Without preflight it is dropped, and the first one's signature is the answer.
    let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    let signature = world.client.send_transaction_with_config(&transaction, config).await.unwrap();
    assert_eq!(signature, transaction.signatures[0]);
    assert_eq!(world.client.get_balance(&payee).await.unwrap(), SOL);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn invalid_signature_is_refused() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();
    let mut forged = world.transfer(&payee, SOL).await;
    forged.signatures[0] = world.payer.sign_message(b"something else");

    let refused = world.client.send_transaction(&forged).await.unwrap_err();
    assert_eq!(rpc_error(&refused).0, -32_003);

    let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
    world.client.send_transaction_with_config(&forged, config).await.unwrap();
    assert_eq!(world.client.get_balance(&payee).await.unwrap(), 0);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn unknown_blockhash_is_refused() {
    let world = World::new().await;
    let payer = &world.payer;
    let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), SOL);
    let unknown = solana_transaction::Hash::new_unique();
    let stale =
        Transaction::new_signed_with_payer(&[pay], Some(&payer.pubkey()), &[payer], unknown);

    let refused = world.client.send_transaction(&stale).await.unwrap_err();

    let expected = Some(TransactionError::BlockhashNotFound);
    assert_eq!(refused.get_transaction_error(), expected, "{refused}");
    assert!(!world.client.is_blockhash_valid(&unknown, world.client.commitment()).await.unwrap());
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn message_fee_counts_signatures() {
    let world = World::new().await;
    let one = world.transfer(&Pubkey::new_unique(), SOL).await;
    assert_eq!(world.client.get_fee_for_message(&one.message).await.unwrap(), 5_000);

    let payers = [&world.payer, &Keypair::new()];
    let pay = transfer(&payers[1].pubkey(), &Pubkey::new_unique(), SOL);
    let blockhash = world.client.get_latest_blockhash().await.unwrap();
    let two = Message::new_with_blockhash(&[pay], Some(&payers[0].pubkey()), &blockhash);
    assert_eq!(world.client.get_fee_for_message(&two).await.unwrap(), 10_000);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn oversized_packet_is_refused() {
    let world = World::new().await;
    let memo = Instruction {
        program_id: MEMO,
        accounts: vec![],
        data: vec![b'a'; 1_232 - 1 - 64 - 3 - 1 - 64 - 32 - 1 - 1 - 1 - 2],
    };
    let blockhash = world.client.get_latest_blockhash().await.unwrap();
    let sign = |memo: &Instruction| {
        let (memo, payer) = (memo.clone(), &world.payer);
        Transaction::new_signed_with_payer(&[memo], Some(&payer.pubkey()), &[payer], blockhash)
    };
    let largest = sign(&memo);
    world.client.send_transaction(&largest).await.unwrap();

    let larger = sign(&Instruction { data: [memo.data.as_slice(), b"a"].concat(), ..memo });
    let refused = world.client.send_transaction(&larger).await.unwrap_err();
    let (code, _) = rpc_error(&refused);
    assert_eq!(code, -32_602);
    assert!(refused.to_string().contains("1233 bytes (max: 1232 bytes)"), "{refused}");
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn replaced_blockhash_is_simulated() {
    let world = World::new().await;
    let payer = &world.payer;
    let pay = transfer(&payer.pubkey(), &Pubkey::new_unique(), SOL);
    let unsigned = Transaction::new_with_payer(&[pay], Some(&payer.pubkey()));
    let payee = unsigned.message.account_keys[1];
    let accounts = RpcSimulateTransactionAccountsConfig {
        encoding: Some(UiAccountEncoding::Base64),
        addresses: vec![payee.to_string()],
    };
    let config = RpcSimulateTransactionConfig {
        replace_recent_blockhash: true,
        accounts: Some(accounts),
        inner_instructions: true,
        ..Default::default()
    };

    let result = world.client.simulate_transaction_with_config(&unsigned, config).await.unwrap();

    let result = result.value;
    assert_eq!((result.err, result.fee), (None, Some(5_000)));
    assert!(result.replacement_blockhash.is_some());
    assert_eq!(result.accounts.unwrap()[0].as_ref().unwrap().lamports, SOL);
    assert_eq!(result.pre_balances.unwrap()[..2], [10 * SOL, 0]);
    assert_eq!(result.post_balances.unwrap()[..2], [9 * SOL - 5_000, SOL]);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn program_accounts_are_filtered() {
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
    let found = world.call("getProgramAccounts", json!([TOKEN_PROGRAM, config])).await;
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["pubkey"], dollar.account_of(&owners[0]).to_string());
    assert_eq!(found[0]["account"]["data"], json!(["wM9qAAAAAAA=", "base64"]));

    let config = json!({ "encoding": "base64", "filters": [{ "dataSize": 164 }] });
    let none = world.call("getProgramAccounts", json!([TOKEN_PROGRAM, config])).await;
    assert_eq!(none, json!([]));
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn subscribers_are_notified() {
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

    // A subscription to a signature that landed already is answered at once. The client loses a
    // notification that it reads before it has registered the subscription: hence the loop.
    let mut notified = false;
    for _ in 0..5 {
        let by_signature =
            RpcSignatureSubscribeConfig { commitment: confirmed, ..Default::default() };
        let (mut late, _unsubscribe_late) =
            subscriptions.signature_subscribe(&signature, Some(by_signature)).await.unwrap();
        notified |= timeout(SOON, late.next()).await.is_ok_and(|heard| heard.is_some());
        if notified {
            break;
        }
    }
    assert!(notified);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn confirmed_transaction_is_final() {
    let world = World::new().await;
    let transaction = world.transfer(&Pubkey::new_unique(), SOL).await;
    let signature = world.client.send_and_confirm_transaction(&transaction).await.unwrap();
    let finalized = CommitmentConfig::finalized();
    let is_final = world.client.confirm_transaction_with_commitment(&signature, finalized).await;
    assert!(is_final.unwrap().value);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn unsubscribed_client_is_not_notified() {
    let world = World::new().await;
    let subscriptions = PubsubClient::new(world.localnet.ws_url()).await.unwrap();
    let dollar = TestDollar::new();
    let config = RpcProgramAccountsConfig {
        filters: Some(vec![RpcFilterType::DataSize(165)]),
        account_config: RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::JsonParsed),
            ..Default::default()
        },
        ..Default::default()
    };
    let token_program = TOKEN_PROGRAM.parse().unwrap();
    let (mut tokens, unsubscribe) =
        subscriptions.program_subscribe(&token_program, Some(config)).await.unwrap();

    let owner = Pubkey::new_unique();
    world.localnet.faucet().mint_dollars(&owner, 7_000_000).await.unwrap();

    // The mint has 82 bytes and is filtered out.
    let heard = timeout(SOON, tokens.next()).await.unwrap().unwrap().value;
    assert_eq!(heard.pubkey, dollar.account_of(&owner).to_string());
    let UiAccountData::Json(parsed) = heard.account.data else { panic!("not parsed") };
    assert_eq!(parsed.parsed["info"]["tokenAmount"]["uiAmountString"], "7");

    unsubscribe().await;
    world.localnet.faucet().mint_dollars(&owner, 1).await.unwrap();
    assert!(tokens.next().await.is_none());
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn slots_and_roots_are_notified_in_order() {
    let world = World::new().await;
    let subscriptions = PubsubClient::new(world.localnet.ws_url()).await.unwrap();
    let (mut slots, _unsubscribe_slot) = subscriptions.slot_subscribe().await.unwrap();
    let (mut roots, _unsubscribe_root) = subscriptions.root_subscribe().await.unwrap();

    let first = timeout(SOON, slots.next()).await.unwrap().unwrap();
    let second = timeout(SOON, slots.next()).await.unwrap().unwrap();
    assert_eq!((second.parent, second.slot), (first.slot, first.slot + 1));
    let root = timeout(SOON, roots.next()).await.unwrap().unwrap();
    let next = timeout(SOON, roots.next()).await.unwrap().unwrap();
    assert_eq!(next, root + 1);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn set_account_is_read_back() {
    let world = World::new().await;
    let address = Pubkey::new_unique();
    let set = async |update: Value| {
        let request = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "surfnet_setAccount",
            "params": [address.to_string(), update],
        });
        world.post(&request.to_string()).await
    };
    let account = json!({ "lamports": 2_000_000, "data": "0102ff", "owner": TOKEN_PROGRAM });
    assert!(set(account).await["error"].is_null());
    // Fields that are absent stay.
    assert!(set(json!({ "lamports": 3_000_000 })).await["error"].is_null());

    let account = world.client.get_account(&address).await.unwrap();
    assert_eq!((account.lamports, account.data.as_slice()), (3_000_000, &[1, 2, 255][..]));
    assert_eq!(account.owner.to_string(), TOKEN_PROGRAM);
    for malformed in [json!({ "data": "0x1" }), json!({ "owner": "me" }), json!({ "colour": 1 })] {
        assert_eq!(set(malformed.clone()).await["error"]["code"], -32_602, "{malformed}");
    }
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn token_accounts_are_found_by_owner() {
    let world = World::new().await;
    let (dollar, owner) = (TestDollar::new(), Pubkey::new_unique());
    world.localnet.faucet().mint_dollars(&owner, 1_500_000).await.unwrap();
    let token_program: Pubkey = TOKEN_PROGRAM.parse().unwrap();

    for filter in
        [TokenAccountsFilter::Mint(dollar.mint), TokenAccountsFilter::ProgramId(token_program)]
    {
        let found = world.client.get_token_accounts_by_owner(&owner, filter).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pubkey, dollar.account_of(&owner).to_string());
        let UiAccountData::Json(parsed) = &found[0].account.data else { panic!("not parsed") };
        assert_eq!(parsed.parsed["info"]["tokenAmount"]["uiAmountString"], "1.5");
    }
    let other = TokenAccountsFilter::Mint(dollar.mint);
    let other = world.client.get_token_accounts_by_owner(&Pubkey::new_unique(), other).await;
    assert_eq!(other.unwrap(), []);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn token_balances_of_a_transaction_are_shown() {
    let world = World::new().await;
    let (dollar, owner) = (TestDollar::new(), Pubkey::new_unique());
    let signature = world.localnet.faucet().mint_dollars(&owner, 1_500_000).await.unwrap();
    let config = json!({ "encoding": "jsonParsed", "maxSupportedTransactionVersion": 0 });
    let found = world.call("getTransaction", json!([signature.to_string(), config])).await;
    let meta = &found["meta"];
    assert_eq!(meta["preTokenBalances"], json!([]), "{found}");
    assert_eq!(meta["postTokenBalances"][0]["owner"], owner.to_string());
    assert_eq!(meta["postTokenBalances"][0]["mint"], dollar.mint.to_string());
    assert_eq!(meta["postTokenBalances"][0]["uiTokenAmount"]["amount"], "1500000");
    let inner = &meta["innerInstructions"][0]["instructions"];
    assert!(inner.as_array().is_some_and(|inner| !inner.is_empty()), "{meta}");
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn signatures_are_paged() {
    let world = World::new().await;
    let payee = Pubkey::new_unique();
    let mut signatures = Vec::new();
    for lamports in 1..=4 {
        let transaction = world.transfer(&payee, SOL / 10 + lamports).await;
        world.client.send_transaction(&transaction).await.unwrap();
        signatures.insert(0, transaction.signatures[0].to_string());
    }
    let page = async |config: Value| {
        let found = world.call("getSignaturesForAddress", json!([payee.to_string(), config])).await;
        let rows = found.as_array().unwrap().iter();
        rows.map(|row| row["signature"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(page(json!({})).await, signatures);
    assert_eq!(page(json!({ "limit": 2 })).await, signatures[..2]);
    assert_eq!(page(json!({ "before": signatures[1], "limit": 1 })).await, signatures[2..3]);
    assert_eq!(page(json!({ "until": signatures[2] })).await, signatures[..2]);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn batch_is_answered_in_order() {
    let world = World::new().await;
    let request = json!([
        { "jsonrpc": "2.0", "id": 1, "method": "getHealth" },
        { "jsonrpc": "2.0", "id": "two", "method": "getGenesisHash", "params": [] },
        { "jsonrpc": "2.0", "id": 3, "method": "getBlockProduction" },
        { "jsonrpc": "2.0", "id": 4, "method": "getBalance", "params": ["not an address"] },
        { "jsonrpc": "2.0", "id": 5, "method": "getSlot", "params": [{ "minContextSlot": u64::MAX }] },
    ]);

    let answers = world.post(&request.to_string()).await;

    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": 1, "result": "ok" }));
    let genesis = world.client.get_genesis_hash().await.unwrap().to_string();
    assert_eq!(answers[1], json!({ "jsonrpc": "2.0", "id": "two", "result": genesis }));
    assert_eq!(answers[2]["error"]["code"], -32_601);
    assert_eq!(answers[3]["error"]["code"], -32_602);
    assert_eq!(answers[4]["error"]["code"], -32_016);
    assert!(answers[4]["error"]["data"]["contextSlot"].is_u64(), "{answers}");
    assert_eq!(world.post("{").await["error"]["code"], -32_700);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn account_data_has_the_asked_encoding() {
    let world = World::new().await;
    let mint = TestDollar::new().mint.to_string();
    let token_metadata = async |encoding: &str| {
        let config = json!({ "encoding": encoding });
        world.call("getAccountInfo", json!([mint, config])).await["value"]["data"].clone()
    };
    let base58 = token_metadata("base58").await;
    let base64 = token_metadata("base64").await;
    assert_eq!((&base58[1], &base64[1]), (&json!("base58"), &json!("base64")));
    assert_eq!(token_metadata("jsonParsed").await["parsed"]["info"]["decimals"], 6);
    assert_eq!(token_metadata("base64+zstd").await[1], "base64+zstd");

    // Base58 is for at most 128 bytes.
    let owner = Pubkey::new_unique();
    world.localnet.faucet().mint_dollars(&owner, 1).await.unwrap();
    let account = TestDollar::new().account_of(&owner).to_string();
    let request =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "getAccountInfo", "params": [account] });
    assert_eq!(world.post(&request.to_string()).await["error"]["code"], -32_600);
    world.localnet.stop().await.unwrap();
}

#[tokio::test]
async fn cluster_methods_agree() {
    let world = World::new().await;
    let client = &world.client;
    assert!(client.get_health().await.is_ok());
    assert!(!client.get_version().await.unwrap().solana_core.is_empty());
    let epoch = client.get_epoch_info().await.unwrap();
    let (slot, height) =
        (client.get_slot().await.unwrap(), client.get_block_height().await.unwrap());
    assert!(epoch.absolute_slot <= slot && epoch.block_height <= height);
    assert!(height < slot);
    let now = world.localnet.unix_time().await.unwrap();
    let time = client.get_block_time(epoch.absolute_slot).await.unwrap();
    assert!((now - 5..=now).contains(&time), "{time} {now}");
    let (_, last_height) =
        client.get_latest_blockhash_with_commitment(client.commitment()).await.unwrap();
    assert!((height + 150..height + 160).contains(&last_height), "{height} {last_height}");
    assert_eq!(client.get_recent_prioritization_fees(&[]).await.unwrap()[0].prioritization_fee, 0);
    // Anchor waits until each of these is complete.
    let info = world.call("surfnet_getSurfnetInfo", json!([])).await;
    assert_eq!(info["value"]["runbookExecutions"], json!([]));
    let rent = client.get_minimum_balance_for_rent_exemption(0).await.unwrap();
    assert_eq!(rent, 890_880);
    world.localnet.stop().await.unwrap();
}

/// Returns code and data of an error that the server returned.
fn rpc_error(error: &ClientError) -> (i64, &RpcResponseErrorData) {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { code, data, .. }) => (*code, data),
        _ => panic!("{error}"),
    }
}
