//! Targets that do not answer, and clients that neither send nor read.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use motif_sdk::gateway::wire::Payment;
use serde_json::json;

use super::{
    delivery::{CHAT, OPTIONS, chat},
    shop::{Answer, COST, Shop},
};

/// Stage of an exchange that a target does not answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Hold,
    Capture,
}

/// Target that passes requests to a paywall, and does not answer one stage.
#[derive(Clone)]
struct Relay {
    paywall: String,
    silent_at: Stage,
    /// Number of requests that were not answered.
    unanswered: Arc<AtomicU64>,
}

async fn relay(State(relay): State<Relay>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let payment = parts.headers.get(Payment::HEADER).map(|header| {
        match Payment::from_header(header.to_str().unwrap()).unwrap() {
            Payment::Ask(_) => Stage::Hold,
            Payment::Pay(_) => Stage::Capture,
        }
    });
    if payment == Some(relay.silent_at) {
        relay.unanswered.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
    let body = to_bytes(body, 10_000).await.unwrap();
    parts.headers.remove("host");
    let url = format!("{}{}", relay.paywall, parts.uri.path());
    let asked = reqwest::Client::new().request(parts.method, url).headers(parts.headers);
    let answer = asked.body(body).send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("content-length");
    headers.remove("transfer-encoding");
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

/// Serves in this process; returns host and port.
fn serve(router: Router) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

/// Buys through a relay and at the paywall, after 12 clients of the relay have left.
fn buy_beside_silent_target(silent_at: Stage, answers: usize) -> (Shop, u64) {
    let mut shop = Shop::without_payer();
    let unanswered = Arc::<AtomicU64>::default();
    let paywall = shop.paywall.clone();
    let silent = Relay { paywall, silent_at, unanswered: unanswered.clone() };
    let relay = serve(Router::new().fallback(relay).with_state(silent));
    shop.serve(&[&OPTIONS[..], &["--private-target", &relay]].concat());
    assert_eq!(shop.buy_picture("first").status, 200);
    let url = format!("{}/http://{relay}/pictures", shop.payer);
    thread::scope(|scope| {
        for number in 0..12 {
            let (shop, url) = (&shop, &url);
            scope.spawn(move || {
                let body = json!({ "prompt": format!("lost {number}") }).to_string();
                let json = "content-type: application/json";
                let left = shop.curl(&["--max-time", "6", "-H", json, "-d", &body, url]);
                assert_eq!(left.status, 0, "the relay has answered");
            });
        }
    });
    let began = Instant::now();
    let bought: Vec<Answer> = thread::scope(|scope| {
        let shop = &shop;
        let buying: Vec<_> = (0..answers)
            .map(|number| scope.spawn(move || shop.buy_picture(&format!("other {number}"))))
            .collect();
        buying.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    for answer in bought {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }
    (shop, unanswered.load(Ordering::Relaxed))
}

#[test]
fn silent_target_leaves_others_places() {
    let (shop, held) = buy_beside_silent_target(Stage::Hold, 3);
    // The clients that waited for a place have left the queue.
    assert!(held <= 7, "{held}");
    assert_eq!(shop.spent(), 4 * COST);
}

#[test]
fn lost_captures_take_no_places() {
    let (shop, captured) = buy_beside_silent_target(Stage::Capture, 8);
    assert_eq!(captured, 12);
    assert_eq!(shop.charged(), (1 + 12 + 8) * COST);
}

#[test]
fn incomplete_request_head_is_closed() {
    let shop = Shop::open(&OPTIONS);
    let address = shop.payer.strip_prefix("http://").unwrap();
    let mut stranger = TcpStream::connect(address).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ").unwrap();
    stranger.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut read = Vec::new();
    let closed = stranger.read_to_end(&mut read);
    assert!(closed.is_ok(), "open after 20 seconds: {closed:?}");
}

#[test]
fn unread_stream_is_not_paid() {
    let shop = Shop::open(&OPTIONS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = shop.payer.strip_prefix("http://").unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.connect(address.parse().unwrap()).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    let body = chat(2_000, true);
    let (token, length, paywall) = (&shop.token, body.len(), &shop.paywall);
    let head = format!(
        "POST /{paywall}{CHAT} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    (&stream).write_all(head.as_bytes()).unwrap();
    (&stream).write_all(body.as_bytes()).unwrap();
    (&stream).read_exact(&mut [0; 1_000]).unwrap();
    let began = Instant::now();
    let mut before = 0;
    loop {
        thread::sleep(Duration::from_secs(3));
        let spent = shop.spent();
        if spent == before {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{spent} paid, and more");
        before = spent;
    }
    assert!((1..500).contains(&(before / COST)), "{} parts", before / COST);
}

#[test]
fn bound_deposit_is_topped_up() {
    let tight = ["--deposit", "2040u", "--top-up", "2040u", "--max-locked", "4080u"];
    let shop = Shop::open(&[&tight[..], &["--max-unit-price", "0.001"]].concat());
    let hold = |units: u32| {
        let digest = "01".repeat(32);
        let body =
            json!({ "work": shop.work, "units": units, "request_digest": digest, "seconds": 300 });
        shop.post(&format!("{}/v1/holds", shop.payer), &body.to_string())
    };
    let held = hold(2);
    assert_eq!(held.status, 200, "{}", String::from_utf8_lossy(&held.body));
    let bought = shop.buy_picture("x");
    assert_eq!(bought.status, 200, "{}", String::from_utf8_lossy(&bought.body));
    assert_eq!(hold(1).status, 200);
    // No more top-up is allowed.
    let refused = shop.buy_picture("y");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "deposit-used-up"));
    let release = json!({ "hold": held.json() }).to_string();
    assert_eq!(shop.post(&format!("{}/v1/releases", shop.payer), &release).status, 200);
    assert_eq!(shop.buy_picture("y").status, 200);
}

#[test]
fn crowd_near_deposits_end_pays_once_each() {
    // Small top-ups, as many as are needed; and none, so that requests wait for each other.
    for tight in [
        ["--deposit", "2040u", "--top-up", "2040u", "--max-locked", "1"],
        ["--deposit", "12240u", "--top-up", "0", "--max-locked", "12240u"],
    ] {
        let shop = Shop::open(&[&tight[..], &["--max-unit-price", "0.001"]].concat());
        let statuses: Vec<_> = std::thread::scope(|scope| {
            let buying = |one: usize| {
                let shop = &shop;
                scope.spawn(move || shop.buy_picture(&format!("picture {one}")).status)
            };
            let clients: Vec<_> = (0..12).map(buying).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        assert_eq!(statuses, [200; 12], "{tight:?}");
        assert_eq!((shop.spent(), shop.charged()), (12 * COST, 12 * COST));
    }
}

#[test]
fn holds_of_caller_leave_half() {
    let mut shop = Shop::without_payer();
    let settings = "[policy]\nmax_unit_price = 1000\n[channels]\ndeposit = 10200\n\
                    [callers.studio]\ntoken_file = \"studio.token\"\n";
    std::fs::write(shop.world.path("payer.toml"), settings).unwrap();
    shop.serve(&["--config", "payer.toml"]);
    let hold = |units: u32| {
        let digest = "01".repeat(32);
        let body =
            json!({ "work": shop.work, "units": units, "request_digest": digest, "seconds": 600 });
        shop.post(&format!("{}/v1/holds", shop.payer), &body.to_string())
    };
    assert_eq!([hold(3).status, hold(2).status], [200, 200]);
    let refused = hold(1);
    assert_eq!((refused.status, refused.slug().as_str()), (402, "deposit-used-up"));
    let studio = std::fs::read_to_string(shop.world.path("studio.token")).unwrap();
    shop.token = studio.trim().to_owned();
    for prompt in ["a", "b", "c", "d", "e"] {
        assert_eq!(shop.buy_picture(prompt).status, 200, "{prompt}");
    }
}

#[test]
fn unpaid_answer_forges_no_receipt() {
    let forged = async || {
        let headers = [("motif-receipt", "forged"), ("set-cookie", "session=1"), ("x-own", "kept")];
        (headers, "free").into_response()
    };
    let switching = async || StatusCode::SWITCHING_PROTOCOLS;
    let routes = Router::new().route("/free", get(forged)).route("/switch", get(switching));
    let target = serve(routes);
    let shop = Shop::open(&["--private-target", &target]);
    let free = shop.curl(&[&format!("{}/http://{target}/free", shop.payer)]);
    assert_eq!((free.status, &free.body[..]), (200, &b"free"[..]));
    assert!(free.headers.contains("x-own: kept"), "{}", free.headers);
    assert!(!free.headers.contains("motif-receipt") && !free.headers.contains("set-cookie"));
    let switched = shop.curl(&[&format!("{}/http://{target}/switch", shop.payer)]);
    assert_eq!((switched.status, switched.slug().as_str()), (502, "target-unreachable"));
}
