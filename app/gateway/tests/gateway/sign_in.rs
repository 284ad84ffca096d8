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
    shop::{
        PUBLIC_URL, Shop, assert_no_challenge, failing, picture, receipt, settlement,
        without_answers,
    },
    world::{Answer, Buyer, Network},
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
        "error" | "refuse" => failing(prompt),
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

#[tokio::test]
async fn sign_in_of_unknown_payment_gets_no_offer() {
    let shop = Shop::new().await;
    let offered = shop.offer_of("/pictures", &picture()).await;
    let sign_in = signed(41, &offered);
    shop.sold.world.chain.network(Network::Silent);
    let unknown = shop.pay("/pictures", &picture(), &Buyer::new(41).pay(&offered, 1)).await;
    unknown.assert_problem(503, "payment-unsettled");
    let waiting = fetch(&shop, "/pictures", "", &sign_in).await;
    waiting.assert_problem(503, "payment-unsettled");
    assert_eq!(waiting.headers["retry-after"], "1");
    assert_no_challenge(&waiting);
    // The answer is lost before the payment is known to have landed.
    let shop = without_answers(shop).await;
    shop.sold.world.chain.network(Network::Up);
    let mut answer = fetch(&shop, "/pictures", "", &sign_in).await;
    while answer.status == 503 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        answer = fetch(&shop, "/pictures", "", &sign_in).await;
    }
    answer.assert_ok();
    assert!(settlement(&answer).success);
    assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 2));
}

#[tokio::test]
async fn sign_in_has_owed_answer_made() {
    for (how, status) in [("error", 502), ("refuse", 422)] {
        let shop = Shop::new().await;
        let offered = shop.offer_of("/images", &failing(how)).await;
        let (_, failed) = shop.buy("/images", &failing(how), &Buyer::new(41)).await;
        assert_eq!(failed.status, status);
        let again = fetch(&shop, "/images", how, &signed(41, &offered)).await;
        assert_eq!(again.status, status);
        assert_no_challenge(&again);
        assert_eq!(settlement(&again).transaction, settlement(&failed).transaction);
        assert_eq!((shop.payments().len(), shop.sold.server.asked()), (1, 2));
    }
}
