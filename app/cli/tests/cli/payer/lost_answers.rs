//! Answers that are lost between the gateway and the payer service.

use serde_json::json;

use super::{
    link::{Fate, Link},
    shop::{COST, Shop},
};

#[test]
fn lost_answer_counts_and_is_paid_once() {
    let mut shop = Shop::without_payer();
    let (link, url) = Link::start(&shop.world.gateway_url);
    // One payment and a half.
    let options = ["--deposit", "1", "--max-unit-price", "0.001", "--budget-per-day", "1530u"];
    let options = [&options[..], &["--gateway-url", &url]].concat();
    shop.serve(&options);
    let pay = |shop: &Shop, path: &str, key: &str, body: serde_json::Value| {
        let key = format!("idempotency-key: {key}");
        let url = format!("{}{path}", shop.payer);
        let json = ["-H", "content-type: application/json", "-d"];
        shop.curl(&[&["-H", &key][..], &json, &[&body.to_string(), &url]].concat())
    };
    let wanted = |byte: &str| {
        let (request, output) = (byte.repeat(32), "0a".repeat(32));
        json!({ "work": shop.work, "units": 1, "request_digest": request, "output_digest": output })
    };
    let (one, other) = (wanted("01"), wanted("02"));

    link.set(Fate::Lost);
    let lost = pay(&shop, "/v1/pay", "the-first-key", one.clone());
    assert_eq!((lost.status, lost.slug().as_str()), (502, "outcome-unknown"));
    assert!(lost.headers.contains("x-should-retry: false"), "{}", lost.headers);
    // It counts until its outcome is known.
    assert_eq!(shop.spent(), COST);
    assert_eq!(pay(&shop, "/v1/pay", "another-key", other.clone()).slug(), "over-budget");
    shop.world.stop_logged();
    link.set(Fate::Returned);
    shop.serve(&options);
    assert_eq!(pay(&shop, "/v1/pay", "another-key", other.clone()).slug(), "over-budget");

    let paid = pay(&shop, "/v1/pay", "the-first-key", one.clone());
    assert_eq!(paid.status, 200, "{}", String::from_utf8_lossy(&paid.body));
    assert_eq!(paid.json()["request_digest"], one["request_digest"]);
    assert_eq!(pay(&shop, "/v1/pay", "the-first-key", one.clone()).json(), paid.json());
    assert_eq!(pay(&shop, "/v1/pay", "the-first-key", other).slug(), "idempotency-key-reused");
    assert_eq!((shop.spent(), shop.charged()), (COST, COST));
    shop.world.stop_logged();
    shop.serve(&options);
    assert_eq!(pay(&shop, "/v1/pay", "the-first-key", one).json(), paid.json());
    assert_eq!(shop.spent(), COST);
}

#[test]
fn lost_capture_is_returned_by_key() {
    let mut shop = Shop::without_payer();
    let (link, url) = Link::start(&shop.world.gateway_url);
    shop.serve(&["--deposit", "1", "--max-unit-price", "0.001", "--gateway-url", &url]);
    let post = |path: &str, body: &serde_json::Value, key: &str| {
        let (key, url) = (format!("idempotency-key: {key}"), format!("{}{path}", shop.payer));
        let json = ["-H", "content-type: application/json", "-d"];
        shop.curl(&[&["-H", &key][..], &json, &[&body.to_string(), &url]].concat())
    };
    let wanted =
        json!({ "work": shop.work, "units": 2, "request_digest": "01".repeat(32), "seconds": 300 });
    let held = post("/v1/holds", &wanted, "key-of-the-hold").json();
    let capture = json!({ "hold": held, "units": 1, "output_digest": "03".repeat(32) });
    link.set(Fate::Lost);
    assert_eq!(post("/v1/captures", &capture, "key-of-the-capture").slug(), "outcome-unknown");
    link.set(Fate::Returned);
    let paid = post("/v1/captures", &capture, "key-of-the-capture").json();
    assert_eq!((&paid["amount"], &paid["units"]), (&json!("1000"), &json!(1)));
    assert_eq!(post("/v1/captures", &capture, "key-of-the-capture").json(), paid);
    // Without the key of the first, it is another capture of the same hold.
    assert_eq!(post("/v1/captures", &capture, "another-key").slug(), "hold-captured");
    assert_eq!((shop.spent(), shop.charged()), (COST, COST));
}
