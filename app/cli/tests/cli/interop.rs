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
use motif_sdk::{
    Pubkey,
    fingerprint::content_digest,
    gateway::wire::{
        Address,
        jws::JwsReceipt,
        mpp,
        sale::{SaleReceipt, TransactionSignature},
    },
};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;

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
    /// URL of the model server.
    upstream: String,
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
        let url = format!("{public_url}/pictures");
        let shop = Self { world, stock, url, upstream, buyer };
        shop.offer();
        shop
    }

    /// Returns the SHA-256 of what the model server makes of a prompt.
    fn made_of(&self, prompt: &str) -> String {
        let (url, body) = (format!("{}/pictures", self.upstream), json!({ "prompt": prompt }));
        let made = fetch(async move |http| {
            let asked = http.post(url).header("content-type", "application/json");
            asked.body(body.to_string()).send().await.unwrap().bytes().await.unwrap()
        });
        hex::encode(content_digest(&made))
    }

    /// Verifies a file of receipts; returns the exit code and the output.
    fn verify(&self, lines: &[String]) -> (i32, Value) {
        let file = self.world.path("receipts.txt");
        fs::write(&file, lines.join("\n")).unwrap();
        self.world.run(&["receipt", "verify", file.to_str().unwrap()])
    }

    /// Asserts that each receipt of a sale is refused.
    fn assert_all_refused(&self, receipts: &[String]) {
        let (code, answer) = self.verify(receipts);
        let all = format!("{0} of {0} receipts failed", receipts.len());
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        if code == 1 && message.starts_with(&all) {
            return;
        }
        // One of them names accounts that are missing, which ends the verification.
        assert_eq!(code, 1, "{answer}");
        if receipts.len() > 1 {
            let (left, right) = receipts.split_at(receipts.len() / 2);
            self.assert_all_refused(left);
            self.assert_all_refused(right);
        }
    }

    /// Asserts that each receipt of another protocol is refused beside the receipt of a sale.
    fn assert_views_refused(&self, sale: &str, views: &[String]) {
        let (code, answer) = self.verify(&[&[sale.to_owned()], views].concat());
        let all = format!("{} of {} receipts failed", views.len(), views.len() + 1);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(code == 1 && message.starts_with(&all), "{answer}");
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
    let mut receipts = Vec::new();

    for (number, (script, receipt)) in (1..).zip(CLIENTS) {
        let prompt = format!("picture {number}");
        let bought = shop.buy_at(&shop.url, script, &prompt);
        assert_eq!(bought["status"], 200, "{script:?}: {bought}");
        assert_eq!(bought["digest"], shop.made_of(&prompt), "{script:?}: {bought}");
        receipts.push(header(&bought, "motif-receipt"));
        assert_eq!(bought["headers"]["content-type"], "image/png", "{script:?}: {bought}");
        for name in [receipt, "motif-receipt"] {
            assert!(bought["headers"][name].is_string(), "{script:?} {name}: {bought}");
        }
        assert_eq!(funded - shop.held(), number * PRICE, "{script:?}");
        let shown = shop.world.does(&["till", "show", till]);
        assert_eq!(shown["holds"], number * PRICE, "{script:?}");
    }

    // Each receipt is proved, and names the answer of its client.
    let (code, proved) = shop.verify(&receipts);
    assert_eq!((code, &proved["verified"]), (0, &CLIENTS.len().into()), "{proved}");
    for (number, sale) in (1..).zip(proved["sales"].as_array().unwrap()) {
        let facts = (&sale["buyer"], &sale["output_digest"]);
        let made = shop.made_of(&format!("picture {number}"));
        assert_eq!(facts, (&shop.buyer.as_str().into(), &made.into()), "{sale}");
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

/// Returns a header of a purchase.
#[track_caller]
fn header(bought: &Value, name: &str) -> String {
    bought["headers"][name].as_str().unwrap_or_else(|| panic!("{name}: {bought}")).to_owned()
}

/// Returns copies of a text with one letter or digit changed, each into one of its kind.
fn changed(text: &str) -> Vec<String> {
    let other = |byte: u8| match byte {
        b'9' | b'f' | b'k' | b'z' | b'F' | b'H' | b'N' | b'Z' => Some(byte - 1),
        byte if byte.is_ascii_alphanumeric() => Some(byte + 1),
        _ => None,
    };
    let place = |(place, byte): (usize, u8)| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] = other(byte)?;
        String::from_utf8(bytes).ok()
    };
    text.bytes().enumerate().filter_map(place).collect()
}

