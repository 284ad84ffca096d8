//! A second process takes the channel over during a stream,
//! a hold or an answer of the first. The process that stores a paid answer delivers it, and nothing
//! is paid for twice.

use std::time::Duration;

use motif_sdk::{
    fingerprint::content_digest,
    gateway::{
        PaidRequest,
        wire::{NewApiKey, Payment, ScopeWord, SignatureHex, StreamEvent},
    },
};
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    sold::{Sold, session},
    streams::Raw,
    world::{CHANNEL, on_a_server, with_admin},
};

/// Two processes with a paywall for the same server; the first holds the channel, which has a
/// license for this many units. No lease ends during a test.
async fn two(units: u64) -> Option<(Sold, Sold)> {
    if !on_a_server() {
        return None;
    }
    let first = Sold::configured(
        units,
        |_| (),
        |config| {
            with_admin(config);
            config.lease = Duration::from_secs(600);
        },
    );
    let first = first.await;
    let second = first.second().await;
    Some((first, second))
}

impl Sold {
    async fn assert_exact(&self) {
        let books = self.world.admin().reconcile().await.unwrap();
        assert!(books.exact, "{books:?}");
        assert_eq!(books.channels.len(), 1);
    }
}

#[tokio::test]
async fn takeover_charges_delivered_parts() {
    let Some((first, second)) = two(5).await else { return };
    let request = first.request("/stories", json!({ "prompt": "t", "tokens": 1_000 }));
    let mut raw = Raw::open(&first, &request).await;
    let first_due = raw.due().await;
    let voucher = first.voucher().await;
    first.pay(&request, &first_due, voucher).await.assert_ok();
    let StreamEvent::Output(output) = raw.next().await else { panic!("no output") };
    let next_due = raw.due().await;

    second.world.take_over().await;
    let refused = first.pay(&request, &next_due, second.voucher().await).await;
    refused.assert_problem(421, "channel-held-elsewhere");
    assert_eq!(refused.problem().holder, Some(second.world.gateway.url()));
    assert_eq!(second.owed().await, 102, "an undelivered part is not charged");
    // Nothing more arrives without payment.
    let more = tokio::time::timeout(Duration::from_millis(200), raw.next()).await;
    assert!(more.is_err(), "{more:?}");
    drop(raw);

    // The payer gets the paid answer again from the process that stores it.
    let again = first.pay(&request, &first_due, voucher).await;
    again.assert_ok();
    assert_eq!(content_digest(&again.body), output.receipt.output_digest.0);
    let mut forged = voucher;
    forged.signature = [7; 64];
    first.pay(&request, &first_due, forged).await.assert_problem(422, "voucher-signature");
    second.assert_nothing_held(4).await;
    second.assert_exact().await;
    assert_eq!(second.world.settle().await.unwrap()[0].receipts, 2);
}

#[tokio::test]
async fn takeover_charges_part_at_most_once() {
    for _ in 0..5 {
        let Some((first, second)) = two(100).await else { return };
        let request = first.request("/stories", json!({ "prompt": "t", "tokens": 1_000 }));
        let mut raw = Raw::open(&first, &request).await;
        let due = raw.due().await;
        let voucher = first.voucher().await;
        let (paid, ()) = tokio::join!(first.pay(&request, &due, voucher), second.world.take_over());
        let owed = second.owed().await;
        match paid.status {
            StatusCode::OK => assert_eq!(owed, 102),
            _ => {
                paid.assert_problem(421, "channel-held-elsewhere");
                assert_eq!(owed, 0);
            }
        }
        // The payer's next voucher continues from the holder's state.
        let session = session(&second.world).await;
        session.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
        assert_eq!(second.owed().await, owed + 102);
        second.assert_exact().await;
    }
}

#[tokio::test]
async fn dead_processs_stream_continues() {
    let Some((first, mut second)) = two(5).await else { return };
    let request = first.request("/stories", json!({ "prompt": "t", "tokens": 1_000 }));
    let mut raw = Raw::open(&first, &request).await;
    let due = raw.due().await;
    first.pay(&request, &due, first.voucher().await).await.assert_ok();
    let StreamEvent::Output(_) = raw.next().await else { panic!("no output") };
    raw.due().await;
    drop(first);
    second.world.take_over().await;
    assert_eq!(second.owed().await, 102);
    second.session = session(&second.world).await;
    let request = second.request("/stories", json!({ "prompt": "t", "tokens": 20 }));
    let mut stream = second.session.stream(&second.client, &request).await.unwrap();
    while stream.next().await.unwrap().is_some() {}
    assert_eq!(second.owed().await, 306);
    second.assert_nothing_held(2).await;
    second.assert_exact().await;
}

