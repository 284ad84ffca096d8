//! Offers without a channel, which are prepared for the requests of a second.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header::WWW_AUTHENTICATE},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use motif_paywall::{PaidRoutes, Paywall, PaywallConfig, PaywallLayer, SaleDesk, SaleItem};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::{
        paid_request_digest,
        wire::{
            Payment, Use, mpp,
            sale::{SaleOffer, SaleState},
            sign_in::SIGN_IN,
            x402,
        },
    },
    till::TillShares,
};
use serde_json::Value;
use solana_sha256_hasher::hash;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::{Layer, ServiceExt};

use crate::{
    engine::{Engine, NOW, WORK},
    refusals::unfinished,
    sales::Desk,
    shop::{Answer, ask},
};

const URL: &str = "https://gw.example/base";
const AMOUNT: u64 = 10;
const BLOCKHASH: &str = "11111111111111111111111111111111";

/// Paywall with a route that is sold without a channel.
struct Stand {
    engine: Engine,
    desk: Arc<Desk>,
    paywall: Paywall,
    _folder: TempDir,
}

/// Offers of one 402 in all protocols.
struct Offered {
    answer: Answer,
    v2: x402::Challenge,
    v1: x402::ChallengeV1,
    mpp: mpp::Challenge,
    charge: mpp::ChargeRequest,
}

fn item() -> SaleItem {
    SaleItem {
        cluster: [3; 32],
        till: Pubkey::new_from_array([11; 32]),
        shares: TillShares::sole(WORK),
        mint: Pubkey::new_from_array([12; 32]),
        token_program: Pubkey::new_from_array([13; 32]),
        decimals: 6,
        licensed_use: Use::Generate,
        units: 1,
        amount: AMOUNT,
        terms_number: 2,
        terms_digest: [14; 32],
        fee_payer: Pubkey::new_from_array([15; 32]),
    }
}

impl Stand {
    fn open() -> Self {
        Self::with(|_| ())
    }

    fn with(configure: impl FnOnce(&mut PaywallConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let routes = format!(
            "[[route]]\nmethod = \"POST\"\npath = \"/poems/{{*name}}\"\nwork = \"{WORK}\"\n\
             use = \"generate\"\nunits = {{ fixed = 1 }}\nanswer_seconds = 3\n"
        );
        let routes = PaidRoutes::read(&routes, "paywall.toml").unwrap();
        let mut config = PaywallConfig::new(routes, folder.path().to_owned());
        configure(&mut config);
        let (engine, desk) = (Engine::default(), Desk::new(0, SaleState::Landed));
        *desk.item.lock().unwrap() = Some(item());
        *desk.blockhash.lock().unwrap() = BLOCKHASH.to_owned();
        let stop = CancellationToken::new();
        let (engine_of, desk_of) =
            (Arc::new(engine.clone()), Some(desk.clone() as Arc<dyn SaleDesk>));
        let paywall = Paywall::open_with_sales(engine_of, desk_of, config, stop).unwrap();
        Self { engine, desk, paywall, _folder: folder }
    }

    fn change_item(&self, change: impl FnOnce(&mut Option<SaleItem>)) {
        change(&mut self.desk.item.lock().unwrap());
    }

    async fn send(&self, target: &str, body: &'static str) -> Answer {
        self.call(Request::post(target).body(body.into()).unwrap()).await
    }

    fn call(&self, request: Request) -> impl Future<Output = Answer> + use<> {
        let service = PaywallLayer::new(self.paywall.clone()).layer(Router::new());
        async { Answer::of(service.oneshot(request).await.unwrap()).await }
    }

    async fn offered(&self, target: &str, body: &'static str) -> Offered {
        let answer = self.send(target, body).await;
        answer.assert_problem(402, "payment-required");
        let v2 = answer.headers[x402::REQUIRED_HEADER].to_str().unwrap();
        let mpp = challenge(answer.headers[WWW_AUTHENTICATE].to_str().unwrap());
        Offered {
            v2: x402::from_header(v2).unwrap(),
            v1: serde_json::from_slice(&answer.body).unwrap(),
            charge: mpp::decode(&mpp.request).unwrap(),
            mpp,
            answer,
        }
    }
}

impl Offered {
    fn offer(&self) -> &SaleOffer {
        self.v2.accepts[0].extra.motif.as_ref().unwrap()
    }

