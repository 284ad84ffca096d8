use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use motif_sdk::channel;
use serde_json::{Value, json};

use crate::world::{CHANNEL, channel_data};

/// Scripted JSON-RPC node.
pub struct NodeDouble {
    pub url: String,
    state: Arc<Mutex<Told>>,
}

pub struct Told {
    pub is_up: bool,
    /// Confirmed slot.
    pub slot: u64,
    /// Number of slots that are processed and not confirmed.
    pub unconfirmed_slots: u64,
    /// Number of next responses that claim a slot far ahead.
    pub jumps: u32,
    /// Seconds of `retry-after` of a 429, which answers every request.
    pub retry_after: Option<u64>,
    /// Time that a transaction waits for an answer.
    pub holds_transactions: Duration,
    pub knows_min_context_slot: bool,
    pub sending: Sending,
    /// Log of rejected transactions.
    pub logs: Vec<String>,
    /// Confirmed signatures.
    pub landed: Vec<String>,
    sent: usize,
    /// Number of requests by method.
    asked: HashMap<String, usize>,
}

/// Handling of transactions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    Taken,
    Refused,
    /// Rejected with this error of the program.
    RefusedWith(u32),
    BlockhashUnknown,
    /// Rejected as processed before.
    Processed,
    BrokenOff,
}

impl NodeDouble {
    pub async fn at(slot: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sending, landed) = (Sending::Taken, Vec::new());
        let (is_up, knows_min_context_slot, sent) = (true, true, 0);
        let (unconfirmed_slots, retry_after, asked) = (0, None, HashMap::new());
        let holds_transactions = Duration::ZERO;
        let told = Told {
            is_up,
            slot,
            jumps: 0,
            unconfirmed_slots,
            retry_after,
            holds_transactions,
            knows_min_context_slot,
            sending,
            logs: Vec::new(),
            landed,
            sent,
            asked,
        };
        let state = Arc::new(Mutex::new(told));
        let router = Router::new().route("/", post(answer)).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap()
    }

    /// Returns the number of requests of a method.
    pub fn asked(&self, method: &str) -> usize {
        self.state().asked.get(method).copied().unwrap_or(0)
    }

    /// Returns the number of received transactions.
    pub fn sent(&self) -> usize {
        self.state().sent
    }
}

async fn answer(State(state): State<Arc<Mutex<Told>>>, Json(asked): Json<Value>) -> Response {
    let method = asked["method"].as_str().unwrap().to_owned();
    let pause = state.lock().unwrap().holds_transactions;
    if method == "sendTransaction" && !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let mut told = state.lock().unwrap();
    *told.asked.entry(method).or_default() += 1;
    if let Some(seconds) = told.retry_after {
        let headers = [("retry-after", seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, headers).into_response();
    }
    if !told.is_up {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let params = &asked["params"];
    let mut least = params.as_array().into_iter().flatten();
    let least = least.find_map(|param| param["minContextSlot"].as_u64()).unwrap_or(0);
    let said = if told.knows_min_context_slot && told.slot < least {
        let data = json!({ "contextSlot": told.slot });
        Err(
            json!({ "code": -32016, "message": "Minimum context slot has not been reached", "data": data }),
        )
    } else {
        match asked["method"].as_str().unwrap() {
            "sendTransaction" => {
                told.sent += 1;
                match told.sending {
                    Sending::Taken => Ok(json!("1".repeat(64))),
                    Sending::Refused => Err(custom(6_000, &told.logs)),
                    Sending::RefusedWith(code) => Err(custom(code, &told.logs)),
                    Sending::BlockhashUnknown => Err(preflight(json!("BlockhashNotFound"), &[])),
                    Sending::Processed => Err(preflight(json!("AlreadyProcessed"), &[])),
                    Sending::BrokenOff => return StatusCode::GATEWAY_TIMEOUT.into_response(),
                }
            }
            method @ "getMultipleAccounts" if told.jumps > 0 => {
                told.jumps -= 1;
                let mut said = read(&told, method, params);
                said["context"]["slot"] = json!(told.slot + 1_000_000);
                Ok(said)
            }
            method => Ok(read(&told, method, params)),
        }
    };
    let id = &asked["id"];
    Json(match said {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    })
    .into_response()
}

fn read(told: &Told, method: &str, params: &Value) -> Value {
    let at = |slot, value| json!({ "context": { "slot": slot }, "value": value });
    match method {
        "getAccountInfo" => at(told.slot, account(&params[0])),
        "getMultipleAccounts" => {
            at(told.slot, params[0].as_array().unwrap().iter().map(account).collect())
        }
        "getProgramAccounts" | "getRecentPrioritizationFees" => json!([]),
        "getBlockHeight" | "getSlot" => json!(told.slot),
        // Nodes answer this one from their processed bank.
        "getSignatureStatuses" => {
            let known = |asked: &Value| {
                let has = told.landed.iter().any(|landed| asked == landed);
                has.then(|| {
                    json!({
                        "slot": told.slot, "confirmations": null, "err": null,
                        "status": { "Ok": null }, "confirmationStatus": "finalized",
                    })
                })
            };
            let statuses: Vec<_> = params[0].as_array().unwrap().iter().map(known).collect();
            at(told.slot + told.unconfirmed_slots, json!(statuses))
        }
        _ => Value::Null,
    }
}

fn account(address: &Value) -> Value {
    if *address != CHANNEL.to_string() {
        return Value::Null;
    }
    json!({
        "data": [BASE64_STANDARD.encode(channel_data()), "base64"],
        "executable": false,
        "lamports": 1,
        "owner": channel::PROGRAM_ID.to_string(),
        "rentEpoch": 0,
        "space": channel_data().len(),
    })
}

fn custom(code: u32, logs: &[String]) -> Value {
    preflight(json!({ "InstructionError": [1, { "Custom": code }] }), logs)
}

/// Returns a node's preflight error.
fn preflight(error: Value, logs: &[String]) -> Value {
    json!({
        "code": -32002,
        "message": "Transaction simulation failed",
        "data": { "err": error, "logs": logs, "accounts": null, "unitsConsumed": 0, "returnData": null },
    })
}
