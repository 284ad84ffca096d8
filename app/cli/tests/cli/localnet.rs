//! `motif localnet advance`, on a localnet and on another cluster.

use std::sync::mpsc;

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};

use crate::world::World;

/// Starts a node that answers reads and has no time travel; returns its URL.
fn validator() -> String {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, Router::new().route("/", post(answer))).await.unwrap();
        });
    });
    format!("http://{}", receive.recv().unwrap())
}

async fn answer(Json(asked): Json<Value>) -> Json<Value> {
    let id = &asked["id"];
    let result = match asked["method"].as_str().unwrap() {
        "getVersion" => json!({ "solana-core": "4.2.2", "feature-set": 1 }),
        "getAccountInfo" => {
            let clock = "A".repeat(54) + "=="; // 40 zeros
            let owner = "Sysvar1111111111111111111111111111111111111";
            json!({ "context": { "slot": 1 }, "value": {
                "data": [clock, "base64"], "executable": false, "lamports": 1, "owner": owner,
                "rentEpoch": 0, "space": 40,
            } })
        }
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

#[test]
fn only_a_localnet_moves_its_clock() {
    let mut world = World::empty();
    world.spawn(&["localnet"]);
    let now = |answer: &Value| answer["now"].as_i64().unwrap();
    let first = now(&world.does(&["localnet", "advance", "1s"]));
    let second = now(&world.does(&["localnet", "advance", "12h"]));
    assert!((43_200..43_300).contains(&(second - first)), "{first} {second}");

    let validator = validator();
    let elsewhere = ["localnet", "advance", "12h", "--rpc-url", &validator];
    let refused = world.refuses(&elsewhere, "localnet");
    assert!(refused["error"]["help"].as_str().unwrap().contains("only a localnet"), "{refused}");
}
