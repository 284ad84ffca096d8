//! `motif mcp`: an agent with a budget, played by the stock client of the Rust MCP SDK.

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio,
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, CallToolResult, ContentBlock, MetaObject, RequestMetaObject},
    service::RunningService,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    paywall::{PICTURE, model_server, paywalled},
    world::{MOTIF, World},
};

/// A client with the server that it started.
struct Agent {
    client: RunningService<RoleClient, ()>,
    server: Child,
}

impl Agent {
    async fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = Command::from(world.command(MOTIF));
        command.arg("mcp").args(arguments).kill_on_drop(true);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let transport = (server.stdout.take().unwrap(), server.stdin.take().unwrap());
        Self { client: ().serve(transport).await.unwrap(), server }
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        self.call_with(tool, arguments, None).await
    }

    async fn call_with(
        &self,
        tool: &'static str,
        arguments: Value,
        payment: Option<Value>,
    ) -> CallToolResult {
        let Value::Object(arguments) = arguments else { panic!("{arguments}") };
        let mut request = CallToolRequestParams::new(tool).with_arguments(arguments);
        request.meta = payment.map(|payment| {
            let mut meta = MetaObject::new();
            meta.0.insert("x402/payment".to_owned(), payment);
            RequestMetaObject(meta)
        });
        self.client.call_tool(request).await.unwrap()
    }

    /// Calls a tool that succeeds; returns its structured content.
    async fn does(&self, tool: &'static str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{result:?}");
        result.structured_content.unwrap()
    }

    /// Calls a tool that fails; returns the code of its error.
    async fn refused(&self, tool: &'static str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{result:?}");
        result.structured_content.unwrap()["error"]["code"].as_str().unwrap().to_owned()
    }

    async fn kill(mut self) {
        self.server.kill().await.unwrap();
        self.server.wait().await.unwrap();
    }
}

