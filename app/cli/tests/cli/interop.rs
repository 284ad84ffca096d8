//! Stock x402 and MPP clients of npm and PyPI at a paywall, and a stock seller at its facilitator. The
//! scripts are in `tests/interop`.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{
    paywall::{PICTURE, model_server},
    world::{MOTIF, World},
};

/// Test dollars' mint.
const MINT: &str = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU";
/// Price of a picture with the operator's fee of 2 %, base units.
const PRICE: u64 = 20_400;

/// Node.js and Python with the packages of `tests/interop`.
struct Stock {
    folder: PathBuf,
    python: String,
}

impl Stock {
    /// Returns what is installed, or `None`, which skips a test unless the gate requires it.
    fn find() -> Option<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop");
        let python = std::env::var("MOTIF_INTEROP_PYTHON").unwrap_or("python3".to_owned());
        let runs = |program: &str, arguments: &[&str]| {
            let ran = Command::new(program).args(arguments).stderr(Stdio::null()).output();
            ran.is_ok_and(|ran| ran.status.success())
        };
        let has_node = runs("node", &["--version"]) && folder.join("node_modules/mppx").exists();
        let has_python = runs(&python, &["-c", "import mcp, x402.mechanisms.svm"]);
        if has_node && has_python {
            return Some(Self { folder, python });
        }
        assert!(std::env::var_os("MOTIF_REQUIRE_INTEROP").is_none(), "stock clients are missing");
        eprintln!(
            "SKIPPED: needs Node.js 20, `npm ci --prefix tests/interop`, and in MOTIF_INTEROP_PYTHON a \
             Python with tests/interop/requirements.txt"
        );
        None
    }

    /// Returns a command for a script: of Node.js, or of Python if it ends in `.py`.
    fn command(&self, script: &[&str]) -> Command {
        let program = if script[0].ends_with(".py") { self.python.as_str() } else { "node" };
        let mut command = Command::new(program);
        command.args(script).current_dir(&self.folder);
        command
    }

    /// Runs a script; returns the JSON that it prints.
    fn run(&self, script: &[&str], environment: &[(&str, &str)]) -> Value {
        let ran = self.command(script).envs(environment.iter().copied()).output().unwrap();
        let (printed, complaints) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{script:?}: {printed}{complaints}");
        let last = printed.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|_| panic!("{script:?}: {printed}{complaints}"))
    }
}

/// A work that a paywall sells, and a buyer.
struct Shop {
    world: World,
    stock: Stock,
    /// URL of the paid route.
    url: String,
    buyer: String,
}

impl Shop {
    fn open(stock: Stock) -> Self {
        let (_, upstream) = model_server();
        let mut world = World::empty();
        world.spawn(&["localnet"]);
        world.does(&["key", "new", "--airdrop", "ines.json", "buyer.json", "gateway.json"]);
        let terms = ["--kind", "image", "--use", "generate=0.02/generation"];
        let register = [&["work", "register", PICTURE][..], &terms, &["--keypair", "ines.json"]];
        let work = world.does(&register.concat())["work"].as_str().unwrap().to_owned();
        let routes = format!(
            "upstream = \"{upstream}\"\n\
             [[route]]\nmethod = \"POST\"\npath = \"/pictures\"\nwork = \"{work}\"\n\
             use = \"generate\"\nunits = {{ fixed = 1 }}\n"
        );
        fs::write(world.path("paywall.toml"), routes).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let public_url = format!("http://127.0.0.1:{port}");
        let settings = format!("[sales]\npublic_url = \"{public_url}\"\nnetwork = \"localnet\"\n");
        fs::write(world.path("gateway.toml"), settings).unwrap();
        let serve = ["gateway", "serve", "--config", "gateway.toml"];
        let keep = ["--keypair", "gateway.json", "--store", "gateway.sqlite"];
        let listen = format!("127.0.0.1:{port}");
        let sell = ["--paywall-listen", &listen, "--paywall-routes", "paywall.toml"];
        world.spawn(&[&serve[..], &keep, &sell].concat());
        let buyer = world.does(&["key", "show", "buyer.json"])[0]["address"].clone();
        let buyer = buyer.as_str().unwrap().to_owned();
        let shop = Self { world, stock, url: format!("{public_url}/pictures"), buyer };
        shop.offer();
        shop
    }

