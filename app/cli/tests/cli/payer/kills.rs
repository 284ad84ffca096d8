//! Payers that are killed after they have paid and before they have the answer in a file.

use std::{
    fs,
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use super::{
    delivery::{CHAT, OPTIONS, chat, events},
    link::{Fate, Link},
    shop::{COST, Shop},
};
use crate::world::MOTIF;

const KEY: &str = "the-killed-one-s-key";

/// Waits for a condition, at most a minute.
fn until(what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < Duration::from_secs(60), "it did not come to that");
        sleep(Duration::from_millis(5));
    }
}

/// Starts a shop without a payer, and a link to its gateway.
fn linked() -> (Shop, Link, String) {
    let shop = Shop::without_payer();
    let (link, url) = Link::start(&shop.world.gateway_url);
    (shop, link, url)
}

/// Sends a request through the payer, and kills the payer when the gateway has taken its voucher.
fn kill_before_receipt(shop: &Shop, link: &Link, path: &str, body: &str) {
    link.set(Fate::Withheld);
    scope(|threads| {
        threads.spawn(|| shop.post_with_key(path, KEY, body));
        until(|| link.withheld() == 1);
        shop.world.kill_last();
    });
    link.set(Fate::Returned);
}

#[test]
fn killed_payer_loses_no_paid_part() {
    let (mut shop, link, url) = linked();
    let options = [&OPTIONS[..], &["--gateway-url", &url]].concat();
    shop.serve(&options);
    let body = chat(400, true);
    let received = scope(|threads| {
        let client = threads.spawn(|| shop.post_with_key(CHAT, KEY, &body));
        until(|| shop.server.produced() >= 10);
        link.set(Fate::Withheld);
        until(|| link.withheld() == 1);
        shop.world.kill_last();
        client.join().unwrap()
    });
    link.set(Fate::Returned);
    let parts = events(&received.body);
    assert!(!received.is_complete && parts > 0, "{}", received.status);
    for _ in 0..2 {
        shop.world.stop_logged();
        shop.serve(&options);
        let again = shop.post_with_key(CHAT, KEY, &body);
        assert_eq!((again.status, again.is_complete), (200, false));
        assert!(again.body.starts_with(&received.body));
        assert!(events(&again.body) > parts);
        let paid = events(&again.body) * COST;
        assert_eq!((shop.spent(), shop.charged(), shop.server.asked()), (paid, paid, 1));
    }
}

#[test]
fn killed_payer_loses_no_first_part() {
    let (mut shop, link, url) = linked();
    // The budget has no room for another part.
    let budget = ["--budget-per-day", "1530u", "--gateway-url", &url];
    let options = [&OPTIONS[..], &budget].concat();
    shop.serve(&options);
    let body = chat(400, true);
    kill_before_receipt(&shop, &link, CHAT, &body);
    for _ in 0..2 {
        shop.world.stop_logged();
        shop.serve(&options);
        let again = shop.post_with_key(CHAT, KEY, &body);
        assert_eq!((again.status, again.is_complete), (200, false));
        assert!(again.headers.contains("content-type: text/event-stream"), "{}", again.headers);
        assert_eq!((events(&again.body), shop.server.asked()), (1, 1));
        assert_eq!((shop.spent(), shop.charged()), (COST, COST));
    }
    // Another caller's key is another request.
    assert_eq!(shop.post_with_key(CHAT, "another-key", &body).slug(), "over-budget");
}

#[test]
fn killed_payer_loses_no_picture() {
    let (mut shop, link, url) = linked();
    let budget = ["--budget-per-day", "1530u", "--gateway-url", &url];
    let options = [&OPTIONS[..], &budget].concat();
    shop.serve(&options);
    let body = r#"{"prompt":"New York"}"#;
    kill_before_receipt(&shop, &link, "/pictures", body);
    for _ in 0..2 {
        shop.world.stop_logged();
        shop.serve(&options);
        let again = shop.post_with_key("/pictures", KEY, body);
        assert_eq!(again.status, 200, "{}", String::from_utf8_lossy(&again.body));
        assert!(again.headers.contains("motif-receipt: "), "{}", again.headers);
        assert_eq!((shop.spent(), shop.charged(), shop.server.asked()), (COST, COST, 1));
    }
}

#[test]
fn killed_command_loses_nothing() {
    let (shop, link, url) = linked();
    let key = format!("idempotency-key: {KEY}");
    let limits = ["--max-price", "0.1", "--deposit", "1", "--keypair", "platform.json"];
    let json = "content-type: application/json";
    let pay = |path: &str, body: &str, file: &str| {
        let target = format!("{}{path}", shop.paywall);
        let request = ["pay", &target, "-H", json, "-H", &key, "-d", body, "-o", file];
        let arguments = [&request[..], &limits, &["--gateway-url", &url]].concat();
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |arguments: &[String]| {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        shop.world.run(&arguments)
    };
    let killed = |arguments: &[String]| {
        let before = link.withheld();
        link.set(Fate::Withheld);
        let mut command = shop.world.command(MOTIF).args(arguments).spawn().unwrap();
        until(|| link.withheld() > before);
        command.kill().unwrap();
        command.wait().unwrap();
        link.set(Fate::Returned);
    };
    let picture = pay("/pictures", r#"{"prompt":"x"}"#, "a.png");
    killed(&picture);
    let (code, paid) = run(&picture);
    assert_eq!((code, &paid["status"]), (0, &200.into()), "{paid}");
    assert!(fs::read(shop.world.path("a.png")).unwrap().starts_with(b"\x89PNG"));
    let stream = pay(CHAT, &chat(400, true), "chat");
    killed(&stream);
    for _ in 0..2 {
        let (code, ended) = run(&stream);
        assert_eq!((code, &ended["error"]["code"]), (1, &"stream-ended".into()), "{ended}");
        assert_eq!(events(&fs::read(shop.world.path("chat")).unwrap()), 1);
    }
    assert_eq!(shop.server.asked(), 2);
}
