//! A paywall, a payer service in front of it, and plain clients.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
};

use motif_testkit::model_server::ModelServer;
use serde_json::Value;

use crate::{
    paywall::{PICTURE, model_server},
    world::World,
};

/// Cost of a picture or of an event: the price of 1,000 base units and the operator's fee of 2 %.
pub const COST: u64 = 1_020;

/// Localnet, gateway with a paywall, and payer service, each in a process of its own.
pub struct Shop {
    pub world: World,
    pub server: ModelServer,
    /// URL of the paywall.
    pub paywall: String,
    /// URL of the payer service, or `unix:PATH`.
    pub payer: String,
    pub token: String,
    pub work: String,
    state: PathBuf,
}

/// Answer to a plain `curl`.
pub struct Answer {
    pub status: u16,
    /// Lines of the head, in lower case.
    pub headers: String,
    /// Lines of the head.
    pub raw_headers: String,
    pub body: Vec<u8>,
    /// Whether `curl` has received the answer to its end.
    pub is_complete: bool,
}

impl Shop {
    /// Starts everything, the payer with these options beside its wallet, listener and target.
    pub fn open(options: &[&str]) -> Self {
        let mut shop = Self::without_payer();
        shop.serve(options);
        shop
    }

    /// Starts everything but the payer.
    pub fn without_payer() -> Self {
        // Answers that killed payers have not paid for stay until their holds end.
        Self::with_gateway("[paywall]\nunpaid = 1024\n")
    }

    /// Starts everything but the payer, with these settings of the gateway.
    pub fn with_gateway(settings: &str) -> Self {
        let (server, upstream) = model_server();
        let mut world = World::empty();
        world.spawn(&["localnet"]);
        world.does(&["key", "new", "--airdrop", "ines.json", "platform.json", "gateway.json"]);
        let terms = ["--kind", "image", "--use", "generate=0.001/generation"];
        let register = [&["work", "register", PICTURE][..], &terms, &["--keypair", "ines.json"]];
        let work = world.does(&register.concat())["work"].as_str().unwrap().to_owned();
        let route = |path: &str, how: &str| {
            format!(
                "[[route]]\nmethod = \"POST\"\npath = \"{path}\"\nwork = \"{work}\"\nuse = \"generate\"\n{how}\n"
            )
        };
        let routes = [
            format!("upstream = \"{upstream}\"\n"),
            "[[free]]\nmethod = \"POST\"\npath = \"/echo\"\n".to_owned(),
            "[[free]]\nmethod = \"GET\"\npath = \"/health\"\n".to_owned(),
            route("/pictures", "units = { fixed = 1 }"),
            route("/images", "units = { header = \"x-units\" }\nmost_units = 4"),
            route("/v1/chat/completions", "units = { count = \"events\" }\nstream = true"),
        ];
        fs::write(world.path("paywall.toml"), routes.concat()).unwrap();
        fs::write(world.path("gateway.toml"), settings).unwrap();
        let keep = ["--keypair", "gateway.json", "--store", "gateway.sqlite"];
        let serve = [&["gateway", "serve", "--config", "gateway.toml"][..], &keep].concat();
        let sell = ["--paywall-listen", "127.0.0.1:0", "--paywall-routes", "paywall.toml"];
        let served = world.spawn(&[&serve[..], &sell].concat());
        let paywall = served["paywall_url"].as_str().unwrap().to_owned();
        let (payer, token, state) = (String::new(), String::new(), PathBuf::new());
        Self { world, server, paywall, payer, token, work, state }
    }

    /// Returns the host and port of the paywall.
    pub fn target(&self) -> &str {
        self.paywall.strip_prefix("http://").unwrap()
    }

    /// Starts a payer. Its logs are kept.
    pub fn serve(&mut self, options: &[&str]) {
        self.serve_by(World::spawn_logged, options);
    }

    /// As [`Shop::serve`], with a process that `spawn` starts.
    pub fn serve_by(&mut self, spawn: impl FnOnce(&mut World, &[&str]) -> Value, options: &[&str]) {
        let target = self.target().to_owned();
        let serve = ["payer", "serve", "--keypair", "platform.json", "--private-target", &target];
        let listen: &[&str] =
            if options.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let served = spawn(&mut self.world, &[&serve[..], listen, options].concat());
        let text = |name: &str| served[name].as_str().unwrap().to_owned();
        self.payer = text("url");
        self.state = self.world.path(&text("state"));
        self.token = fs::read_to_string(self.world.path(&text("token_file"))).unwrap();
        self.token = self.token.trim().to_owned();
    }

    /// Returns the URL of a path behind the paywall, through the payer.
    pub fn through(&self, path: &str) -> String {
        format!("{}/{}{path}", self.payer, self.paywall)
    }

    /// Runs plain `curl` with the token.
    pub fn curl(&self, arguments: &[&str]) -> Answer {
        let bearer = format!("authorization: Bearer {}", self.token);
        self.curl_with(&[&["-H", &bearer][..], arguments].concat())
    }

