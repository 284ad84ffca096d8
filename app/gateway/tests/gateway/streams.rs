use std::time::Duration;

use motif_sdk::{
    fingerprint::content_digest,
    gateway::{
        GatewayError, IdempotencyKey, PaidRequest, PaidStream,
        wire::{
            BatchRequest, BatchedGeneration, Captured, Digest, Due, Payment, ReceiptParts,
            StreamEvent,
        },
    },
};
use reqwest::{Response, StatusCode};
use serde_json::json;

use crate::{
    sold::{Sold, due_of, session},
    world::{CHANNEL, on_postgres_too},
};

/// Returns a request for a story of this many tokens; ten are a unit.
fn story(sold: &Sold, tokens: u32) -> PaidRequest {
    sold.request("/stories", json!({ "prompt": "t", "tokens": tokens }))
}

async fn open(sold: &mut Sold, request: &PaidRequest) -> PaidStream {
    sold.session.stream(&sold.client, request).await.unwrap()
}

/// Waits for a condition, at most five seconds.
async fn until(mut what: impl AsyncFnMut() -> bool) {
    for _ in 0..250 {
        if what().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come to that");
}

/// Stream of events.
pub struct Raw {
    response: Response,
    buffered: String,
}

impl Raw {
    pub async fn open(sold: &Sold, request: &PaidRequest) -> Self {
        let payment = Payment::Ask(sold.ask(request)).to_header();
        let sent = reqwest::Client::new()
            .post(&request.url)
            .header(Payment::HEADER, payment)
            .header("idempotency-key", request.key.as_str())
            .header("content-type", "application/json")
            .body(request.body.clone());
        let response = sent.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffered: String::new() }
    }

    pub async fn next(&mut self) -> StreamEvent {
        loop {
            if let Some((event, rest)) = self.buffered.split_once("\n\n") {
                let (name, data) = event.split_once('\n').unwrap();
                let name = name.strip_prefix("event: ").unwrap();
                let data = data.strip_prefix("data: ").unwrap();
                let data: serde_json::Value = serde_json::from_str(data).unwrap();
                let event = serde_json::from_value(json!({ "event": name, "data": data }));
                self.buffered = rest.to_owned();
                return event.unwrap();
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.buffered.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    pub async fn due(&mut self) -> Due {
        match self.next().await {
            StreamEvent::Due(due) => *due,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn thousands_of_tokens_are_paid() {
    let mut sold = Sold::new().await;
    let request = story(&sold, 95);
    let mut stream = open(&mut sold, &request).await;
    let (mut text, mut receipts) = (Vec::new(), Vec::new());
    while let Some(part) = stream.next().await.unwrap() {
        assert_eq!(part.receipt.receipt.output_digest, content_digest(&part.body));
        assert!(part.receipt.verifies(&sold.world.operator()));
        text.extend(part.body);
        receipts.push(part.receipt);
    }
    let expected: String = (0..95).map(|token| format!("t-{token}\n")).collect();
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    assert_eq!(receipts.len(), 10, "five tokens are a ten that was begun");
    assert_eq!((sold.owed().await, sold.server.asked()), (1_020, 1));
    assert_eq!(sold.world.settle().await.unwrap()[0].receipts, 10);
}

#[tokio::test]
async fn stream_pauses_where_payment_ends() {
    let sold = Sold::new().await;
    let request = story(&sold, 1_000_000);
    let mut raw = Raw::open(&sold, &request).await;
    for part in 0..3 {
        let due = raw.due().await;
        assert_eq!((due.part, due.units, due.price.0), (part, 1, 100));
        // Nothing more arrives.
        let more = tokio::time::timeout(Duration::from_millis(200), raw.next()).await;
        assert!(more.is_err(), "{more:?}");
        assert_eq!(sold.owed().await, u64::from(part) * 102);
        let paid = sold.pay(&request, &due, sold.voucher().await).await;
        paid.assert_ok();
        let receipt: ReceiptParts = serde_json::from_slice(&paid.body).unwrap();
        let StreamEvent::Output(output) = raw.next().await else { panic!("no output") };
        assert_eq!((output.part, output.receipt), (part, receipt));
        assert_eq!(output.receipt.output_digest, due.output_digest);
    }
    // The model server did not run ahead: its output waits in small buffers.
    raw.due().await;
    assert!(sold.server.produced() < 1_000_000);
}

#[tokio::test]
async fn lost_client_charges_vouched_parts() {
    let mut sold = Sold::limited(5, |_| ()).await;
    let request = story(&sold, 1_000);
    let mut stream = open(&mut sold, &request).await;
    for _ in 0..2 {
        stream.next().await.unwrap().unwrap();
    }
    drop(stream);
    assert_eq!(sold.owed().await, 204);
    let second = story(&sold, 10);
    let mut raw = Raw::open(&sold, &second).await;
    raw.due().await;
    let other = session(&sold.world).await;
    let refused = other.generate(0, 3, [1; 32], [1; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("unit-cap"), "a unit is held for the stream that waits");
    drop(raw);
    until(async || other.generate(0, 3, [1; 32], [1; 32]).await.is_ok()).await;
}

#[tokio::test]
async fn unpaid_stream_ends() {
    let sold = Sold::limited(3, |paywall| paywall.pause_seconds = 1).await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    let due = raw.due().await;
    let over = tokio::time::timeout(Duration::from_secs(5), raw.response.chunk()).await;
    assert!(matches!(over, Ok(Ok(None))), "{over:?}");
    let late = sold.pay(&request, &due, sold.voucher().await).await;
    late.assert_problem(404, "unknown-answer");
    assert_eq!(sold.owed().await, 0);
    sold.assert_nothing_held(3).await;
}

#[tokio::test]
async fn replayed_voucher_advances_no_stream() {
    let sold = Sold::new().await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    let first_due = raw.due().await;
    let voucher = sold.voucher().await;
    sold.pay(&request, &first_due, voucher).await.assert_ok();
    let StreamEvent::Output(first) = raw.next().await else { panic!("no output") };
    let second_due = raw.due().await;
    for _ in 0..3 {
        let replayed = sold.pay(&request, &second_due, voucher).await;
        replayed.assert_problem(402, "payment-due");
        assert_eq!(due_of(&replayed).because.as_deref(), Some("voucher-not-newer"));
    }
    // A request for a paid part is a retry with the same bytes.
    let again = sold.pay(&request, &first_due, voucher).await;
    again.assert_ok();
    assert_eq!(content_digest(&again.body), first.receipt.output_digest.0);
    let more = tokio::time::timeout(Duration::from_millis(200), raw.next()).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!(sold.owed().await, 102);
    let begun = sold.send(&request, Some(&Payment::Ask(sold.ask(&request)))).await;
    begun.assert_problem(409, "stream-begun");
}

#[tokio::test]
async fn paid_part_survives_its_stream() {
    let sold = Sold::new().await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    let due = raw.due().await;
    let voucher = sold.voucher().await;
    sold.pay(&request, &due, voucher).await.assert_ok();
    drop(raw);
    let sold = sold.restarted().await;
    let request = PaidRequest { url: sold.url("/stories"), ..request };
    let kept = sold.pay(&request, &due, voucher).await;
    kept.assert_ok();
    assert_eq!(content_digest(&kept.body), due.output_digest.0);
    assert_eq!(sold.owed().await, 102);
}

#[tokio::test]
async fn broken_stream_charges_delivered_parts() {
    let mut sold = Sold::limited(5, |_| ()).await;
    let broken = json!({ "prompt": "t", "tokens": 50, "fail": "midway" });
    let request = sold.request("/stories", broken);
    let mut stream = open(&mut sold, &request).await;
    let mut parts = 0;
    let refused = loop {
        match stream.next().await {
            Ok(part) => parts += u64::from(part.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.slug(), Some("upstream-failed"));
    assert!(parts <= 2);
    assert_eq!(sold.owed().await, parts * 102);
    for (fail, slug) in [("error", "upstream-failed"), ("redirect", "upstream-failed")] {
        let request = sold.request("/stories", json!({ "prompt": "t", "fail": fail }));
        let refused = sold.session.stream(&sold.client, &request).await.err().unwrap();
        assert_eq!(refused.slug(), Some(slug));
    }
    sold.assert_nothing_held(5 - parts as u32).await;
}

#[tokio::test]
async fn settlement_does_not_end_stream() {
    let mut sold = Sold::new().await;
    let request = story(&sold, 40);
    let mut stream = open(&mut sold, &request).await;
    let mut parts = 0;
    while stream.next().await.unwrap().is_some() {
        parts += 1;
        if parts == 2 {
            sold.world.settle().await.unwrap();
        }
    }
    assert_eq!((parts, sold.session.statement(), sold.owed().await), (4, 1, 408));
}

#[tokio::test]
async fn concurrent_streams_are_capped() {
    let sold = Sold::with(|paywall| paywall.streams = 1).await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    raw.due().await;
    let other = story(&sold, 10);
    let refused = sold.send(&other, Some(&Payment::Ask(sold.ask(&other)))).await;
    refused.assert_problem(503, "paywall-full");
    drop(raw);
    let third = story(&sold, 10);
    until(async || {
        let third = PaidRequest { key: IdempotencyKey::random(), ..third.clone() };
        let payment = Payment::Ask(sold.ask(&third)).to_header();
        let sent = reqwest::Client::new()
            .post(&third.url)
            .header(Payment::HEADER, payment)
            .header("idempotency-key", third.key.as_str())
            .header("content-type", "application/json")
            .body(third.body.clone());
        sent.send().await.unwrap().status() == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn shutdown_ends_streams() {
    let sold = Sold::new().await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    raw.due().await;
    let Sold { world, .. } = sold;
    let stopping = tokio::spawn(world.gateway.shutdown());
    let StreamEvent::Failed(failure) = raw.next().await else { panic!("it goes on") };
    assert_eq!(failure.slug, "stopping");
    stopping.await.unwrap();
}

/// Returns the generation that pays for a due part.
fn of_part(due: &Due) -> BatchedGeneration {
    let (request, output) = (due.request_digest.0, due.output_digest.0);
    let one = BatchedGeneration::new(due.license, due.units, request, output);
    one.capturing(Captured::Part(due.answer))
}

#[tokio::test]
async fn killed_payer_fetches_its_paid_part() {
    let sold = Sold::new().await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    let first = raw.due().await;
    sold.pay(&request, &first, sold.voucher().await).await.assert_ok();
    let StreamEvent::Output(output) = raw.next().await else { panic!("no output") };
    let second = raw.due().await;
    // The payer pays at the gateway and is killed, before it shows the voucher to the paywall.
    let payer = session(&sold.world).await;
    let paid = payer.generate_batch(vec![of_part(&second)]).await.unwrap();
    drop(raw);
    assert_fetched(&sold, &request, [&output.receipt.output_digest, &second.output_digest]).await;
    // Also from the next process of the gateway.
    let sold = sold.restarted().await;
    let request = sold.here(&request);
    assert_fetched(&sold, &request, [&output.receipt.output_digest, &second.output_digest]).await;
    let part = sold.session.paid_part(&sold.client, &request, 1).await.unwrap().unwrap();
    assert_eq!(part.receipt, paid[0]);
}

/// Checks that only the payer of a stream has two parts again, and pays nothing.
async fn assert_fetched(sold: &Sold, request: &PaidRequest, digests: [&Digest; 2]) {
    let payer = session(&sold.world).await;
    let fetch = async |request: &PaidRequest, part| {
        payer.paid_part(&sold.client, request, part).await.unwrap()
    };
    for _ in 0..3 {
        for (part, digest) in (0..).zip(digests) {
            let returned = fetch(request, part).await.unwrap();
            assert_eq!(content_digest(&returned.body), digest.0);
        }
    }
    assert_eq!(fetch(request, 2).await, None);
    let other = PaidRequest { key: IdempotencyKey::random(), ..request.clone() };
    assert_eq!(fetch(&other, 0).await, None);
    let mut ask = sold.ask(request);
    ask.proof.signature.0[0] ^= 1;
    let again = request.clone().header(PaidStream::PART, "1");
    sold.send(&again, Some(&Payment::Ask(ask))).await.assert_problem(403, "not-by-payer");
    assert_eq!((sold.owed().await, sold.server.asked()), (204, 1));
}

#[tokio::test]
async fn voucher_for_a_gone_part_is_refused() {
    let sold = Sold::new().await;
    let request = story(&sold, 1_000);
    let mut raw = Raw::open(&sold, &request).await;
    let first = raw.due().await;
    sold.pay(&request, &first, sold.voucher().await).await.assert_ok();
    let StreamEvent::Output(_) = raw.next().await else { panic!("no output") };
    let second = raw.due().await;
    drop(raw);
    // The voucher of a payer that was killed arrives when the part is gone.
    let gone = Due { answer: Digest([9; 32]), ..second.clone() };
    let plain = BatchedGeneration::new(0, 1, [1; 32], [1; 32]);
    for (generations, slug) in
        [(vec![of_part(&gone)], "hold-ended"), (vec![plain, of_part(&gone)], "batch-items")]
    {
        let voucher = sold.world.next_request().await.voucher;
        let batch = BatchRequest { voucher, generations };
        let client = sold.world.client();
        let refused = client.generate_batch(&CHANNEL, &IdempotencyKey::random(), &batch).await;
        let Err(GatewayError::Refused(problem)) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.slug, slug);
        let items: Vec<_> = problem.items.iter().map(|item| (item.item, &item.slug[..])).collect();
        assert!(items.is_empty() || items == [(1, "hold-ended")], "{items:?}");
    }
    assert_eq!(sold.owed().await, 102);
    // The part that is there is paid for once.
    let payer = session(&sold.world).await;
    let paid = payer.generate_batch(vec![of_part(&second)]).await.unwrap();
    let part = payer.paid_part(&sold.client, &request, 1).await.unwrap().unwrap();
    assert_eq!((part.receipt, sold.owed().await), (paid[0], 204));
}

on_postgres_too! {
    killed_payer_fetches_its_paid_part,
    voucher_for_a_gone_part_is_refused,
    thousands_of_tokens_are_paid,
    stream_pauses_where_payment_ends,
    lost_client_charges_vouched_parts,
    unpaid_stream_ends,
    replayed_voucher_advances_no_stream,
    paid_part_survives_its_stream,
    broken_stream_charges_delivered_parts,
    settlement_does_not_end_stream,
    concurrent_streams_are_capped,
    shutdown_ends_streams,
}
