//! Compares sales of a paywall by x402 `exact` with those of the reference implementation on Node.js, on
//! the same localnet, and unpaid requests with no-op requests. Prints one JSON object per line on standard
//! output. `cargo bench --workspace --bench sales`
//!
//! Payments are signed before the clock starts. The reference needs `npm ci --prefix tests/interop`;
//! without it, only the paywall is measured.
//!
//! `SALES_BENCH_SALES` sets the paywall's sales per round (1,024), `SALES_BENCH_REFERENCE` those of the
//! reference (128), `SALES_BENCH_CONNECTIONS` the requests in flight of both (256), `SALES_BENCH_ROUNDS`
//! the number of rounds (3), whose medians are printed.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, routing::post, serve::ListenerExt};
use base64::{Engine, prelude::BASE64_STANDARD};
use mimalloc::MiMalloc;
use motif_gateway::{
    GatewayConfig, PaywallListener, RunningGateway,
    chain::{Chain, RpcChain},
    config::{Rate, SalesConfig},
    serve,
};
use motif_localnet::{Localnet, LocalnetConfig};
use motif_paywall::{ClientTransaction, PaidRoutes, PaywallConfig, SaleNetwork};
use motif_sdk::{
    Pubkey,
    channel::Currency,
    client::Client,
    gateway::wire::x402,
    licensing::{InitializeArgs, Offer, Registration, Unit, Use, UsePrice, WorkKind},
};
use motif_testkit::{
    figure::{median, print},
    load::Connection,
    world::Buyer,
};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

/// Price of an answer, base units: two cents.
const PRICE: u64 = 20_000;
const LAMPORTS: u64 = 1_000_000_000_000;
const DOLLARS: u64 = 10_000_000_000;
const ANSWER: &str = "Roses are red";
/// As in the `motif` binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Sales a second of the paywall by those of the reference.
const RATIO_GOAL: f64 = 10.0;
/// Unpaid requests a second by no-op requests.
const UNPAID_GOAL: f64 = 0.5;
/// No-op and unpaid requests of a round by its sales.
const UNPAID_BY_SALES: usize = 16;

fn main() {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|set| set.parse().ok());
    let sizes = Sizes {
        sales: number("SALES_BENCH_SALES").unwrap_or(1_024),
        reference: number("SALES_BENCH_REFERENCE").unwrap_or(128),
        connections: number("SALES_BENCH_CONNECTIONS").unwrap_or(256).max(1),
    };
    let rounds = number("SALES_BENCH_ROUNDS").unwrap_or(3).max(1);
    let runtime = Runtime::new().unwrap();
    let shop = runtime.block_on(Shop::open(sizes));
    let rounds: Vec<_> = (0..rounds).map(|round| runtime.block_on(shop.round(round))).collect();
    report(&rounds);
    runtime.block_on(shop.gateway.shutdown());
}

struct Sizes {
    sales: usize,
    reference: usize,
    connections: usize,
}

impl Sizes {
    /// Returns the sales of each connection in a round.
    fn each(&self) -> usize {
        (self.sales / self.connections).max(1)
    }
}

/// Paywall that sells a model server's answers, on a localnet, with its buyers.
struct Shop {
    localnet: Localnet,
    gateway: RunningGateway,
    paywall: SocketAddr,
    nothing: SocketAddr,
    fee_payer: Arc<Keypair>,
    buyers: Vec<Buyer>,
    /// An offer.
    challenge: x402::Challenge,
    offer: x402::Requirements,
    folder: TempDir,
    sizes: Sizes,
}

/// Rates of one round, each second.
struct Round {
    chain: f64,
    sales: f64,
    /// Median latency of a sale.
    p50: Duration,
    reference: Option<f64>,
    no_op: f64,
    unpaid: f64,
}