    fn sign_in(&self) -> &Value {
        &self.v2.extensions[SIGN_IN]["info"]
    }
}

/// Parses a challenge, whose values have no quotes.
fn challenge(header: &str) -> mpp::Challenge {
    let value = |name: &str| {
        let (_, rest) = header.split_once(&format!(" {name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let challenge = mpp::Challenge {
        id: value("id"),
        realm: value("realm"),
        method: value("method"),
        intent: value("intent"),
        request: value("request"),
        expires: Some(value("expires")),
        digest: Some(value("digest")),
        opaque: Some(value("opaque")),
        description: Some(value("description")),
    };
    assert_eq!(challenge.to_header(), header);
    challenge
}

#[tokio::test]
async fn offers_commit_to_their_request() {
    let stand = Stand::open();
    let offered = stand.offered("/poems/roses?size=l", "a body").await;
    let offer = offered.offer();
    assert_eq!((offer.work.0, offer.terms, offer.digest.0), (WORK, 2, [14; 32]));
    let acceptance = |not_after, nonce| SaleAcceptance {
        cluster: [3; 32],
        till: item().till,
        subject: WORK.to_bytes(),
        mint: item().mint,
        terms_number: 2,
        terms_digest: [14; 32],
        licensed_use: Use::Generate,
        units: 1,
        amount: AMOUNT,
        request_digest: paid_request_digest("POST", "/poems/roses?size=l", b"a body"),
        operator: Pubkey::default(),
        not_after,
        nonce,
    };
    let memo = acceptance(offer.not_after, offer.nonce.0).memo();
    let extra = &offered.v2.accepts[0].extra;
    assert_eq!(extra.memo.as_ref(), Some(&memo));
    assert_eq!(extra.payment_flow, None);
    let extra = &offered.v1.accepts[0].extra;
    let (memo_v1, offer_v1) = (extra.memo.clone().unwrap(), extra.motif.clone().unwrap());
    assert_eq!(memo_v1, acceptance(offer_v1.not_after, 0).memo());
    assert_eq!(offer_v1.nonce.0, 0);
    assert_eq!(offered.charge.external_id, memo);
    assert_eq!(offered.charge.method_details.recent_blockhash.as_deref(), Some(BLOCKHASH));
    let mac = hash(offered.mpp.bound().as_bytes()).to_bytes();
    assert_eq!(offered.mpp.id, BASE64_URL_SAFE_NO_PAD.encode(mac));
    let opaque: mpp::Opaque = mpp::decode(offered.mpp.opaque.as_ref().unwrap()).unwrap();
    assert_eq!((opaque.n, opaque.t), (offer.nonce.to_string(), offer.not_after.to_string()));
    assert_eq!(offered.mpp.realm, "gw.example");
}

#[tokio::test]
async fn equal_requests_get_own_nonces() {
    let stand = Stand::open();
    let first = stand.offered("/poems/roses", "{}").await;
    let second = stand.offered("/poems/roses", "{}").await;
    assert_ne!(first.offer().nonce, second.offer().nonce);
    assert_ne!(first.charge.external_id, second.charge.external_id);
    assert_ne!(first.mpp.id, second.mpp.id);
    assert_ne!(first.sign_in()["nonce"], second.sign_in()["nonce"]);
    assert_eq!(first.sign_in()["nonce"].as_str().unwrap().len(), 32);
    // A client of version 1 does not repeat its offer.
    assert_eq!(first.v1, second.v1);
    let other = stand.offered("/poems/roses", "[]").await;
    assert_ne!(other.mpp.digest, second.mpp.digest);
    assert_ne!(other.v1.accepts[0].extra.memo, second.v1.accepts[0].extra.memo);
}

#[tokio::test]
async fn each_url_is_its_own_resource() {
    let stand = Stand::open();
    for target in ["/poems/roses", "/poems/\"violets\"?a=b", "/poems/roses?a=%22", "/poems/roses"] {
        let offered = stand.offered(target, "{}").await;
        let url = format!("{URL}{target}");
        assert_eq!(offered.v2.resource.url, url);
        assert_eq!(offered.v1.accepts[0].resource, url);
        assert_eq!(
            (&offered.sign_in()["uri"], &offered.sign_in()["domain"]),
            (&url.into(), &"gw.example".into())
        );
    }
}

#[tokio::test]
async fn changed_item_changes_next_offer() {
    let stand = Stand::open();
    stand.offered("/poems/roses", "{}").await;
    stand.change_item(|item| item.as_mut().unwrap().amount = 25);
    let offered = stand.offered("/poems/roses", "{}").await;
    assert_eq!(offered.v2.accepts[0].amount.0, 25);
    assert_eq!(offered.v1.accepts[0].max_amount_required.0, 25);
    assert_eq!(offered.charge.amount.0, 25);
    stand.change_item(|item| {
        let item = item.as_mut().unwrap();
        (item.terms_number, item.terms_digest) = (3, [16; 32]);
    });
    let offered = stand.offered("/poems/roses", "{}").await;
    assert_eq!((offered.offer().terms, offered.offer().digest.0), (3, [16; 32]));
    // Withdrawn.
    stand.change_item(|item| *item = None);
    let answer = stand.send("/poems/roses", "{}").await;
    answer.assert_problem(402, "payment-required");
    assert!(!answer.headers.contains_key(x402::REQUIRED_HEADER));
    assert!(!answer.headers.contains_key(WWW_AUTHENTICATE));
}

#[tokio::test]
async fn offer_ends_by_the_clock() {
    let stand = Stand::open();
    for later in [0, 1, 59, 60] {
        stand.engine.state().later = later;
        let offered = stand.offered("/poems/roses", "{}").await;
        let now = NOW + later;
        assert_eq!(offered.offer().not_after, now + 190);
        assert_eq!(offered.sign_in()["issuedAt"], mpp::timestamp(now));
        assert_eq!(offered.mpp.expires, Some(mpp::timestamp(now + 60)));
        let v1 = offered.v1.accepts[0].extra.motif.clone().unwrap();
        assert_eq!(v1.not_after, now - now.rem_euclid(60) + 250);
    }
}

#[tokio::test]
async fn offer_hints_at_the_newest_blockhash() {
    let stand = Stand::open();
    stand.offered("/poems/roses", "{}").await;
    let newer = "22222222222222222222222222222222";
    *stand.desk.blockhash.lock().unwrap() = newer.to_owned();
    let offered = stand.offered("/poems/roses", "{}").await;
    assert_eq!(offered.charge.method_details.recent_blockhash.as_deref(), Some(newer));
    let header = offered.answer.headers[x402::REQUIRED_HEADER].to_str().unwrap();
    let offered: Value = x402::from_header(header).unwrap();
    let extra = &offered["accepts"][0]["extra"];
    assert_eq!(
        (&extra["recentBlockhash"], &extra["lastValidBlockHeight"]),
        (&newer.into(), &"7".into())
    );
}

#[tokio::test]
async fn long_url_leaves_extensions_out() {
    let stand = Stand::open();
    let long = format!("/poems/{}", "a".repeat(2_000));
    let offered = stand.offered(&long, "{}").await;
    assert_eq!(offered.v2.resource.url, format!("{URL}{long}"));
    assert!(offered.v2.extensions.is_empty());
    let offered = stand.offered("/poems/roses", "{}").await;
    assert_eq!(offered.v2.extensions.len(), 2);
}

#[tokio::test]
async fn strangers_bodies_leave_room_to_payers() {
    let stand = Stand::with(|config| config.body_bytes = 20);
    let post = || Request::post("/poems/roses");
    let paid = |key| {
        let payment = Payment::Ask(ask(1, None)).to_header();
        let request = post().header("idempotency-key", key).header(Payment::HEADER, payment);
        stand.call(request.body("123456789".into()).unwrap())
    };
    // Without a payment, nothing is kept of a body.
    let unpaid = post().body(unfinished("12345678901234567890")).unwrap();
    let unpaid = tokio::spawn(stand.call(unpaid));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(paid("the-first-key").await.status, 404, "the server's answer");
    unpaid.abort();
    // With one that may be made up, half of the budget is.
    let sale = |body| {
        let header = HeaderValue::from_static("bm90aGluZw==");
        stand.call(post().header(x402::PAYMENT_HEADER, header).body(unfinished(body)).unwrap())
    };
    let first = tokio::spawn(sale("1234567890"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    sale("1").await.assert_problem(503, "paywall-full");
    assert_eq!(paid("the-second-key").await.status, 404);
    first.abort();
}
