//! License tokens of the Open License Protocol, from receipts of sales.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use motif_sdk::gateway::wire::{SignatureHex, sale::SaleReceipt};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    shop::{Shop, picture, receipt},
    sold::WORK,
    world::{Answer, Buyer},
};

/// Key of the operator, which signs receipts.
fn operator() -> Keypair {
    Keypair::new_from_array([8; 32])
}

async fn bought() -> (Shop, SaleReceipt) {
    let shop = Shop::new().await;
    let (_, answer) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    answer.assert_ok();
    let receipt = receipt(&answer);
    (shop, receipt)
}

async fn post(shop: &Shop, path: &str, form: &[(&str, &str)], client: &str) -> (u16, Value) {
    let form: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let url = format!("{}{path}", shop.sold.world.gateway.url());
    let request = reqwest::Client::new().post(url).body(form.join("&"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = match client.split_once(':') {
        Some((payer, secret)) => request.basic_auth(payer, Some(secret)),
        None => request,
    };
    let answer = Answer::to(request).await;
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
}

async fn token_for(shop: &Shop, receipt: &SaleReceipt, work: &str) -> (u16, Value) {
    let form = [("grant_type", "client_credentials"), ("resource", work)];
    let client = format!("{}:{}", receipt.payer, receipt.to_header());
    post(shop, "/olp/token", &form, &client).await
}

/// Returns a token of the receipt.
async fn token(shop: &Shop, receipt: &SaleReceipt) -> String {
    let (status, issued) = token_for(shop, receipt, &WORK.to_string()).await;
    assert_eq!((status, &issued["token_type"]), (200, &json!("License")), "{issued}");
    issued["access_token"].as_str().unwrap().to_owned()
}

async fn introspect(shop: &Shop, token: &str, work: Option<&str>) -> Value {
    let form = [("token", token), ("resource", work.unwrap_or_default())];
    let form = if work.is_some() { &form[..] } else { &form[..1] };
    let (status, state) = post(shop, "/olp/introspect", form, "").await;
    assert_eq!(status, 200, "{state}");
    state
}

/// Returns a receipt with a valid signature.
fn signed(receipt: SaleReceipt, key: &Keypair) -> SaleReceipt {
    let signature = key.sign_message(&receipt.signed_bytes());
    SaleReceipt { signature: SignatureHex(*signature.as_array()), ..receipt }
}

/// Returns a token with changed claims, signed by a key.
fn changed(token: &str, key: &Keypair, change: impl FnOnce(&mut Value)) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let payload = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    change(&mut claims);
    let input = format!("{}.{}", parts[0], BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key.sign_message(input.as_bytes());
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_array()))
}

#[tokio::test]
async fn receipt_buys_license_token() {
    let (shop, receipt) = bought().await;
    let (status, issued) = token_for(&shop, &receipt, &WORK.to_string()).await;
    assert_eq!((status, &issued["token_type"]), (200, &json!("License")), "{issued}");
    assert!((3_500..=3_600).contains(&issued["expires_in"].as_i64().unwrap()), "{issued}");
    let token = issued["access_token"].as_str().unwrap();
    let state = introspect(&shop, token, Some(&WORK.to_string())).await;
    assert_eq!((&state["active"], &state["token_type"]), (&json!(true), &json!("License")));
    assert_eq!(state["sub"], receipt.payer.to_string());
    assert_eq!(state["aud"], WORK.to_string());
    assert_eq!(state["jti"], receipt.transaction.to_string());
    assert_eq!((&state["use"], &state["units"]), (&json!("generate"), &json!(1)));
    assert_eq!(state["exp"], receipt.issued_at + 3_600);
    // Anyone with the operator's receipt key can verify it.
    let parts: Vec<_> = token.split('.').collect();
    let head: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    let kid = operator().pubkey().to_string();
    assert_eq!(head, json!({ "alg": "EdDSA", "typ": "olp+jwt", "kid": kid }));
    let signature = BASE64_URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let key = VerifyingKey::from_bytes(operator().pubkey().as_array()).unwrap();
    let input = format!("{}.{}", parts[0], parts[1]);
    assert!(key.verify_strict(input.as_bytes(), &signature).is_ok());
}