impl Shop {
    async fn open(sizes: Sizes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap();
        let (creator, fee_payer) = (Keypair::new(), Arc::new(Keypair::new()));
        let faucet = localnet.faucet();
        for key in [&creator, &*fee_payer] {
            faucet.airdrop_sol(&key.pubkey(), LAMPORTS).await.unwrap();
        }
        // Each connection has a wallet of its own: a paywall limits the open answers of one.
        let buyers: Vec<_> = (0..sizes.connections).map(|number| buyer(number as u64)).collect();
        for buyer in &buyers {
            faucet.mint_dollars(&buyer.address(), DOLLARS).await.unwrap();
        }
        let work = publish(&localnet, &creator).await;
        let upstream = serve_router(Router::new().route("/poems", post(async || ANSWER))).await;
        let gateway = open_gateway(&localnet, &folder, &fee_payer, (work, upstream), &sizes).await;
        let paywall = gateway.paywall_url().unwrap();
        let paywall: SocketAddr = paywall.strip_prefix("http://").unwrap().parse().unwrap();
        let (challenge, length) = first_offer(paywall).await;
        let offer = challenge.accepts[0].clone();
        let body = Bytes::from(vec![b' '; length]);
        let nothing = post(async move |_: Bytes| body);
        let nothing = serve_router(Router::new().route("/poems", nothing)).await;
        Self {
            localnet,
            gateway,
            paywall,
            nothing,
            fee_payer,
            buyers,
            challenge,
            offer,
            folder,
            sizes,
        }
    }

    async fn round(&self, round: usize) -> Round {
        let chain = self.chain_alone(round).await;
        let payments = self.payments(round).await;
        let before = self.sold().await;
        let (sales, p50) = load(self.paywall, payments, 200).await;
        let expected = self.sizes.each() * self.sizes.connections;
        let sold = self.sold().await - before;
        assert_eq!(sold, expected as u64 * self.offer.amount.0, "each was paid for once");
        let reference = self.reference();
        let each = self.sizes.each() * UNPAID_BY_SALES;
        let unpaid = |connection| {
            (0..each).map(|one| request(&body(&[round, connection, one]), "")).collect()
        };
        let unpaid: Vec<Vec<_>> = (0..self.sizes.connections).map(unpaid).collect();
        let (no_op, _) = load(self.nothing, unpaid.clone(), 200).await;
        let (unpaid, _) = load(self.paywall, unpaid, 402).await;
        Round { chain, sales, p50, reference, no_op, unpaid }
    }

    /// Returns the payments of a round by connection, each for a request of its own, as HTTP requests.
    async fn payments(&self, round: usize) -> Vec<Vec<Vec<u8>>> {
        let each = self.sizes.each();
        let blockhash = self.blockhash().await;
        let mut signing = JoinSet::new();
        for (number, buyer) in self.buyers.iter().enumerate() {
            let (buyer, paywall) = (buyer.clone().under(blockhash), self.paywall);
            signing.spawn(async move {
                let mut connection = Connection::to(paywall).await.unwrap();
                let mut payments = Vec::with_capacity(each);
                for one in 0..each {
                    let body = body(&[round, number, one]);
                    let status = connection.exchange(&request(&body, "")).await.unwrap();
                    assert_eq!(status, 402, "{}", connection.answer());
                    let offer = offer_in(&connection.answer()).unwrap();
                    let payment = x402::to_header(&buyer.pay(&offer, 0));
                    let header = format!("{}: {payment}\r\n", x402::PAYMENT_HEADER);
                    payments.push(request(&body, &header));
                }
                payments
            });
        }
        signing.join_all().await
    }

    /// Returns the rate at which the localnet alone takes payments as a paywall sends them: simulated, and
    /// sent with a preflight check.
    async fn chain_alone(&self, round: usize) -> f64 {
        let blockhash = self.blockhash().await;
        let chain = Arc::new(RpcChain::new(&[self.localnet.rpc_url()]));
        let each = self.sizes.each();
        let sign = |buyer: &Buyer, memo: String| {
            let mut offer = self.offer.clone();
            offer.extra.memo = Some(memo);
            let challenge = x402::Challenge { accepts: vec![offer], ..self.challenge.clone() };
            let payment = buyer.pay(&challenge, 0).payload.transaction;
            let payment = BASE64_STANDARD.decode(payment).unwrap();
            let payment = ClientTransaction::parse(&payment).unwrap();
            payment.signed(self.fee_payer.sign_message(&payment.message).as_array())
        };
        let signed = self.buyers.iter().enumerate().map(|(number, buyer)| {
            let buyer = buyer.clone().under(blockhash);
            let memo = |one| format!("{:032}", (round * each + one) * self.buyers.len() + number);
            (0..each).map(|one| sign(&buyer, memo(one))).collect::<Vec<_>>()
        });
        let signed: Vec<_> = signed.collect();
        let count = signed.len() * each;
        let begun = Instant::now();
        let mut sending = JoinSet::new();
        for transactions in signed {
            let chain = chain.clone();
            sending.spawn(async move {
                for transaction in transactions {
                    chain.check_payment(&transaction).await.unwrap();
                    chain.submit(&transaction, true).await.unwrap();
                }
            });
        }
        sending.join_all().await;
        count as f64 / begun.elapsed().as_secs_f64()
    }

