//! The x402 facilitator: other sellers' payments, and no faucet.

use futures::future::join_all;
use motif_gateway::{AdminConfig, config::SalesConfig};
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
    shop::{AMOUNT, Shop, challenge_v1, picture},
    world::{Answer, Buyer, Network, SECRET, on_postgres_too},
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

#[tokio::test]
async fn seller_of_till_is_settled_once() {
    let shop = Shop::new().await;
    let buyer = Buyer::new(41);
    let request = request(&shop, &buyer).await;
    let verified = verify(&shop, &request).await;
    assert_eq!((verified.is_valid, verified.payer), (true, Some(Address(buyer.address()))));
    let settled = settle(&shop, &request).await;
    assert!(settled.success, "{settled:?}");
    assert_eq!(settle(&shop, &request).await, settled);
    let paid = shop.payments();
    assert_eq!((paid.len(), paid[0].amount, paid[0].tokens), (1, AMOUNT, shop.tokens()));
    // A payment of another seller buys nothing at the paywall.
    let payment = serde_json::from_value(request.payment_payload).unwrap();
    let answer = shop.pay("/pictures", &picture(), &payment).await;
    answer.assert_problem(409, "payment-for-another-request");
    assert_eq!(shop.sold.server.asked(), 0);
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
async fn concurrent_copies_cost_one_fee() {
    let shop = Shop::with(|sales: &mut SalesConfig| sales.daily_lamports = 22_000).await;
    let first = request(&shop, &Buyer::new(41)).await;
    let second = request(&shop, &Buyer::new(42)).await;
    let copies = join_all((0..16).map(|_| settle(&shop, &first))).await;
    assert!(copies.iter().all(|copy| copy.success && *copy == copies[0]), "{copies:?}");
    // The other half of the day's budget is left.
    assert!(settle(&shop, &second).await.success);
    assert_eq!(shop.payments().len(), 2);
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
}