#[tokio::test]
async fn expired_token_is_inactive() {
    let (shop, receipt) = bought().await;
    let token = token(&shop, &receipt).await;
    let moved = |by: i64| {
        changed(&token, &operator(), |claims| {
            for name in ["iat", "exp"] {
                claims[name] = (claims[name].as_i64().unwrap() + by).into();
            }
        })
    };
    assert_eq!(introspect(&shop, &moved(-60), None).await["active"], true);
    assert_eq!(introspect(&shop, &moved(-3_601), None).await, json!({ "active": false }));
    // No token outlives an hour, whatever it states.
    let long = changed(&token, &operator(), |claims| {
        claims["exp"] = (claims["exp"].as_i64().unwrap() + 3_600).into();
    });
    assert_eq!(introspect(&shop, &long, None).await, json!({ "active": false }));
}

#[tokio::test]
async fn old_receipt_buys_no_token() {
    let (shop, receipt) = bought().await;
    let issued_at = receipt.issued_at - 3_601;
    let old = signed(SaleReceipt { issued_at, ..receipt }, &operator());
    let (status, refused) = token_for(&shop, &old, &WORK.to_string()).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")), "{refused}");
}

#[tokio::test]
async fn token_is_for_its_work_only() {
    let (shop, receipt) = bought().await;
    let other = operator().pubkey().to_string();
    let (status, refused) = token_for(&shop, &receipt, &other).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_target")), "{refused}");
    // The works of a receipt are not signed; the acceptance is.
    let mut relabeled = receipt.clone();
    relabeled.works[0].work = other.parse().unwrap();
    let (status, refused) = token_for(&shop, &relabeled, &other).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_target")), "{refused}");
    let token = token(&shop, &receipt).await;
    assert_eq!(introspect(&shop, &token, Some(&other)).await, json!({ "active": false }));
}

#[tokio::test]
async fn forged_token_is_inactive() {
    let (shop, receipt) = bought().await;
    let token = token(&shop, &receipt).await;
    let stranger = changed(&token, &Keypair::new(), |_| ());
    let head = json!({ "alg": "none" }).to_string();
    let (_, rest) = token.split_once('.').unwrap();
    let unsigned = format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(head));
    let own_key = Keypair::new();
    let head =
        format!("{{\"alg\":\"EdDSA\",\"typ\":\"olp+jwt\",\"kid\":\"{}\"}}", own_key.pubkey());
    let renamed = format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(head));
    let own_key = changed(&renamed, &own_key, |_| ());
    for forged in [&stranger, &unsigned, &own_key, "", "a.b.c"] {
        assert_eq!(introspect(&shop, forged, None).await, json!({ "active": false }), "{forged}");
    }
    // The last character has bits that no byte contains.
    for place in (0..token.len() - 1).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert_eq!(introspect(&shop, &forged, None).await, json!({ "active": false }), "{place}");
    }
}

#[tokio::test]
async fn forged_receipt_buys_no_token() {
    let (shop, receipt) = bought().await;
    let mut changed = receipt.clone();
    changed.acceptance.nonce ^= 1;
    let by_stranger = signed(receipt.clone(), &Keypair::new());
    let mut of_other = receipt.clone();
    of_other.seller = receipt.payer;
    let of_other = signed(of_other, &operator());
    for forged in [changed, by_stranger, of_other] {
        let (status, refused) = token_for(&shop, &forged, &WORK.to_string()).await;
        assert_eq!((status, &refused["error"]), (401, &json!("invalid_client")), "{refused}");
    }
    let form = [("grant_type", "client_credentials"), ("resource", &*WORK.to_string())];
    let other = format!("{WORK}:{}", receipt.to_header());
    for client in [&*other, "a:b", ""] {
        let (status, refused) = post(&shop, "/olp/token", &form, client).await;
        assert_eq!((status, &refused["error"]), (401, &json!("invalid_client")), "{refused}");
    }
    let (status, refused) = post(&shop, "/olp/token", &[("grant_type", "x")], "").await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_request")), "{refused}");
    let form = [("grant_type", "password"), ("resource", "x")];
    let (status, refused) = post(&shop, "/olp/token", &form, "").await;
    assert_eq!((status, &refused["error"]), (400, &json!("unsupported_grant_type")), "{refused}");
}