    /// Runs plain `curl` without the token.
    pub fn curl_with(&self, arguments: &[&str]) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let (head, body) = (folder.path().join("head"), folder.path().join("body"));
        let ran = std::process::Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "120", "--write-out", "%{http_code}"])
            .arg("--dump-header")
            .arg(&head)
            .arg("--output")
            .arg(&body)
            .args(arguments)
            .output()
            .unwrap();
        let status = String::from_utf8(ran.stdout).unwrap();
        let raw_headers = fs::read_to_string(head).unwrap_or_default();
        let (status, headers) = (status.parse().unwrap_or(0), raw_headers.to_lowercase());
        let (body, is_complete) = (fs::read(body).unwrap_or_default(), ran.status.success());
        Answer { status, headers, raw_headers, body, is_complete }
    }

    /// Buys a picture.
    pub fn buy_picture(&self, prompt: &str) -> Answer {
        let body = serde_json::json!({ "prompt": prompt }).to_string();
        self.post(&self.through("/pictures"), &body)
    }

    /// Sends JSON to a path behind the paywall, with an idempotency key.
    pub fn post_with_key(&self, path: &str, key: &str, body: &str) -> Answer {
        let (key, url) = (format!("idempotency-key: {key}"), self.through(path));
        let json = "content-type: application/json";
        self.curl(&["-H", &key, "-H", json, "--data", body, &url])
    }

    /// Sends the same request, reads `bytes` of the answer, and closes the socket.
    pub fn post_and_leave(&self, path: &str, key: &str, body: &str, bytes: usize) -> Vec<u8> {
        let address = self.payer.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        let (token, length) = (&self.token, body.len());
        let target = format!("/{}{path}", self.paywall);
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body.as_bytes()).unwrap();
        let mut read = vec![0; bytes];
        socket.read_exact(&mut read).unwrap();
        read
    }

    /// Returns the lamports of the wallet.
    pub fn lamports(&self) -> u64 {
        let shown = self.world.does(&["key", "show", "platform.json"]);
        let address = &shown[0]["address"];
        let ask = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": [address]
        });
        let json = "content-type: application/json";
        let balance = self.curl_with(&["-H", json, "-d", &ask.to_string(), &self.world.rpc_url]);
        balance.json()["result"]["value"].as_u64().unwrap()
    }

    /// Returns the rent and fees of today, lamports.
    pub fn lamports_spent(&self) -> u64 {
        amount(&self.get("/v1/budgets")["lamports"]["spent"])
    }

    pub fn post(&self, url: &str, body: &str) -> Answer {
        self.curl(&["-H", "content-type: application/json", "--data", body, url])
    }

    /// Reads the JSON interface.
    pub fn get(&self, path: &str) -> Value {
        self.curl(&[&format!("{}{path}", self.payer)]).json()
    }

    /// Returns the receipts of today, oldest first.
    pub fn receipts(&self) -> Vec<Value> {
        let (mut receipts, mut from) = (Vec::new(), 0);
        loop {
            let page = self.get(&format!("/v1/receipts?from={from}"));
            receipts.extend(page["receipts"].as_array().unwrap().iter().cloned());
            match page["next"].as_u64().unwrap() {
                next if next == from => return receipts,
                next => from = next,
            }
        }
    }

    /// Returns the spending of today, base units: by all callers.
    pub fn spent(&self) -> u64 {
        amount(&self.get("/v1/budgets")["budgets"][0]["spent"])
    }

    /// Returns a file of the payer's state folder.
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// Settles what was bought; returns what the chain has charged the wallet's channels, base units.
    pub fn charged(&self) -> u64 {
        self.channels().iter().map(|channel| charged(&self.world, channel)).sum()
    }

    /// Returns the addresses of the payer's channels.
    pub fn channels(&self) -> Vec<String> {
        let shown = self.get("/v1/channels");
        let channels = shown["channels"].as_array().unwrap().iter();
        channels.map(|one| one["channel"].as_str().unwrap().to_owned()).collect()
    }
}

/// Settles a channel of the platform; returns what the chain has charged it, base units.
pub fn charged(world: &World, channel: &str) -> u64 {
    charged_by(world, &world.gateway_url, channel)
}

/// As [`charged`], at another gateway.
pub fn charged_by(world: &World, gateway: &str, channel: &str) -> u64 {
    let settle = ["channel", "settle", "--channel", channel, "--keypair", "platform.json"];
    let (code, answer) = world.run(&[&settle[..], &["--gateway-url", gateway]].concat());
    let is_empty = answer["error"]["code"] == "nothing-to-settle";
    assert!(code == 0 || is_empty, "{answer}");
    let shown = world.does(&["channel", "show", "--channel", channel]);
    shown["prices"].as_u64().unwrap() + shown["fees"].as_u64().unwrap()
}

impl Answer {
    pub fn json(&self) -> Value {
        let text = || String::from_utf8_lossy(&self.body).into_owned();
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, text()))
    }

    /// Returns the slug of a problem document.
    pub fn slug(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
}

/// Reads an amount of a wire type.
pub fn amount(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Returns a number of the environment, such as for a longer run.
pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}
