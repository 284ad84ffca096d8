//! Measures one payer of one channel with many callers, over a link that delays each direction by 25
//! milliseconds, and without one beside a payer that pays one after the other. Prints one JSON object per line
//! on standard output. `cargo bench --workspace --bench payer`
//!
//! `PAYER_BENCH_SECONDS` sets the time of each round (5), `PAYER_BENCH_ROUNDS` the number of rounds (3), whose
//! medians are printed, and `PAYER_BENCH_ONLY` a part of the names to measure.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, routing::post};
use ed25519_dalek::SigningKey;
use futures::future::join_all;
use mimalloc::MiMalloc;
use motif_gateway::{GatewayConfig, PaywallListener, SettlePolicy, config::Rate};
use motif_paywall::{PaidRoutes, PaywallConfig};
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    gateway::{
        GatewayClient, IdempotencyKey, Method, PaidRequest, PaidUnits, Payer, PayerOptions,
        PaywallClient,
        wire::{Digest, GenerationRequest},
    },
    receipt::SignedReceipt,
    voucher::{SignedVoucher, Statement, Voucher},
};
use motif_testkit::{
    figure::{median, print},
    slow_link::SlowLink,
    world::{CHANNEL, World, voucher_key},
};
use tokio::runtime::Runtime;

/// Delay of each direction.
const ONE_WAY: Duration = Duration::from_millis(25);
const ROUND_TRIP: Duration = Duration::from_millis(50);
/// Time that the model server takes.
const MODEL: Duration = Duration::from_secs(2);
const REQUESTS: usize = 50;

/// The allocator of the `motif` binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let bench = Bench {
        time: Duration::from_secs(number("PAYER_BENCH_SECONDS").unwrap_or(5)),
        rounds: number("PAYER_BENCH_ROUNDS").unwrap_or(3).max(1),
        only: std::env::var("PAYER_BENCH_ONLY").unwrap_or_default(),
        // Servers and clients share cores, not threads.
        servers: runtime("server"),
        clients: runtime("client"),
    };
    bench.run();
}

fn runtime(name: &str) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name(name).build().unwrap()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

struct Bench {
    time: Duration,
    rounds: u64,
    only: String,
    servers: Runtime,
    clients: Runtime,
}

/// Generations a second, and the latency that all but a hundredth are below.
#[derive(Clone, Copy)]
struct Round {
    each_second: f64,
    p99: Duration,
}

impl Bench {
    fn run(&self) {
        for (callers, goal, limit) in [(64, 1_000.0, Some(2.5)), (1_000, 10_000.0, None)] {
            let name = format!("payer.distant.{callers}_callers");
            if !self.is_chosen(&name) {
                continue;
            }
            let rounds: Vec<_> = (0..self.rounds).map(|_| self.distant(callers)).collect();
            let how = "one channel, 25 ms each way, state file, HTTP over loopback";
            let rate = median(rounds.iter().map(|round| round.each_second)).round();
            print(&name, rate, "1/s", Some((goal, rate >= goal)), how);
            let trips = rounds.iter().map(|round| ratio(round.p99, ROUND_TRIP));
            let trips = hundredths(median(trips));
            let met = limit.map(|limit| (limit, trips <= limit));
            print(&format!("{name}.p99"), trips, "round trips", met, how);
        }
        let name = "payer.distant.50_answers";
        if self.is_chosen(name) {
            let seconds = (0..self.rounds).map(|_| self.answers().as_secs_f64());
            let seconds = hundredths(median(seconds));
            let how =
                "paywalled requests at once, one channel, 25 ms each way, the model takes 2 s";
            print(name, seconds, "s", Some((2.6, seconds <= 2.6)), how);
        }
        if self.is_chosen("payer.near") {
            self.near();
        }
    }

