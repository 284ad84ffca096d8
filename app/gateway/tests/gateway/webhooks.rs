//! Webhooks: signed, repeated, and never sent to a private address.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{HOST, LOCATION},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use motif_gateway::{GatewayConfig, config::EventsConfig};
use motif_sdk::{
    gateway::{
        GatewayError, WebhookError, verify_webhook,
        wire::{CreatedWebhook, Delivery, Event, EventKind, NewWebhook},
    },
    licensing::Share,
};
use reqwest::Client;
use solana_keypair::Keypair;
use solana_sha256_hasher::hashv;
use solana_signer::Signer;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    events::{change_work, claim, client, owner, pay, proof, until, world},
    sold::now,
    world::{Answer, World, on_postgres_too},
};

/// Request that a receiver got.
#[derive(Clone)]
struct Got {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Receiver of webhooks. It answers with the scripted statuses, and then with 200.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<Got>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    async fn serve(statuses: impl IntoIterator<Item = u16>) -> (Self, SocketAddr) {
        let receiver = Self::default();
        receiver.statuses.lock().unwrap().extend(statuses);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, address)
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    receiver.got.lock().unwrap().push(Got { path, headers, body });
    let status = receiver.statuses.lock().unwrap().pop_front().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), [(LOCATION, "/moved")], "x".repeat(100_000))
        .into_response()
}

/// Receiver on all addresses of the machine that answers nothing until it is told to.
#[derive(Clone)]
struct SlowReceiver {
    open: Arc<Mutex<Open>>,
    answers: watch::Sender<bool>,
}

#[derive(Default)]
struct Open {
    /// Deliveries in progress, by host.
    now: HashMap<String, usize>,
    most: usize,
    most_to_host: usize,
    received: usize,
}

impl SlowReceiver {
    async fn serve() -> (Self, u16) {
        let receiver = Self { open: Arc::default(), answers: watch::Sender::new(false) };
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().fallback(Self::receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, port)
    }

    async fn receive(State(receiver): State<Self>, headers: HeaderMap) {
        let host = headers[HOST].to_str().unwrap().to_owned();
        {
            let mut open = receiver.open.lock().unwrap();
            open.received += 1;
            let to_host = open.now.entry(host.clone()).or_default();
            *to_host += 1;
            let (to_host, all) = (*to_host, open.now.values().sum());
            open.most_to_host = open.most_to_host.max(to_host);
            open.most = open.most.max(all);
        }
        receiver.answers.subscribe().wait_for(|answers| *answers).await.unwrap();
        *receiver.open.lock().unwrap().now.get_mut(&host).unwrap() -= 1;
    }

    fn received(&self) -> usize {
        self.open.lock().unwrap().received
    }

    /// Returns the most deliveries at once, in all and to one host.
    fn most(&self) -> (usize, usize) {
        let open = self.open.lock().unwrap();
        (open.most, open.most_to_host)
    }
}

/// Has the work pay this many persons, each with five webhooks at the hosts of these numbers, in turn.
async fn subscribe(world: &World, persons: u8, port: u16, hosts: &[u8]) {
    let keys: Vec<_> = (0..persons).map(|at| Keypair::new_from_array([100 + at; 32])).collect();
    let share = |key: &Keypair| Share { recipient: key.pubkey(), share_bps: 10 };
    change_work(world, |work| work.split.extend(keys.iter().map(share)));
    let mut hosts = hosts.iter().cycle();
    for key in &keys {
        for _ in 0..5 {
            let url = format!("http://127.0.0.{}:{port}/hook", hosts.next().unwrap());
            let new = NewWebhook { url, kinds: vec![EventKind::Paid] };
            client(world).add_webhook(&proof(world, key), &new).await.unwrap();
        }
    }
}

fn events(config: &mut GatewayConfig) -> &mut EventsConfig {
    config.events.as_mut().unwrap()
}

async fn local() -> World {
    world(|config| events(config).allow_private = true).await
}

async fn add(
    world: &World,
    url: &str,
    kinds: &[EventKind],
) -> Result<CreatedWebhook, GatewayError> {
    let new = NewWebhook { url: url.to_owned(), kinds: kinds.to_vec() };
    client(world).add_webhook(&proof(world, &owner()), &new).await
}

async fn log(world: &World, webhook: &CreatedWebhook) -> Vec<Delivery> {
    let proof = proof(world, &owner());
    client(world).deliveries(&proof, &webhook.webhook.id).await.unwrap().deliveries
}

async fn test(world: &World, webhook: &CreatedWebhook) -> Delivery {
    client(world).test_webhook(&proof(world, &owner()), &webhook.webhook.id).await.unwrap()
}

/// Waits until a delivery has ended, and returns it.
async fn ended(world: &World, webhook: &CreatedWebhook) -> Delivery {
    let last = async || log(world, webhook).await.into_iter().next();
    until(async || last().await.is_some_and(|last| last.next_try_at.is_none())).await;
    last().await.unwrap()
}

