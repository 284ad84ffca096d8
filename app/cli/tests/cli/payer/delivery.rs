//! Clients that disconnect before the end, and a service that is killed meanwhile.

use std::{thread, time::Duration};

use motif_sdk::fingerprint::content_digest;
use serde_json::json;

use super::shop::{COST, Shop};

pub const OPTIONS: [&str; 4] = ["--deposit", "1", "--max-unit-price", "0.001"];
pub const CHAT: &str = "/v1/chat/completions";

/// Returns the body of a chat with an answer of this many words.
pub fn chat(words: usize, stream: bool) -> String {
    let content = "word ".repeat(words);
    json!({ "model": "style", "stream": stream, "messages": [{ "content": content }] }).to_string()
}

/// Returns the number of events of a stream.
pub fn events(body: &[u8]) -> u64 {
    String::from_utf8_lossy(body).matches("data: ").count() as u64
}

#[test]
fn lost_picture_is_fetched_by_key() {
    // The paywall has room for one answer: the next one removes what it takes for delivered.
    let mut shop = Shop::with_gateway("[paywall]\nunpaid = 64\nkeep_bytes = 16777216\n");
    shop.serve(&OPTIONS);
    let body = r#"{"prompt":"New York","side":256}"#;
    // The first client leaves after one byte, the second before the first.
    let first = shop.post_and_leave("/pictures", "the-first-key", body, 1);
    assert_eq!(first, b"H");
    shop.post_and_leave("/pictures", "the-other-key", body, 0);
    // A repeated request waits for the one that is under way.
    let other = shop.post_with_key("/pictures", "the-other-key", body);
    assert_eq!(other.status, 200, "{}", String::from_utf8_lossy(&other.body));
    assert_eq!(shop.buy_picture("Boston").status, 200);
    for _ in 0..2 {
        let again = shop.post_with_key("/pictures", "the-first-key", body);
        assert_eq!(again.status, 200, "{}", String::from_utf8_lossy(&again.body));
        assert!(again.headers.contains("content-type: image/png"), "{}", again.headers);
        let digest = hex::encode(content_digest(&again.body));
        let receipts = shop.receipts();
        let of_it = receipts.iter().filter(|one| one["output_digest"] == digest.as_str());
        // The other answer has the same bytes.
        assert_eq!(of_it.count(), 2, "{digest}");
        assert!(again.headers.contains("motif-receipt: "), "{}", again.headers);
        // SIGKILL.
        shop.world.stop_logged();
        shop.serve(&OPTIONS);
    }
    let reused = shop.post_with_key("/pictures", "the-first-key", r#"{"prompt":"Rome"}"#);
    assert_eq!((reused.status, reused.slug().as_str()), (409, "idempotency-key-reused"));
    assert_eq!((shop.spent(), shop.server.asked()), (3 * COST, 3));
    assert_eq!(shop.charged(), 3 * COST);
}

#[test]
fn killed_stream_returns_paid_parts() {
    let mut shop = Shop::without_payer();
    shop.serve(&OPTIONS);
    let body = chat(400, true);
    let received = thread::scope(|scope| {
        let client = scope.spawn(|| shop.post_with_key(CHAT, "a-stream-s-key", &body));
        let started = std::time::Instant::now();
        while shop.server.produced() < 10 {
            assert!(started.elapsed() < Duration::from_secs(60), "nothing is streamed");
            thread::sleep(Duration::from_millis(20));
        }
        shop.world.kill_last();
        client.join().unwrap()
    });
    assert!(!received.is_complete && events(&received.body) > 0, "{}", received.status);
    for _ in 0..2 {
        shop.world.stop_logged();
        shop.serve(&OPTIONS);
        let spent = shop.spent();
        let again = shop.post_with_key(CHAT, "a-stream-s-key", &body);
        // The connection breaks after the last paid part: this is not the whole stream.
        assert_eq!((again.status, again.is_complete), (200, false));
        assert!(again.headers.contains("content-type: text/event-stream"), "{}", again.headers);
        assert!(again.body.starts_with(&received.body));
        // Also the part that was under way when the service was killed.
        assert_eq!(events(&again.body) * COST, spent);
        assert_eq!((shop.spent(), shop.charged()), (spent, spent));
    }
}

#[test]
fn abandoned_stream_returns_paid_parts() {
    let shop = Shop::open(&OPTIONS);
    // The only part of a whole answer arrives, and its client is gone before the end.
    let one = chat(3, false);
    assert_eq!(shop.post_and_leave(CHAT, "the-first-key", &one, 150).len(), 150);
    let again = shop.post_with_key(CHAT, "the-first-key", &one);
    assert!(again.is_complete, "{}", again.status);
    assert_eq!(again.json()["choices"][0]["message"]["content"], "word word word");
    assert_eq!((shop.spent(), shop.server.asked()), (COST, 1));
    // A longer one ends with what was paid for.
    let long = chat(400, true);
    shop.post_and_leave(CHAT, "the-other-key", &long, 2_000);
    let first = shop.post_with_key(CHAT, "the-other-key", &long);
    let spent = shop.spent();
    assert_eq!((first.status, first.is_complete), (200, false));
    assert_eq!(COST + events(&first.body) * COST, spent);
    let again = shop.post_with_key(CHAT, "the-other-key", &long);
    assert_eq!((again.body, shop.spent(), shop.server.asked()), (first.body, spent, 2));
    // A stream that was received is complete the second time, too.
    let short = chat(3, true);
    let first = shop.post_with_key(CHAT, "the-third-key", &short);
    let again = shop.post_with_key(CHAT, "the-third-key", &short);
    assert!(first.is_complete && again.is_complete);
    assert_eq!((again.body, shop.server.asked()), (first.body, 3));
}