    fn is_chosen(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// Compares callers of a payer with a payer that signs, sends and verifies one after the other.
    fn near(&self) {
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            let world = self.world(unlimited);
            let sequential = self.clients.block_on(sequential(&world, self.time));
            self.servers.block_on(world.gateway.shutdown());
            let mut of = vec![sequential];
            for callers in [1, 64] {
                let world = self.world(unlimited);
                let url = world.gateway.url();
                let round = self.clients.block_on(load(&world, &url, None, callers, self.time));
                self.servers.block_on(world.gateway.shutdown());
                of.push(round.each_second);
            }
            rounds.push(of);
        }
        let rate = |place: usize| median(rounds.iter().map(|of| of[place])).round();
        let how = "one channel, HTTP over loopback, no state file";
        print("payer.near.sequential", rate(0), "1/s", None, "a client of the API, one at a time");
        for (place, callers) in [(1, 1), (2, 64)] {
            let name = format!("payer.near.{callers}_callers");
            print(&name, rate(place), "1/s", None, how);
            let ratio = hundredths(median(rounds.iter().map(|of| of[place] / of[0])));
            let goal = Some((1.0, ratio >= 1.0));
            print(&format!("{name}.ratio"), ratio, "1", goal, "to one after the other, same round");
        }
    }

    fn distant(&self, callers: usize) -> Round {
        let world = self.world(unlimited);
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("payer");
        let address = world.gateway.local_addr();
        let link = self.servers.block_on(SlowLink::to(address, ONE_WAY));
        let url = link.url();
        let paying = load(&world, &url, Some(state), callers, self.time);
        let round = self.clients.block_on(paying);
        self.servers.block_on(world.gateway.shutdown());
        round
    }

    /// Fetches answers at once; returns the time until all have arrived.
    fn answers(&self) -> Duration {
        let folder = tempfile::tempdir().unwrap();
        let upstream = self.servers.block_on(model_server());
        let routes = format!(
            "upstream = \"{upstream}\"\n[[route]]\nmethod = \"POST\"\npath = \"/pictures\"\n\
             work = \"{}\"\nuse = \"generate\"\nunits = {{ fixed = 1 }}\n",
            Pubkey::new_from_array([7; 32])
        );
        let routes = PaidRoutes::read(&routes, "paywall.toml").unwrap();
        let spool = folder.path().join("spool");
        let world = self.world(|config| {
            unlimited(config);
            let all = REQUESTS as u32;
            let paywall = PaywallConfig {
                unpaid: all,
                running: 2 * all,
                ..PaywallConfig::new(routes, spool)
            };
            let listen = "127.0.0.1:0".parse().unwrap();
            config.paywall = Some(PaywallListener { listen, paywall });
        });
        let paywall = world.gateway.paywall_url().unwrap();
        let paywall = paywall.trim_start_matches("http://").parse().unwrap();
        let (gateway, paywall) = self.servers.block_on(async {
            let gateway = SlowLink::to(world.gateway.local_addr(), ONE_WAY).await;
            (gateway, SlowLink::to(paywall, ONE_WAY).await)
        });
        let taken = self.clients.block_on(async {
            let options = PayerOptions {
                state: Some(folder.path().join("payer")),
                ..PayerOptions::default()
            };
            let payer = payer(&world, &gateway.url(), options).await;
            let client = PaywallClient::new();
            let begun = Instant::now();
            let fetches = (0..REQUESTS).map(|number| {
                let (payer, client) = (payer.clone(), client.clone());
                let request = PaidRequest {
                    method: Method::POST,
                    url: format!("{}/pictures", paywall.url()),
                    headers: Vec::new(),
                    body: number.to_string().into_bytes(),
                    license: 0,
                    units: PaidUnits::Exactly(1),
                    key: IdempotencyKey::random(),
                    expires_at: now() + 300,
                };
                tokio::spawn(async move { payer.fetch(&client, &request).await.unwrap() })
            });
            for answer in join_all(fetches.collect::<Vec<_>>()).await {
                assert_eq!(answer.unwrap().receipt.receipt.units, 1);
            }
            let taken = begun.elapsed();
            assert_eq!(payer.receipts().len(), REQUESTS);
            taken
        });
        self.servers.block_on(world.gateway.shutdown());
        taken
    }

