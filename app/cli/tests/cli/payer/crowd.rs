//! Many clients at once, within a gateway's limit of unpaid answers.

use std::{
    collections::BTreeSet,
    fs, thread,
    time::{SystemTime, UNIX_EPOCH},
};

use motif_sdk::fingerprint::content_digest;

use super::shop::{COST, Shop, number};

const OPTIONS: [&str; 4] = ["--deposit", "1", "--max-unit-price", "0.001"];

/// Has many clients buy at once with these settings of the gateway.
fn buy_at_once(settings: &str) {
    let clients = number("MOTIF_PAYER_CLIENTS", 40);
    let mut shop = Shop::with_gateway(settings);
    shop.serve(&OPTIONS);
    let answers: Vec<_> = thread::scope(|scope| {
        let shop = &shop;
        let buying: Vec<_> = (0..clients)
            .map(|client| scope.spawn(move || shop.buy_picture(&format!("picture {client}"))))
            .collect();
        buying.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }
    let receipts = shop.receipts();
    let outputs: BTreeSet<_> =
        receipts.iter().map(|one| one["output_digest"].to_string()).collect();
    assert_eq!((receipts.len() as u64, outputs.len() as u64), (clients, clients));
    assert_eq!((shop.spent(), shop.server.asked()), (clients * COST, clients));
    assert_eq!(shop.charged(), clients * COST);
}

#[test]
fn crowd_pays_once_each_by_default() {
    buy_at_once("");
}

#[test]
fn crowd_adapts_to_lower_limit() {
    buy_at_once("[paywall]\nunpaid = 3\n");
}

#[test]
fn refused_request_is_repeated_by_key() {
    let mut shop = Shop::with_gateway("");
    shop.serve(&OPTIONS);
    let url = shop.through("/pictures");
    let buy = |body: &str| {
        let key = ["-H", "idempotency-key: a-client-s-key", "-H", "content-type: application/json"];
        shop.curl(&[&key[..], &["-d", body, &url]].concat())
    };
    // The model server refuses: the hold ends, nothing is charged, and the request may be repeated.
    for asked in 1..=3 {
        let refused = buy(r#"{"prompt":"x","fail":"refuse"}"#);
        assert_eq!(refused.status, 422, "{}", String::from_utf8_lossy(&refused.body));
        assert_eq!((shop.spent(), shop.server.asked()), (0, asked));
    }
}

#[test]
fn expired_request_is_bought_by_key() {
    let mut shop = Shop::with_gateway("");
    shop.serve(&OPTIONS);
    let url = format!("{}/pictures", shop.paywall);
    shop.world.stop_logged();
    // Recorded by a process that was killed before it sent the request, a while ago.
    let name = hex::encode(content_digest(format!("local\0{url}\0a-client-s-key").as_bytes()));
    let expired = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 60;
    let line = format!("{{\"key\":\"{name}\",\"expires_at\":{expired}}}\n");
    fs::write(shop.state_file("requests.jsonl"), line).unwrap();
    shop.serve(&OPTIONS);
    let key = ["-H", "idempotency-key: a-client-s-key", "-H", "content-type: application/json"];
    let through = shop.through("/pictures");
    let buy = || shop.curl(&[&key[..], &["-d", r#"{"prompt":"x"}"#, &through]].concat());
    let bought = buy();
    assert_eq!(bought.status, 200, "{}", String::from_utf8_lossy(&bought.body));
    assert_eq!(buy().body, bought.body);
    assert_eq!((shop.spent(), shop.server.asked()), (COST, 1));
}
