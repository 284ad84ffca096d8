use motif_sdk::{
    fingerprint::content_digest,
    gateway::{
        PaidRequest, PaidUnits,
        wire::{PaymentRequired, ReceiptParts, Use},
    },
    receipt::SignedReceipt,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    sold::{Sold, payer_options},
    world::{CHANNEL, Network, on_postgres_too},
};

#[tokio::test]
async fn unpaid_request_gets_price_only() {
    let sold = Sold::new().await;
    sold.publish();
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let (method, url) = (request.method.clone(), request.url.clone());
    let price_tag =
        sold.client.price_tag(&method, &url, &request.headers, &request.body).await.unwrap();
    assert_eq!(price_tag.operator.0, sold.world.operator());
    assert_eq!((price_tag.quote.price.0, price_tag.quote.licensed_use), (101, Use::Generate));
    assert_eq!((price_tag.fixed_units, price_tag.most_units, price_tag.streams), (None, 4, false));
    assert_eq!(price_tag.hold_seconds, 63);
    let answer = sold.send(&request, None).await;
    answer.assert_problem(402, "payment-required");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(
        answer.problem().payment,
        Some(PaymentRequired::PriceTag(Box::new(price_tag.clone())))
    );
    // Cached prices are served while the cluster is unreachable.
    sold.world.chain.network(Network::Down);
    sold.send(&request, None).await.assert_problem(402, "payment-required");
    assert_eq!(sold.server.asked(), 0);

    let listed = reqwest::get(format!("{}/v1/paywall", sold.world.gateway.url())).await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed["routes"].as_array().unwrap().len(), 4);
    assert_eq!(listed["routes"][1]["path"], "/images");
    assert_eq!(listed["routes"][1]["price_tag"], json!(price_tag));
}

#[tokio::test]
async fn answer_is_released_for_voucher() {
    let mut sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York", "count": 3 }));
    let answer = sold.fetch(&request).await.unwrap();
    let picture = image::load_from_memory(&answer.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (128, 128));
    assert_eq!((answer.status, &answer.kind[..]), (200, "image/png"));
    let receipt = answer.receipt.receipt;
    assert_eq!((receipt.units, receipt.amount, receipt.cumulative), (3, 300, 306));
    assert_eq!(receipt.output_digest, content_digest(&answer.body));
    assert_eq!(receipt.request_digest, request.digest().unwrap());
    assert!(answer.receipt.verifies(&sold.world.operator()));
    assert_eq!((sold.owed().await, sold.session.cumulative().unwrap()), (306, 306));
    assert_eq!(sold.world.settle().await.unwrap()[0].prices.0, 300);
}

#[tokio::test]
async fn due_states_price_units_and_digest() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let due = sold.due(&request).await;
    assert_eq!((due.units, due.price.0, due.license, due.part), (1, 100, 0, 0));
    assert_eq!((due.expected.statement, due.expected.cumulative.0), (0, 102));
    assert_eq!(due.request_digest.0, request.digest().unwrap());
    assert_eq!(sold.owed().await, 0);
    let paid = sold.pay(&request, &due, sold.voucher().await).await;
    paid.assert_ok();
    assert_eq!(content_digest(&paid.body), due.output_digest.0);
    assert_eq!(paid.headers["cache-control"], "no-store");
    let receipt = paid.headers[ReceiptParts::HEADER].to_str().unwrap();
    let receipt = SignedReceipt::from(&ReceiptParts::from_header(receipt).unwrap());
    assert!(receipt.verifies(&sold.world.operator()));
    assert_eq!(receipt.receipt.output_digest, due.output_digest.0);
}

#[tokio::test]
async fn fixed_units_are_paid_up_front() {
    let mut sold = Sold::new().await;
    let request = sold.request("/pictures", json!({ "prompt": "New York", "fail": "silent" }));
    let mut ask = sold.ask(&request);
    ask.voucher = Some(sold.voucher().await);
    let answer = sold.send(&request, Some(&motif_sdk::gateway::wire::Payment::Ask(ask))).await;
    answer.assert_ok();
    assert_eq!((sold.owed().await, sold.server.asked()), (102, 1));

    sold.session = crate::sold::session(&sold.world).await;
    let request = sold.request("/pictures", json!({ "prompt": "Boston" }));
    let answer = sold.fetch(&request).await.unwrap();
    assert_eq!((answer.receipt.receipt.units, sold.owed().await), (1, 204));
}

#[tokio::test]
async fn json_field_sets_units() {
    let mut sold = Sold::new().await;
    let counted = sold.request("/texts", json!({ "prompt": "a b c", "tokens": 11 }));
    let answer = sold.fetch(&counted).await.unwrap();
    assert_eq!(answer.receipt.receipt.units, 2, "eleven tokens are two tens that were begun");
    let silent = sold.request("/texts", json!({ "prompt": "a b c", "fail": "silent" }));
    let answer = sold.fetch(&silent).await.unwrap();
    assert_eq!(answer.receipt.receipt.units, 3);
    let text: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(text["text"], "c b a");
}

