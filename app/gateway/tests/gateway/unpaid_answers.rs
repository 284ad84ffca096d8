use std::time::Duration;

use motif_gateway::AdminConfig;
use motif_sdk::gateway::{
    GatewayError, IdempotencyKey, PaidRequest, PayerAction, PayerRequest, hold_id,
    wire::{Address, HoldFacts, HoldState, PayerProof, Payment, ReleaseRequest, SignatureHex},
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    sold::{Sold, due_of, now, pay_for},
    world::{CHANNEL, foreign_key, on_postgres_too, voucher_key},
};

fn ask(sold: &Sold, request: &PaidRequest) -> Payment {
    Payment::Ask(sold.ask(request))
}

#[tokio::test]
async fn payment_is_bound_to_request() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let payment = ask(&sold, &request);
    let others = [
        PaidRequest { url: sold.url("/images?size=9"), ..request.clone() },
        PaidRequest { body: b"{\"prompt\":\"Boston\"}".to_vec(), ..request.clone() },
        PaidRequest { key: IdempotencyKey::random(), ..request.clone() },
    ];
    for other in others {
        sold.send(&other, Some(&payment)).await.assert_problem(403, "not-by-payer");
    }
    assert_eq!(sold.server.asked(), 0);
    let due = sold.due(&request).await;
    let voucher = sold.voucher().await;
    let elsewhere = PaidRequest { url: sold.url("/pictures"), ..request.clone() };
    sold.pay(&elsewhere, &due, voucher).await.assert_problem(409, "hold-mismatch");
    assert_eq!((sold.owed().await, sold.server.asked()), (0, 1));
    sold.pay(&request, &due, voucher).await.assert_ok();
}

#[tokio::test]
async fn only_payer_starts_generation() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let mut forged = sold.ask(&request);
    forged.proof.signature = SignatureHex([7; 64]);
    let forged = sold.send(&request, Some(&Payment::Ask(forged))).await;
    forged.assert_problem(403, "not-by-payer");
    let mut other = sold.ask(&request);
    other.units = 3;
    let other = sold.send(&request, Some(&Payment::Ask(other))).await;
    other.assert_problem(403, "not-by-payer");
    assert_eq!(sold.server.asked(), 0);
}

#[tokio::test]
async fn wrong_total_pays_nothing() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York", "count": 2 }));
    let due = sold.due(&request).await;
    // A voucher for one unit, although two were used.
    let answer = sold.pay(&request, &due, sold.voucher().await).await;
    answer.assert_problem(402, "payment-due");
    let again = due_of(&answer);
    assert_eq!(again.because.as_deref(), Some("wrong-price"));
    assert_eq!((again.units, again.expected.cumulative.0), (2, 204));
    let mut forged = sold.voucher().await;
    forged.voucher.cumulative = 204;
    sold.pay(&request, &due, forged).await.assert_problem(422, "voucher-signature");
    let foreign = forged.voucher;
    let foreign = motif_sdk::voucher::SignedVoucher::sign(foreign, &foreign_key());
    let foreign = sold.pay(&request, &due, foreign).await;
    foreign.assert_problem(422, "voucher-signature");
    assert_eq!(sold.owed().await, 0);
}

#[tokio::test]
async fn cheaper_capture_releases_no_answer() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York", "count": 3 }));
    let due = sold.due(&request).await;
    let paid = sold.voucher_for(&due);
    // One of the three units, at the gateway's own interface.
    let mut cheap = sold.world.next_request().await;
    (cheap.request_digest, cheap.output_digest) = (due.request_digest, due.output_digest);
    let path = format!("/v1/holds/{}/capture", due.answer);
    let body = serde_json::to_vec(&cheap).unwrap();
    sold.world.send(Method::POST, &path, None, Some(body.into())).await.assert_ok();
    assert_eq!(sold.owed().await, 102);
    for voucher in [paid, cheap.voucher] {
        sold.pay(&request, &due, voucher).await.assert_problem(409, "hold-captured");
    }
    sold.send(&request, Some(&ask(&sold, &request))).await.assert_problem(409, "hold-captured");
    let sold = sold.restarted().await;
    let request = PaidRequest { url: sold.url("/images"), ..request };
    sold.pay(&request, &due, cheap.voucher).await.assert_problem(409, "hold-captured");
    assert_eq!(sold.owed().await, 102);
}

