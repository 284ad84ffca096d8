use axum::{body::Body, extract::Request};
use motif_paywall::AnswerEvent;
use motif_sdk::gateway::wire::{HoldState, Payment, ReceiptParts};

use crate::{
    engine::{API_KEY, PRICE},
    shop::{Answer, Shop, ask, pay, voucher},
};

const POEM: &str = "Roses are red,\nviolets are blue";

#[tokio::test]
async fn answer_is_released_after_payment() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    assert_eq!((due.units, due.price.0, shop.owed()), (2, 2 * PRICE, 0));
    let paid = shop.send("/poems", Some(&pay(&due, 2 * PRICE)), "").await;
    assert_eq!((paid.status, &paid.body[..]), (200, POEM.as_bytes()));
    let receipt = paid.headers[ReceiptParts::HEADER].to_str().unwrap();
    let receipt = ReceiptParts::from_header(receipt).unwrap();
    assert_eq!((receipt.units, receipt.output_digest), (2, due.output_digest));
    assert_eq!(paid.headers["cache-control"], "no-store");
    assert_eq!(shop.owed(), 2 * PRICE);
    let events = shop.engine.state().events.clone();
    assert_eq!(events, [AnswerEvent::Generated, AnswerEvent::Delivered]);
}

#[tokio::test]
async fn repeated_request_is_served_once() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    assert_eq!(shop.ask("/poems", 3, "").await.due(), due);
    shop.send("/poems", Some(&pay(&due, 2 * PRICE)), "").await;
    let again = shop.ask("/poems", 3, "").await;
    assert_eq!((again.status, &again.body[..]), (200, POEM.as_bytes()));
    assert_eq!((shop.requests(), shop.owed()), (1, 2 * PRICE));
}

#[tokio::test]
async fn voucher_with_request_pays_at_once() {
    let shop = Shop::new();
    let payment = Payment::Ask(ask(3, Some(voucher(2 * PRICE))));
    let paid = shop.send("/poems", Some(&payment), "").await;
    assert_eq!((paid.status, shop.owed()), (200, 2 * PRICE));
}

#[tokio::test]
async fn paid_answer_survives_channel_move() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    shop.send("/poems", Some(&pay(&due, 2 * PRICE)), "").await;
    shop.engine.state().is_moved = true;
    let again = shop.ask("/poems", 3, "").await;
    assert_eq!((again.status, &again.body[..]), (200, POEM.as_bytes()));
    let mut forged = ask(3, None);
    forged.proof.signature.0 = [0; 64];
    let forged = shop.send("/poems", Some(&Payment::Ask(forged)), "").await;
    forged.assert_problem(403, "not-by-payer");
}

#[tokio::test]
async fn caller_pays_with_its_key() {
    let shop = Shop::new();
    shop.engine.state().is_key_required = true;
    shop.ask("/poems", 3, "").await.assert_problem(401, "unauthorized");
    let request = |key: &str| {
        Request::post("/poems")
            .header("idempotency-key", "another-key")
            .header("motif-api-key", key)
            .header(Payment::HEADER, Payment::Ask(ask(3, Some(voucher(2 * PRICE)))).to_header())
            .body(Body::empty())
            .unwrap()
    };
    Answer::of(shop.call(request("wrong")).await).await.assert_problem(401, "unauthorized");
    assert_eq!((shop.requests(), shop.owed()), (0, 0));
    assert_eq!(shop.call(request(API_KEY)).await.status(), 200);
    assert_eq!(shop.engine.state().payers, [Some(API_KEY.to_owned())]);
    assert!(shop.engine.state().holds.values().all(|held| held.state == HoldState::Captured));
}

#[tokio::test]
async fn damaged_answer_is_not_charged() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    shop.damage_answers();
    let refused = shop.send("/poems", Some(&pay(&due, 2 * PRICE)), "").await;
    refused.assert_problem(410, "answer-gone");
    assert_eq!(shop.owed(), 0);
    // The same request has it made again, under the same hold.
    let due = shop.ask("/poems", 3, "").await.due();
    let paid = shop.send("/poems", Some(&pay(&due, 2 * PRICE)), "").await;
    assert_eq!((paid.status, &paid.body[..], shop.requests()), (200, POEM.as_bytes(), 2));
    // One that was paid for is withheld.
    shop.damage_answers();
    shop.ask("/poems", 3, "").await.assert_problem(410, "answer-gone");
    shop.ask("/poems", 3, "").await.assert_problem(410, "answer-gone");
    assert_eq!(shop.owed(), 2 * PRICE);
    let damaged = |event: &&AnswerEvent| **event == AnswerEvent::Damaged;
    assert_eq!(shop.engine.state().events.iter().filter(damaged).count(), 2);
}
