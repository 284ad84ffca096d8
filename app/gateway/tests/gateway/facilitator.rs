//! The x402 facilitator: other sellers' payments, and no faucet.

use std::time::Duration;

use futures::future::join_all;
use motif_gateway::{AdminConfig, config::SalesConfig, store::Failpoint};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        Address, NewApiKey, ScopeWord,
        x402::{FacilitatorRequest, Settlement, Supported, Verification},
    },
};
use reqwest::Method;
use serde_json::json;

use crate::{
    sale_restarts::KilledAt,
    shop::{AMOUNT, Shop, challenge_v1, picture, settlement},
    world::{Answer, Buyer, Network, SECRET, on_a_server, on_postgres_too},
};

/// Requests a seller's call of the facilitator.
async fn call(shop: &Shop, path: &str, request: &FacilitatorRequest, key: Option<&str>) -> Answer {
    let url = format!("{}{path}", shop.sold.world.gateway.url());
    let mut sent = reqwest::Client::new().request(Method::POST, url).json(request);
    if let Some(key) = key {
        sent = sent.bearer_auth(key);
    }
    Answer::to(sent).await
}

async fn verify(shop: &Shop, request: &FacilitatorRequest) -> Verification {
    let answer = call(shop, "/x402/verify", request, None).await;
    answer.assert_ok();
    serde_json::from_slice(&answer.body).unwrap()
}

async fn settle(shop: &Shop, request: &FacilitatorRequest) -> Settlement {
    let answer = call(shop, "/x402/settle", request, None).await;
    answer.assert_ok();
    serde_json::from_slice(&answer.body).unwrap()
}

/// Returns a seller's request for a buyer's payment to the till.
async fn request(shop: &Shop, buyer: &Buyer) -> FacilitatorRequest {
    let offered = shop.offer().await;
    let payment = buyer.pay(&offered, 1);
    FacilitatorRequest {
        x402_version: 2,
        payment_payload: json!(payment),
        payment_requirements: json!(offered.accepts[0]),
    }
}

/// Returns a request for a payment to another account than a till.
async fn foreign_request(shop: &Shop, buyer: &Buyer) -> FacilitatorRequest {
    let mut offered = shop.offer().await;
    offered.accepts[0].pay_to = Address(Pubkey::new_from_array([77; 32]));
    let payment = buyer.pay(&offered, 1);
    FacilitatorRequest {
        x402_version: 2,
        payment_payload: json!(payment),
        payment_requirements: json!(offered.accepts[0]),
    }
}

#[tokio::test]
async fn supported_payments_name_fee_payer() {
    let shop = Shop::new().await;
    let url = format!("{}/x402/supported", shop.sold.world.gateway.url());
    let supported: Supported = reqwest::get(url).await.unwrap().json().await.unwrap();
    let versions: Vec<_> = supported.kinds.iter().map(|kind| kind.x402_version).collect();
    assert_eq!(versions, [2, 1]);
    let payer = Address(shop.sold.world.operator());
    assert!(supported.kinds.iter().all(|kind| kind.extra.fee_payer == Some(payer)));
    assert_eq!(supported.signers["solana:*"], [payer]);
}

/// Asserts that a payment serves nobody any more: it is refused with the transaction that settled it.
async fn assert_duplicate(shop: &Shop, request: &FacilitatorRequest, transaction: &str) {
    let refused = verify(shop, request).await;
    let reason = refused.invalid_reason.as_deref();
    assert_eq!((refused.is_valid, reason), (false, Some("duplicate_settlement")));
    let copy = settle(shop, request).await;
    let reason = copy.error_reason.as_deref();
    assert_eq!((copy.success, reason), (false, Some("duplicate_settlement")));
    assert_eq!(copy.transaction, transaction);
}

#[tokio::test]
async fn seller_of_till_is_settled_once() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let request = request(&shop, &buyer).await;
    let verified = verify(&shop, &request).await;
    assert_eq!((verified.is_valid, verified.payer), (true, Some(Address(buyer.address()))));
    let settled = settle(&shop, &request).await;
    assert!(settled.success, "{settled:?}");
    for _ in 0..3 {
        assert_duplicate(&shop, &request, &settled.transaction).await;
    }
    let shop = shop.restarted().await;
    assert_duplicate(&shop, &request, &settled.transaction).await;
    let paid = shop.payments();
    assert_eq!((paid.len(), paid[0].amount, paid[0].tokens), (1, AMOUNT, shop.tokens()));
    // A payment of another seller buys nothing at the paywall.
    let payment = serde_json::from_value(request.payment_payload).unwrap();
    let answer = shop.pay("/pictures", &picture(), &payment).await;
    answer.assert_problem(409, "payment-for-another-request");
    assert_eq!(shop.sold.server.asked(), 0);
}

