//! Compares durable paid requests with no-op requests, on the same server stack, in the same
//! process, from the same load generator. Prints one JSON object per line on standard
//! output. `cargo bench --workspace --bench gateway`
//!
//! Measures a file store, then a PostgreSQL server if its programs are installed.
//!
//! `GATEWAY_BENCH_FOLDER` sets a folder on the disk to measure (default: a temporary one),
//! `GATEWAY_BENCH_REQUESTS` the requests per round (32,000), `GATEWAY_BENCH_ROUNDS` the number of
//! rounds (3), whose medians are printed. For a profile, `GATEWAY_BENCH_CONNECTIONS`
//! selects one number of connections, and `GATEWAY_BENCH_STORE` one of `file` and `server`.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by a panic")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, http::header::CONTENT_TYPE, routing::post};
use futures::future::join_all;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use mimalloc::MiMalloc;
use motif_gateway::{GatewayConfig, SettlePolicy, config::Rate};
use motif_testkit::{
    figure::{median, print},
    load::{Connection, chains, one_fsync, open, resident_bytes},
    world::{Server, World},
};
use tokio::{net::TcpListener, runtime::Runtime};

const CONNECTIONS: [u32; 4] = [1, 16, 128, 512];
/// Warm-up requests of one connection, not timed.
const WARM_UP: u32 = 16;
const RATIO_GOAL: f64 = 0.35;
const RATIO_AT: u32 = 128;

/// The allocator of the `motif` binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let bench = Bench {
        requests: number("GATEWAY_BENCH_REQUESTS").unwrap_or(32_000),
        rounds: number("GATEWAY_BENCH_ROUNDS").unwrap_or(3).max(1),
        folder: std::env::var_os("GATEWAY_BENCH_FOLDER").map(PathBuf::from),
        // Servers and clients share cores, not threads.
        servers: runtime("server"),
        clients: runtime("client"),
    };
    bench.run();
}

/// Thread names for profiles.
fn runtime(name: &str) -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name(name).build().unwrap()
}

fn number(variable: &str) -> Option<u32> {
    std::env::var(variable).ok()?.parse().ok()
}

struct Bench {
    requests: u32,
    rounds: u32,
    folder: Option<PathBuf>,
    servers: Runtime,
    clients: Runtime,
}

/// Latencies of one round.
#[derive(Clone, Copy)]
struct Round {
    each_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Bench {
    fn run(&self) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = self.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
        let fsync = one_fsync(&folder);
        print("gateway.fsync", micros(fsync), "us", None, "one page appended and synced");
        let only = std::env::var("GATEWAY_BENCH_STORE").ok();
        let chosen = |store: &str| only.as_ref().is_none_or(|only| only == store);
        if chosen("file") {
            self.measure(&folder, None, fsync);
        }
        if let Some(server) = Some("server").filter(|it| chosen(it)).and_then(|_| Server::get()) {
            self.measure(&folder, Some(server), fsync);
        }
    }

    /// Measures one kind of store, at every number of connections.
    fn measure(&self, folder: &Path, server: Option<&'static Server>, fsync: Duration) {
        let only = number("GATEWAY_BENCH_CONNECTIONS");
        let chosen = |count: &u32| only.is_none_or(|only| only == *count);
        for connections in CONNECTIONS.into_iter().filter(chosen) {
            let round = |number| self.round(folder, server, connections, number);
            let rounds: Vec<_> = (0..self.rounds).map(round).collect();
            let prefix = if server.is_some() { "gateway.on_postgres" } else { "gateway" };
            report(prefix, connections, &rounds);
            if connections == 1 {
                let p50 = |of: fn(&(Round, Round, i64)) -> Round| {
                    median(rounds.iter().map(|round| micros(of(round).p50)))
                };
                let added = p50(|round| round.1) - p50(|round| round.0);
                let goal = 2.0 * micros(fsync);
                let goal = Some((goal, added <= goal)).filter(|_| server.is_none());
                let how = "p50 of a durable paid request less p50 of one that does nothing";
                print(&format!("{prefix}.added_latency.1_connection"), added, "us", goal, how);
            }
        }
    }

