//! Requests of strangers that read from the cluster, aggregate rows of the store or wait for a slow client.

use std::time::Duration;

use futures::future::join_all;
use motif_gateway::config::Rate;
use motif_sdk::gateway::{
    GatewayClient,
    wire::{Use, WorkQuery},
};
use reqwest::{Client, Method, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    works::{WORK, publish},
    world::{Answer, MINT, Network, World},
};

#[tokio::test]
async fn catalogue_is_served_without_reading_chain() {
    let world = World::with(|config| config.catalogue_seconds = 60).await;
    publish(&world);
    let client = GatewayClient::new(&world.gateway.url()).patience(Duration::ZERO);
    let read = async || {
        let works = client.works(&WorkQuery::default()).await.unwrap();
        let page = WorkQuery { limit: Some(1), ..WorkQuery::default() };
        assert_eq!(client.works(&page).await.unwrap().works, works.works);
        let details = client.work(&WORK).await.unwrap();
        let lineage = client.lineage(&WORK).await.unwrap();
        let quote = client.quote(&WORK, Use::Generate).await.unwrap();
        (works, details, lineage, quote)
    };
    let before = read().await;
    world.chain.network(Network::Down);
    assert!(read().await == before);
    let rsl = world.send(Method::GET, "/rsl.xml", None, None).await;
    rsl.assert_ok();
}

#[tokio::test]
async fn unchanged_catalogue_is_not_sent_again() {
    let world = World::new().await;
    publish(&world);
    for path in ["/v1/works".to_owned(), format!("/v1/works/{WORK}"), "/rsl.xml".to_owned()] {
        let url = format!("{}{path}", world.gateway.url());
        let first = Answer::to(Client::new().get(&url)).await;
        first.assert_ok();
        let tag = first.headers[header::ETAG].clone();
        let again = Answer::to(Client::new().get(&url).header(header::IF_NONE_MATCH, &tag)).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.headers[header::ETAG], tag);
    }
}

#[tokio::test]
async fn concurrent_openings_share_reads() {
    let world = World::new().await;
    let client = GatewayClient::new(&world.gateway.url());
    let before = world.chain.state().reads;
    let openings = join_all((0..200).map(|_| client.open_channel(&MINT))).await;
    for refused in openings {
        assert_eq!(refused.unwrap_err().slug(), Some("unknown-channel"));
    }
    let reads = world.chain.state().reads - before;
    assert!(reads <= 10, "{reads} reads"); // the worker reads, too
}

#[tokio::test]
async fn reads_have_a_lower_allowance() {
    let world = World::unopened(|config| config.limits.reads = Rate::per_hour(60, 3)).await;
    let get = async |path: &str| world.send(Method::GET, path, None, None).await;
    for _ in 0..3 {
        get("/v1/works").await.assert_ok();
    }
    for path in ["/v1/works", "/rsl.xml", &format!("/v1/works/{WORK}"), "/v1/receipts/00/proof"] {
        get(path).await.assert_problem(429, "rate-limited");
    }
    for path in ["/v1/operator", "/openapi.json", "/readyz", "/v1/paywall"] {
        get(path).await.assert_ok();
    }
}

#[tokio::test]
async fn readiness_is_at_most_a_second_old() {
    let world = World::new().await;
    let get = async || world.send(Method::GET, "/readyz", None, None).await;
    get().await.assert_ok();
    world.chain.network(Network::Down);
    let all = join_all((0..20).map(|_| get())).await;
    assert!(all.iter().all(|answer| answer.status.is_success()), "the check is kept");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    get().await.assert_problem(503, "chain-unreachable");
}

#[tokio::test]
async fn client_that_reads_nothing_is_cut_off() {
    let world = World::with(|config| config.limits.write_seconds = 1).await;
    let mut slow = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
    let (mut reading, mut writing) = slow.split();
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1_000);
    // It sends requests and takes no response.
    let sent = tokio::time::timeout(Duration::from_secs(4), writing.write_all(requests.as_bytes()));
    let _ = sent.await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut taken = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), reading.read_to_end(&mut taken));
    let _ = ended.await.expect("the gateway closes the connection");
    let whole = world.send(Method::GET, "/openapi.json", None, None).await.body.len() * 1_000;
    assert!(taken.len() < whole, "{} of {whole} bytes", taken.len());
}
