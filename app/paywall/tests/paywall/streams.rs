use std::time::Duration;

use axum::{body::BodyDataStream, extract::Request};
use futures::StreamExt;
use motif_sdk::gateway::{
    PaidStream,
    wire::{
        AskToPay, Due, HoldState, Payment, ReceiptParts, SignatureHex, StreamEnd, StreamEvent,
        StreamedPart,
    },
};
use serde_json::{Value, json};

use crate::{
    engine::PRICE,
    shop::{Answer, KEY, Shop, ask, pay, voucher},
};

/// Returns the next event of a stream, or `None` at its end.
async fn next(events: &mut BodyDataStream) -> Option<StreamEvent> {
    let bytes = events.next().await?.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (name, data) = text.trim_end().split_once('\n').unwrap();
    let name = name.strip_prefix("event: ").unwrap();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    Some(serde_json::from_value(json!({ "event": name, "data": data })).unwrap())
}

async fn next_due(events: &mut BodyDataStream) -> Due {
    match next(events).await {
        Some(StreamEvent::Due(due)) => *due,
        other => panic!("expected a payment that is due, not {other:?}"),
    }
}

async fn next_part(events: &mut BodyDataStream) -> StreamedPart {
    match next(events).await {
        Some(StreamEvent::Output(part)) => *part,
        other => panic!("expected a part, not {other:?}"),
    }
}

#[tokio::test]
async fn each_part_waits_for_payment() {
    let shop = Shop::new();
    let payment = Payment::Ask(ask(1, Some(voucher(PRICE))));
    let opened = shop.open("/stories", Some(&payment), "").await;
    assert_eq!(opened.headers()["content-type"], "text/event-stream");
    let mut events = opened.into_body().into_data_stream();
    assert_eq!((next_part(&mut events).await.part, shop.owed()), (0, PRICE));
    let due = next_due(&mut events).await;
    assert_eq!((due.part, due.units), (1, 1));
    let receipt = shop.send("/stories", Some(&pay(&due, 2 * PRICE)), "").await;
    assert_eq!(receipt.status, 200);
    let part = next_part(&mut events).await;
    assert_eq!((part.part, &part.body[..]), (1, "dXBvbgo="));
    let Some(StreamEvent::End(StreamEnd { parts, units, .. })) = next(&mut events).await else {
        panic!("expected the end")
    };
    assert_eq!((parts, units, shop.owed()), (2, 2, 2 * PRICE));
    assert!(next(&mut events).await.is_none());
}

#[tokio::test]
async fn unpaid_stream_ends_without_output() {
    let shop = Shop::with(|config| config.pause_seconds = 1);
    let payment = Payment::Ask(ask(1, None));
    let opened = shop.open("/stories", Some(&payment), "").await;
    let mut events = opened.into_body().into_data_stream();
    assert_eq!(next_due(&mut events).await.part, 0);
    assert!(next(&mut events).await.is_none());
    assert_eq!(shop.owed(), 0);
    let state = shop.engine.state();
    assert!(state.holds.values().all(|held| held.state == HoldState::Released));
}

/// Asks for a part again.
async fn again(shop: &Shop, part: &str, ask: AskToPay, key: &str, body: &'static str) -> Answer {
    let payment = Payment::Ask(ask).to_header();
    let request = Request::post("/stories").header("idempotency-key", key);
    let request = request.header(Payment::HEADER, payment).header(PaidStream::PART, part);
    Answer::of(shop.call(request.body(body.into()).unwrap()).await).await
}

#[tokio::test]
async fn paid_part_is_returned_to_its_payer() {
    let shop = Shop::new();
    let payment = Payment::Ask(ask(1, Some(voucher(PRICE))));
    let mut events = shop.open("/stories", Some(&payment), "").await.into_body().into_data_stream();
    let first = next_part(&mut events).await;
    let due = next_due(&mut events).await;
    assert_eq!(shop.send("/stories", Some(&pay(&due, 2 * PRICE)), "").await.status, 200);
    // The payer is killed: it has not read the part that it has paid for.
    drop(events);
    for _ in 0..3 {
        for (part, text, digest) in
            [("0", "once\n", first.receipt.output_digest), ("1", "upon\n", due.output_digest)]
        {
            let returned = again(&shop, part, ask(1, None), KEY, "").await;
            assert_eq!((returned.status, &returned.body[..]), (200, text.as_bytes()));
            let header = returned.headers[ReceiptParts::HEADER].to_str().unwrap();
            assert_eq!(ReceiptParts::from_header(header).unwrap().output_digest, digest);
        }
    }
    assert_eq!((shop.owed(), shop.requests()), (2 * PRICE, 1));
    // Another payer is refused, and so is a part that was not paid for.
    let mut forged = ask(1, None);
    forged.proof.signature = SignatureHex([8; 64]);
    again(&shop, "1", forged, KEY, "").await.assert_problem(403, "not-by-payer");
    let other = again(&shop, "1", ask(1, None), "another-request-key", "").await;
    other.assert_problem(404, "unknown-answer");
    let other = again(&shop, "1", ask(1, None), KEY, "another body").await;
    other.assert_problem(409, "hold-mismatch");
    again(&shop, "2", ask(1, None), KEY, "").await.assert_problem(404, "unknown-answer");
    for malformed in ["-1", "", "4294967296", "one"] {
        let refused = again(&shop, malformed, ask(1, None), KEY, "").await;
        refused.assert_problem(400, "payment-malformed");
    }
    assert_eq!((shop.owed(), shop.requests()), (2 * PRICE, 1));
}

#[tokio::test]
async fn unpaid_part_is_not_returned() {
    let shop = Shop::new();
    let payment = Payment::Ask(ask(1, Some(voucher(PRICE))));
    let mut events = shop.open("/stories", Some(&payment), "").await.into_body().into_data_stream();
    next_part(&mut events).await;
    let due = next_due(&mut events).await;
    let refused = again(&shop, "1", ask(1, None), KEY, "").await;
    refused.assert_problem(404, "unknown-answer");
    assert!(shop.engine.is_payable(due.answer.0));
    drop(events);
    // Its payer can still pay for it and has it then.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(shop.engine.is_payable(due.answer.0));
    let paid = shop.send("/stories", Some(&pay(&due, 2 * PRICE)), "").await;
    assert_eq!((paid.status, &paid.body[..]), (200, &b"upon\n"[..]));
    assert!(!shop.engine.is_payable(due.answer.0), "it is paid for");
    assert!(!shop.engine.is_payable([9; 32]));
}

#[tokio::test]
async fn part_paid_elsewhere_survives_pause() {
    let shop = Shop::with(|config| config.pause_seconds = 1);
    let payment = Payment::Ask(ask(1, Some(voucher(PRICE))));
    let mut events = shop.open("/stories", Some(&payment), "").await.into_body().into_data_stream();
    next_part(&mut events).await;
    let due = next_due(&mut events).await;
    // The gateway has the voucher, and the paywall is not shown it in time.
    shop.engine.pay_elsewhere(&due);
    assert!(next(&mut events).await.is_none());
    let returned = again(&shop, "1", ask(1, None), KEY, "").await;
    assert_eq!((returned.status, &returned.body[..]), (200, &b"upon\n"[..]));
    assert_eq!(shop.owed(), 2 * PRICE);
}