    /// Returns the rate of the reference implementation; `None` if it is not installed.
    fn reference(&self) -> Option<f64> {
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop");
        let is_installed = scripts.join("node_modules/@x402/svm").exists();
        if self.sizes.reference == 0 || !is_installed {
            eprintln!("SKIPPED: the reference needs Node.js and `npm ci --prefix tests/interop`");
            return None;
        }
        let keypair = |name: &str, key: &Keypair| {
            let file = self.folder.path().join(name);
            fs::write(&file, json!(key.to_bytes().to_vec()).to_string()).unwrap();
            file
        };
        let buyer = Keypair::new_from_array(secret(0));
        let run = Command::new("node")
            .arg("reference.mjs")
            .current_dir(&scripts)
            .env("MOTIF_RPC_URL", self.localnet.rpc_url())
            .env("MOTIF_WALLET", keypair("buyer.json", &buyer))
            .env("MOTIF_FEE_PAYER", keypair("fee_payer.json", &self.fee_payer))
            .env("MOTIF_TILL", self.offer.pay_to.to_string())
            .env("MOTIF_MINT", self.offer.asset.to_string())
            .env("MOTIF_AMOUNT", self.offer.amount.to_string())
            .env("MOTIF_COUNT", self.sizes.reference.to_string())
            .env("MOTIF_CONCURRENT", self.sizes.connections.to_string())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let printed: Value = serde_json::from_slice(&run.stdout).unwrap();
        assert_eq!(printed["paid"], self.sizes.reference, "{printed}");
        Some(self.sizes.reference as f64 / printed["seconds"].as_f64().unwrap())
    }

    async fn blockhash(&self) -> [u8; 32] {
        let chain = RpcChain::new(&[self.localnet.rpc_url()]);
        chain.blockhash().await.unwrap().0.to_bytes()
    }

    /// Returns what the till has received, base units.
    async fn sold(&self) -> u64 {
        let tokens = Currency::spl(self.offer.asset.0).tokens(&self.offer.pay_to.0);
        let client = Client::new(&self.localnet.rpc_url());
        let held = client.rpc().get_token_account_balance(&tokens).await.unwrap();
        held.amount.parse().unwrap()
    }
}

fn secret(number: u64) -> [u8; 32] {
    let mut secret = [1; 32];
    secret[..8].copy_from_slice(&number.to_le_bytes());
    secret
}

fn buyer(number: u64) -> Buyer {
    Buyer::from_secret(&secret(number))
}

