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

/// Returns the refusal's detail of an answer that does not count. Nothing is due.
async fn refused(body: &'static str) -> String {
    let shop = Shop::new();
    let refused = shop.ask("/judged", 1, body).await.assert_problem(502, "upstream-failed");
    assert!(shop.engine.state().holds.values().all(|held| held.state != HoldState::Captured));
    assert_eq!(shop.owed(), 0);
    refused.detail
}

#[tokio::test]
async fn uncounted_answer_costs_nothing() {
    assert!(refused("200\n{\"error\":{\"message\":\"unsafe\"}}").await.contains("unsafe"));
    assert!(refused("200\n").await.contains("no body"));
    for (status, body) in [("202", "202\n{\"id\":7}"), ("204", "204\n"), ("206", "206\nhal")] {
        assert!(refused(body).await.contains(status), "{status}");
    }
    let shop = Shop::new();
    assert_eq!(shop.ask("/judged", 1, "200\n{\"error\":null}").await.due().units, 1);
}

#[tokio::test]
async fn unfinished_job_is_passed_on_free() {
    let shop = Shop::new();
    for body in ["202\n{\"id\":7}", "200\n{\"status\":\"running\"}"] {
        let shop = Shop::new();
        let passed = shop.ask("/jobs", 1, body).await;
        assert_eq!(
            (passed.status, &passed.body[..]),
            (body[..3].parse().unwrap(), &body.as_bytes()[4..])
        );
        assert!(!passed.headers.contains_key(ReceiptParts::HEADER));
        assert_eq!(shop.owed(), 0);
    }
    assert_eq!(shop.ask("/jobs", 1, "200\n{\"output\":\"a\"}").await.due().units, 1);
}

#[tokio::test]
async fn server_is_asked_for_whole_uncoded_answer() {
    let shop = Shop::new();
    let request = Request::post("/judged")
        .header("idempotency-key", "another-key")
        .header("range", "bytes=0-1")
        .header("accept-encoding", "gzip, br")
        .header(Payment::HEADER, Payment::Ask(ask(1, Some(voucher(PRICE)))).to_header())
        .body("200\nanswer".into())
        .unwrap();
    let answer = Answer::of(shop.call(request).await).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"answer"[..]));
    let told = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!((told("x-coding"), told("x-range")), ("identity", "none"));
}

#[tokio::test]
async fn busy_server_states_when_to_return() {
    let shop = Shop::new();
    let busy = shop.ask("/busy", 1, "").await;
    busy.assert_problem(502, "upstream-failed");
    assert_eq!((busy.headers["retry-after"].to_str().unwrap(), shop.owed()), ("7", 0));
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

#[tokio::test]
async fn full_disk_is_named_and_costs_nothing() {
    let shop = Shop::new();
    let due = shop.ask("/poems", 3, "").await.due();
    shop.damage_answers();
    shop.send("/poems", Some(&pay(&due, 2 * PRICE)), "").await.assert_problem(410, "answer-gone");
    // The answer is made again, and cannot be stored.
    shop.fill_disk(&due.answer);
    let full = shop.ask("/poems", 3, "").await;
    let problem = full.assert_problem(503, "paywall-full");
    assert!(problem.detail.contains("disk") && full.headers.contains_key("retry-after"));
    assert_eq!((shop.answers(), shop.owed()), (0, 0), "nothing is half written");
    let held = shop.engine.state().holds.values().map(|held| held.state).collect::<Vec<_>>();
    assert_eq!(held, [HoldState::Released]);
}
