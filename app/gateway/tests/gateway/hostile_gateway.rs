//! A gateway that lies to the SDK in every way that could make a platform pay.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use ed25519_dalek::SigningKey;
use motif_sdk::{
    gateway::{
        GatewayClient, GatewayError, Payer, PayerOptions,
        wire::{BatchRequest, ReceiptParts, StatementState},
    },
    receipt::{Receipt, SignedReceipt},
    voucher::{SignedVoucher, Voucher},
};
use serde_json::{Value, json};

use crate::world::{CHANNEL, ScriptedChain, World, foreign_key, voucher_key};

type Answer = Box<dyn FnOnce(&BatchRequest) -> (u16, Value) + Send>;

/// Responses and received requests of the hostile gateway.
struct Hostile {
    url: String,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    channel: Value,
    answers: VecDeque<Answer>,
    /// Received vouchers.
    heard: Vec<BatchRequest>,
}

impl Hostile {
    /// Sets the reported state of the channel.
    async fn saying(channel: Value) -> Self {
        let told = Arc::new(Mutex::new(Told { channel, ..Told::default() }));
        let router = Router::new()
            .route("/v1/channels", post(open))
            .route("/v1/channels/{channel}/batches", post(pay))
            .with_state(told.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, told }
    }

    fn answer(&self, answer: impl FnOnce(&BatchRequest) -> (u16, Value) + Send + 'static) {
        self.told.lock().unwrap().answers.push_back(Box::new(answer));
    }

    fn heard(&self) -> Vec<BatchRequest> {
        self.told.lock().unwrap().heard.clone()
    }

    async fn begin(&self, chain: &ScriptedChain) -> Result<Payer, GatewayError> {
        let client = GatewayClient::new(&self.url).patience(Duration::ZERO);
        let options = PayerOptions::default();
        Payer::open(client, CHANNEL, &chain.channel_account(), voucher_key(), options).await
    }
}

async fn open(State(told): State<Arc<Mutex<Told>>>) -> Json<Value> {
    Json(told.lock().unwrap().channel.clone())
}

async fn pay(State(told): State<Arc<Mutex<Told>>>, Json(request): Json<BatchRequest>) -> Response {
    let mut told = told.lock().unwrap();
    told.heard.push(request.clone());
    let Some(answer) = told.answers.pop_front() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (status, body) = answer(&request);
    let status = StatusCode::from_u16(status).unwrap();
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    (status, [("content-type", kind)], body.to_string()).into_response()
}

/// Returns the true channel with two generations in its open statement.
async fn two_paid() -> (World, Value) {
    let world = World::new().await;
    for key in ["generation-0", "generation-1"] {
        world.generate(key, &world.next_request().await).await.assert_ok();
    }
    let state = serde_json::to_value(world.state().await).unwrap();
    (world, state)
}

fn problem(slug: &str, expected: Value) -> (u16, Value) {
    let document = json!({
        "type": slug, "title": "no", "status": 409, "detail": "no", "expected": expected,
    });
    (409, document)
}

/// Lie of the gateway.
type Lie = Box<dyn Fn(&mut Value)>;

#[tokio::test]
async fn foreign_statement_is_not_signed() {
    let (world, truth) = two_paid().await;
    let mut open: StatementState = serde_json::from_value(truth["open"].clone()).unwrap();
    let own = open.voucher.unwrap();
    let larger = Voucher { cumulative: 900_000, ..own.voucher };
    open.voucher = Some(SignedVoucher::sign(larger, &foreign_key()));
    let forged = serde_json::to_value(open).unwrap()["voucher"].clone();
    let lies: Vec<Lie> = vec![
        Box::new(|state| state["open"]["entries"][0]["units"] = json!(9_000)),
        Box::new(move |state| state["open"]["voucher"] = forged.clone()),
        Box::new(|state| state["open"]["voucher"]["cumulative"] = json!("900000")),
        Box::new(|state| state["open"]["statement"] = json!(1)),
        Box::new(|state| {
            let mut more = state["open"].clone();
            more["voucher"] = Value::Null;
            state["unsettled"] = json!([more]);
        }),
        Box::new(|state| {
            let open = state["open"].clone();
            state["unsettled"] = json!([open]);
        }),
    ];
    for (number, lie) in lies.iter().enumerate() {
        let mut said = truth.clone();
        lie(&mut said);
        assert_ne!(said, truth);
        let gateway = Hostile::saying(said).await;
        let begun = gateway.begin(&world.chain).await.err();
        assert!(matches!(begun, Some(GatewayError::Untrusted(_))), "{number}: {begun:?}");
        assert!(gateway.heard().is_empty());
    }
}

