//! Every request that a stranger can make, by many clients at once beside an honest payer.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use motif_gateway::config::{Limits, SalesConfig, SettlePolicy};
use motif_paywall::SaleNetwork;
use motif_sdk::gateway::wire::x402::FacilitatorRequest;
use motif_testkit::load::{self, Connection};
use serde_json::json;

use crate::{
    shop::{PUBLIC_URL, Shop},
    sold::Sold,
    works::WORK,
    world::{Buyer, CHANNEL, MINT, World},
};

/// Address of all strangers; the payer has another one.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Number of payments per measurement.
const PAYMENTS: u32 = 100;
/// Maximum attempts to measure an acceptable latency under a flood.
const ATTEMPTS: u32 = 4;
/// Pause between two requests of a client.
const PAUSE: Duration = Duration::from_millis(500);

/// `MOTIF_FLOOD_CLIENTS` sets the number of clients; 1,000 need a machine without other load.
fn clients() -> usize {
    let clients = std::env::var("MOTIF_FLOOD_CLIENTS").ok().and_then(|count| count.parse().ok());
    clients.unwrap_or(50)
}

/// Returns the latency allowed above twice the quiet latency, for tests that run at the same time.
fn margin() -> Duration {
    Duration::from_millis(if clients() < 1_000 { 500 } else { 0 })
}

fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         idempotency-key: the-key-of-a-stranger\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Request of strangers, without a valid signature.
struct Flood {
    name: String,
    server: SocketAddr,
    request: String,
}

