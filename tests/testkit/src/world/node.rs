use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::post};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::join_all;
use motif_gateway::chain::Chain;
use motif_sdk::{Pubkey, channel};
use serde_json::{Value, json};
use solana_signature::Signature;

use super::ScriptedChain;

/// Serves a chain to other processes as a JSON-RPC node; returns its URL.
pub async fn serve_chain(chain: Arc<ScriptedChain>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(answer)).with_state(chain);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(State(chain): State<Arc<ScriptedChain>>, Json(asked): Json<Value>) -> Json<Value> {
    let method = asked["method"].as_str().unwrap();
    let first = &asked["params"][0];
    let result = match method {
        "getAccountInfo" => in_context(account(&chain, first).await),
        "getMultipleAccounts" => {
            let addresses = first.as_array().unwrap().iter();
            in_context(Value::Array(join_all(addresses.map(|one| account(&chain, one))).await))
        }
        "getRecentPrioritizationFees" => json!([]),
        "simulateTransaction" => in_context(json!({ "err": null, "unitsConsumed": 3_000 })),
        "getLatestBlockhash" => {
            let (hash, height) = chain.blockhash().await.unwrap();
            in_context(json!({
                "blockhash": hash.to_string(),
                "lastValidBlockHeight": height,
            }))
        }
        "getProgramAccounts" => json!([]),
        "getSlot" => json!(1_000),
        "getBlockHeight" => json!(chain.final_height().await.unwrap()),
        "sendTransaction" => {
            let bytes = BASE64_STANDARD.decode(first.as_str().unwrap()).unwrap();
            chain.submit(&bytes, false).await.unwrap();
            let signature: [u8; 64] = bytes[1..65].try_into().unwrap();
            json!(Signature::from(signature).to_string())
        }
        "getSignatureStatuses" => {
            let signatures = first.as_array().unwrap().iter();
            in_context(Value::Array(join_all(signatures.map(|one| status(&chain, one))).await))
        }
        "getTransaction" => transaction(&chain, first).await,
        "getVersion" => json!({ "solana-core": "4.2.2", "feature-set": 1 }),
        other => panic!("the gateway asks for {other}"),
    };
    Json(json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }))
}

fn in_context(value: Value) -> Value {
    json!({ "context": { "slot": 1_000 }, "value": value })
}

async fn account(chain: &ScriptedChain, address: &Value) -> Value {
    let address: Pubkey = address.as_str().unwrap().parse().unwrap();
    let (data, owner) = match chain.channel(&address).await.unwrap() {
        Some(read) => (read.data, channel::PROGRAM_ID),
        None => {
            // The only other account that it requests is the clock.
            let mut clock = vec![0; 40];
            clock[32..].copy_from_slice(&chain.now().await.unwrap().to_le_bytes());
            (clock, Pubkey::default())
        }
    };
    json!({
        "data": [BASE64_STANDARD.encode(&data), "base64"],
        "executable": false,
        "lamports": chain.balance(&address).await.unwrap(),
        "owner": owner.to_string(),
        "rentEpoch": 0,
        "space": data.len(),
    })
}

async fn status(chain: &ScriptedChain, signature: &Value) -> Value {
    let signature: Signature = signature.as_str().unwrap().parse().unwrap();
    match chain.landed(&signature).await.unwrap() {
        None => Value::Null,
        Some(landed) => json!({
            "slot": landed.slot,
            "confirmations": null,
            "status": { "Ok": null },
            "err": null,
            "confirmationStatus": "finalized",
        }),
    }
}

async fn transaction(chain: &ScriptedChain, signature: &Value) -> Value {
    let signature: Signature = signature.as_str().unwrap().parse().unwrap();
    let Some(landed) = chain.landed(&signature).await.unwrap() else { return Value::Null };
    json!({
        "slot": landed.slot,
        "blockTime": null,
        "transaction": ["", "base64"],
        "meta": {
            "err": null,
            "status": { "Ok": null },
            "fee": landed.fee_lamports,
            "preBalances": [],
            "postBalances": [],
            "innerInstructions": [],
            "logMessages": [],
            "preTokenBalances": [],
            "postTokenBalances": [],
            "rewards": [],
            "computeUnitsConsumed": landed.compute_units,
        },
    })
}