    /// Runs a buyer's script at a URL.
    fn buy_at(&self, url: &str, script: &[&str], prompt: &str) -> Value {
        let body = json!({ "prompt": prompt }).to_string();
        let wallet = self.world.path("buyer.json");
        let environment = [
            ("MOTIF_URL", url),
            ("MOTIF_RPC_URL", self.world.rpc_url.as_str()),
            ("MOTIF_WALLET", wallet.to_str().unwrap()),
            ("MOTIF_BODY", body.as_str()),
        ];
        self.stock.run(script, &environment)
    }

    /// Returns the buyer's test dollars, base units.
    fn held(&self) -> u64 {
        let held = self.call(
            "getTokenAccountsByOwner",
            json!([
                self.buyer, { "mint": MINT }, { "encoding": "jsonParsed" }
            ]),
        );
        let amount =
            &held["value"][0]["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"];
        amount.as_str().unwrap().parse().unwrap()
    }

    /// Calls a method of the network.
    fn call(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let (url, request) = (self.world.rpc_url.clone(), request.to_string());
        let answer: Value = fetch(async move |http| {
            let sent = http.post(url).body(request).send().await.unwrap();
            sent.json().await.unwrap()
        });
        answer["result"].clone()
    }

    /// Returns the first offer of the 402 for a request, and the number of bytes of its headers. The
    /// gateway opens the till after it starts; until then there is no offer.
    fn offer(&self) -> (Value, usize) {
        let began = Instant::now();
        loop {
            let url = self.url.clone();
            let headers = fetch(async move |http| {
                let asked = http.post(url).body("{\"prompt\":\"an offer\"}").send().await.unwrap();
                assert_eq!(asked.status(), 402);
                asked.headers().clone()
            });
            let Some(required) = headers.get("payment-required") else {
                assert!(began.elapsed() < Duration::from_secs(20), "no offer: {headers:?}");
                std::thread::sleep(Duration::from_millis(100));
                continue;
            };
            let lengths = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
            let required = BASE64_STANDARD.decode(required.as_bytes()).unwrap();
            let required: Value = serde_json::from_slice(&required).unwrap();
            return (required["accepts"][0].clone(), lengths.sum());
        }
    }
}

/// Runs a request on a runtime of its own.
fn fetch<T: Send + 'static>(request: impl AsyncFnOnce(reqwest::Client) -> T + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(request(reqwest::Client::new()))
}

/// The clients, each with the header of its receipt.
const CLIENTS: [(&[&str], &str); 6] = [
    (&["fetch.mjs"], "payment-response"),
    (&["fetch_v1.mjs"], "x-payment-response"),
    (&["axios.mjs"], "payment-response"),
    (&["mppx.mjs"], "payment-receipt"),
    (&["buy.py", "v2"], "payment-response"),
    (&["buy.py", "v1"], "x-payment-response"),
];

#[test]
fn stock_clients_buy_over_one_url() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let (offer, header_bytes) = shop.offer();
    println!("headers of the 402: {header_bytes} bytes");
    assert!(header_bytes <= 8_192, "{header_bytes}");
    assert_eq!(offer["amount"], PRICE.to_string(), "{offer}");
    let till = offer["payTo"].as_str().unwrap();
    let funded = shop.held();

    for (number, (script, receipt)) in (1..).zip(CLIENTS) {
        let bought = shop.buy_at(&shop.url, script, &format!("picture {number}"));
        assert_eq!(bought["status"], 200, "{script:?}: {bought}");
        assert_eq!(bought["headers"]["content-type"], "image/png", "{script:?}: {bought}");
        for name in [receipt, "motif-receipt"] {
            assert!(bought["headers"][name].is_string(), "{script:?} {name}: {bought}");
        }
        assert_eq!(funded - shop.held(), number * PRICE, "{script:?}");
        let shown = shop.world.does(&["till", "show", till]);
        assert_eq!(shown["holds"], number * PRICE, "{script:?}");
    }

    // Swept, the works have their part, the operator the rest, and nothing is left over.
    let sales = CLIENTS.len() as u64;
    shop.world.does(&["till", "sweep", till, "--keypair", "buyer.json"]);
    let shown = shop.world.does(&["till", "show", till]);
    assert_eq!((&shown["holds"], &shown["swept"]), (&0.into(), &(sales * PRICE).into()));
    let earned = shop.world.does(&["earnings", "show", PICTURE])["earned"].as_u64().unwrap();
    assert_eq!(earned, sales * 20_000);
    assert_eq!(earned + shown["operator"]["paid"].as_u64().unwrap(), funded - shop.held());
    let creator = shop.world.does(&["earnings", "claim", PICTURE, "--keypair", "ines.json"]);
    assert!(creator.to_string().contains(&earned.to_string()), "{creator}");
}

