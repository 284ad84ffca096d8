//! The forward proxy, with plain `curl`, and `motif pay`.

use std::fs;

use axum::{response::Redirect, routing::get};
use motif_sdk::{fingerprint::content_digest, gateway::wire::ReceiptParts};
use serde_json::{Value, json};

use super::shop::{COST, Shop, charged};
use crate::{paywall::PICTURE, world::MOTIF};

const OPTIONS: [&str; 6] =
    ["--deposit", "1", "--max-unit-price", "0.001", "--budget-per-day", "0.5"];

fn joined<'a>(one: &[&'a str], other: &[&'a str]) -> Vec<&'a str> {
    [one, other].concat()
}

/// Returns the receipt in the headers of an answer.
fn receipt(headers: &str, raw: &str) -> ReceiptParts {
    let line = raw.lines().find(|line| line.to_lowercase().starts_with("motif-receipt: "));
    let line = line.unwrap_or_else(|| panic!("{headers}"));
    ReceiptParts::from_header(line.split_once(": ").unwrap().1.trim()).unwrap()
}

#[test]
fn curl_pays_through_the_proxy() {
    let shop = Shop::open(&OPTIONS);
    // Paid: the picture, and its receipt.
    let bought = shop.buy_picture("New York, same style");
    assert_eq!(bought.status, 200, "{}", String::from_utf8_lossy(&bought.body));
    assert!(bought.headers.contains("content-type: image/png"), "{}", bought.headers);
    let parts = receipt(&bought.headers, &bought.raw_headers);
    assert_eq!((parts.units, parts.amount.0), (1, 1_000));
    assert_eq!(parts.output_digest.0, content_digest(&bought.body));
    // Up to four units are held, and three are paid for.
    let images = shop.post(&shop.through("/images"), r#"{"prompt":"Boston","count":3}"#);
    assert_eq!(receipt(&images.headers, &images.raw_headers).amount.0, 3_000);
    assert_eq!(shop.spent(), 4 * COST);

    // Free: passed on with body and headers, without what is the service's own.
    let echoed = shop.curl(&[
        "-H",
        "x-own: 1",
        "-H",
        "motif-max-cost: 5",
        "--data",
        "text",
        &format!("{}?q=%20a", shop.through("/echo")),
    ]);
    let echo = echoed.json();
    assert_eq!(echo["target"], "/echo?q=%20a");
    let headers = echo["headers"].as_object().unwrap();
    assert_eq!(headers["x-own"], "1");
    assert!(headers.keys().all(|name| !name.starts_with("motif-") && name != "authorization"));
    assert!(!echo.to_string().contains(&shop.token));
    // An upstream's refusal is passed on as it is, and costs nothing.
    let refused = shop.post(&shop.through("/pictures"), r#"{"prompt":"x","fail":"refuse"}"#);
    assert_eq!((refused.status, &refused.body[..]), (422, &b"this prompt is too odd"[..]));
    let unknown = shop.curl(&[&shop.through("/nowhere")]);
    assert_eq!((unknown.status, unknown.slug().as_str()), (404, "not-found"));
    // A client repeats a request with its key, and pays once.
    let body = r#"{"prompt":"twice"}"#;
    let key = ["-H", "idempotency-key: a-client-s-key", "-H", "content-type: application/json"];
    let url = shop.through("/pictures");
    let twice = [
        shop.curl(&[&key[..], &["-d", body, &url]].concat()),
        shop.curl(&[&key[..], &["-d", body, &url]].concat()),
    ];
    assert!(twice.iter().all(|answer| answer.status == 200));
    assert_eq!(twice[0].body, twice[1].body);
    assert_eq!(shop.spent(), 5 * COST);

    // Without the token, or for the service's own network, nothing is fetched.
    let stranger = shop.curl_with(&["-H", "authorization: Bearer no", &url]);
    assert_eq!((stranger.status, stranger.slug().as_str()), (401, "unauthorized"));
    let inside = shop.curl(&[&format!("{}/http://127.0.0.1:1/", shop.payer)]);
    assert_eq!((inside.status, inside.slug().as_str()), (403, "forbidden-target"));
    let local = shop.curl(&[&format!("{}/http://localhost:1/", shop.payer)]);
    assert_eq!(local.slug(), "target-unreachable");
    let rebound = shop.curl(&["-H", "host: evil.example", &url]);
    assert_eq!((rebound.status, rebound.slug().as_str()), (403, "other-host"));

    // A cost above the request's own maximum is not signed.
    let capped = ["-H", "motif-max-cost: 1019", "-d", body, &url];
    let capped = shop.curl(&[&capped[..], &key[2..]].concat());
    assert_eq!((capped.status, capped.slug().as_str()), (402, "cost-too-high"));
    assert_eq!(shop.spent(), 5 * COST);

    // The receipts settle, and verify against the chain.
    assert_eq!(shop.charged(), 5 * COST);
    let days = fs::read_dir(shop.state_file("receipts")).unwrap();
    let file = days.map(|entry| entry.unwrap().path()).next().unwrap();
    let verified = shop.world.does(&["receipt", "verify", file.to_str().unwrap()]);
    assert_eq!(verified["verified"], 3);
    let page = shop.get("/v1/receipts?limit=2");
    assert_eq!(page["receipts"].as_array().unwrap().len(), 2);
    assert_eq!(page["receipts"][0]["caller"], "local");
    let rest = shop.get(&format!("/v1/receipts?from={}", page["next"]));
    assert_eq!(rest["receipts"].as_array().unwrap().len(), 1);
}

#[test]
fn stream_passes_through_as_it_comes() {
    let shop = Shop::open(&OPTIONS);
    let url = shop.through("/v1/chat/completions");
    let chat = |stream: bool| json!({ "model": "style", "stream": stream, "messages": [{ "content": "c b a" }] });
    let whole = shop.post(&url, &chat(false).to_string());
    assert_eq!(whole.json()["choices"][0]["message"]["content"], "a b c");
    assert_eq!(shop.spent(), COST);
    let streamed = shop.post(&url, &chat(true).to_string());
    assert!(streamed.headers.contains("content-type: text/event-stream"), "{}", streamed.headers);
    let text = String::from_utf8(streamed.body).unwrap();
    assert!(text.starts_with("data: {") && text.ends_with("data: [DONE]\n\n"), "{text}");
    // Three words, the end of the choice, and the end of the stream.
    assert_eq!(text.matches("data: ").count(), 5);
    assert_eq!(shop.spent(), 6 * COST);
    // A client that stops reading stops paying: one part may be under way.
    let long = "word ".repeat(200);
    let body = json!({ "model": "style", "stream": true, "messages": [{ "content": long }] });
    let cut = ["--max-time", "1", "-H", "content-type: application/json", "-d"];
    let produced = shop.server.produced();
    shop.curl(&[&cut[..], &[&body.to_string(), &url]].concat());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let after = shop.server.produced();
    assert!(after - produced < 150, "{produced} {after}");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(shop.server.produced(), after);
}

/// Starts a server that redirects within its origin, and to another one.
fn redirecting_server() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let routes = axum::Router::new()
        .route("/in", get(async || Redirect::temporary("/here?q=1")))
        .route("/out", get(async || Redirect::temporary("https://elsewhere.example/")))
        .route("/here", get(async || "here"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
    });
    address
}

#[test]
fn redirect_to_other_origin_is_refused() {
    let target = redirecting_server();
    let shop = Shop::open(&["--private-target", &target]);
    let url = |path: &str| format!("{}/http://{target}{path}", shop.payer);
    // The client follows through the service.
    let followed = shop.curl(&["--location", &url("/in")]);
    assert_eq!((followed.status, &followed.body[..]), (200, &b"here"[..]));
    let location = format!("location: {}/http://{target}/here?q=1", shop.payer);
    assert!(followed.headers.contains(&location), "{}", followed.headers);
    let refused = shop.curl(&["--location", &url("/out")]);
    assert_eq!((refused.status, refused.slug().as_str()), (502, "redirect-elsewhere"));
    assert!(!refused.headers.contains("location:"), "{}", refused.headers);
}

#[test]
fn dry_run_signs_nothing() {
    let shop = Shop::open(&OPTIONS);
    let url = shop.through("/images");
    let dry = |body: &str| shop.curl(&["-H", "motif-dry-run: true", "-d", body, &url]).json();
    let offer = dry(r#"{"prompt":"x"}"#);
    let payment = &offer["payment"];
    assert_eq!((&payment["most_units"], &payment["most_cost"]), (&json!(4), &json!("4080")));
    assert_eq!(payment["work"], shop.work.as_str());
    let does = ["opens_channel", "accepts_terms", "tops_up"].map(|what| &payment[what]);
    assert_eq!(does, [&json!(true), &json!(true), &json!(false)]);
    assert_eq!(shop.get("/v1/channels")["channels"], json!([]));
    assert_eq!(shop.server.asked(), 0);
    // Afterwards, what was announced happens.
    assert_eq!(shop.buy_picture("x").status, 200);
    assert_eq!(dry(r#"{"prompt":"x"}"#)["payment"]["accepts_terms"], false);
    assert_eq!(shop.spent(), COST);
}

#[test]
fn policy_refuses_terms_and_deposits() {
    // A unit costs 1,000 base units.
    let mut shop = Shop::open(&["--deposit", "1", "--max-unit-price", "999u"]);
    let refused = shop.buy_picture("x");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "price-too-high"));
    shop.world.stop_logged();
    shop.serve(&["--deposit", "1"]);
    assert_eq!(shop.buy_picture("x").slug(), "terms-not-accepted");
    shop.world.stop_logged();
    shop.serve(&["--deposit", "1", "--max-unit-price", "0.001"]);
    assert_eq!(shop.buy_picture("x").status, 200);
    shop.world.stop_logged();
    std::fs::remove_dir_all(shop.state_file("")).unwrap();
    shop.serve(&["--max-unit-price", "0.001"]);
    let refused = shop.buy_picture("x");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "no-channel"));
    shop.world.stop_logged();
    // A new voucher key has a new channel, which is topped up once.
    let tight = ["--deposit", "1020u", "--top-up", "1020u", "--max-locked", "2040u"];
    shop.serve(&[&tight[..], &["--max-unit-price", "0.001"]].concat());
    assert_eq!(shop.buy_picture("one").status, 200);
    assert_eq!(shop.buy_picture("two").status, 200);
    let refused = shop.buy_picture("three");
    assert_eq!((refused.status, refused.slug().as_str()), (402, "deposit-used-up"));
    // What has settled is no longer locked.
    assert_eq!(shop.charged(), 2 * COST);
    assert_eq!(shop.buy_picture("three").status, 200);
}

#[test]
fn processes_pay_with_own_channels() {
    let mut shop = Shop::open(&OPTIONS);
    assert_eq!(shop.buy_picture("one").status, 200);
    let first = (shop.payer.clone(), shop.token.clone(), shop.channels());
    // The same state is refused, another one has a key and a channel of its own.
    let again = ["payer", "serve", "--keypair", "platform.json", "--listen", "127.0.0.1:0"];
    shop.world.refuses(&again, "state-locked");
    shop.serve(&[&OPTIONS[..], &["--state", "second.payer"]].concat());
    assert_eq!(shop.buy_picture("two").status, 200);
    assert_ne!(first.2, shop.channels());
    let second = shop.channels();
    (shop.payer, shop.token, _) = first.clone();
    assert_eq!(shop.buy_picture("three").status, 200);
    assert_eq!(
        (charged(&shop.world, &first.2[0]), charged(&shop.world, &second[0])),
        (2 * COST, COST)
    );
    // After a restart, the process finds its channel.
    shop.world.stop_logged();
    shop.serve(&[&OPTIONS[..], &["--state", "second.payer"]].concat());
    assert_eq!(shop.channels(), second);
    assert_eq!(shop.spent(), COST);
}

#[test]
fn unix_socket_takes_payments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payer.sock");
    let listen = format!("unix:{}", path.display());
    let mut shop = Shop::open(&[&OPTIONS[..], &["--listen", &listen]].concat());
    let url = format!("http://payer/{}/pictures", shop.paywall);
    let socket = path.to_str().unwrap().to_owned();
    let buy = |shop: &Shop| {
        let json = "content-type: application/json";
        shop.curl(&["--unix-socket", &socket, "-H", json, "-d", r#"{"prompt":"x"}"#, &url]).status
    };
    assert_eq!(buy(&shop), 200);
    // The socket file of a killed process is replaced.
    shop.world.stop_logged();
    shop.serve(&[&OPTIONS[..], &["--listen", &listen]].concat());
    assert_eq!(buy(&shop), 200);
    // Another file is not.
    shop.world.stop_logged();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    let serve = ["payer", "serve", "--keypair", "platform.json", "--listen", &listen];
    let mut command = shop.world.command("timeout");
    let ran = command.args(["60", MOTIF, "--json"]).args(serve).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(printed.contains(r#""code":"no-listener""#), "{printed}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    for other in ["0.0.0.0:0", "10.0.0.1:80", "8788"] {
        let (code, _) = shop.world.run(&["payer", "serve", "--listen", other]);
        assert_eq!(code, 2, "{other}");
    }
}

#[test]
fn command_pays_for_a_url() {
    let shop = Shop::without_payer();
    let url = format!("{}/images", shop.paywall);
    let json = ["-H", "content-type: application/json", "-d", r#"{"prompt":"x","count":2}"#];
    let pay = [&["pay", &url, "--keypair", "platform.json", "--deposit", "1"][..], &json].concat();
    let pay = |more| joined(&pay, more);
    let dry = shop.world.does(&pay(&["--dry-run", "--max-price", "0.00408"]));
    assert_eq!(dry["payment"]["most_cost"], "4080");
    shop.world.refuses(&pay(&["-o", "a.png"]), "terms-not-accepted");
    shop.world.refuses(&pay(&["-o", "a.png", "--max-price", "4079u"]), "cost-too-high");
    let paid = shop.world.does(&pay(&["-o", "a.png", "--max-price", "4080u"]));
    assert_eq!((&paid["receipts"][0]["amount"], &paid["cost"]), (&json!("2000"), &json!("2040")));
    assert_eq!(paid["file"], "a.png");
    assert!(image::open(shop.world.path("a.png")).is_ok());
    let one = ["-d", r#"{"prompt":"y"}"#, "-o", "b.png", "--keypair", "platform.json"];
    let mut command = shop.world.command(MOTIF);
    command.arg("pay").arg(format!("{}/pictures", shop.paywall)).args(&json[..2]).args(one);
    let printed = command.output().unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.ends_with("paid 1020 base units (1 unit, fee included)\n"), "{printed}");
    // To stdout, through a pipe; nothing is paid for a refusal or a free answer.
    let line = format!(
        "motif pay {url} --keypair platform.json -H 'content-type: application/json' -d @- -X POST"
    );
    let piped = shop.world.shell(&format!("echo '{{\"prompt\":\"y\"}}' | {line} | sha256sum"));
    assert_eq!(piped.split_whitespace().next().unwrap().len(), 64);
    let health = format!("{}/health", shop.paywall);
    assert_eq!(shop.world.shell(&format!("motif pay {health} --keypair platform.json")), "well");
    let odd = ["-d", r#"{"prompt":"x","fail":"refuse"}"#, "-o", "b.txt"];
    let url = format!("{}/pictures", shop.paywall);
    let refused = [&["pay", &url, "--keypair", "platform.json"][..], &json[..2], &odd].concat();
    shop.world.refuses(&refused, "server-refused");
    assert_eq!(fs::read_to_string(shop.world.path("b.txt")).unwrap(), "this prompt is too odd");
    let shown = shop.world.does(&["work", "show", PICTURE]);
    assert!(shown.is_object());
    // An error is printed once, and in a pipe without colors.
    let lacking = [
        "pay",
        &format!("{}/images", shop.paywall),
        "--keypair",
        "platform.json",
        "-o",
        "c",
        "-d",
        "{}",
    ];
    let lacking = [&lacking[..], &["--max-price", "1u", "--max-unit-price", "0.001"]].concat();
    let printed = |filter: &str| {
        let mut command = shop.world.command(MOTIF);
        let ran = command.args(&lacking).env("RUST_LOG", filter).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        let printed = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert!(!printed.contains('\u{1b}'), "{printed}");
        printed
    };
    let error = printed("warn");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error[cost-too-high]: "), "{error}");
    let logged = printed("debug");
    assert!(logged.lines().count() > 1 && logged.ends_with(&error), "{logged}");
    let both: Value = shop.world.misuse(&["pay", &url, "--keypair", "platform.json"]);
    assert!(both["error"]["help"].as_str().unwrap().contains("--output"));
}