    fn world(&self, configure: impl FnOnce(&mut GatewayConfig)) -> World {
        self.servers.block_on(async {
            let world = World::unopened(configure).await;
            let mut account = world.chain.channel_account();
            account.channel.deposited = 1 << 60;
            world.chain.state().channels.insert(CHANNEL, account);
            world.client().open_channel(&CHANNEL).await.unwrap();
            world
        })
    }
}

/// Limits that are never reached, and no settlement.
fn unlimited(config: &mut GatewayConfig) {
    let rate = Rate::per_second(10_000_000, 20_000_000);
    (config.limits.address, config.limits.channel) = (rate, rate);
    config.settle = SettlePolicy { at_receipts: u32::MAX, ..config.settle };
}

/// Starts a model server; returns its URL.
async fn model_server() -> String {
    let answer = async |body: String| {
        tokio::time::sleep(MODEL).await;
        format!("picture {body}")
    };
    let router = Router::new().route("/pictures", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn payer(world: &World, url: &str, options: PayerOptions) -> Payer {
    let account = world.chain.channel_account();
    let client = GatewayClient::new(url);
    Payer::open(client, CHANNEL, &account, voucher_key(), options).await.unwrap()
}

/// Has `callers` tasks pay one generation after the other, for a time.
async fn load(
    world: &World,
    url: &str,
    state: Option<std::path::PathBuf>,
    callers: usize,
    time: Duration,
) -> Round {
    let payer = payer(world, url, PayerOptions { state, ..PayerOptions::default() }).await;
    payer.generate(0, 1, [0; 32], [0; 32]).await.unwrap();
    let number = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks = (0..callers).map(|_| {
        let (payer, number) = (payer.clone(), number.clone());
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while begun.elapsed() < time {
                let mut request = [0; 32];
                let own = number.fetch_add(1, Ordering::Relaxed);
                request[..8].copy_from_slice(&own.to_le_bytes());
                let sent = Instant::now();
                let receipt = payer.generate(0, 1, request, [2; 32]).await.unwrap();
                taken.push(sent.elapsed());
                assert_eq!(receipt.receipt.request_digest, request);
            }
            taken
        })
    });
    let all = join_all(tasks.collect::<Vec<_>>()).await;
    let elapsed = begun.elapsed();
    let mut times: Vec<_> = all.into_iter().flat_map(Result::unwrap).collect();
    times.sort_unstable();
    let paid = world.gateway.app().exposure().receipts;
    assert_eq!(paid, times.len() as u64 + 1, "each was paid for once");
    Round {
        each_second: times.len() as f64 / elapsed.as_secs_f64(),
        p99: times[times.len() * 99 / 100],
    }
}

/// Signs, sends and verifies one generation after the other; returns generations a second.
async fn sequential(world: &World, time: Duration) -> f64 {
    let account = world.chain.channel_account();
    let (client, key) = (GatewayClient::new(&world.gateway.url()), voucher_key());
    let operator = world.operator();
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < time {
        count += 1;
        let request = generation(&account, &key, count);
        let parts = client.generate(&CHANNEL, &IdempotencyKey::random(), &request).await.unwrap();
        let signed = SignedReceipt::from(&parts);
        assert!(signed.verifies(&operator) && signed.receipt.units == 1);
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn generation(account: &ChannelAccount, key: &SigningKey, units: u32) -> GenerationRequest {
    let channel = &account.channel;
    let prices = account.licenses[0].price * u64::from(units);
    let statement: Statement = [(0, units)].into_iter().collect();
    let voucher = Voucher {
        cluster: channel.cluster,
        channel: CHANNEL,
        opened_slot: channel.opened_slot,
        statement: 0,
        cumulative: prices + prices * u64::from(channel.operator_fee_bps) / 10_000,
        statement_digest: statement.digest(),
        expires_at: now() + 86_400,
    };
    GenerationRequest {
        voucher: SignedVoucher::sign(voucher, key),
        license: 0,
        units: 1,
        request_digest: Digest([1; 32]),
        output_digest: Digest([2; 32]),
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs() as i64
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