#[tokio::test]
async fn false_hint_raises_no_total() {
    let (world, truth) = two_paid().await;
    let gateway = Hostile::saying(truth).await;
    let session = gateway.begin(&world.chain).await.unwrap();
    let entries = json!([{ "license": 0, "units": 9_000 }]);
    let expected = |statement: u64, cumulative: u64, entries: Value| json!({ "statement": statement, "cumulative": cumulative.to_string(), "entries": entries });
    let lies = [
        ("wrong-price", expected(0, 900_000, entries.clone())),
        ("voucher-not-newer", expected(0, 900_000, entries.clone())),
        ("statement-closed", expected(1, 900_000, json!([]))),
        ("statement-closed", expected(1, 204, entries)),
        ("statement-closed", expected(9, 204, json!([]))),
        ("statement-closed", Value::Null),
    ];
    let count = lies.len();
    for (slug, expected) in lies {
        gateway.answer(move |_| problem(slug, expected));
        let refused = session.generate(0, 1, [1; 32], [2; 32]).await;
        assert!(refused.is_err());
    }
    // One signature each, all for one generation more than was paid.
    let heard = gateway.heard();
    assert_eq!(heard.len(), count);
    for request in heard {
        let voucher = request.voucher.voucher;
        assert_eq!((voucher.statement, voucher.cumulative), (0, 306));
    }
    assert_eq!(session.spent(), 0);
}

#[tokio::test]
async fn mismatched_receipt_is_rejected() {
    let (world, truth) = two_paid().await;
    let operator = SigningKey::from_bytes(&[8; 32]);
    let lies: Vec<fn(&mut Receipt)> = vec![
        |receipt| receipt.amount += 1,
        |receipt| receipt.cumulative += 1,
        |receipt| receipt.units += 1,
        |receipt| receipt.license += 1,
        |receipt| receipt.statement += 1,
        |receipt| receipt.opened_slot += 1,
        |receipt| receipt.terms_number += 1,
        |receipt| receipt.work = CHANNEL,
        |receipt| receipt.channel = receipt.work,
        |receipt| receipt.request_digest[0] ^= 1,
        |receipt| receipt.output_digest[0] ^= 1,
    ];
    let good = |request: &BatchRequest| Receipt {
        channel: CHANNEL,
        opened_slot: request.voucher.voucher.opened_slot,
        statement: 0,
        position: 2,
        license: 0,
        units: 1,
        terms_number: 1,
        amount: 100,
        cumulative: 306,
        work: motif_sdk::Pubkey::new_from_array([7; 32]),
        request_digest: request.generations[0].request_digest.0,
        output_digest: request.generations[0].output_digest.0,
        issued_at: 1,
    };
    let parts = |signed: SignedReceipt| json!({ "receipts": [ReceiptParts::from(&signed)] });
    for lie in lies {
        let gateway = Hostile::saying(truth.clone()).await;
        let session = gateway.begin(&world.chain).await.unwrap();
        let operator = operator.clone();
        gateway.answer(move |request| {
            let mut receipt = good(request);
            lie(&mut receipt);
            (200, parts(SignedReceipt::sign(receipt, &operator)))
        });
        let refused = session.generate(0, 1, [1; 32], [2; 32]).await;
        assert!(matches!(refused, Err(GatewayError::Untrusted(_))), "{refused:?}");
        // The outcome is unknown, so nothing else is signed before it is known.
        let next = session.generate(0, 1, [3; 32], [4; 32]).await;
        assert!(matches!(next, Err(GatewayError::Unanswered)), "{next:?}");
        let heard = gateway.heard();
        assert!(heard.iter().all(|request| *request == heard[0]), "the first is repeated");
        assert_eq!(session.spent(), 0);
    }
    let gateway = Hostile::saying(truth).await;
    let session = gateway.begin(&world.chain).await.unwrap();
    gateway.answer(move |request| (200, parts(SignedReceipt::sign(good(request), &foreign_key()))));
    assert!(session.generate(0, 1, [1; 32], [2; 32]).await.is_err(), "another key's signature");
    let signer = operator.clone();
    gateway.answer(move |request| {
        // Signed by the operator, but no Merkle path leads from this receipt to the signed root.
        let others = [3, 4].map(|position| Receipt { position, ..good(request) });
        let bundled = SignedReceipt::sign_together(&others, &signer)[0];
        (200, parts(SignedReceipt { receipt: good(request), ..bundled }))
    });
    assert!(session.resume().await.is_err(), "another bundle's signature");
    gateway.answer(move |request| {
        let bundle = [good(request), Receipt { position: 3, ..good(request) }];
        (200, parts(SignedReceipt::sign_together(&bundle, &operator)[0]))
    });
    assert!(session.resume().await.unwrap().len() == 1, "the true one is taken");
}