#[tokio::test]
async fn hold_survives_takeover() {
    let Some((first, second)) = two(9).await else { return };
    let [kept, spent] = [[1; 32], [2; 32]];
    let held = first.session.hold(0, 4, kept, 300).await.unwrap();
    let given_up = first.session.hold(0, 5, spent, 300).await.unwrap();
    second.world.take_over().await;
    // Held units stay reserved at the next process.
    let other = session(&second.world).await;
    let refused = other.generate(0, 1, [3; 32], [3; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("unit-cap"));
    let payer = session(&second.world).await;
    payer.release(&given_up).await.unwrap();
    let receipt = payer.capture(&held, 3, [4; 32]).await.unwrap();
    assert_eq!((receipt.receipt.units, second.owed().await), (3, 306));
    let again = payer.capture(&held, 1, [4; 32]).await.unwrap_err();
    assert_eq!(again.slug(), Some("idempotency-key-reused"));
    second.assert_nothing_held(6).await;
    second.assert_exact().await;
}

#[tokio::test]
async fn unpaid_answer_is_remade() {
    let Some((first, mut second)) = two(9).await else { return };
    let request = first.request("/images", json!({ "prompt": "New York" }));
    let due = first.due(&request).await;
    second.world.take_over().await;
    let refused = first.pay(&request, &due, second.voucher().await).await;
    refused.assert_problem(421, "channel-held-elsewhere");
    let refused = first.send(&request, Some(&Payment::Ask(first.ask(&request)))).await;
    refused.assert_problem(421, "channel-held-elsewhere");
    second.session = session(&second.world).await;
    let here = second.here(&request);
    second.fetch(&here).await.unwrap();
    assert_eq!((second.owed().await, second.server.asked()), (102, 2));
    second.assert_nothing_held(8).await;
    second.assert_exact().await;
}

#[tokio::test]
async fn paid_answer_is_served_where_kept() {
    let Some((mut first, second)) = two(9).await else { return };
    let request = first.request("/images", json!({ "prompt": "New York" }));
    let paid = first.fetch(&request).await.unwrap();
    second.world.take_over().await;
    // The first learns of it and stops serving the channel.
    let refused = first.world.admin().settle(&CHANNEL).await.unwrap_err();
    assert!(["channel-moving", "channel-held-elsewhere"].contains(&refused.slug().unwrap()));
    let asked = Payment::Ask(first.ask(&request));
    for _ in 0..2 {
        let again = first.send(&request, Some(&asked)).await;
        again.assert_ok();
        assert_eq!(again.body, paid.body);
        assert!(again.headers.contains_key("motif-receipt"));
    }
    let mut forged = first.ask(&request);
    forged.proof.signature = SignatureHex([7; 64]);
    let forged = first.send(&request, Some(&Payment::Ask(forged))).await;
    forged.assert_problem(403, "not-by-payer");
    let other = PaidRequest { body: b"{\"prompt\":\"Boston\"}".to_vec(), ..request.clone() };
    first.send(&other, Some(&asked)).await.assert_problem(403, "not-by-payer");
    assert_eq!((second.owed().await, second.server.asked()), (102, 1));
    second.assert_exact().await;
}

#[tokio::test]
async fn api_key_works_at_every_paywall() {
    let Some((first, second)) = two(9).await else { return };
    let key = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Meter],
        channels: vec![],
        budget: None,
        expires_at: None,
    };
    let created = second.world.admin().create_api_key(&key).await.unwrap();
    let mut request = first.request("/pictures", json!({ "prompt": "New York" }));
    request.headers.push(("motif-api-key".into(), created.token));
    let mut ask = first.ask(&request);
    ask.voucher = Some(first.voucher().await);
    first.send(&request, Some(&Payment::Ask(ask))).await.assert_ok();
}
