use std::sync::{Arc, Mutex, MutexGuard};

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
    pub slot: u64,
    pub knows_min_context_slot: bool,
    pub sending: Sending,
    /// Confirmed signatures.
    pub landed: Vec<String>,
    sent: usize,
}

/// Handling of transactions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    Taken,
    Refused,
    /// Rejected with this error of the program.
    RefusedWith(u32),
    BlockhashUnknown,
    BrokenOff,
}

impl NodeDouble {
    pub async fn at(slot: u64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sending, landed) = (Sending::Taken, Vec::new());
        let (is_up, knows_min_context_slot, sent) = (true, true, 0);
        let told = Told { is_up, slot, knows_min_context_slot, sending, landed, sent };
        let state = Arc::new(Mutex::new(told));
        let router = Router::new().route("/", post(answer)).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap()
    }

    /// Returns the number of received transactions.
    pub fn sent(&self) -> usize {
        self.state().sent
    }
}

async fn answer(State(state): State<Arc<Mutex<Told>>>, Json(asked): Json<Value>) -> Response {
    let mut told = state.lock().unwrap();
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
                    Sending::Refused => Err(custom(6_000)),
                    Sending::RefusedWith(code) => Err(custom(code)),
                    Sending::BlockhashUnknown => Err(preflight(json!("BlockhashNotFound"))),
                    Sending::BrokenOff => return StatusCode::GATEWAY_TIMEOUT.into_response(),
                }
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
    let in_context = |value| json!({ "context": { "slot": told.slot }, "value": value });
    match method {
        "getAccountInfo" if params[0] == CHANNEL.to_string() => in_context(json!({
            "data": [BASE64_STANDARD.encode(channel_data()), "base64"],
            "executable": false,
            "lamports": 1,
            "owner": channel::PROGRAM_ID.to_string(),
            "rentEpoch": 0,
            "space": channel_data().len(),
        })),
        "getAccountInfo" => in_context(Value::Null),
        "getProgramAccounts" => json!([]),
        "getBlockHeight" | "getSlot" => json!(told.slot),
        "getSignatureStatuses" => {
            let asked = params[0][0].as_str().unwrap();
            let has = told.landed.iter().any(|landed| landed == asked);
            in_context(json!([has.then(|| json!({
                "slot": told.slot, "confirmations": null, "err": null,
                "status": { "Ok": null }, "confirmationStatus": "finalized",
            }))]))
        }
        _ => Value::Null,
    }
}

fn custom(code: u32) -> Value {
    preflight(json!({ "InstructionError": [1, { "Custom": code }] }))
}

/// Returns a node's preflight error.
fn preflight(error: Value) -> Value {
    json!({
        "code": -32002,
        "message": "Transaction simulation failed",
        "data": { "err": error, "logs": [], "accounts": null, "unitsConsumed": 0, "returnData": null },
    })
}