/// Returns all requests of strangers.
fn floods(sold: &Sold, paid: &str, unsigned: &str) -> Vec<Flood> {
    let gateway = sold.world.gateway.local_addr();
    let paywall = sold.url("").replace("http://", "").parse().unwrap();
    let (digest, zero) = ("07".repeat(32), "00".repeat(64));
    let proof = format!(r#"{{"signer":"{MINT}","issued_at":1,"signature":"{zero}"}}"#);
    let forged = paid.replace("\"signature\":\"", "\"signature\":\"00");
    let hold = format!(
        r#"{{"license":0,"units":1,"request_digest":"{digest}","expires_at":1,"proof":{proof}}}"#
    );
    let authenticate = format!(r#"{{"digest":"{digest}"}}"#);
    let unknown = format!(r#"{{"channel":"{MINT}"}}"#);
    let own = format!("/v1/channels/{CHANNEL}");
    let sales = [
        ("GET", "/health".to_owned(), ""),
        ("POST", "/images".to_owned(), "{}"),
        // It is sold without a channel.
        ("POST", "/pictures".to_owned(), "{}"),
        ("POST", "/nowhere".to_owned(), ""),
    ];
    let all = [
        ("GET", "/healthz".to_owned(), ""),
        ("GET", "/readyz".to_owned(), ""),
        ("GET", "/openapi.json".to_owned(), ""),
        ("GET", "/.well-known/motif.json".to_owned(), ""),
        ("GET", "/robots.txt".to_owned(), ""),
        ("GET", "/rsl.xml".to_owned(), ""),
        ("GET", "/v1/operator".to_owned(), ""),
        ("GET", "/v1/paywall".to_owned(), ""),
        ("GET", "/v1/works".to_owned(), ""),
        ("GET", format!("/v1/works/{WORK}"), ""),
        ("GET", format!("/v1/works/{WORK}/lineage"), ""),
        ("GET", format!("/v1/works/{WORK}/quotes?use=generate"), ""),
        ("GET", format!("/v1/works/{MINT}"), ""),
        ("GET", own.clone(), ""),
        ("GET", format!("{own}/receipts"), ""),
        ("GET", format!("{own}/usage?by=day"), ""),
        ("GET", format!("/v1/receipts/{digest}/proof"), ""),
        ("GET", "/nowhere".to_owned(), ""),
        ("DELETE", own.clone(), ""),
        ("POST", "/v1/channels".to_owned(), &unknown[..]),
        ("POST", "/v1/authenticate".to_owned(), &authenticate),
        ("POST", format!("{own}/generations"), &forged),
        ("POST", format!("{own}/batches"), &forged),
        ("POST", format!("{own}/holds"), &hold),
        ("POST", format!("{own}/settlements"), &proof),
        ("POST", format!("{own}/close"), &proof),
        ("POST", format!("/v1/holds/{digest}/capture"), &forged),
        ("GET", "/x402/supported".to_owned(), ""),
        ("POST", "/x402/verify".to_owned(), unsigned),
        ("POST", "/x402/settle".to_owned(), unsigned),
    ];
    let flood = |server: SocketAddr| {
        move |(method, path, body): (&str, String, &str)| Flood {
            name: format!("{method} {path} at {server}"),
            server,
            request: request(method, &path, body),
        }
    };
    all.into_iter().map(flood(gateway)).chain(sales.into_iter().map(flood(paywall))).collect()
}

/// Returns a seller's request for a payment that its buyer has not signed.
async fn unsigned_payment(shop: &Shop) -> String {
    let offered = shop.offer().await;
    let mut payment = Buyer::new(41).pay(&offered, 1);
    let mut transaction = BASE64_STANDARD.decode(&payment.payload.transaction).unwrap();
    transaction[65..129].fill(0);
    payment.payload.transaction = BASE64_STANDARD.encode(transaction);
    let request = FacilitatorRequest {
        x402_version: 2,
        payment_payload: json!(payment),
        payment_requirements: json!(offered.accepts[0]),
    };
    serde_json::to_string(&request).unwrap()
}

/// Pays one generation after another; returns the 99th percentile of their times.
async fn p99(world: &World, number: u32) -> Duration {
    let chains = load::chains(world, number, 1, 0, PAYMENTS);
    load::open(world, &chains).await;
    let mut connection = Connection::to(world.gateway.local_addr()).await.unwrap();
    let mut times = Vec::new();
    for paid in &chains[0].requests {
        let begun = Instant::now();
        assert_eq!(connection.exchange(paid).await.unwrap(), 200, "{}", connection.answer());
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Sends a request by all clients at once, again after a pause until `stop`.
async fn flood(server: SocketAddr, request: &str, stop: &Arc<AtomicBool>) {
    let mut sending = Vec::new();
    for _ in 0..clients() {
        let Ok(mut connection) = Connection::between(STRANGER, server).await else {
            continue;
        };
        let (request, stop) = (request.to_owned(), stop.clone());
        sending.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                if connection.exchange(request.as_bytes()).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }));
    }
    for one in sending {
        one.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_strangers_delays_no_payer() {
    let sold = Sold::with_gateway(|config| {
        // The defaults of a gateway, unlike other tests.
        (config.limits, config.catalogue_seconds) = (Limits::default(), 5);
        config.settle = SettlePolicy { at_receipts: u32::MAX, ..config.settle };
        let mut sales = SalesConfig::new(PUBLIC_URL);
        (sales.paywall.network, sales.paywall.least_price) = (SaleNetwork::Localnet, 0);
        config.sales = Some(sales);
    })
    .await;
    let shop = Shop { sold };
    shop.publish();
    let unsigned = unsigned_payment(&shop).await;
    let sold = &shop.sold;
    let world = &sold.world;
    let paid = serde_json::to_string(&world.next_request().await).unwrap();
    let (mut alone, mut late) = (p99(world, 1_000).await, Vec::new());
    let mut number = 2_000;
    for one in floods(sold, &paid, &unsigned) {
        for attempt in 1..=ATTEMPTS {
            let beside = p99_beside(world, number, &one).await;
            println!("p99 alone {alone:?}, beside {} clients {beside:?}: {}", clients(), one.name);
            number += 2;
            if beside <= alone * 2 + margin() {
                break;
            }
            if attempt == ATTEMPTS {
                late.push(format!("{beside:?} instead of {alone:?}: {}", one.name));
            }
            // The machine may have become slower.
            alone = alone.max(p99(world, number - 1).await);
        }
    }
    assert!(late.is_empty(), "{late:#?}");
}

/// Pays during a flood.
async fn p99_beside(world: &World, number: u32, one: &Flood) -> Duration {
    let stop = Arc::new(AtomicBool::new(false));
    let (server, request, stopping) = (one.server, one.request.clone(), stop.clone());
    let flooding = tokio::spawn(async move { flood(server, &request, &stopping).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let beside = p99(world, number).await;
    stop.store(true, Ordering::Relaxed);
    flooding.await.unwrap();
    beside
}
