use std::{convert::Infallible, time::Duration};

use axum::{body::Body, extract::Request};
use futures::{StreamExt, stream};
use motif_sdk::gateway::wire::{AskToPay, HoldState, Payment, PaymentRequired};
use tokio::time::timeout;

use crate::{
    engine::PRICE,
    shop::{Answer, Shop, ask, pay},
};

/// Checks that nothing was charged and nothing is held.
#[track_caller]
fn assert_untouched(shop: &Shop) {
    let state = shop.engine.state();
    assert_eq!(state.owed, 0);
    assert!(state.holds.values().all(|held| held.state == HoldState::Released));
}

#[tokio::test]
async fn unpaid_request_names_price() {
    let shop = Shop::new();
    let refused = shop.send("/poems", None, "").await;
    let problem = refused.assert_problem(402, "payment-required");
    let Some(PaymentRequired::PriceTag(price_tag)) = problem.payment else {
        panic!("expected a price")
    };
    assert_eq!((price_tag.quote.price.0, price_tag.most_units), (PRICE, 3));
    // The price of before is named while the chain is unreachable.
    shop.engine.state().is_offline = true;
    shop.send("/poems", None, "").await.assert_problem(402, "payment-required");
    assert_eq!(shop.requests(), 0);
}

#[tokio::test]
async fn unknown_price_is_reported() {
    let shop = Shop::new();
    shop.engine.state().is_offline = true;
    shop.send("/poems", None, "").await.assert_problem(503, "chain-unreachable");
}

#[tokio::test]
async fn unlisted_route_is_rejected() {
    let shop = Shop::new();
    shop.send("/other", None, "").await.assert_problem(404, "not-found");
    shop.send("/health", None, "").await.assert_problem(405, "method-not-allowed");
    shop.send("/free/../poems", None, "").await.assert_problem(400, "invalid-path");
    assert_eq!(shop.requests(), 0);
    let free = Request::get("/health").body(Body::empty()).unwrap();
    assert_eq!(Answer::of(shop.call(free).await).await.body, "well");
}

#[tokio::test]
async fn wrong_total_repeats_payment_due() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    let again = shop.send("/poems", Some(&pay(&due, PRICE)), "").await.due();
    assert_eq!(again.because.as_deref(), Some("wrong-price"));
    assert_eq!((again.answer, shop.owed()), (due.answer, 0));
}

#[tokio::test]
async fn payment_at_other_url_is_rejected() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    let other = shop.send("/broken", Some(&pay(&due, 2 * PRICE)), "").await;
    other.assert_problem(409, "hold-mismatch");
    let mut unknown = due;
    unknown.answer.0[0] ^= 1;
    let unknown = shop.send("/poems", Some(&pay(&unknown, 2 * PRICE)), "").await;
    unknown.assert_problem(404, "unknown-answer");
    assert_eq!(shop.owed(), 0);
}

#[tokio::test]
async fn failed_server_is_not_paid() {
    let shop = Shop::new();
    shop.ask("/broken", 1, "").await.assert_problem(502, "upstream-failed");
    assert_untouched(&shop);
}

#[tokio::test]
async fn excess_units_are_not_charged() {
    let shop = Shop::new();
    shop.ask("/metered", 2, "3").await.assert_problem(502, "units-above-held");
    assert_untouched(&shop);
}

#[tokio::test]
async fn missing_units_are_not_charged() {
    let shop = Shop::new();
    shop.ask("/metered", 2, "none").await.assert_problem(502, "units-missing");
    assert_untouched(&shop);
}

#[tokio::test]
async fn wrong_hold_is_rejected() {
    let shop = Shop::new();
    shop.ask("/poems", 4, "").await.assert_problem(422, "hold-units");
    let other = Payment::Ask(motif_sdk::gateway::wire::AskToPay { license: 1, ..ask(3, None) });
    shop.send("/poems", Some(&other), "").await.assert_problem(422, "other-license");
    assert!(shop.engine.state().holds.is_empty());
    let mut short = ask(3, None);
    short.expires_at -= 250;
    let short = shop.send("/poems", Some(&Payment::Ask(short)), "").await;
    short.assert_problem(422, "hold-too-short");
    assert_untouched(&shop);
    assert_eq!(shop.requests(), 0);
}

#[tokio::test]
async fn full_folder_releases_hold() {
    let shop = Shop::with(|config| config.keep_bytes = 10);
    let full = shop.ask("/poems", 3, "").await;
    full.assert_problem(503, "paywall-full");
    assert_eq!(full.headers["retry-after"], "1");
    assert_untouched(&shop);
}

/// Body of this text, which the client never finishes.
pub fn unfinished(text: &'static str) -> Body {
    let begin = stream::once(async move { Ok::<_, Infallible>(text) });
    Body::from_stream(begin.chain(stream::pending()))
}

#[tokio::test]
async fn unpaid_request_is_answered_from_head() {
    let shop = Shop::new();
    let request = Request::post("/poems").body(unfinished("1")).unwrap();
    let answer = timeout(Duration::from_secs(5), shop.call(request)).await.expect("an answer");
    Answer::of(answer).await.assert_problem(402, "payment-required");
    let unknown = Payment::Ask(AskToPay { license: 7, ..ask(3, None) });
    let request = Request::post("/poems")
        .header("idempotency-key", "the-request-key")
        .header(Payment::HEADER, unknown.to_header())
        .body(unfinished("1"));
    let answer = timeout(Duration::from_secs(5), shop.call(request.unwrap())).await;
    Answer::of(answer.expect("an answer")).await.assert_problem(422, "other-license");
}

#[tokio::test]
async fn bodies_share_one_budget() {
    let shop = Shop::with(|config| config.body_bytes = 10);
    let request = |body: Body| {
        let request = Request::post("/metered").header("idempotency-key", "the-request-key");
        let payment = Payment::Ask(ask(3, None)).to_header();
        shop.call(request.header(Payment::HEADER, payment).body(body).unwrap())
    };
    let slow = tokio::spawn(request(unfinished("12345678")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = Answer::of(request(Body::from("1234")).await).await;
    refused.assert_problem(503, "paywall-full");
    assert_eq!(refused.headers["retry-after"], "1");
    slow.abort();
    let _ = slow.await;
    Answer::of(request(Body::from("2")).await).await.due();
}

#[tokio::test]
async fn free_route_has_time_limit() {
    let shop = Shop::with(|config| config.request_seconds = 1);
    let request = Request::get("/health").body(unfinished("1")).unwrap();
    let answer = timeout(Duration::from_secs(5), shop.call(request)).await.expect("an answer");
    Answer::of(answer).await.assert_problem(408, "timeout");
    assert_eq!(shop.requests(), 0);
}

#[tokio::test]
async fn encoded_path_costs_the_same() {
    let shop = Shop::new();
    let encoded = shop.send("/%70oem%73", None, "").await;
    encoded.assert_problem(402, "payment-required");
    // The server receives the path that was matched.
    let free = Request::get("/he%61lth?a=%61").body(Body::empty()).unwrap();
    assert_eq!(Answer::of(shop.call(free).await).await.body, "well");
    for path in ["/POEMS", "/poems/", "/poems;a=b", "/poems%2F"] {
        let refused = shop.send(path, None, "").await;
        assert!([400, 404].contains(&refused.status), "{path}");
    }
    assert_eq!(shop.requests(), 1);
}
