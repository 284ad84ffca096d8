//! Sign-in-with-x: a wallet fetches again what it has bought, without a payment.

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        Address,
        sale::TransactionSignature,
        sign_in::{SIGN_IN, SignIn},
        x402,
    },
};
use serde_json::json;

use crate::{
    shop::{PUBLIC_URL, Shop, assert_no_challenge, picture, receipt},
    world::{Answer, Buyer},
};

/// Signs in with the key of a buyer, as stock clients do, to the challenge of a 402.
fn signed(number: u8, offered: &x402::Challenge) -> String {
    let extension = &offered.extensions[SIGN_IN];
    let text = |name: &str| extension["info"][name].as_str().unwrap().to_owned();
    let chain = &extension["supportedChains"][0];
    let key = SigningKey::from_bytes(&[number; 32]);
    let unsigned = SignIn {
        domain: text("domain"),
        address: Address(Pubkey::new_from_array(key.verifying_key().to_bytes())),
        statement: Some(text("statement")),
        uri: text("uri"),
        version: text("version"),
        chain_id: chain["chainId"].as_str().unwrap().to_owned(),
        kind: chain["type"].as_str().unwrap().to_owned(),
        nonce: text("nonce"),
        issued_at: text("issuedAt"),
        expiration_time: None,
        not_before: None,
        request_id: None,
        resources: Vec::new(),
        signature: String::new(),
    };
    let signature = key.sign(unsigned.message().as_bytes()).to_bytes();
    let signature = TransactionSignature(signature).to_string();
    let signed = SignIn { signature, ..unsigned };
    BASE64_STANDARD.encode(serde_json::to_string(&signed).unwrap())
}

async fn fetch(shop: &Shop, path: &str, prompt: &str, sign_in: &str) -> Answer {
    let body = match prompt {
        "" => picture(),
        prompt => json!({ "prompt": prompt }),
    };
    Answer::to(shop.request(path, &body).header(SIGN_IN, sign_in)).await
}

#[tokio::test]
async fn wallet_fetches_again_without_payment() {
    let shop = Shop::new().await;
    let (_, bought) = shop.buy("/pictures", &picture(), &Buyer::new(41)).await;
    bought.assert_ok();
    let offered = shop.offer_of("/pictures", &picture()).await;
    assert_eq!(offered.extensions[SIGN_IN]["info"]["uri"], format!("{PUBLIC_URL}/pictures"));

    let again = fetch(&shop, "/pictures", "", &signed(41, &offered)).await;
    again.assert_ok();
    assert_no_challenge(&again);
    assert_eq!(again.body, bought.body);
    assert_eq!(receipt(&again), receipt(&bought));
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}

#[tokio::test]
async fn sign_in_fetches_own_purchases_only() {
    let shop = Shop::new().await;
    shop.buy("/pictures", &picture(), &Buyer::new(41)).await.1.assert_ok();
    let offered = shop.offer_of("/pictures", &picture()).await;
    let own = signed(41, &offered);
    for (path, prompt, sign_in) in [
        ("/pictures", "", &signed(42, &offered)),
        ("/pictures", "another prompt", &own),
        ("/pictures?size=l", "", &own),
        ("/pictures", "", &"not a sign-in".to_owned()),
    ] {
        let refused = fetch(&shop, path, prompt, sign_in).await;
        refused.assert_problem(402, "payment-required");
    }
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 1));
}