/// HMAC-SHA256 by its definition.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let (inner, outer) = (block.map(|byte| byte ^ 0x36), block.map(|byte| byte ^ 0x5c));
    let inner = hashv(&[&inner, message]).to_bytes();
    hashv(&[&outer, &inner]).to_bytes()
}

#[tokio::test]
async fn event_is_delivered_with_valid_signature() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([]).await;
    let created = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    claim(&world, 70);
    until(async || !receiver.got().is_empty()).await;
    let [got] = &receiver.got()[..] else { panic!("more than one") };
    let event = Event::from_json(str::from_utf8(&got.body).unwrap()).unwrap();
    assert_eq!((event.kind, event.amount.unwrap().0), (EventKind::Claimed, 70));
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("webhook-id"), event.id.to_string());
    let secret = BASE64.decode(created.secret.strip_prefix("whsec_").unwrap()).unwrap();
    let timestamp = header("webhook-timestamp");
    let mut signed = format!("{}.{timestamp}.", event.id).into_bytes();
    signed.extend_from_slice(&got.body);
    let expected = format!("v1,{}", BASE64.encode(hmac(&secret, &signed)));
    assert_eq!(header("webhook-signature"), expected);
    let sent_at: i64 = timestamp.parse().unwrap();
    assert!((now() - 30..=now() + 1).contains(&sent_at));
    let delivered = ended(&world, &created).await;
    let facts = (delivered.event, delivered.tries, delivered.status, delivered.error);
    assert_eq!(facts, (event.id, 1, Some(200), None));
}

#[tokio::test]
async fn replayed_delivery_is_rejected_by_receiver() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([]).await;
    let created = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    let sent = test(&world, &created).await;
    until(async || !receiver.got().is_empty()).await;
    let got = receiver.got().remove(0);
    let verify = |secret: &str, body: &[u8], now| {
        verify_webhook(secret, &got.headers, body, now).map(str::to_owned)
    };
    let secret = &created.secret[..];
    assert_eq!(verify(secret, &got.body, now()), Ok(sent.event.to_string()));
    assert_eq!(verify(secret, &got.body, now() + 301), Err(WebhookError::Stale));
    assert_eq!(verify(secret, b"{}", now()), Err(WebhookError::Signature));
    let other = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    assert_ne!(other.secret, created.secret);
    assert_eq!(verify(&other.secret, &got.body, now()), Err(WebhookError::Signature));
}

#[tokio::test]
async fn failed_delivery_is_repeated_until_success() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([500, 503]).await;
    let created = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    let sent = test(&world, &created).await;
    let delivered = ended(&world, &created).await;
    assert_eq!((delivered.tries, delivered.status, delivered.error), (3, Some(200), None));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let got = receiver.got();
    assert_eq!(got.len(), 3, "one success is enough");
    assert!(got.iter().all(|got| got.headers["webhook-id"] == *sent.event.to_string()));
    let listed = client(&world).webhooks(&proof(&world, &owner())).await.unwrap();
    assert_eq!(listed.webhooks[0].failing_since, None);
}

#[tokio::test]
async fn hopeless_delivery_ends_after_eight_tries() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([500; 20]).await;
    let created = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    test(&world, &created).await;
    let delivered = ended(&world, &created).await;
    assert_eq!((delivered.tries, delivered.status, receiver.got().len()), (8, Some(500), 8));
    assert_eq!(delivered.error.as_deref(), Some("the answer has status 500"));
    let listed = client(&world).webhooks(&proof(&world, &owner())).await.unwrap();
    assert!(listed.webhooks[0].failing_since.is_some() && listed.webhooks[0].disabled_at.is_none());
}

#[tokio::test]
async fn gone_webhook_is_disabled_until_test() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([410]).await;
    let created = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    let disabled_at = async || {
        client(&world).webhooks(&proof(&world, &owner())).await.unwrap().webhooks[0].disabled_at
    };
    claim(&world, 10);
    until(async || disabled_at().await.is_some()).await;
    claim(&world, 20);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.got().len(), 1);
    test(&world, &created).await;
    until(async || disabled_at().await.is_none()).await;
}

#[tokio::test]
async fn private_urls_are_refused() {
    let world = world(|_| ()).await;
    for url in [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://[::1]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://[fd00::1]/hook",
        "https://0x7f000001/hook",
        "https://user:secret@example.com/hook",
    ] {
        let refused = add(&world, url, &[]).await.unwrap_err();
        assert_eq!(refused.slug(), Some("invalid-webhook"), "{url}");
    }
}

#[tokio::test]
async fn name_of_private_address_gets_nothing() {
    let world = world(|_| ()).await;
    let (receiver, address) = Receiver::serve([]).await;
    // The name passes, as one that changes its address later would.
    let url = format!("https://localhost:{}/hook", address.port());
    let created = add(&world, &url, &[]).await.unwrap();
    test(&world, &created).await;
    until(async || log(&world, &created).await[0].error.is_some()).await;
    let tried = log(&world, &created).await.remove(0);
    assert_eq!(tried.error.as_deref(), Some("the address is not public"));
    assert!(tried.status.is_none() && receiver.got().is_empty());
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([302, 307, 200]).await;
    let created = add(&world, &format!("http://{address}/hook"), &[]).await.unwrap();
    test(&world, &created).await;
    assert_eq!(ended(&world, &created).await.tries, 3);
    assert!(receiver.got().iter().all(|got| got.path == "/hook"));
}

