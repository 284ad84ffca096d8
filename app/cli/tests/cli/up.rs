//! `motif up` and `motif model-server`: everything in one process, from its start to its end.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use sqlx::{Connection, SqliteConnection};

use crate::world::{MOTIF, World};

const FREE_PORTS: [&str; 8] =
    ["--rpc-port", "0", "--api-port", "0", "--paywall-port", "0", "--model-port", "0"];
/// Maximum time from a signal to the end.
const END_WITHIN: Duration = Duration::from_secs(30);

/// Long-running command, in a process group of its own. Killed on drop.
struct Running {
    child: Child,
    output: Value,
}

impl Running {
    /// Starts a command and waits for its line of output.
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = world.command(MOTIF);
        command.args(arguments).arg("--json").process_group(0).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = serde_json::from_str(&line).unwrap_or(Value::Null);
        let running = Self { child, output };
        assert!(running.output.is_object(), "{arguments:?}: {line}");
        running
    }

    fn text(&self, name: &str) -> &str {
        self.output[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.output))
    }

    /// Sends a signal and waits for the end. Returns the exit code.
    fn end(&mut self, signal: &str) -> Option<i32> {
        assert!(kill(signal, i64::from(self.child.id())));
        let began = Instant::now();
        while began.elapsed() < END_WITHIN {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it runs {END_WITHIN:?} after {signal}");
    }

    /// Returns whether a process of the group runs.
    fn has_processes(&self) -> bool {
        kill("-0", -i64::from(self.child.id()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process, or to a group by its negative number. Returns whether there is one.
fn kill(signal: &str, to: i64) -> bool {
    let mut command = Command::new("kill");
    command.args([signal, "--", &to.to_string()]).stderr(Stdio::null());
    command.status().unwrap().success()
}

fn up(world: &World, more: &[&str]) -> Running {
    Running::start(world, &[&["up"][..], &FREE_PORTS, more].concat())
}

#[test]
fn picture_is_bought_and_signal_ends_all() {
    let world = World::empty();
    let mut up = up(&world, &[]);
    let (api, rpc) = (up.text("api_url"), up.text("rpc_url"));

    // The printed commands work as printed.
    let asked = world.shell(up.text("curl"));
    assert!(asked.starts_with("HTTP/1.1 402"), "{asked}");
    world.shell(up.text("pay"));
    assert_eq!(image::open(world.path("picture.png")).unwrap().width(), 128);

    let status = format!("curl -s -o home -w '%{{http_code}}' -H 'accept: text/html' {api}/");
    let expected = if up.output["studio_url"].is_null() { "404" } else { "303" };
    assert_eq!(world.shell(&status), expected);
    let port = api.rsplit(':').next().unwrap();
    let origin = format!("http://localhost:{port}");
    let headers = world.shell(&format!("curl -si -H 'origin: {origin}' {api}/v1/operator"));
    let allowed = format!("access-control-allow-origin: {origin}");
    assert!(headers.to_lowercase().contains(&allowed), "{headers}");

    let works = up.output["works"].as_array().unwrap();
    let titles: Vec<_> = works.iter().map(|work| work["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Harbor at dusk", "Paper market", "Field notes", "Harbor style"]);
    for work in works {
        let (address, rpc_url) = (work["work"].as_str().unwrap(), ["--rpc-url", rpc]);
        let shown = world.does(&[&["work", "show", address][..], &rpc_url].concat());
        assert_eq!(shown["title"], work["title"]);
        let metadata = world.shell(&format!("curl -sf {}", shown["metadata_uri"]));
        let metadata: Value = serde_json::from_str(&metadata).unwrap();
        assert_eq!(metadata["title"], work["title"]);
        if work["kind"] != "text" {
            let preview = metadata["preview"].as_str().unwrap();
            world.shell(&format!("curl -sf -o preview {api}/v1/previews/{preview}"));
            let picture = image::open(world.path("preview"));
            assert!(picture.is_err() || picture.unwrap().width() > 64);
        }
    }

    let folder = up.text("folder").to_owned();
    assert!(Path::new(&folder).exists());
    let rpc = rpc.to_owned();
    assert_eq!(up.end("-TERM"), Some(0));
    assert!(!up.has_processes() && !Path::new(&folder).exists());
    assert!(TcpListener::bind(rpc.strip_prefix("http://").unwrap()).is_ok());
}

#[test]
fn creator_follows_events_and_webhook() {
    let world = World::empty();
    let mut up = up(&world, &[]);
    let api = up.text("api_url").to_owned();
    let person = up.output["keypairs"].as_array().unwrap();
    let person = person.iter().find(|one| one["name"] == "kofi").unwrap();
    let file = person["file"].as_str().unwrap().to_owned();
    let as_kofi = ["--keypair", &file, "--gateway-url", &api];
    let does = |arguments: &[&str]| world.does(&[arguments, &as_kofi].concat());

    // A receiver that accepts the connection and closes it.
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", receiver.local_addr().unwrap());
    std::thread::spawn(move || receiver.incoming().for_each(drop));
    let added = does(&["webhook", "add", &url, "--kind", "paid"]);
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"), "{added}");
    let id = added["webhook"]["id"].as_str().unwrap();

    world.shell(up.text("pay"));
    for (kind, amount) in [("accepted", Value::Null), ("paid", "10000".into())] {
        let event = does(&["events", "--all", "--kind", kind, "--count", "1"]);
        assert_eq!((&event["kind"], &event["amount"]), (&kind.into(), &amount), "{event}");
    }
    assert_eq!(does(&["webhook", "test", id])["kind"], "test");
    let began = Instant::now();
    let log = loop {
        let log = does(&["webhook", "log", id]);
        let deliveries = log["deliveries"].as_array().unwrap();
        if deliveries.len() == 2 && deliveries.iter().all(|one| one["error"].is_string()) {
            break log;
        }
        assert!(began.elapsed() < END_WITHIN, "{log}");
    };
    assert_eq!(log["deliveries"][1]["kind"], "paid");
    assert_eq!(does(&["webhook", "list"])["webhooks"][0]["url"], url);
    does(&["webhook", "remove", id]);
    assert_eq!(does(&["webhook", "list"])["webhooks"], serde_json::json!([]));
    world.refuses(&[&["webhook", "log", id][..], &as_kofi].concat(), "unknown-webhook");
    assert_eq!(up.end("-TERM"), Some(0));
}

#[test]
fn kept_keypairs_serve_next_chain() {
    let world = World::empty();
    let runs = ["run-1", "run-2"].map(|run| {
        let mut up = up(&world, &["--folder", "kept"]);
        assert_eq!(Path::new(up.text("folder")), world.path("kept").join(run));
        world.shell(up.text("pay"));
        assert_eq!(up.end("-INT"), Some(0));
        assert_eq!(settled(&world.path("kept").join(run).join("gateway.sqlite")), 10_000);
        up.output["keypairs"].clone()
    });
    assert_eq!(address(&runs[0], "platform"), address(&runs[1], "platform"));
}

#[test]
fn link_licenses_claims_and_is_audited() {
    let world = World::empty();
    let mut up = up(&world, &[]);
    let api = up.text("api_url").to_owned();
    let work = up.output["works"][3]["work"].as_str().unwrap().to_owned();
    let keypair = |name: &str| {
        let all = up.output["keypairs"].as_array().unwrap();
        let file = all.iter().find(|one| one["name"] == name).unwrap()["file"].as_str().unwrap();
        solana_keypair::read_keypair_file(file).unwrap()
    };
    let platform = keypair("platform");
    let license = format!("{api}/v1/actions/works/{work}/license?use=generate&deposit=2.5");
    // Another key signs vouchers.
    let license = format!("{license}&voucher_key={}", keypair("ines").pubkey());
    assert!(sign_link(&world, &api, &license, &platform).is_some());
    let channels = format!("curl -sf {api}/v1/people/{}/channels", platform.pubkey());
    let deposits = || {
        let listed: Value = serde_json::from_str(&world.shell(&channels)).unwrap();
        let channels = listed["channels"].as_array().unwrap().clone();
        channels.iter().map(|one| one["deposited"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    until(|| deposits() == ["2500000"]);

    world.shell(up.text("pay"));
    let claim = format!("{api}/v1/actions/works/{work}/claim");
    // The payment settles by its age.
    until(|| sign_link(&world, &api, &claim, &keypair("kofi")).is_some());
    until(|| {
        let earnings = world.shell(&format!("curl -sf {api}/v1/works/{work}/earnings"));
        let earnings: Value = serde_json::from_str(&earnings).unwrap();
        // Half of what the parent's share of a fifth leaves of 10,000.
        earnings["recipients"].as_array().unwrap().iter().any(|part| part["claimed"] == "4000")
    });

    // The work's receipts are proved to be all, and one that is withheld is missed.
    let file = format!("{}/kofi.json", up.text("folder"));
    let rpc = up.text("rpc_url");
    let audit = ["earnings", "audit", &work, "--keypair", &file];
    let audit = [&audit[..], &["--rpc-url", rpc, "--gateway-url", &api]].concat();
    let audited = world.does(&audit);
    let channels = audited["channels"].as_array().unwrap();
    let sums = |name: &str| channels.iter().map(|one| one[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!([sums("receipts"), sums("proved"), sums("credited")], [1, 10_000, 10_000]);
    let store = format!("sqlite:{}/gateway.sqlite", up.text("folder"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tables = SqliteConnection::connect(&store).await.unwrap();
        sqlx::query("DELETE FROM generations").execute(&mut tables).await.unwrap();
    });
    let refused = world.refuses(&audit, "receipts-incomplete");
    let said = refused["error"]["message"].as_str().unwrap();
    assert!(said.contains("add up to 0 base units, and the chain has settled 10000"), "{said}");
    assert_eq!(up.end("-TERM"), Some(0));
}

/// Signs the transaction of a link as a wallet does, and sends it. Returns `None` if the link offers none.
fn sign_link(world: &World, api: &str, link: &str, wallet: &Keypair) -> Option<()> {
    let account = wallet.pubkey();
    let offered = world.shell(&format!(
        "curl -s '{link}' -H 'content-type: application/json' -d '{{\"account\":\"{account}\"}}'"
    ));
    let offered: Value = serde_json::from_str(&offered).unwrap();
    let mut bytes = BASE64_STANDARD.decode(offered["transaction"].as_str()?).unwrap();
    let (signatures, message) = bytes.split_at_mut(65);
    assert_eq!(signatures, [&[1][..], &[0; 64]].concat());
    signatures[1..].copy_from_slice(wallet.sign_message(message).as_ref());
    let signed = BASE64_STANDARD.encode(&bytes);
    world.shell(&format!(
        "curl -sf {api}/v1/chain/transactions -H 'content-type: application/json' \
         -d '{{\"transaction\":\"{signed}\"}}'"
    ));
    Some(())
}

/// Waits up to a minute until something holds.
fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not hold");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Returns the prices of all settled statements of a closed store, base units.
fn settled(store: &Path) -> i64 {
    let url = format!("sqlite:{}", store.display());
    let sum = "SELECT coalesce(sum(prices), 0) FROM statements WHERE settled_at IS NOT NULL";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tables = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query_scalar(sum).fetch_one(&mut tables).await.unwrap()
    })
}

fn address(keypairs: &Value, name: &str) -> String {
    let mut found = keypairs.as_array().unwrap().iter().filter(|one| one["name"] == name);
    found.next().unwrap()["address"].as_str().unwrap().to_owned()
}

#[test]
fn port_in_use_names_its_option() {
    let world = World::empty();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for at in (0..FREE_PORTS.len()).step_by(2) {
        let mut arguments = vec!["up"];
        arguments.extend(FREE_PORTS);
        arguments[at + 2] = &port;
        let refused = world.refuses(&arguments, "no-listener");
        let help = refused["error"]["help"].as_str().unwrap();
        assert!(help.contains(FREE_PORTS[at]), "{refused}");
    }
}

#[test]
fn model_server_runs_from_the_binary() {
    let world = World::empty();
    let mut server = Running::start(&world, &["model-server", "--listen", "127.0.0.1:0"]);
    let url = server.text("url").to_owned();
    assert_eq!(world.shell(&format!("curl -s {url}/health")), "well");
    assert_eq!(server.end("-TERM"), Some(0));
}