#[test]
fn receipts_of_sales_are_proved() {
    let Some(stock) = Stock::find() else { return };
    let shop = Shop::open(stock);
    let buy = |script: &[&str], prompt: &str| shop.buy_at(&shop.url, script, prompt);
    let (x402, charge) = (buy(&["fetch.mjs"], "one"), buy(&["mppx.mjs"], "two"));
    let v1 = buy(&["buy.py", "v1"], "three");
    let sales = [&x402, &charge, &v1].map(|bought| header(bought, "motif-receipt"));
    let settled = BASE64_STANDARD.decode(header(&x402, "payment-response")).unwrap();
    let settled: Value = serde_json::from_slice(&settled).unwrap();
    let jws = &settled["extensions"]["offer-receipt"]["info"]["receipt"]["signature"];
    let jws = jws.as_str().unwrap().to_owned();
    let of_mpp = header(&charge, "payment-receipt");
    let (code, proved) = shop.verify(&[&sales[..], &[jws.clone(), of_mpp.clone()]].concat());
    let counts = (code, &proved["receipts"], &proved["verified"]);
    assert_eq!(counts, (0, &5.into(), &5.into()), "{proved}");
    let digests: Vec<_> =
        proved["sales"].as_array().unwrap().iter().map(|sale| &sale["output_digest"]).collect();
    assert_eq!(digests, [&x402["digest"], &charge["digest"], &v1["digest"]]);

    // No changed letter or digit of the receipt passes.
    let receipt = SaleReceipt::from_header(&sales[0]).unwrap();
    let copies = changed(&serde_json::to_string(&receipt).unwrap());
    let all = copies.len();
    let (read, unread): (Vec<_>, Vec<_>) = copies.into_iter().partition(|copy| {
        serde_json::from_str::<SaleReceipt>(copy).is_ok_and(|copy| copy != receipt)
    });
    assert!(all > 1_000 && read.len() > 500, "{all} {}", read.len());
    shop.assert_all_refused(&read);
    assert!(unread.iter().all(|copy| serde_json::from_str::<SaleReceipt>(copy).is_err()));
    assert_eq!(shop.verify(&unread[..1]).0, 1);

    // Nor does one of the signed receipt of x402.
    let signed = JwsReceipt::from_text(&jws).unwrap();
    let (read, unread): (Vec<_>, Vec<_>) = changed(&jws)
        .into_iter()
        .partition(|copy| JwsReceipt::from_text(copy).is_ok_and(|copy| copy != signed));
    assert!(read.len() > 200, "{}", read.len());
    shop.assert_views_refused(&sales[0], &read);
    assert!(unread.iter().all(|copy| JwsReceipt::from_text(copy).is_err()));
    assert_eq!(shop.verify(&[sales[0].clone(), unread[0].clone()]).0, 1);

    // Its seller signs for another payer, or for another sale.
    let gateway = fs::read(shop.world.path("gateway.json")).unwrap();
    let gateway: Vec<u8> = serde_json::from_slice(&gateway).unwrap();
    let gateway = Keypair::try_from(&gateway[..]).unwrap();
    let mut payload = signed.payload.clone();
    payload.payer = Address(Pubkey::new_from_array([9; 32]));
    let input = payload.input(&gateway.pubkey());
    let signature = gateway.sign_message(input.as_bytes()).into();
    let other_payer = JwsReceipt::text(&input, &signature);
    let (code, refused) = shop.verify(&[sales[0].clone(), other_payer]);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(code == 1 && message.contains("names another buyer"), "{refused}");
    shop.assert_views_refused(&sales[1], &[jws]);

    // A receipt of MPP needs the sale that it refers to, and a payment.
    let paid: mpp::Receipt = mpp::decode(&of_mpp).unwrap();
    let unknown = TransactionSignature([7; 64]).to_string();
    let views = [
        mpp::encode(&mpp::Receipt { reference: unknown, ..paid.clone() }),
        mpp::encode(&mpp::Receipt { reference: String::new(), ..paid.clone() }),
        mpp::encode(&mpp::Receipt { status: "failed".to_owned(), ..paid }),
    ];
    shop.assert_views_refused(&sales[1], &views);
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
    // A payment is served once, however often it is sent.
    let replayed = shop.buy_at(&url, &["replay.mjs"], "another poem");
    assert_eq!(replayed["statuses"], json!([200, 402, 402, 402, 402, 402]), "{replayed}");
    assert_eq!(funded - shop.held(), 2 * PRICE);
    seller.kill().unwrap();
    seller.wait().unwrap();

    // Payments to others are not settled.
    let (mut seller, url) = sell(&shop.buyer);
    let refused = shop.buy_at(&url, &["fetch.mjs"], "a poem");
    let paid = funded - shop.held();
    assert_eq!((&refused["status"], paid), (&402.into(), 2 * PRICE), "{refused}");
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
    assert_eq!(bought["standings"], json!(["settled", "false"]), "{bought}");
    assert_eq!(bought["receipt_digest"], bought["digest"], "{bought}");
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