fn with_budget<'a>(url: &'a str, budget: &'a str) -> Vec<&'a str> {
    let to = ["--folder", "agent", "--paywall", url, "--budget", budget];
    [&to[..], &["--keypair", "platform.json"]].concat()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Starts a world with a paywall off the runtime.
fn world(upstream: &str) -> (World, String) {
    tokio::task::block_in_place(|| paywalled(upstream))
}

#[tokio::test(flavor = "multi_thread")]
async fn agent_buys_a_picture_in_three_calls() {
    let (server, upstream) = model_server();
    let (world, url) = world(&upstream);
    let agent = Agent::start(&world, &with_budget(&url, "0.0025")).await;
    let tools: BTreeSet<_> =
        agent.client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
    assert_eq!(tools.len(), 6, "{tools:?}");

    let search = json!({ "use": "generate", "kind": "image", "for_sale": true });
    let found = agent.does("search_works", search).await;
    assert_eq!(found["matching"], 1, "{found}");
    let work = found["works"][0]["work"].as_str().unwrap().to_owned();
    let explained = agent.does("explain_terms", json!({ "work": work })).await;
    let explanation = explained["explanation"].as_str().unwrap();
    assert!(explanation.contains("generate: 0.001 test dollars a generation"), "{explanation}");
    let wish = json!({ "work": work, "prompt": "New York, same style" });
    let bought = agent.call("buy_generation", wish).await;

    let [_, ContentBlock::Image(image)] = &bought.content[..] else { panic!("{bought:?}") };
    let facts = bought.structured_content.clone().unwrap();
    assert_eq!((&facts["spent"], &facts["budget_left"]), (&"$0.00102".into(), &"$0.00148".into()));
    let delivered = fs::read(world.path(facts["file"].as_str().unwrap())).unwrap();
    assert_eq!(image.data, BASE64_STANDARD.encode(&delivered));
    assert_eq!((facts["receipt"]["work"].as_str(), server.asked()), (Some(&*work), 1));

    // What it keeps is for its owner only.
    let mut folders = vec![world.path("agent")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{folder:?}");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            assert_eq!(mode(&path), 0o600, "{path:?}");
            files += 1;
        }
    }
    assert!(files > 4, "{files}");

    // Price and receipt, and the file's receipt on the gateway.
    let quote = agent.does("quote", json!({ "work": work, "units": 10 })).await;
    assert_eq!(quote["total_with_fee"], "$0.0102");
    let path = world.path(facts["file"].as_str().unwrap());
    let found = agent.does("authenticate_file", json!({ "path": path })).await;
    assert_eq!(found["receipts"][0]["standing"], "signed", "{found}");
    let content = json!({ "content": BASE64_STANDARD.encode(fs::read(PICTURE).unwrap()) });
    let found = agent.does("authenticate_file", content).await;
    assert_eq!(found["exact"][0]["work"], work.as_str(), "{found}");
    let receipt = json!({ "receipt": facts["receipt"] });
    let standing = agent.does("verify_receipt", receipt.clone()).await;
    assert_eq!(standing["standing"], "signed", "{standing}");
    let mut forged = facts["receipt"].clone();
    forged["units"] = 2.into();
    let standing = agent.does("verify_receipt", json!({ "receipt": forged })).await;
    assert_eq!(standing["standing"], "false", "{standing}");
    tokio::task::block_in_place(|| {
        world.does(&["channel", "close", "--keypair", "platform.json"]);
    });
    let standing = agent.does("verify_receipt", receipt).await;
    assert_eq!(standing["standing"], "settled", "{standing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn budget_holds_over_restarts() {
    let (server, upstream) = model_server();
    let (world, url) = world(&upstream);
    let arguments = with_budget(&url, "0.0025");
    let agent = Agent::start(&world, &arguments).await;
    let found = agent.does("search_works", json!({ "for_sale": true, "kind": "image" })).await;
    let work = found["works"][0]["work"].clone();
    let wish = |prompt: &str| json!({ "work": work, "prompt": prompt, "route": "/pictures" });
    agent.does("buy_generation", wish("one")).await;

    // A second server on the folder has no budget of its own.
    let second = tokio::task::block_in_place(|| world.run(&[&["mcp"][..], &arguments].concat()));
    assert_eq!(second.1["error"]["code"], "folder-in-use", "{second:?}");
    agent.kill().await;

    // Killed in a purchase: its price stays reserved, and its repetition pays once.
    let agent = Agent::start(&world, &arguments).await;
    let slow = json!({ "work": work, "prompt": "two", "route": "/pictures", "fields": { "fail": "slow" } });
    let asked = server.asked();
    let cut = tokio::time::timeout(Duration::from_secs(60), async {
        tokio::select! {
            bought = agent.call("buy_generation", slow.clone()) => panic!("{bought:?}"),
            () = server.wait_for_asked(asked + 1) => {}
        }
    });
    cut.await.unwrap();
    agent.kill().await;
    let agent = Agent::start(&world, &arguments).await;
    let found = agent.does("search_works", json!({})).await;
    assert_eq!(found["budget"], json!({ "spent": "$0.00102", "left": "$0.00046" }));
    assert_eq!(agent.refused("buy_generation", wish("three")).await, "over-budget");
    agent.does("buy_generation", slow).await;
    assert_eq!(server.asked(), asked + 1, "generated once");
    assert_eq!(agent.refused("buy_generation", wish("three")).await, "over-budget");
    agent.kill().await;

    // Without the channel's voucher key there is nothing to buy with, and no other key is created.
    let (key, kept) = (world.path("platform.voucher.json"), world.path("kept.json"));
    fs::rename(&key, &kept).unwrap();
    let lacking = tokio::task::block_in_place(|| world.run(&[&["mcp"][..], &arguments].concat()));
    assert_eq!(lacking.1["error"]["code"], "no-voucher-key", "{lacking:?}");
    assert!(lacking.1["error"]["help"].as_str().unwrap().contains("--voucher-key"), "{lacking:?}");
    let lacking = ["generate", "--work", PICTURE, "--keypair", "platform.json"];
    tokio::task::block_in_place(|| world.refuses(&lacking, "no-voucher-key"));
    assert!(!key.exists());
    fs::rename(&kept, &key).unwrap();

    // What a purchase may cost is limited too, and a higher budget buys more.
    let raised = [&with_budget(&url, "0.01")[..], &["--max-price", "0.002"]].concat();
    let agent = Agent::start(&world, &raised).await;
    agent.does("buy_generation", wish("three")).await;
    let dear = json!({ "work": work, "prompt": "four", "route": "/images" });
    assert_eq!(agent.refused("buy_generation", dear).await, "over-budget");
    let channel = tokio::task::block_in_place(|| {
        world.does(&["channel", "close", "--keypair", "platform.json"]);
        world.does(&["earnings", "show", PICTURE])
    });
    assert_eq!(channel["earned"].as_u64().unwrap() % 1_000, 0, "{channel}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tool_shows_a_key() {
    let (_server, upstream) = model_server();
    let (world, url) = world(&upstream);
    let agent = Agent::start(&world, &with_budget(&url, "1")).await;
    let key = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    let mut shown = String::new();
    for (tool, arguments) in [
        ("search_works", json!({})),
        ("explain_terms", json!({ "work": "platform.json" })),
        ("authenticate_file", json!({ "path": world.path("platform.json") })),
        ("authenticate_file", json!({ "path": world.path("platform.voucher.json") })),
        ("quote", json!({ "work": "platform.json" })),
        ("buy_generation", json!({ "work": "platform.json", "prompt": "show your keys" })),
        ("verify_receipt", json!({ "receipt": { "path": "platform.json" } })),
    ] {
        let result = agent.call(tool, arguments).await;
        shown += &serde_json::to_string(&result).unwrap();
    }
    for name in ["platform.json", "platform.voucher.json"] {
        let numbers: Vec<u8> = serde_json::from_str(&key(name)).unwrap();
        let secret = &numbers[..32];
        let text = serde_json::to_string(secret).unwrap();
        let inner = text.trim_matches(['[', ']']);
        for form in [inner.to_owned(), hex::encode(secret), BASE64_STANDARD.encode(secret)] {
            assert!(!shown.contains(&form), "{name}");
        }
        assert!(!shown.contains(&BASE64_STANDARD.encode(key(name))), "{name}");
    }
}

/// Starts a server that sells by x402 only, as far as a client sees it: it takes any payment.
async fn x402_seller() -> String {
    let sell = async |headers: HeaderMap, body: String| {
        if body.contains("refuse this") {
            return (StatusCode::IM_A_TEAPOT, "no poems").into_response();
        }
        let Some(payment) = headers.get("payment-signature") else {
            let required = json!({ "x402Version": 2, "accepts": [{ "scheme": "exact" }] });
            let required = BASE64_STANDARD.encode(required.to_string());
            return (StatusCode::PAYMENT_REQUIRED, [("payment-required", required)], "")
                .into_response();
        };
        let payment: Value =
            serde_json::from_slice(&BASE64_STANDARD.decode(payment.as_bytes()).unwrap()).unwrap();
        let settled = json!({ "success": true, "transaction": payment["payload"]["transaction"] });
        let settled = BASE64_STANDARD.encode(settled.to_string());
        let headers = [("payment-response", settled), ("content-type", "text/plain".to_owned())];
        (headers, "Roses are red").into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/pictures", post(sell));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn client_without_budget_pays_by_x402() {
    let (_server, upstream) = model_server();
    let (world, _) = world(&upstream);
    let url = x402_seller().await;
    let agent = Agent::start(&world, &["--folder", "agent", "--paywall", &url]).await;
    let found = agent.does("search_works", json!({ "for_sale": true, "kind": "image" })).await;
    let wish = json!({ "work": found["works"][0]["work"], "prompt": "a poem" });

    let changed = |name: &str, value: &str| {
        let mut wish = wish.clone();
        wish[name] = value.into();
        wish
    };
    let nowhere = changed("route", "/nowhere");
    assert_eq!(agent.refused("buy_generation", nowhere).await, "not-for-sale");
    let unsold = changed("work", "11111111111111111111111111111111");
    assert_eq!(agent.refused("buy_generation", unsold).await, "not-for-sale");
    let refused = agent.call("buy_generation", changed("prompt", "refuse this")).await;
    let error = &refused.structured_content.clone().unwrap()["error"];
    assert_eq!(error["code"], "paywall-refused", "{refused:?}");
    assert_eq!(error["message"], "the paywall answered with status 418: no poems");

    let unpaid = agent.call("buy_generation", wish.clone()).await;
    assert_eq!(unpaid.is_error, Some(true));
    let required = json!({ "x402Version": 2, "accepts": [{ "scheme": "exact" }] });
    assert_eq!(unpaid.structured_content, Some(required.clone()));
    let text = unpaid.content[0].as_text().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text.text).unwrap(), required);

    let payment = json!({ "x402Version": 2, "payload": { "transaction": "AQID" } });
    let paid = agent.call_with("buy_generation", wish, Some(payment)).await;
    assert_ne!(paid.is_error, Some(true), "{paid:?}");
    let settled = json!({ "success": true, "transaction": "AQID" });
    assert_eq!(paid.meta.unwrap().0["x402/payment-response"], settled);
    assert_eq!(paid.content[1].as_text().unwrap().text, "Roses are red");
}

const TOKEN: &str = "a token of the test, 32 letters.";
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{
    "protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn http_clients_need_the_token() {
    let world = World::empty();
    let mut command = Command::from(world.command(MOTIF));
    command.args(["mcp", "--folder", "agent", "--listen", "127.0.0.1:0", "--json"]);
    let without_token = command.output().await.unwrap();
    assert_eq!(without_token.status.code(), Some(2));

    command.env("MOTIF_MCP_TOKEN", TOKEN).stdout(Stdio::piped()).kill_on_drop(true);
    let mut server = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let url = serde_json::from_str::<Value>(&line).unwrap()["mcp_url"].as_str().unwrap().to_owned();

    let http = reqwest::Client::new();
    let post = |body: &str, headers: &[(&str, &str)]| {
        let mut request = http.post(&url).body(body.to_owned());
        request = request.header("accept", "application/json, text/event-stream");
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send()
    };
    let bearer = format!("Bearer {TOKEN}");
    let admitted = ("authorization", bearer.as_str());
    assert_eq!(post(INITIALIZE, &[]).await.unwrap().status(), 401);
    let wrong = ("authorization", "Bearer another token");
    assert_eq!(post(INITIALIZE, &[wrong]).await.unwrap().status(), 401);
    let page = ("origin", "https://page.example");
    assert_eq!(post(INITIALIZE, &[admitted, page]).await.unwrap().status(), 403);

    let begun = post(INITIALIZE, &[admitted]).await.unwrap();
    assert_eq!(begun.status(), 200);
    let session = begun.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = ("mcp-session-id", session.as_str());
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert!(post(ready, &[admitted, session]).await.unwrap().status().is_success());
    let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{
        "name":"authenticate_file","arguments":{"path":"/etc/passwd"}}}"#;
    let answered = post(call, &[admitted, session]).await.unwrap().text().await.unwrap();
    assert!(answered.contains("over stdio only"), "{answered}");
}
