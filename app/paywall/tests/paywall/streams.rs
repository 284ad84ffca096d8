use axum::body::BodyDataStream;
use futures::StreamExt;
use motif_sdk::gateway::wire::{Due, HoldState, Payment, StreamEnd, StreamEvent, StreamedPart};
use serde_json::{Value, json};

use crate::{
    engine::PRICE,
    shop::{Shop, ask, pay, voucher},
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
