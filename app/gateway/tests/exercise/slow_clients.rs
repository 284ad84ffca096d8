use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use futures::future::join_all;
use motif_gateway::config::Rate;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

use crate::{
    load::{Chain, Connection, chains, open},
    world::World,
};

/// How many payers there are, and how much each pays for with and without company.
const PAYERS: u32 = 8;
const REQUESTS: u32 = 1_000;
const P99_GOAL: f64 = 2.0;

/// Honest payers' 99th percentile alone, then beside sockets that send a byte now and then.
/// Always true: the figure is the point.
pub async fn run(sockets: u64) -> bool {
    let world = World::unopened(|config| {
        config.limits.connections = 20_000;
        config.limits.connections_per_address = 20_000;
        let rate = Rate::per_second(0, 0);
        (config.limits.address, config.limits.channel) = (rate, rate);
    })
    .await;
    let chains = chains(&world, 0, PAYERS, 0, 3 * REQUESTS);
    open(&world, &chains).await;
    let server = world.gateway.local_addr();
    let part = |number: u32| {
        let (from, to) = (number * REQUESTS, (number + 1) * REQUESTS);
        latencies(server, &chains, from as usize..to as usize)
    };
    part(0).await;
    let alone = part(1).await;
    let mut held = Vec::new();
    for number in 0..sockets {
        held.push(slow(server, number).await);
    }
    let count = held.len();
    let dripping = tokio::spawn(async move {
        loop {
            // Each of them sends about a byte in five seconds.
            for socket in &mut held {
                let _ = socket.write_all(b"a").await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let beside = part(2).await;
    dripping.abort();
    let ratio = beside.1.as_secs_f64() / alone.1.as_secs_f64();
    let micros = |time: Duration| time.as_micros();
    println!(
        "{}",
        json!({
            "name": "gateway.slow_clients.p99_ratio",
            "value": (ratio * 100.0).round() / 100.0,
            "unit": "1",
            "goal": P99_GOAL,
            "met": ratio <= P99_GOAL,
            "slow_sockets": count,
            "alone_us": { "p50": micros(alone.0), "p99": micros(alone.1) },
            "beside_us": { "p50": micros(beside.0), "p99": micros(beside.1) },
            "how": "8 payers, 1,000 durable generations each, over loopback in the same process",
        })
    );
    world.gateway.shutdown().await;
    true
}

/// A head that never ends, from one of a hundred addresses.
async fn slow(server: SocketAddr, number: u64) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from = Ipv4Addr::new(127, 0, 1, 1 + (number % 100) as u8);
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(server).await.unwrap();
    stream.write_all(b"POST /v1/channels HTTP/1.1\r\nhost: ").await.unwrap();
    stream
}

/// Median and 99th percentile.
async fn latencies(
    server: SocketAddr,
    chains: &[Chain],
    part: std::ops::Range<usize>,
) -> (Duration, Duration) {
    let paying = chains.iter().map(|chain| {
        let requests = chain.requests[part.clone()].to_vec();
        tokio::spawn(async move {
            let mut connection = Connection::to(server).await.unwrap();
            let mut times = Vec::with_capacity(requests.len());
            for request in requests {
                let sent = Instant::now();
                assert_eq!(connection.exchange(&request).await.unwrap(), 200);
                times.push(sent.elapsed());
            }
            times
        })
    });
    let all = join_all(paying.collect::<Vec<_>>()).await;
    let mut times: Vec<_> = all.into_iter().flat_map(Result::unwrap).collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