#[tokio::test]
async fn one_voucher_releases_one_answer() {
    for _ in 0..5 {
        let sold = Sold::new().await;
        let one = sold.request("/images", json!({ "prompt": "New York" }));
        let other = sold.request("/images", json!({ "prompt": "Boston" }));
        let (one_due, other_due) = (sold.due(&one).await, sold.due(&other).await);
        let voucher = sold.voucher().await;
        let (first, second) =
            tokio::join!(sold.pay(&one, &one_due, voucher), sold.pay(&other, &other_due, voucher));
        let paid = [&first, &second].into_iter().filter(|answer| answer.status == StatusCode::OK);
        assert_eq!(paid.count(), 1);
        let loser = if first.status == StatusCode::OK { second } else { first };
        loser.assert_problem(402, "payment-due");
        assert_eq!(due_of(&loser).because.as_deref(), Some("voucher-not-newer"));
        assert_eq!(sold.owed().await, 102);
    }
}

#[tokio::test]
async fn later_voucher_fetches_no_paid_answer() {
    let sold = Sold::new().await;
    let one = sold.request("/images", json!({ "prompt": "New York" }));
    let other = sold.request("/images", json!({ "prompt": "Boston" }));
    let due = sold.due(&one).await;
    let paying = sold.voucher_for(&due);
    sold.pay(&one, &due, paying).await.assert_ok();
    let other_due = sold.due(&other).await;
    let newest = sold.voucher_for(&other_due);
    sold.pay(&other, &other_due, newest).await.assert_ok();
    // A client that has intercepted the newest voucher gets the answer that it paid for only.
    sold.pay(&one, &due, newest).await.assert_problem(409, "idempotency-key-reused");
    sold.pay(&one, &due, paying).await.assert_ok();
    // The payer proves itself afresh.
    sold.send(&one, Some(&ask(&sold, &one))).await.assert_ok();
    assert_eq!(sold.owed().await, 204);
}

#[tokio::test]
async fn upstream_failure_is_not_charged() {
    let mut sold = Sold::limited(4, |_| ()).await;
    for (fail, slug) in [
        ("error", "upstream-failed"),
        ("redirect", "upstream-failed"),
        ("midway", "upstream-failed"),
        ("hang", "upstream-timeout"),
        ("endless", "answer-too-large"),
        ("lie", "units-above-held"),
        ("silent", "units-missing"),
    ] {
        let request = sold.request("/images", json!({ "prompt": "New York", "fail": fail }));
        let refused = sold.fetch(&request).await.unwrap_err();
        assert_eq!(refused.slug(), Some(slug), "{fail}");
        assert!(!refused.to_string().contains("secret cause"), "{refused}");
        // Its key belongs to the failed request.
        let again = sold.fetch(&request).await.unwrap_err();
        assert_eq!(again.slug(), Some("hold-ended"), "{fail}");
        assert_eq!(sold.owed().await, 0, "{fail}");
    }
    let request = sold.request("/pictures", json!({ "prompt": "New York", "fail": "error" }));
    let refused = sold.fetch(&request).await.unwrap_err();
    assert_eq!(refused.slug(), Some("upstream-failed"));
    assert!(!sold.session.is_unanswered());
    assert_eq!(sold.owed().await, 0);
    sold.assert_nothing_held(4).await;
}

#[tokio::test]
async fn upstream_rejection_costs_nothing() {
    let mut sold = Sold::limited(4, |_| ()).await;
    let request = sold.request("/images", json!({ "prompt": "New York", "fail": "refuse" }));
    let refused = sold.fetch(&request).await.unwrap_err();
    let GatewayError::ServerRefused { status: 422, text, .. } = refused else {
        panic!("{refused}")
    };
    assert_eq!(text, "this prompt is too odd");
    assert_eq!(sold.owed().await, 0);
    sold.assert_nothing_held(4).await;
}

