use std::time::Duration;

use ed25519_dalek::SigningKey;
use futures::future::join_all;
use motif_sdk::{
    Pubkey,
    gateway::{PayerRequest, SignedPayerRequest},
};

use crate::world::{CHANNEL, Network, World, foreign_key, voucher_key};

async fn refused(world: &World, request: &SignedPayerRequest, slug: &str) {
    let settling = world.client().settle(request).await.unwrap_err();
    assert_eq!(settling.slug(), Some(slug));
    let closing = world.client().close(request).await.unwrap_err();
    assert_eq!(closing.slug(), Some(slug));
}

#[tokio::test]
async fn only_payer_settles_or_closes() {
    let world = World::new().await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let honest = world.request(PayerRequest::settle);
    let channel = world.chain.channel_account().channel;
    let strangers = PayerRequest::settle(&CHANNEL, &channel).sign(&foreign_key());
    refused(&world, &strangers, "not-by-payer").await;
    let claims_to_be_the_payer = SignedPayerRequest { signer: channel.payer, ..strangers };
    refused(&world, &claims_to_be_the_payer, "not-by-payer").await;
    let forged = SignedPayerRequest { signature: [0; 64], ..honest };
    refused(&world, &forged, "not-by-payer").await;
    for change in [
        |request: &mut PayerRequest| request.opened_slot += 1,
        |request: &mut PayerRequest| request.cluster[0] ^= 1,
    ] {
        let mut request = PayerRequest::settle(&CHANNEL, &channel);
        change(&mut request);
        let other = SignedPayerRequest { request, ..request.sign(&voucher_key()) };
        refused(&world, &other, "not-by-payer").await;
    }
    assert_eq!(world.state().await.open.receipts, 1);
    assert!(world.chain.state().submitted.is_empty());
}

#[tokio::test]
async fn settle_request_does_not_close() {
    let world = World::new().await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let close = world.request(PayerRequest::close);
    assert_eq!(world.client().settle(&close).await.unwrap_err().slug(), Some("not-by-payer"));
    let settle = world.request(PayerRequest::settle);
    assert_eq!(world.client().close(&settle).await.unwrap_err().slug(), Some("not-by-payer"));
}

#[tokio::test]
async fn stale_or_future_request_is_rejected() {
    let world = World::new().await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let channel = world.chain.channel_account().channel;
    for (skew, taken) in [(-310, false), (310, false), (-200, true)] {
        let mut request = PayerRequest::settle(&CHANNEL, &channel);
        request.issued_at += skew;
        let answer = world.client().settle(&request.sign(&voucher_key())).await;
        match answer {
            Ok(_) => assert!(taken),
            Err(error) => assert_eq!((taken, error.slug()), (false, Some("request-stale"))),
        }
    }
}

#[tokio::test]
async fn payer_key_settles_like_voucher_key() {
    let world = World::new().await;
    let payer = SigningKey::from_bytes(&[55; 32]);
    let address = Pubkey::new_from_array([90; 32]);
    let mut account = world.chain.channel_account();
    account.channel.payer = Pubkey::new_from_array(payer.verifying_key().to_bytes());
    world.chain.state().channels.insert(address, account.clone());
    world.client().open_channel(&address).await.unwrap();
    let request = PayerRequest::settle(&address, &account.channel).sign(&payer);
    let refused = world.client().settle(&request).await.unwrap_err();
    assert_eq!(refused.slug(), Some("nothing-to-settle"));
}

#[tokio::test]
async fn payer_settlements_are_limited() {
    let world = World::with(|config| {
        config.limits.settlements = motif_gateway::config::Rate::per_hour(1, 2);
    })
    .await;
    for slug in ["nothing-to-settle", "nothing-to-settle", "rate-limited"] {
        let refused = world.settle().await.unwrap_err();
        assert_eq!(refused.slug(), Some(slug));
    }
}

#[tokio::test]
async fn repeated_settle_request_costs_once() {
    let world = World::new().await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let request = world.request(PayerRequest::settle);
    let client = world.client();
    let first = client.settle(&request).await.unwrap();
    assert_eq!((first.len(), first[0].receipts), (1, 1));
    // Within a second, the payer may sign the same request for later generations.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for round in 0..10 {
        let key = format!("the-key-of-round-{round}");
        world.generate(&key, &world.next_request().await).await.assert_ok();
        let repeats = join_all((0..100).map(|_| client.settle(&request))).await;
        assert!(repeats.into_iter().all(|repeat| repeat.unwrap() == first));
    }
    assert_eq!(world.chain.state().submitted.len(), 1);
    assert_eq!(world.state().await.open.receipts, 10);
    // Another one settles the rest.
    assert_eq!(world.settle().await.unwrap()[0].receipts, 10);
    assert_eq!(client.settle(&request).await.unwrap(), first);
    assert_eq!(world.chain.state().submitted.len(), 2);
}

#[tokio::test]
async fn repeated_request_completes_its_settlement() {
    let world = World::new().await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let request = world.request(PayerRequest::settle);
    world.chain.network(Network::Down);
    let refused = world.client().settle(&request).await.unwrap_err();
    assert_eq!(refused.slug(), Some("chain-unreachable"));
    world.chain.network(Network::Up);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.generate("a-later-key", &world.next_request().await).await.assert_ok();
    let settled = world.client().settle(&request).await.unwrap();
    assert_eq!(settled.len(), 1);
    assert_eq!(world.client().settle(&request).await.unwrap(), settled);
}