#[test]
fn stock_seller_is_paid_through_the_facilitator() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let (offer, _) = shop.offer();
    let till = offer["payTo"].as_str().unwrap().to_owned();
    let facilitator = format!("{}/x402", shop.world.gateway_url);
    let amount = PRICE.to_string();
    let sell = |pay_to: &str| {
        let mut command = shop.stock.command(&["seller.mjs"]);
        command.env("MOTIF_FACILITATOR", &facilitator).env("MOTIF_TILL", pay_to);
        command.env("MOTIF_MINT", MINT).env("MOTIF_AMOUNT", &amount);
        let mut seller = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(seller.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = serde_json::from_str::<Value>(&line).unwrap()["url"].as_str().unwrap().to_owned();
        (seller, url)
    };

    let (mut seller, url) = sell(&till);
    let funded = shop.held();
    let bought = shop.buy_at(&url, &["fetch.mjs"], "a poem");
    assert_eq!(bought["status"], 200, "{bought}");
    assert!(bought["headers"]["payment-response"].is_string(), "{bought}");
    assert_eq!(funded - shop.held(), PRICE);
    assert_eq!(shop.world.does(&["till", "show", &till])["holds"], PRICE);
    seller.kill().unwrap();
    seller.wait().unwrap();

    // Payments to others are not settled.
    let (mut seller, url) = sell(&shop.buyer);
    let refused = shop.buy_at(&url, &["fetch.mjs"], "a poem");
    assert_eq!((&refused["status"], funded - shop.held()), (&402.into(), PRICE), "{refused}");
    seller.kill().unwrap();
    seller.wait().unwrap();
}

#[test]
fn stock_validator_accepts_the_description() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let found = shop.stock.run(&["discover.mjs"], &[("MOTIF_URL", shop.url.as_str())]);
    let offers = json!(["motif/voucher", "x402/exact", "solana/charge"]);
    let expected = json!({
        "issues": [], "paths": ["/pictures"], "offers": offers, "resources": [shop.url],
        "listed": [{ "resource": shop.url, "amount": PRICE.to_string() }],
    });
    assert_eq!(found, expected);
}

#[test]
fn stock_verifier_accepts_the_receipt() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let found = shop.buy_at(&shop.url, &["receipt.mjs"], "a receipt");
    let forged = json!([false, false, false]);
    let expected = json!({ "verified": true, "forged": forged, "matches": true, "other": false });
    assert_eq!(found, expected);
}

#[test]
fn stock_agent_buys_by_x402_over_mcp() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let paywall = shop.url.trim_end_matches("/pictures");
    let folder = shop.world.path("agent");
    let server = json!([MOTIF, "mcp", "--folder", folder, "--paywall", paywall]).to_string();
    let wallet = shop.world.path("buyer.json");
    let environment = [
        ("MOTIF_MCP", server.as_str()),
        ("MOTIF_RPC_URL", shop.world.rpc_url.as_str()),
        ("MOTIF_GATEWAY_URL", shop.world.gateway_url.as_str()),
        ("MOTIF_WALLET", wallet.to_str().unwrap()),
        ("MOTIF_BODY", "{\"prompt\":\"New York, same style\"}"),
    ];
    let funded = shop.held();
    let bought = shop.stock.run(&["agent.py"], &environment);
    assert_eq!((&bought["paid"], &bought["settled"]), (&true.into(), &true.into()), "{bought}");
    assert_eq!((&bought["media_type"], funded - shop.held()), (&"image/png".into(), PRICE));
}

#[test]
fn stock_wallet_fetches_again_what_it_bought() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let funded = shop.held();
    let fetched = shop.buy_at(&shop.url, &["siwx.mjs"], "once");
    // Paid once; the same request is answered again, and another one is not.
    let expected = json!({ "statuses": [200, 200, 402], "same": true, "receipt": true });
    assert_eq!(fetched, expected);
    assert_eq!(funded - shop.held(), PRICE);
}