#[tokio::test]
async fn lost_client_finds_its_answer() {
    let mut sold = Sold::new().await;
    let request = sold.request("/pictures", json!({ "prompt": "New York", "fail": "held" }));
    let mut first = sold.ask(&request);
    first.voucher = Some(sold.voucher().await);
    let first = Payment::Ask(first);
    tokio::select! {
        answer = sold.send(&request, Some(&first)) => panic!("{} before the end", answer.status),
        () = sold.server.wait_for_asked(1) => {} // The client disconnects.
    }
    let running = sold.send(&request, Some(&first)).await;
    running.assert_problem(409, "answer-running");
    assert_eq!(running.headers["retry-after"], "1");
    sold.server.release();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(sold.owed().await, 0);
    let answer = sold.fetch(&request).await.unwrap();
    assert_eq!(answer.receipt.receipt.units, 1);
    assert_eq!((sold.owed().await, sold.server.asked()), (102, 1));
}

#[tokio::test]
async fn unpaid_answers_are_capped() {
    let mut sold = Sold::with(|paywall| paywall.unpaid = 2).await;
    let mut dues = Vec::new();
    for prompt in ["New York", "Boston"] {
        let request = sold.request("/images", json!({ "prompt": prompt }));
        dues.push((sold.due(&request).await, request));
    }
    let third = sold.request("/images", json!({ "prompt": "Chicago" }));
    let refused = sold.send(&third, Some(&ask(&sold, &third))).await;
    refused.assert_problem(429, "too-many-unpaid");
    assert_eq!(sold.server.asked(), 2);
    let (due, request) = &dues[0];
    sold.pay(request, due, sold.voucher().await).await.assert_ok();
    sold.session = crate::sold::session(&sold.world).await;
    let fourth = sold.request("/images", json!({ "prompt": "Chicago" }));
    sold.fetch(&fourth).await.unwrap();
}

/// Releases the hold of a request as its payer.
async fn release(sold: &Sold, request: &PaidRequest) -> Result<HoldFacts, GatewayError> {
    let channel = sold.world.chain.channel_account().channel;
    let hold = hold_id(&CHANNEL, channel.opened_slot, &request.key);
    let release = PayerRequest::new(PayerAction::Release(hold), &CHANNEL, &channel);
    let proof = PayerProof::from(&release.sign(&voucher_key()));
    let request = ReleaseRequest { channel: Address(CHANNEL), proof };
    sold.world.client().release(&hold, &request).await
}

#[tokio::test]
async fn released_hold_frees_its_place() {
    let sold = Sold::with(|paywall| (paywall.unpaid, paywall.running) = (1, 1)).await;
    let first = sold.request("/images", json!({ "prompt": "New York" }));
    let due = sold.due(&first).await;
    let refused = sold.request("/images", json!({ "prompt": "Boston" }));
    let answer = sold.send(&refused, Some(&ask(&sold, &refused))).await;
    answer.assert_problem(429, "too-many-unpaid");
    for _ in 0..2 {
        assert_eq!(release(&sold, &first).await.unwrap().state, HoldState::Released);
    }
    sold.pay(&first, &due, sold.voucher().await).await.assert_problem(404, "unknown-answer");
    // The next one is stopped while the server makes its answer.
    let held = sold.request("/images", json!({ "prompt": "Boston", "fail": "held" }));
    let payment = ask(&sold, &held);
    let (stopped, _) = tokio::join!(sold.send(&held, Some(&payment)), async {
        sold.server.wait_for_asked(2).await;
        release(&sold, &held).await.unwrap()
    });
    stopped.assert_problem(409, "hold-ended");
    let last = sold.request("/images", json!({ "prompt": "Chicago" }));
    let due = sold.due(&last).await;
    sold.pay(&last, &due, sold.voucher_for(&due)).await.assert_ok();
    let captured = release(&sold, &last).await.unwrap_err();
    assert_eq!(captured.slug(), Some("hold-captured"));
    sold.send(&last, Some(&ask(&sold, &last))).await.assert_ok();
    assert_eq!(sold.owed().await, 102);
}