/// Registers a work and publishes its terms.
async fn publish(localnet: &Localnet, creator: &Keypair) -> Pubkey {
    let client = Client::new(&localnet.rpc_url());
    let currency = Currency::spl(localnet.faucet().dollar().mint);
    let args = InitializeArgs {
        cluster: client.rpc().get_genesis_hash().await.unwrap().to_bytes(),
        arbiter: creator.pubkey(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    client.initialize(creator, args).await.unwrap();
    client.create_vault(creator, &currency).await.unwrap();
    let registration = Registration::new(WorkKind::Text, [1; 32], &creator.pubkey());
    let (work, _) = client.register_work(registration).send(creator).await.unwrap();
    let price = UsePrice { licensed_use: Use::Generate, unit: Unit::Generation, price: PRICE };
    let terms = client.publish_terms(&work, &currency.mint, Offer::new(vec![price]));
    terms.send(creator).await.unwrap();
    work
}

async fn open_gateway(
    localnet: &Localnet,
    folder: &TempDir,
    fee_payer: &Arc<Keypair>,
    (work, upstream): (Pubkey, SocketAddr),
    sizes: &Sizes,
) -> RunningGateway {
    let routes = format!(
        "upstream = \"http://{upstream}\"\n\
         [[route]]\nmethod = \"POST\"\npath = \"/poems\"\nwork = \"{work}\"\n\
         use = \"generate\"\nunits = {{ fixed = 1 }}\nmost_answer_bytes = 1000\n"
    );
    let routes = PaidRoutes::read(&routes, "paywall.toml").unwrap();
    let mut paywall = PaywallConfig::new(routes, folder.path().join("answers"));
    // Half of the places are for wallets that have few.
    paywall.running = 2 * sizes.connections as u32;
    let store = folder.path().join("gateway.sqlite");
    let mut config = GatewayConfig::new(&localnet.rpc_url(), fee_payer.clone(), store);
    let listen = "127.0.0.1:0".parse().unwrap();
    config.paywall = Some(PaywallListener { listen, paywall });
    let mut sales = SalesConfig::new("https://gw.example");
    sales.paywall.network = SaleNetwork::Localnet;
    (sales.daily_lamports, sales.paywall.least_price) = (0, 0);
    config.sales = Some(sales);
    config.limits.address = Rate::per_second(10_000_000, 20_000_000);
    config.limits.reads = Rate::per_second(0, 0);
    serve(config).await.unwrap()
}

async fn serve_router(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Waits for the first offer. Returns it, and the length of its response.
async fn first_offer(paywall: SocketAddr) -> (x402::Challenge, usize) {
    let mut connection = Connection::to(paywall).await.unwrap();
    for _ in 0..400 {
        connection.exchange(&request("{}", "")).await.unwrap();
        let answer = connection.answer();
        if let Some(offer) = offer_in(&answer) {
            return (offer, answer.len());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no offer: {}", connection.answer());
}

/// Returns the offer of a response in HTTP.
fn offer_in(answer: &str) -> Option<x402::Challenge> {
    let mut lines = answer.lines();
    let value = lines.find_map(|line| line.strip_prefix(x402::REQUIRED_HEADER)?.strip_prefix(": "));
    x402::from_header(value?).ok()
}

/// Returns a body that no other request has.
fn body(numbers: &[usize]) -> String {
    json!({ "prompt": numbers }).to_string()
}

fn request(body: &str, headers: &str) -> Vec<u8> {
    format!(
        "POST /poems HTTP/1.1\r\nhost: gw.example\r\ncontent-type: application/json\r\n\
         {headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends the requests of every connection, each after the response to the previous one. Returns the
/// rate and the median latency.
async fn load(server: SocketAddr, requests: Vec<Vec<Vec<u8>>>, expected: u16) -> (f64, Duration) {
    let mut connections = Vec::new();
    for _ in &requests {
        connections.push(Connection::to(server).await.unwrap());
    }
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for (mut connection, requests) in connections.into_iter().zip(requests) {
        running.spawn(async move {
            let mut taken = Vec::with_capacity(requests.len());
            for request in requests {
                let sent = Instant::now();
                let status = connection.exchange(&request).await.unwrap();
                assert_eq!(status, expected, "{}", connection.answer());
                taken.push(sent.elapsed());
            }
            taken
        });
    }
    let mut taken: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    let each_second = taken.len() as f64 / begun.elapsed().as_secs_f64();
    taken.sort_unstable();
    (each_second, taken[taken.len() / 2])
}

fn report(rounds: &[Round]) {
    let rate = |name: &str, of: fn(&Round) -> f64, how: &str| {
        print(name, median(rounds.iter().map(of)).round(), "1/s", None, how);
    };
    let ratio = |name: &str, ratios: Vec<f64>, goal: f64, how: &str| {
        let ratio = (median(ratios.into_iter()) * 100.0).round() / 100.0;
        print(name, ratio, "1", Some((goal, ratio >= goal)), how);
    };
    let how = "simulated and sent with a preflight check, without a gateway";
    rate("sales.localnet_alone", |round| round.chain, how);
    rate("sales.paid", |round| round.sales, "x402 exact at a paywall, payments signed beforehand");
    let p50 = median(rounds.iter().map(|round| round.p50.as_secs_f64() * 1_000.0));
    print("sales.paid_p50", p50.round(), "ms", None, "from the request to the whole answer");
    let sold = rounds.iter().filter_map(|round| Some((round.sales, round.reference?)));
    let sold: Vec<_> = sold.collect();
    if !sold.is_empty() {
        let how = "@x402/express, facilitator and client in one Node.js process, same localnet";
        let reference = median(sold.iter().map(|(_, reference)| *reference));
        print("sales.reference", reference.round(), "1/s", None, how);
        let ratios = sold.iter().map(|(sales, reference)| sales / reference).collect();
        ratio("sales.ratio", ratios, RATIO_GOAL, "paywall by reference, in the same round");
    }
    let how = "axum handler that reads the request and returns as many bytes as a 402 has";
    rate("sales.no_op", |round| round.no_op, how);
    rate("sales.unpaid", |round| round.unpaid, "402 with the offers of all protocols");
    let ratios = rounds.iter().map(|round| round.unpaid / round.no_op).collect();
    ratio("sales.unpaid_ratio", ratios, UNPAID_GOAL, "402 by no-op, in the same round");
}