#[tokio::test]
async fn repeated_request_gets_same_bytes() {
    let mut sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let first = sold.fetch(&request).await.unwrap();
    let resumed = request;
    assert_eq!(sold.fetch(&resumed).await.unwrap(), first);
    let mut sold = sold.restarted().await;
    let resumed = PaidRequest { url: sold.url("/images"), ..resumed };
    assert_eq!(sold.fetch(&resumed).await.unwrap(), first, "also after a kill");
    sold.world.settle().await.unwrap();
    let mut sold = sold.restarted().await;
    let resumed = PaidRequest { url: sold.url("/images"), ..resumed };
    assert_eq!(sold.fetch(&resumed).await.unwrap(), first, "also after it has settled");
    assert_eq!((sold.owed().await, sold.server.asked()), (102, 1));
}

#[tokio::test]
async fn answer_made_before_kill_is_payable() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let due = sold.due(&request).await;
    let mut sold = sold.restarted().await;
    let resumed = PaidRequest { url: sold.url("/images"), ..request };
    let answer = sold.fetch(&resumed).await.unwrap();
    assert_eq!(answer.receipt.receipt.output_digest, due.output_digest.0);
    assert_eq!((sold.owed().await, sold.server.asked()), (102, 1));
}

#[tokio::test]
async fn settlement_during_generation_is_fine() {
    let mut sold = Sold::new().await;
    for (path, owed) in [("/pictures", 102), ("/images", 204), ("/pictures", 306)] {
        let request = sold.request(path, json!({ "prompt": "New York" }));
        sold.fetch(&request).await.unwrap();
        assert_eq!(sold.owed().await, owed);
        sold.world.settle().await.unwrap();
    }
    assert_eq!(sold.session.statement(), 2);
    assert_eq!(sold.server.asked(), 3);
}

#[tokio::test]
async fn session_budget_covers_paywall() {
    let mut sold = Sold::new().await;
    let account = sold.world.chain.channel_account();
    let options = payer_options(150);
    let key = crate::world::voucher_key();
    let client = sold.world.client();
    let session = motif_sdk::gateway::Payer::open(client, CHANNEL, &account, key, options);
    sold.session = session.await.unwrap();
    let request = sold.request("/images", json!({ "prompt": "New York", "count": 2 }));
    let refused = sold.fetch(&request).await.unwrap_err();
    assert!(refused.to_string().contains("budget of 150"), "{refused}");
    assert_eq!(sold.owed().await, 0);
    let cheaper = sold.request("/images", json!({ "prompt": "New York" }));
    sold.fetch(&cheaper).await.unwrap();
}

#[tokio::test]
async fn free_route_passes_unnamed_fails() {
    let sold = Sold::new().await;
    let get = async |path: &str| reqwest::get(sold.url(path)).await.unwrap();
    assert_eq!(get("/health").await.text().await.unwrap(), "well");
    assert_eq!(get("/images").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get("/admin").await.status(), StatusCode::NOT_FOUND);
    let told = reqwest::Client::new()
        .post(sold.url("/echo?a=%20b"))
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "for=6.6.6.6")
        .header("motif-api-key", "canary")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("accept-encoding", "gzip")
        .header("x-own", "kept")
        .send();
    let told: Value = told.await.unwrap().json().await.unwrap();
    assert_eq!(told["target"], "/echo?a=%20b");
    let headers = told["headers"].as_object().unwrap();
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(
        (&headers["x-own"], &headers["accept-encoding"]),
        (&"kept".into(), &"identity".into())
    );
    assert!(headers["x-forwarded-host"].as_str().unwrap().starts_with("127.0.0.1:"));
    for gone in ["x-forwarded-proto", "forwarded", "motif-api-key", "x-hop"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    assert_eq!(sold.send(&free(&sold), None).await.status, StatusCode::OK);
}

/// Sends a free request with a body.
fn free(sold: &Sold) -> PaidRequest {
    let units = PaidUnits::Exactly(1);
    PaidRequest { method: Method::POST, units, ..sold.request("/echo", json!({})) }
}

on_postgres_too! {
    unpaid_request_gets_price_only,
    answer_is_released_for_voucher,
    due_states_price_units_and_digest,
    fixed_units_are_paid_up_front,
    json_field_sets_units,
    repeated_request_gets_same_bytes,
    answer_made_before_kill_is_payable,
    settlement_during_generation_is_fine,
    session_budget_covers_paywall,
}