#[tokio::test]
async fn webhook_gets_chosen_kinds_only() {
    let world = local().await;
    let (receiver, address) = Receiver::serve([]).await;
    let url = format!("http://{address}/hook");
    let created = add(&world, &url, &[EventKind::Claimed, EventKind::Disputed]).await.unwrap();
    assert_eq!(created.webhook.kinds, [EventKind::Claimed, EventKind::Disputed]);
    let request = world.next_request().await;
    world.generate("the-first-generation", &request).await.assert_ok();
    tokio::time::sleep(Duration::from_secs(1)).await;
    claim(&world, 5);
    until(async || !receiver.got().is_empty()).await;
    let kinds =
        receiver.got().into_iter().map(|got| Event::from_json(str::from_utf8(&got.body).unwrap()));
    let kinds: Vec<_> = kinds.map(|event| event.unwrap().kind).collect();
    assert_eq!(kinds, [EventKind::Claimed]);
}

#[tokio::test]
async fn webhooks_of_others_are_refused() {
    let world = local().await;
    let created = add(&world, "http://127.0.0.1:9/", &[]).await.unwrap();
    let stranger = Keypair::new_from_array([77; 32]);
    let (proof, id) = (proof(&world, &stranger), &created.webhook.id[..]);
    let client = client(&world);
    assert!(client.webhooks(&proof).await.unwrap().webhooks.is_empty());
    // A key without anything on chain takes no place.
    let new = NewWebhook { url: "https://stranger.example/".to_owned(), kinds: Vec::new() };
    let refused = client.add_webhook(&proof, &new).await.unwrap_err();
    assert_eq!(refused.slug(), Some("nothing-to-tell"));
    for refused in [
        client.test_webhook(&proof, id).await.err(),
        client.deliveries(&proof, id).await.err(),
        client.remove_webhook(&proof, id).await.err(),
    ] {
        assert_eq!(refused.unwrap().slug(), Some("unknown-webhook"));
    }
    // The stranger's proof does not open the owner's URL.
    let url = format!("{}/v1/people/{}/webhooks", world.gateway.url(), owner().pubkey());
    let asked = Client::new().get(url).header("motif-person", proof.to_header());
    Answer::to(asked).await.assert_problem(403, "not-the-person");
}

#[tokio::test]
async fn sixth_webhook_is_refused() {
    let world = local().await;
    let mut last = None;
    for port in 1..=5 {
        last = Some(add(&world, &format!("http://127.0.0.1:{port}/"), &[]).await.unwrap());
    }
    let refused = add(&world, "http://127.0.0.1:6/", &[]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("too-many-webhooks"));
    let id = last.unwrap().webhook.id;
    client(&world).remove_webhook(&proof(&world, &owner()), &id).await.unwrap();
    add(&world, "http://127.0.0.1:6/", &[]).await.unwrap();
}

#[tokio::test]
async fn slow_host_takes_four_places() {
    let world = local().await;
    let (slow, port) = SlowReceiver::serve().await;
    let (receiver, address) = Receiver::serve([]).await;
    subscribe(&world, 2, port, &[2]).await;
    add(&world, &format!("http://{address}/hook"), &[EventKind::Paid]).await.unwrap();
    pay(&world, 0..1).await;
    until(async || slow.received() == 4 && receiver.got().len() == 1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((slow.received(), slow.most()), (4, (4, 4)));
    slow.answers.send_replace(true);
    until(async || slow.received() == 10).await;
    assert_eq!(slow.most().1, 4);
}

#[tokio::test]
async fn deliveries_at_once_are_bounded() {
    let world = local().await;
    let (slow, port) = SlowReceiver::serve().await;
    // Eighty webhooks, four at each host.
    subscribe(&world, 16, port, &Vec::from_iter(1..=20)).await;
    pay(&world, 0..1).await;
    until(async || slow.received() == 64).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((slow.received(), slow.most()), (64, (64, 4)));
    slow.answers.send_replace(true);
    until(async || slow.received() == 80).await;
}

#[tokio::test]
async fn secret_is_not_in_the_store() {
    let world = local().await;
    let created = add(&world, "http://127.0.0.1:9/", &[]).await.unwrap();
    let secret = BASE64.decode(created.secret.strip_prefix("whsec_").unwrap()).unwrap();
    let folder = world.store().parent().unwrap().to_owned();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret));
        assert!(!bytes.windows(20).any(|part| part == &created.secret.as_bytes()[..20]));
    }
}

on_postgres_too! {
    event_is_delivered_with_valid_signature,
    failed_delivery_is_repeated_until_success,
    sixth_webhook_is_refused,
}