    /// Sends the same load to both servers, one after the other; returns the no-op and paid
    /// latencies, and the growth of memory in bytes.
    fn round(
        &self,
        folder: &Path,
        server: Option<&Server>,
        connections: u32,
        round: u32,
    ) -> (Round, Round, i64) {
        let folder = tempfile::tempdir_in(folder).unwrap();
        let world = self.servers.block_on(async {
            let store = match server {
                Some(server) => server.database().await.parse().unwrap(),
                None => folder.path().join("gateway.sqlite").into(),
            };
            World::unopened(|config| {
                config.store = store;
                unlimited(config);
            })
            .await
        });
        let fewer = if connections == 1 { 10 } else { 1 } * if server.is_some() { 4 } else { 1 };
        let each = WARM_UP + (self.requests / fewer / connections).max(1);
        let chains = chains(&world, round * 10_000, connections, 0, each);
        self.servers.block_on(open(&world, &chains));
        let requests: Vec<_> = chains.into_iter().map(|chain| chain.requests).collect();
        let requests = Arc::new(requests);
        let nothing = self.servers.block_on(does_nothing());
        // Repeated to take about as long as the paid round.
        let without = self.load(nothing, &requests, 4);
        let before = resident_bytes();
        let paid = self.load(world.gateway.local_addr(), &requests, 1);
        let grown = i64::try_from(resident_bytes()).unwrap() - i64::try_from(before).unwrap();
        let generations = world.gateway.app().exposure().receipts;
        assert_eq!(generations, u64::from(each * connections), "each was paid for once");
        self.servers.block_on(world.gateway.shutdown());
        (without, paid, grown)
    }

    /// Sends the requests of every connection, each after the response to the previous one.
    fn load(&self, server: SocketAddr, requests: &Arc<Vec<Vec<Vec<u8>>>>, times: usize) -> Round {
        let all = self.clients.block_on(async {
            let started = Arc::new(tokio::sync::Barrier::new(requests.len()));
            let running = (0..requests.len()).map(|number| {
                let (requests, started) = (requests.clone(), started.clone());
                tokio::spawn(async move {
                    let (warm_up, timed) = requests[number].split_at(WARM_UP as usize);
                    let mut connection = Connection::to(server).await.unwrap();
                    for request in warm_up {
                        assert_eq!(connection.exchange(request).await.unwrap(), 200);
                    }
                    started.wait().await;
                    let begun = Instant::now();
                    let mut taken = Vec::with_capacity(timed.len() * times);
                    for request in (0..times).flat_map(|_| timed) {
                        let sent = Instant::now();
                        let status = connection.exchange(request).await.unwrap();
                        assert_eq!(status, 200, "{}", connection.answer());
                        taken.push(sent.elapsed());
                    }
                    (begun, Instant::now(), taken)
                })
            });
            join_all(running.collect::<Vec<_>>()).await
        });
        let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        let begun = all.iter().map(|(begun, _, _)| *begun).min().unwrap();
        let ended = all.iter().map(|(_, ended, _)| *ended).max().unwrap();
        let mut times: Vec<_> = all.into_iter().flat_map(|(_, _, times)| times).collect();
        times.sort_unstable();
        Round {
            each_second: times.len() as f64 / (ended - begun).as_secs_f64(),
            p50: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
        }
    }
}

/// Limits that are counted and never reached, and no settlement.
fn unlimited(config: &mut GatewayConfig) {
    let rate = Rate::per_second(10_000_000, 20_000_000);
    (config.limits.address, config.limits.channel) = (rate, rate);
    config.settle = SettlePolicy { at_receipts: u32::MAX, ..config.settle };
}

/// No-op server: reads the same request and responds with as many bytes as a receipt
/// has, on hyper and axum configured like the gateway.
async fn does_nothing() -> SocketAddr {
    const RECEIPT_BYTES: usize = 780;
    let answer = Bytes::from(vec![b' '; RECEIPT_BYTES]);
    let nothing = async move |_: Bytes| ([(CONTENT_TYPE, "application/json")], answer);
    let router = Router::new().route("/v1/channels/{channel}/generations", post(nothing));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .max_buf_size(16_384)
                .max_headers(64)
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

fn report(prefix: &str, connections: u32, rounds: &[(Round, Round, i64)]) {
    let how = "HTTP over loopback, vouchers signed beforehand, one channel a connection";
    let name = |what: &str| format!("{prefix}.{what}.{connections}_connections");
    for (server, of) in [
        ("no_op", (|round| round.0) as fn(&(Round, Round, i64)) -> Round),
        ("paid", |round| round.1),
    ] {
        let each_second = median(rounds.iter().map(|round| of(round).each_second));
        let p50 = median(rounds.iter().map(|round| micros(of(round).p50)));
        let p99 = median(rounds.iter().map(|round| micros(of(round).p99)));
        print(&name(server), each_second.round(), "1/s", None, how);
        print(&name(&format!("{server}_p50")), p50, "us", None, how);
        print(&name(&format!("{server}_p99")), p99, "us", None, how);
    }
    let ratio = median(rounds.iter().map(|round| round.1.each_second / round.0.each_second));
    let ratio = (ratio * 1_000.0).round() / 1_000.0;
    let is_goal = connections == RATIO_AT && prefix == "gateway";
    let goal = is_goal.then_some((RATIO_GOAL, ratio >= RATIO_GOAL));
    print(&name("ratio"), ratio, "1", goal, "paid by no-op, in the same round");
    let grown = median(rounds.iter().map(|round| round.2 as f64));
    print(&name("memory_growth"), grown, "bytes", None, "resident, while the paid round ran");
}

fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1_000.0
}
