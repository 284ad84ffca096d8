use std::time::{Duration, Instant};

use reqwest::{Client, Method};

use crate::world::{Answer, CHANNEL, Network, SECRET, World, with_admin};

async fn metrics(world: &World) -> String {
    let url = format!("{}/metrics", world.gateway.admin_url().unwrap());
    let answer = Answer::to(Client::new().get(url).bearer_auth(SECRET)).await;
    assert!(answer.kind.starts_with("application/openmetrics-text"), "{}", answer.kind);
    answer.text()
}

#[tokio::test]
async fn metrics_count_events() {
    let world = World::with(with_admin).await;
    let request = world.next_request().await;
    world.generate("the-first-key", &request).await.assert_ok();
    world.generate("the-first-key", &request).await.assert_ok();
    world.generate("another-key", &request).await.assert_problem(409, "voucher-not-newer");
    let text = metrics(&world).await;
    for line in [
        "motif_generations_total 1",
        "motif_prices_total 100",
        "motif_repeated_total 1",
        "motif_refusals_total{slug=\"voucher-not-newer\"} 1",
        "motif_requests_total{route=\"/v1/channels/{channel}/generations\",method=\"POST\",status=\"200\"} 2",
        "motif_unsettled_receipts 1",
        "motif_channels 1",
    ] {
        assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
    }
    assert!(text.contains("motif_exposed{mint="), "{text}");
    world.settle().await.unwrap();
    let text = metrics(&world).await;
    for line in [
        "motif_settlements_total 1",
        "motif_lamports_spent_total{kind=\"settle\"} 10000",
        "motif_operator_lamports 1000000000",
        "motif_unsettled_receipts 0",
    ] {
        assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
    }
}

#[tokio::test]
async fn client_input_makes_no_metrics() {
    let world = World::with(with_admin).await;
    for number in 0..50 {
        let path = format!("/invented/{number}");
        world.send(Method::GET, &path, None, None).await.assert_problem(404, "not-found");
        let method = Method::from_bytes(format!("INVENTED{number}").as_bytes()).unwrap();
        world.send(method, "/healthz", None, None).await.assert_problem(405, "method-not-allowed");
    }
    let text = metrics(&world).await;
    assert!(!text.to_lowercase().contains("invented"), "{text}");
}

#[tokio::test]
async fn request_id_is_returned() {
    let world = World::new().await;
    let url = format!("{}/healthz", world.gateway.url());
    let id = async |given: Option<&str>| {
        let asked = Client::new().get(&url);
        let asked = match given {
            Some(given) => asked.header("x-request-id", given),
            None => asked,
        };
        Answer::to(asked).await.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    let (one, other) = (id(None).await, id(None).await);
    assert_eq!((one.len(), one == other), (16, false));
    assert_eq!(id(Some("Proxy-1.a_b")).await, "Proxy-1.a_b");
    for harmful in ["a b", "<script>", &"x".repeat(65), ""] {
        assert_eq!(id(Some(harmful)).await.len(), 16, "{harmful}");
    }
}

#[tokio::test]
async fn other_origins_are_rejected() {
    let own = "https://studio.example";
    let world = World::with(|config| config.cors_origins = vec![own.parse().unwrap()]).await;
    let url = format!("{}/v1/channels/{CHANNEL}", world.gateway.url());
    let asked = async |origin: &str| {
        let plain = Answer::to(Client::new().get(&url).header("origin", origin)).await;
        let preflight = Client::new().request(Method::OPTIONS, &url).header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "POST");
        let preflight = Answer::to(preflight).await;
        [plain, preflight].map(|answer| {
            answer
                .headers
                .get("access-control-allow-origin")
                .map(|own| own.to_str().unwrap().to_owned())
        })
    };
    assert_eq!(asked(own).await, [Some(own.to_owned()), Some(own.to_owned())]);
    for other in ["https://evil.example", "https://studio.example.evil.example", "null"] {
        assert_eq!(asked(other).await, [None, None], "{other}");
    }
    let none = World::new().await;
    let url = format!("{}/v1/channels/{CHANNEL}", none.gateway.url());
    let plain = Answer::to(Client::new().get(url).header("origin", own)).await;
    assert!(!plain.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn absent_cluster_makes_unready() {
    let world = World::with(with_admin).await;
    world.chain.network(Network::Down);
    world.send(Method::GET, "/readyz", None, None).await.assert_problem(503, "chain-unreachable");
    world.send(Method::GET, "/healthz", None, None).await.assert_ok();
}

#[tokio::test]
async fn failed_store_stays_dead() {
    let world = World::new().await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    // Drops the table of the next generation, as on a broken disk.
    let store = sqlx::SqlitePool::connect(&format!("sqlite:{}", world.store().display())).await;
    let store = store.unwrap();
    let rename = "ALTER TABLE generations RENAME TO gone";
    sqlx::query(rename).execute(&store).await.unwrap();
    // The journal has it, so it is acknowledged; then the tables fail.
    world.generate("another-key", &world.next_request().await).await.assert_ok();
    let request = world.next_request().await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while world.send(Method::GET, "/healthz", None, None).await.status.is_success() {
        assert!(Instant::now() < deadline, "it calls itself healthy");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = world.generate("a-third-key", &request).await;
    refused.assert_problem(503, "store-failed");
    assert!(!refused.text().contains("generations"), "{}", refused.text());
    world.send(Method::GET, "/healthz", None, None).await.assert_problem(503, "store-failed");
    world.send(Method::GET, "/readyz", None, None).await.assert_problem(503, "store-failed");
    sqlx::query("ALTER TABLE gone RENAME TO generations").execute(&store).await.unwrap();
    store.close().await;
    // The store stays failed although the disk works; a restart repairs it.
    world.generate("a-third-key", &request).await.assert_problem(503, "store-failed");
    let world = world.restarted(true).await;
    assert_eq!(world.state().await.open.receipts, 2, "what was acknowledged is there");
    world.generate("a-third-key", &world.next_request().await).await.assert_ok();
}