#[tokio::test]
async fn spool_room_is_capped() {
    let mut sold = Sold::with(|paywall| {
        paywall.keep_bytes = 200_000;
        paywall.running = 1;
    })
    .await;
    let held = sold.request("/images", json!({ "prompt": "New York", "fail": "held" }));
    let other = sold.request("/images", json!({ "prompt": "Boston" }));
    let held_payment = ask(&sold, &held);
    let (first, second) = tokio::join!(sold.send(&held, Some(&held_payment)), async {
        sold.server.wait_for_asked(1).await;
        let refused = sold.send(&other, Some(&ask(&sold, &other))).await;
        sold.server.release();
        refused
    });
    first.assert_problem(402, "payment-due");
    second.assert_problem(503, "paywall-full");
    let next = sold.request("/pictures", json!({ "prompt": "New York" }));
    assert_eq!(sold.fetch(&next).await.unwrap_err().slug(), Some("paywall-full"));
    // A delivered answer makes room, each for the next one.
    let due = due_of(&first);
    sold.pay(&held, &due, sold.voucher_for(&due)).await.assert_ok();
    sold.session = crate::sold::session(&sold.world).await;
    let owed = sold.owed().await;
    for number in 0..20 {
        let prompt = format!("New York no. {number}");
        let request = sold.request("/pictures", json!({ "prompt": prompt }));
        sold.fetch(&request).await.unwrap();
    }
    assert_eq!(sold.owed().await, owed + 20 * 102);
}

#[tokio::test]
async fn mismatched_request_stays_local() {
    let sold = Sold::limited(4, |_| ()).await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let send = async |request: &PaidRequest| sold.send(request, Some(&ask(&sold, request))).await;
    let too_many = motif_sdk::gateway::PaidUnits::AtMost(5);
    let too_many = PaidRequest { units: too_many, ..request.clone() };
    send(&too_many).await.assert_problem(422, "hold-units");
    let short = PaidRequest { expires_at: now() + 20, ..request.clone() };
    send(&short).await.assert_problem(422, "hold-too-short");
    let unknown = PaidRequest { license: 1, ..request.clone() };
    send(&unknown).await.assert_problem(404, "unknown-license");
    let long = PaidRequest { body: vec![b' '; 1_001], ..request.clone() };
    send(&long).await.assert_problem(413, "body-too-large");
    // Without a payment the body is not read, and the work has no price.
    sold.send(&long, None).await.assert_problem(404, "unknown-work");
    let train = payments::License { licensed_use: 3, ..crate::world::license(100) };
    let channel = crate::world::CHANNEL;
    sold.world.chain.state().channels.get_mut(&channel).unwrap().licenses.push(train);
    sold.world.client().open_channel(&channel).await.unwrap();
    send(&unknown).await.assert_problem(422, "other-license");
    for (header, slug) in [("e30", "payment-malformed"), ("", "payment-malformed")] {
        let sent = reqwest::Client::new().post(&request.url).header(Payment::HEADER, header);
        crate::world::Answer::to(sent).await.assert_problem(400, slug);
    }
    let twice = reqwest::Client::new().post(&request.url);
    let payment = ask(&sold, &request).to_header();
    let twice = twice.header(Payment::HEADER, &payment).header(Payment::HEADER, &payment);
    crate::world::Answer::to(twice).await.assert_problem(400, "payment-malformed");
    let keyless = reqwest::Client::new().post(&request.url).header(Payment::HEADER, &payment);
    let keyless = crate::world::Answer::to(keyless).await;
    keyless.assert_problem(400, "idempotency-key-missing");
    assert_eq!(sold.server.asked(), 0);
    sold.assert_nothing_held(4).await;
}

#[tokio::test]
async fn missing_answer_is_not_charged() {
    let sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let mut due = sold.due(&request).await;
    due.answer.0[0] ^= 1;
    let unknown = sold.pay(&request, &due, sold.voucher().await).await;
    unknown.assert_problem(404, "unknown-answer");
    due.answer.0[0] ^= 1;
    let Payment::Pay(mut other) = pay_for(&due, sold.voucher().await) else { panic!() };
    other.channel.0 = crate::world::MINT;
    let other = sold.send(&request, Some(&Payment::Pay(other))).await;
    other.assert_problem(404, "unknown-answer");
    assert_eq!(sold.owed().await, 0);
}

