use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::{Pubkey, gateway::PayerRequest};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{CHANNEL, SECRET, World, with_admin};

/// Returns the program ids of a classic transaction's instructions, and its fee payer.
fn programs(transaction: &[u8]) -> (Vec<[u8; 32]>, [u8; 32]) {
    let transaction: solana_transaction::Transaction = classic(transaction);
    let keys = &transaction.message.account_keys;
    let programs = transaction.message.instructions.iter();
    let programs = programs.map(|one| keys[usize::from(one.program_id_index)].to_bytes());
    (programs.collect(), keys[0].to_bytes())
}

fn classic(bytes: &[u8]) -> solana_transaction::Transaction {
    let mut signature = [0; 64];
    signature.copy_from_slice(&bytes[1..65]);
    let message = message(&bytes[65..]);
    solana_transaction::Transaction { signatures: vec![signature.into()], message }
}

/// Parses a transaction of the gateway, with one byte per count: all are below 128.
fn message(bytes: &[u8]) -> solana_message::Message {
    let key = |at: usize| <[u8; 32]>::try_from(&bytes[at..at + 32]).unwrap();
    let keys: Vec<_> = (0..usize::from(bytes[3])).map(|n| key(4 + 32 * n).into()).collect();
    let mut rest = 4 + 32 * keys.len() + 32;
    let mut instructions = Vec::new();
    let count = bytes[rest];
    rest += 1;
    for _ in 0..count {
        let program_id_index = bytes[rest];
        let accounts = usize::from(bytes[rest + 1]);
        rest += 2 + accounts;
        let length = &bytes[rest..];
        let (data, size) = match length[0] {
            low if low < 128 => (usize::from(low), 1),
            low => (usize::from(low & 127) | usize::from(length[1]) << 7, 2),
        };
        rest += size + data;
        instructions.push(solana_message::compiled_instruction::CompiledInstruction {
            program_id_index,
            accounts: Vec::new(),
            data: Vec::new(),
        });
    }
    solana_message::Message { account_keys: keys, instructions, ..Default::default() }
}

#[tokio::test]
async fn operator_signs_own_transactions_only() {
    let world = World::with(with_admin).await;
    for number in 0..3 {
        let request = world.next_request().await;
        world.generate(&format!("generation-{number}"), &request).await.assert_ok();
        world.settle().await.unwrap();
    }
    let state = world.chain.state();
    assert_eq!(state.submitted.len(), 3);
    for transaction in &state.submitted {
        let (programs, payer) = programs(transaction);
        let ed25519 = motif_sdk::voucher_proof::ED25519_PROGRAM.to_bytes();
        let budget = Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");
        assert_eq!(programs, [budget.to_bytes(), ed25519, payments::ID.to_bytes()]);
        assert_eq!(payer, world.operator().to_bytes());
    }
}

#[tokio::test]
async fn unchecked_transaction_is_never_signed() {
    let world = World::with(with_admin).await;
    world.generate("a-generation", &world.next_request().await).await.assert_ok();
    let drain = BASE64_STANDARD.encode([1; 200]);
    let proof = world.request(PayerRequest::settle);
    for (url, document) in [
        (world.gateway.url(), motif_gateway::openapi()),
        (world.gateway.admin_url().unwrap(), motif_gateway::admin_openapi()),
    ] {
        let document = serde_json::to_value(&document).unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            if operations.get("post").is_none() || path.contains("/admin/") {
                continue;
            }
            let path = path.replace("{channel}", &CHANNEL.to_string());
            let path = path.replace("{hold}", &"00".repeat(32));
            let body: Value = json!({
                "transaction": drain, "channel": CHANNEL.to_string(), "signer": proof.signer.to_string(),
            });
            let asked = reqwest::Client::new().post(format!("{url}{path}")).bearer_auth(SECRET);
            let asked = asked.header("idempotency-key", "a-key-of-its-own").json(&body);
            let status = asked.send().await.unwrap().status();
            let is_bodiless = url == world.gateway.admin_url().unwrap();
            assert!(status.is_client_error() || is_bodiless, "{path}: {status}");
        }
    }
    // The admin listener settles and closes by path alone, with its own transactions.
    for transaction in &world.chain.state().submitted {
        assert!(!transaction.windows(64).any(|part| part == [1; 64]));
    }
    assert_eq!(world.send(Method::GET, "/healthz", None, None).await.status, 200);
}