#[tokio::test]
async fn sold_payment_is_a_duplicate() {
    // A seller that sets no memo accepts any payment of the amount, also one from the chain.
    let shop = Shop::new().await;
    let offered = shop.offer_of("/pictures", &picture()).await;
    let payment = Buyer::new(41).pay(&offered, 1);
    let mut wrapped = FacilitatorRequest {
        x402_version: 2,
        payment_payload: json!(payment),
        payment_requirements: json!(offered.accepts[0]),
    };
    wrapped.payment_requirements["extra"]["memo"].take();
    assert!(verify(&shop, &wrapped).await.is_valid, "it is not sent yet");
    let sold = shop.pay("/pictures", &picture(), &payment).await;
    sold.assert_ok();
    assert_duplicate(&shop, &wrapped, &settlement(&sold).transaction).await;
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn pending_payment_is_settled_later() {
    let shop = Shop::with(|sales: &mut SalesConfig| sales.facilitator_seconds = 1).await;
    for (number, network) in [(41, Network::Silent), (42, Network::Deaf)] {
        let request = request(&shop, &Buyer::new(number)).await;
        shop.sold.world.chain.network(network);
        let unknown = settle(&shop, &request).await;
        let reason = unknown.error_reason.as_deref();
        assert_eq!((unknown.success, reason), (false, Some("settlement_pending")));
        assert_eq!(verify(&shop, &request).await.invalid_reason.unwrap(), "duplicate_settlement");
        shop.sold.world.chain.network(Network::Up);
        let settled = settle(&shop, &request).await;
        assert!(settled.success, "{settled:?}");
        assert_eq!(settled.transaction, unknown.transaction);
        assert_duplicate(&shop, &request, &settled.transaction).await;
    }
    assert_eq!(shop.payments().len(), 2);
}

#[tokio::test]
async fn expired_payment_fails() {
    let shop = Shop::with(|sales: &mut SalesConfig| sales.facilitator_seconds = 1).await;
    let request = request(&shop, &Buyer::new(41)).await;
    shop.sold.world.chain.network(Network::Losing);
    let unknown = settle(&shop, &request).await;
    assert_eq!(unknown.error_reason.as_deref(), Some("settlement_pending"));
    shop.sold.world.chain.state().height += 1_000;
    let mut ended = settle(&shop, &request).await;
    while ended.error_reason.as_deref() == Some("settlement_pending") {
        ended = settle(&shop, &request).await;
    }
    let reason = ended.error_reason.as_deref();
    assert_eq!(reason, Some("invalid_exact_svm_transaction_failed"));
    assert_eq!((ended.success, ended.transaction), (false, unknown.transaction));
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn stopping_facilitator_answers_pending() {
    let shop = Shop::new().await;
    let request = request(&shop, &Buyer::new(41)).await;
    shop.sold.world.chain.network(Network::Silent);
    let url = format!("{}/x402/settle", shop.sold.world.gateway.url());
    let settling = tokio::spawn(Answer::to(reqwest::Client::new().post(url).json(&request)));
    while shop.payments().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let chain = shop.sold.world.chain.clone();
    shop.sold.world.gateway.shutdown().await;
    let answer = settling.await.unwrap();
    answer.assert_ok();
    let unknown: Settlement = serde_json::from_slice(&answer.body).unwrap();
    let reason = unknown.error_reason.as_deref();
    assert_eq!((unknown.success, reason), (false, Some("settlement_pending")));
    assert!(!unknown.transaction.is_empty());
    assert_eq!(chain.state().payments.len(), 1);
}

/// Has a gateway settle a payment that is killed at this point before it answers, and the next one settle
/// it again.
async fn assert_settled_after_kill(point: Failpoint) {
    let Shop { sold } = Shop::with(|sales: &mut SalesConfig| sales.facilitator_seconds = 1).await;
    let killed = KilledAt::new(point, &sold.world);
    let sold = sold.with_world(async |world| world.watched(killed.clone()).await).await;
    let shop = Shop { sold };
    shop.offer().await;
    let request = request(&shop, &Buyer::new(41)).await;
    let lost = settle(&shop, &request).await;
    let (store, _) = killed.left();
    let sold = shop.sold.with_world(async |world| world.restarted_on(store).await);
    let shop = Shop { sold: sold.await };
    let mut settled = settle(&shop, &request).await;
    while settled.error_reason.as_deref() == Some("settlement_pending") {
        settled = settle(&shop, &request).await;
    }
    assert!(settled.success, "{point:?}: {settled:?}");
    assert_eq!(settled.transaction, lost.transaction, "{point:?}");
    assert_duplicate(&shop, &request, &settled.transaction).await;
    assert_eq!(shop.payments().len(), 1, "{point:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_before_send_is_settled_later() {
    assert_settled_after_kill(Failpoint::Stored).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_before_answer_is_settled_later() {
    assert_settled_after_kill(Failpoint::Recorded).await;
}

#[test]
fn processes_answer_one_seller() {
    if on_a_server() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(assert_one_success_of_two_processes());
    }
}

async fn assert_one_success_of_two_processes() {
    let first = Shop::new().await;
    let second = Shop { sold: first.sold.second().await };
    second.offer().await;
    for number in 41..46 {
        let request = request(&first, &Buyer::new(number)).await;
        let calls = (0..8).map(|call| settle([&first, &second][call % 2], &request));
        let answers = join_all(calls).await;
        assert_one_success(&answers);
    }
    assert_eq!(first.payments().len(), 5);
}

/// Asserts that one of several answers is a success, and the others name its transaction.
#[track_caller]
fn assert_one_success(answers: &[Settlement]) {
    let (settled, copies): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.success);
    assert_eq!(settled.len(), 1, "{answers:?}");
    for copy in copies {
        assert_eq!(copy.error_reason.as_deref(), Some("duplicate_settlement"));
        assert_eq!(copy.transaction, settled[0].transaction);
    }
}

#[tokio::test]
async fn v1_payment_is_settled() {
    let shop = Shop::new().await;
    let offered = challenge_v1(&shop.unpaid("/pictures", &picture()).await);
    let request = FacilitatorRequest {
        x402_version: 1,
        payment_payload: json!(Buyer::new(41).pay_v1(&offered, 1)),
        payment_requirements: json!(offered.accepts[0]),
    };
    assert!(verify(&shop, &request).await.is_valid);
    let settled = settle(&shop, &request).await;
    assert_eq!((settled.success, &settled.network[..]), (true, "solana-devnet"));
}

#[tokio::test]
async fn stranger_needs_api_key() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let admin = AdminConfig { listen, secret: SECRET.parse().unwrap() };
    let shop = Shop::closed(|_| (), |config| config.admin = Some(admin)).await;
    let request = foreign_request(&shop, &Buyer::new(41)).await;
    let refused = verify(&shop, &request).await;
    assert!(!refused.is_valid);
    assert_eq!(refused.invalid_reason.as_deref(), Some("seller_not_served"));
    let settled = settle(&shop, &request).await;
    assert_eq!((settled.success, &settled.transaction[..]), (false, ""));
    let new = NewApiKey {
        name: "seller".into(),
        scopes: vec![ScopeWord::Meter],
        channels: Vec::new(),
        budget: None,
        expires_at: None,
    };
    let created = shop.sold.world.admin().create_api_key(&new).await.unwrap();
    let answer = call(&shop, "/x402/verify", &request, Some(&created.token)).await;
    let known: Verification = serde_json::from_slice(&answer.body).unwrap();
    // The scripted chain has no account there, so that the payment fails later.
    let reason = known.invalid_reason.as_deref();
    assert_eq!(reason, Some("invalid_exact_svm_transaction_simulation_failed"));
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn unchecked_payment_is_refused() {
    let shop = Shop::new().await;
    let good = request(&shop, &Buyer::new(41)).await;
    for (field, value, word) in [
        ("amount", json!("103"), "amount_mismatch"),
        ("asset", json!(Address(Pubkey::new_from_array([9; 32]))), "mint_mismatch"),
        ("scheme", json!("upto"), "unsupported_scheme"),
        ("network", json!("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), "network_mismatch"),
        ("payTo", json!(shop.sold.world.operator().to_string()), "not_served"),
    ] {
        let mut changed = good.clone();
        changed.payment_requirements[field] = value;
        let refused = verify(&shop, &changed).await;
        let reason = refused.invalid_reason.unwrap();
        assert!(!refused.is_valid && reason.contains(word), "{field}: {reason}");
        assert!(!settle(&shop, &changed).await.success);
    }
    let mut malformed = good;
    malformed.payment_payload = json!({});
    let answer = call(&shop, "/x402/settle", &malformed, None).await;
    answer.assert_problem(400, "malformed-json");
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn spent_daily_budget_refuses_payment() {
    let shop = Shop::with(|sales: &mut SalesConfig| sales.daily_lamports = 11_000).await;
    let first = request(&shop, &Buyer::new(41)).await;
    let second = request(&shop, &Buyer::new(42)).await;
    assert!(settle(&shop, &first).await.success);
    let refused = call(&shop, "/x402/settle", &second, None).await;
    refused.assert_problem(503, "operator-unfunded");
    assert_eq!(shop.payments().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_copies_are_settled_once() {
    // A tenth is for the seller: two payments.
    let shop = Shop::with(|sales: &mut SalesConfig| sales.daily_lamports = 220_000).await;
    let first = request(&shop, &Buyer::new(41)).await;
    let second = request(&shop, &Buyer::new(42)).await;
    let copies = join_all((0..16).map(|_| settle(&shop, &first))).await;
    assert_one_success(&copies);
    // The other half of its share is left.
    assert!(settle(&shop, &second).await.success);
    assert_eq!(shop.payments().len(), 2);
}

#[tokio::test]
async fn seller_cannot_end_own_sales() {
    let shop = Shop::with(|sales: &mut SalesConfig| sales.daily_lamports = 220_000).await;
    for number in 41..43 {
        assert!(settle(&shop, &request(&shop, &Buyer::new(number)).await).await.success);
    }
    let third = request(&shop, &Buyer::new(43)).await;
    for path in ["/x402/verify", "/x402/settle"] {
        let refused = call(&shop, path, &third, None).await;
        refused.assert_problem(503, "operator-unfunded");
        assert!(refused.text().contains("without an API key"), "{}", refused.text());
    }
    assert_eq!(shop.payments().len(), 2);
    let shop = shop.restarted().await;
    shop.offer().await;
    call(&shop, "/x402/settle", &third, None).await.assert_problem(503, "operator-unfunded");
    assert_eq!(shop.payments().len(), 2);
    let (_, sold) = shop.buy("/pictures", &picture(), &Buyer::new(44)).await;
    sold.assert_ok();
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (3, 1));
}

#[tokio::test]
async fn trifle_is_not_settled() {
    let offering = Shop::new().await;
    let request = request(&offering, &Buyer::new(41)).await;
    // The same till, without offers of its price.
    let shop = Shop::closed(|sales| sales.paywall.least_price = 10_000, |_| ()).await;
    let refused = verify(&shop, &request).await;
    let reason = refused.invalid_reason.as_deref();
    assert_eq!(reason, Some("invalid_exact_svm_payload_amount_mismatch"));
    assert!(!settle(&shop, &request).await.success);
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn failing_payment_is_not_sent() {
    let shop = Shop::new().await;
    let request = request(&shop, &Buyer::new(41)).await;
    shop.sold.world.chain.state().are_buyers_broke = true;
    let settled = settle(&shop, &request).await;
    let reason = settled.error_reason.as_deref();
    assert_eq!(reason, Some("invalid_exact_svm_transaction_simulation_failed"));
    shop.sold.world.chain.network(Network::Up);
    assert_eq!(shop.payments().len(), 0);
}

#[tokio::test]
async fn disabled_facilitator_is_not_found() {
    let shop = Shop::closed(|_| (), |config| config.sales = None).await;
    let url = format!("{}/x402/supported", shop.sold.world.gateway.url());
    assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
}

on_postgres_too! {
    seller_of_till_is_settled_once,
    sold_payment_is_a_duplicate,
    pending_payment_is_settled_later,
    concurrent_copies_are_settled_once,
    seller_cannot_end_own_sales,
}