#[tokio::test]
async fn upstream_headers_are_filtered() {
    let mut sold = Sold::new().await;
    let request = sold.request("/images", json!({ "prompt": "New York", "fail": "forge" }));
    let answer = sold.fetch(&request).await.unwrap();
    assert!(answer.receipt.verifies(&sold.world.operator()));
    let again = sold.send(&request, Some(&ask(&sold, &request))).await;
    assert_eq!(again.headers["cache-control"], "no-store");
    assert_eq!(again.headers.get_all("motif-receipt").iter().count(), 1);
}

#[tokio::test]
async fn ambiguous_path_is_rejected() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sold = Sold::new().await;
    let host = sold.url("").replace("http://", "");
    for target in ["/health/../images", "/%2e%2e/images", "//images", "/echo/..%2fimages"] {
        let mut socket = tokio::net::TcpStream::connect(&host).await.unwrap();
        let request =
            format!("POST {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{target}: {answer}");
        assert!(answer.contains("invalid-path"), "{target}: {answer}");
    }
    // A request cannot choose the server.
    let mut socket = tokio::net::TcpStream::connect(&host).await.unwrap();
    let request =
        "GET http://127.0.0.1:1/health HTTP/1.1\r\nhost: 127.0.0.1:1\r\nconnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("well"), "the one server there is answers: {answer}");
    assert_eq!(sold.server.asked(), 0);
}

#[tokio::test]
async fn payment_without_required_key_fails() {
    let mut sold = Sold::new().await;
    sold.world.config.api_keys_required = true;
    sold.world.config.admin = Some(AdminConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        secret: crate::world::SECRET.parse().unwrap(),
    });
    let Sold { world, server, client, session, .. } = &mut sold;
    let _ = (server, client, session);
    let folder = tempfile::tempdir().unwrap();
    world.config.store = folder.path().join("gateway.sqlite").into();
    world.config.paywall.as_mut().unwrap().paywall.spool = folder.path().join("spool");
    let gateway = motif_gateway::serve_with(world.config.clone(), world.chain.clone()).await;
    let old = std::mem::replace(&mut world.gateway, gateway.unwrap());
    old.shutdown().await;
    world.gateway.app().sync.open(crate::world::CHANNEL).await.unwrap();
    let request = sold.request("/images", json!({ "prompt": "New York" }));
    let refused = sold.send(&request, Some(&ask(&sold, &request))).await;
    refused.assert_problem(401, "unauthorized");
    let wrong = PaidRequest {
        headers: vec![("motif-api-key".into(), "motif_0_wrong".into())],
        ..request.clone()
    };
    let refused = sold.send(&wrong, Some(&ask(&sold, &wrong))).await;
    refused.assert_problem(401, "unauthorized");
    assert_eq!(sold.server.asked(), 0);
    let key = motif_sdk::gateway::wire::NewApiKey {
        name: "a platform".into(),
        scopes: vec![motif_sdk::gateway::wire::ScopeWord::Meter],
        channels: vec![],
        budget: None,
        expires_at: None,
    };
    let created = sold.world.admin().create_api_key(&key).await.unwrap();
    let good = PaidRequest {
        headers: vec![
            ("motif-api-key".into(), created.token),
            ("content-type".into(), "application/json".into()),
        ],
        ..request
    };
    let due = sold.send(&good, Some(&ask(&sold, &good))).await;
    due.assert_problem(402, "payment-due");
}

on_postgres_too! {
    payment_is_bound_to_request,
    only_payer_starts_generation,
    wrong_total_pays_nothing,
    one_voucher_releases_one_answer,
    later_voucher_fetches_no_paid_answer,
    upstream_failure_is_not_charged,
    upstream_rejection_costs_nothing,
    lost_client_finds_its_answer,
    unpaid_answers_are_capped,
    spool_room_is_capped,
    mismatched_request_stays_local,
    missing_answer_is_not_charged,
    upstream_headers_are_filtered,
    payment_without_required_key_fails,
}
