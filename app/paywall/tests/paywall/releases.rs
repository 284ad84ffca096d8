//! Holds that their payers release.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request};
use futures::future::join_all;
use motif_paywall::PaymentEngine;
use motif_sdk::gateway::{
    IdempotencyKey, hold_id,
    wire::{Due, Payment},
};
use tokio::time::{sleep, timeout};

use crate::{
    engine::{CHANNEL, OPENED_SLOT, PRICE},
    shop::{Answer, Shop, ask, pay},
};

async fn send(shop: &Shop, path: &str, key: &str, payment: &Payment) -> Answer {
    let request = Request::post(path)
        .header("idempotency-key", key)
        .header(Payment::HEADER, payment.to_header())
        .body(Body::empty());
    Answer::of(shop.call(request.unwrap()).await).await
}

async fn ask_for(shop: &Shop, path: &str, key: &str) -> Answer {
    send(shop, path, key, &Payment::Ask(ask(3, None))).await
}

async fn release(shop: &Shop, key: &str) {
    let key: IdempotencyKey = key.parse().unwrap();
    shop.engine.release(CHANNEL, hold_id(&CHANNEL, OPENED_SLOT, &key)).await;
}

#[tokio::test]
async fn released_answer_frees_its_place() {
    let shop = Shop::with(|config| config.unpaid = 2);
    let due = ask_for(&shop, "/poems", "the-first-key").await.due();
    ask_for(&shop, "/poems", "the-second-key").await.due();
    ask_for(&shop, "/poems", "the-third-key").await.assert_problem(429, "too-many-unpaid");
    for _ in 0..2 {
        release(&shop, "the-first-key").await;
    }
    ask_for(&shop, "/poems", "the-fourth-key").await.due();
    ask_for(&shop, "/poems", "the-fifth-key").await.assert_problem(429, "too-many-unpaid");
    let paid = send(&shop, "/poems", "the-first-key", &pay(&due, 2 * PRICE)).await;
    paid.assert_problem(404, "unknown-answer");
    ask_for(&shop, "/poems", "the-first-key").await.assert_problem(409, "hold-ended");
}

#[tokio::test]
async fn released_request_is_stopped() {
    let shop = Arc::new(Shop::with(|config| config.running = 1));
    let (asking, key) = (shop.clone(), "the-first-key");
    let asked = tokio::spawn(async move { ask_for(&asking, "/endless", key).await });
    while shop.requests() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    ask_for(&shop, "/poems", "the-second-key").await.assert_problem(503, "paywall-full");
    release(&shop, key).await;
    ask_for(&shop, "/poems", "the-third-key").await.due();
    let stopped = timeout(Duration::from_secs(5), asked).await.unwrap().unwrap();
    stopped.assert_problem(409, "hold-ended");
}

/// Asks until there is a place, each time with another key. Returns the last one.
async fn ask_until_due(shop: &Shop, caller: usize) -> (Due, String) {
    for attempt in 0.. {
        let key = format!("the-key-{caller}-{attempt}");
        let answer = ask_for(shop, "/poems", &key).await;
        if answer.status == 402 {
            return (answer.due(), key);
        }
        assert!([429, 503].contains(&answer.status), "{}", answer.status);
        sleep(Duration::from_millis(5)).await;
    }
    unreachable!()
}

/// Buys an answer; each second caller gives up instead.
async fn call(shop: &Shop, caller: usize) {
    let (mut due, key) = ask_until_due(shop, caller).await;
    if caller % 2 == 1 {
        return release(shop, &key).await;
    }
    loop {
        let payment = pay(&due, due.expected.cumulative.0);
        let answer = send(shop, "/poems", &key, &payment).await;
        if answer.status == 200 {
            return;
        }
        due = answer.due();
    }
}

#[tokio::test]
async fn cancelled_callers_delay_no_others() {
    let shop = Shop::with(|config| config.unpaid = 4);
    let callers = join_all((0..200).map(|caller| call(&shop, caller)));
    // Holds of this engine never end by themselves.
    timeout(Duration::from_secs(20), callers).await.unwrap();
    assert_eq!(shop.owed(), 100 * 2 * PRICE);
}
