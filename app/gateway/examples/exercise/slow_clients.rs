use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
    time::{Duration, Instant},
};

use futures::future::join_all;
use motif_gateway::config::Rate;
use motif_testkit::{
    load::{Chain, Connection, chains, open},
    world::World,
};
use serde::Serialize;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};

/// Number of payers, and of generations of each in a part of a round.
const PAYERS: u32 = 8;
const REQUESTS: u32 = 1_000;
/// Number of rounds. Each measures payers with and without the sockets, in alternating order.
const ROUNDS: u32 = 7;
const P99_GOAL: f64 = 2.0;
/// Time limit for all sockets to be accepted or closed.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// Latencies of one part of a round.
#[derive(Clone, Copy, Serialize)]
struct Latency {
    p50_us: u64,
    p99_us: u64,
}

/// Measures the honest payers' 99th percentile with and without slow sockets, as
/// medians of several rounds. Always returns `true`.
pub async fn run(sockets: u64) -> bool {
    let world = World::unopened(|config| {
        config.limits.connections = 20_000;
        config.limits.connections_per_address = 20_000;
        let rate = Rate::per_second(0, 0);
        (config.limits.address, config.limits.channel) = (rate, rate);
    })
    .await;
    let chains = chains(&world, 0, PAYERS, 0, (1 + 2 * ROUNDS) * REQUESTS);
    open(&world, &chains).await;
    let server = world.gateway.local_addr();
    let mut parts = 0..;
    let mut part = async || {
        let number: u32 = parts.next().unwrap();
        let (from, to) = (number * REQUESTS, (number + 1) * REQUESTS);
        latencies(server, &chains, from as usize..to as usize).await
    };
    part().await;
    let (mut alone, mut beside, mut held) = (Vec::new(), Vec::new(), sockets);
    for round in 0..ROUNDS {
        for is_beside in [round % 2 == 1, round % 2 == 0] {
            if !is_beside {
                alone.push(part().await);
                continue;
            }
            let crowd = Crowd::gather(&world, sockets).await;
            beside.push(part().await);
            held = held.min(connections(&world));
            crowd.leave(&world).await;
        }
        eprintln!("round {} of {ROUNDS}", round + 1);
    }
    let p99 = |all: &[Latency]| median(all.iter().map(|one| one.p99_us));
    let p50 = |all: &[Latency]| median(all.iter().map(|one| one.p50_us));
    let ratio = p99(&beside) as f64 / p99(&alone) as f64;
    println!(
        "{}",
        json!({
            "name": "gateway.slow_clients.p99_ratio",
            "value": (ratio * 100.0).round() / 100.0,
            "unit": "1",
            "goal": P99_GOAL,
            "met": ratio <= P99_GOAL,
            "slow_sockets": held,
            "alone_us": { "p50": p50(&alone), "p99": p99(&alone), "rounds": alone },
            "beside_us": { "p50": p50(&beside), "p99": p99(&beside), "rounds": beside },
            "how": format!(
                "medians of {ROUNDS} rounds; {PAYERS} payers, {REQUESTS} durable generations each, \
                 over loopback in the same process"
            ),
        })
    );
    world.gateway.shutdown().await;
    true
}

fn median(all: impl Iterator<Item = u64>) -> u64 {
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    all[all.len() / 2]
}

/// Returns the number of open connections.
fn connections(world: &World) -> u64 {
    world.gateway.app().metrics.connections.get() as u64
}

/// Waits until the gateway has at least, or at most, this number of connections.
async fn until(world: &World, what: impl Fn(u64) -> bool) {
    let deadline = Instant::now() + SETTLED_WITHIN;
    while !what(connections(world)) {
        assert!(Instant::now() < deadline, "{} connections are open", connections(world));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sockets that each send about a byte in five seconds.
struct Crowd(JoinHandle<()>);

impl Crowd {
    async fn gather(world: &World, sockets: u64) -> Self {
        let server = world.gateway.local_addr();
        let mut held = Vec::new();
        for number in 0..sockets {
            held.push(slow(server, number).await);
        }
        until(world, |open| open >= sockets).await;
        Self(tokio::spawn(async move {
            loop {
                for socket in &mut held {
                    let _ = socket.write_all(b"a").await;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }))
    }

    async fn leave(self, world: &World) {
        self.0.abort();
        let _ = self.0.await;
        until(world, |open| open <= u64::from(PAYERS)).await;
    }
}

/// Sends an endless head from one of a hundred addresses.
async fn slow(server: SocketAddr, number: u64) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from = Ipv4Addr::new(127, 0, 1, 1 + (number % 100) as u8);
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(server).await.unwrap();
    stream.write_all(b"POST /v1/channels HTTP/1.1\r\nhost: ").await.unwrap();
    stream
}

/// Returns latencies of payers that send one request after the other.
async fn latencies(server: SocketAddr, chains: &[Chain], part: Range<usize>) -> Latency {
    let paying = chains.iter().map(|chain| {
        let requests = chain.requests[part.clone()].to_vec();
        tokio::spawn(async move {
            let mut connection = Connection::to(server).await.unwrap();
            let mut times = Vec::with_capacity(requests.len());
            for request in requests {
                let sent = Instant::now();
                assert_eq!(connection.exchange(&request).await.unwrap(), 200);
                times.push(sent.elapsed().as_micros() as u64);
            }
            times
        })
    });
    let all = join_all(paying.collect::<Vec<_>>()).await;
    let mut times: Vec<_> = all.into_iter().flat_map(Result::unwrap).collect();
    times.sort_unstable();
    Latency { p50_us: times[times.len() / 2], p99_us: times[times.len() * 99 / 100] }
}
