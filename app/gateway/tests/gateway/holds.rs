use motif_sdk::gateway::{
    GatewayClient, GatewayError, IdempotencyKey, Payer, PayerAction, PayerOptions, PayerRequest,
    hold_details,
    wire::{Digest, HoldRequest, NewApiKey, PayerProof, ReceiptParts, ScopeWord},
};
use reqwest::Method;

use crate::world::{
    CHANNEL, World, foreign_key, license, on_postgres_too, voucher_key, with_admin,
};

async fn session(world: &World) -> Payer {
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await.unwrap()
}

/// Starts a gateway with a license of five units.
async fn with_five_units() -> World {
    let world = World::unopened(|_| ()).await;
    let five = payments::License { units_left: 5, ..license(100) };
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().licenses[0] = five;
    world.client().open_channel(&CHANNEL).await.unwrap();
    world
}

#[tokio::test]
async fn capture_frees_unused_room() {
    let world = with_five_units().await;
    let session = session(&world).await;
    let held = session.hold(0, 4, [1; 32], 60).await.unwrap();
    let refused = session.generate(0, 2, [2; 32], [2; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("unit-cap"));
    let receipt = session.capture(&held, 3, [9; 32]).await.unwrap();
    assert_eq!((receipt.receipt.units, receipt.receipt.amount), (3, 300));
    assert_eq!(receipt.receipt.output_digest, [9; 32]);
    session.generate(0, 2, [2; 32], [2; 32]).await.unwrap();
    assert_eq!(world.settle().await.unwrap()[0].prices.0, 500);
}

#[tokio::test]
async fn failed_generation_is_not_charged() {
    let world = with_five_units().await;
    let session = session(&world).await;
    let held = session.hold(0, 5, [1; 32], 60).await.unwrap();
    session.release(&held).await.unwrap();
    session.release(&held).await.unwrap();
    let refused = session.capture(&held, 1, [9; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("hold-ended"));
    assert_eq!(world.state().await.cumulative.0, 0);
    session.generate(0, 5, [2; 32], [2; 32]).await.unwrap();
}

#[tokio::test]
async fn hold_expires() {
    let world = with_five_units().await;
    let session = session(&world).await;
    let held = session.hold(0, 5, [1; 32], 1).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let refused = session.capture(&held, 1, [9; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("hold-ended"));
    session.generate(0, 5, [2; 32], [2; 32]).await.unwrap();
    let too_long = session.hold(0, 1, [1; 32], 3_700).await.unwrap_err();
    assert_eq!(too_long.slug(), Some("hold-too-long"));
}

#[tokio::test]
async fn invalid_capture_is_rejected() {
    let world = with_five_units().await;
    let session = session(&world).await;
    let held = session.hold(0, 2, [1; 32], 60).await.unwrap();
    let refused = session.capture(&held, 3, [9; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("hold-exceeded"));
    let mut other = held;
    other.request_digest = [2; 32];
    let refused = session.capture(&other, 2, [9; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("hold-mismatch"));
    session.capture(&held, 2, [9; 32]).await.unwrap();
    let refused = session.capture(&held, 1, [9; 32]).await.unwrap_err();
    assert!(matches!(&refused, GatewayError::Refused(_)), "{refused}");
    let refused = session.release(&held).await.unwrap_err();
    assert_eq!(refused.slug(), Some("hold-captured"));
    assert_eq!(world.state().await.open.receipts, 1);
}

#[tokio::test]
async fn holds_survive_kill() {
    let world = with_five_units().await;
    let before = session(&world).await;
    let (kept, captured) = (
        before.hold(0, 2, [1; 32], 60).await.unwrap(),
        before.hold(0, 2, [2; 32], 60).await.unwrap(),
    );
    before.capture(&captured, 2, [9; 32]).await.unwrap();
    let world = world.restarted(false).await;
    let after = session(&world).await;
    let refused = after.generate(0, 2, [3; 32], [3; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("unit-cap"), "two of the three left are still held");
    let refused = after.release(&captured).await.unwrap_err();
    assert_eq!(refused.slug(), Some("hold-captured"));
    after.capture(&kept, 1, [9; 32]).await.unwrap();
    after.generate(0, 2, [3; 32], [3; 32]).await.unwrap();
}

#[tokio::test]
async fn only_payer_holds_and_releases() {
    let world = with_five_units().await;
    let session = session(&world).await;
    let held = session.hold(0, 2, [1; 32], 60).await.unwrap();
    let channel = world.chain.channel_account().channel;
    let key = IdempotencyKey::random();
    let expires_at = held.expires_at;
    let details = hold_details(&key, 0, 1, &[1; 32], expires_at);
    let asked = PayerRequest::new(PayerAction::Hold(details), &CHANNEL, &channel);
    let request = |units, proof| HoldRequest {
        license: 0,
        units,
        request_digest: Digest([1; 32]),
        expires_at,
        proof,
    };
    let foreign = PayerProof::from(&asked.sign(&foreign_key()));
    let refused = world.client().hold(&CHANNEL, &key, &request(1, foreign)).await.unwrap_err();
    assert_eq!(refused.slug(), Some("not-by-payer"));
    // Signed for one unit, so a request for two differs.
    let own = PayerProof::from(&asked.sign(&voucher_key()));
    let refused = world.client().hold(&CHANNEL, &key, &request(2, own)).await.unwrap_err();
    assert_eq!(refused.slug(), Some("not-by-payer"));
    let first = world.client().hold(&CHANNEL, &key, &request(1, own)).await.unwrap();
    let again = world.client().hold(&CHANNEL, &key, &request(1, own)).await.unwrap();
    assert_eq!(first, again, "a retry is the same hold");
    let release = PayerRequest::new(PayerAction::Release(held.hold), &CHANNEL, &channel);
    let proof = PayerProof::from(&release.sign(&foreign_key()));
    let channel = motif_sdk::gateway::wire::Address(CHANNEL);
    let release = motif_sdk::gateway::wire::ReleaseRequest { channel, proof };
    let refused = world.client().release(&held.hold, &release).await.unwrap_err();
    assert_eq!(refused.slug(), Some("not-by-payer"));
}

/// Creates an API key; returns its token.
async fn token(world: &World, scopes: Vec<ScopeWord>) -> String {
    let name = "a seller".into();
    let key = NewApiKey { name, scopes, channels: vec![], budget: None, expires_at: None };
    world.admin().create_api_key(&key).await.unwrap().token
}

fn client(world: &World, token: &str) -> GatewayClient {
    GatewayClient::new(&world.gateway.url()).api_key(token)
}

#[tokio::test]
async fn seller_fetches_receipt_of_captured_hold() {
    let world = World::with(with_admin).await;
    let scopes = || vec![ScopeWord::Meter, ScopeWord::Read];
    let (seller, other) = (token(&world, scopes()).await, token(&world, scopes()).await);
    let operator = token(&world, vec![ScopeWord::Admin]).await;
    let channel = world.chain.channel_account().channel;
    let (key, expires_at) = (IdempotencyKey::random(), crate::sold::now() + 60);
    let request = world.next_request().await;
    let digest = request.request_digest;
    let details = hold_details(&key, 0, 1, &digest.0, expires_at);
    let asked = PayerRequest::new(PayerAction::Hold(details), &CHANNEL, &channel);
    let proof = PayerProof::from(&asked.sign(&voucher_key()));
    let held = HoldRequest { license: 0, units: 1, request_digest: digest, expires_at, proof };
    let hold = client(&world, &seller).hold(&CHANNEL, &key, &held).await.unwrap().hold;
    let open = client(&world, &seller).hold_receipt(&CHANNEL, &hold.0).await.unwrap_err();
    assert_eq!(open.slug(), Some("unknown-receipt"));
    // The payer captures it without the seller, which never sees the voucher.
    let path = format!("/v1/holds/{hold}/capture");
    let body = serde_json::to_vec(&request).unwrap();
    let captured = world.send(Method::POST, &path, None, Some(body.into())).await;
    captured.assert_ok();
    let path = format!("/v1/holds/{hold}/receipt?channel={CHANNEL}");
    let again = world.send(Method::GET, &path, None, None).await;
    assert_eq!(again.text(), captured.text(), "the same bytes");
    let receipt: ReceiptParts = serde_json::from_slice(&captured.body).unwrap();
    world.settle().await.unwrap();
    let world = world.restarted(false).await;
    for client in [client(&world, &seller), client(&world, &operator), world.client()] {
        assert_eq!(client.hold_receipt(&CHANNEL, &hold.0).await.unwrap(), receipt);
    }
    for client in [client(&world, &other), GatewayClient::new(&world.gateway.url())] {
        let refused = client.hold_receipt(&CHANNEL, &hold.0).await.unwrap_err();
        assert_eq!(refused.slug(), Some("not-by-payer"));
    }
    let unknown = world.client().hold_receipt(&CHANNEL, &[1; 32]).await.unwrap_err();
    assert_eq!(unknown.slug(), Some("unknown-hold"));
}

#[tokio::test]
async fn capturing_key_fetches_its_receipt() {
    let world = World::with(with_admin).await;
    let key = token(&world, vec![ScopeWord::Meter, ScopeWord::Read]).await;
    let key = client(&world, &key);
    let session = session(&world).await;
    let held = session.hold(0, 1, [1; 32], 60).await.unwrap();
    let refused = key.hold_receipt(&CHANNEL, &held.hold).await.unwrap_err();
    assert_eq!(refused.slug(), Some("not-by-payer"), "the hold was placed without a key");
    let mut request = world.next_request().await;
    request.request_digest = Digest([1; 32]);
    let receipt = key.capture(&held.hold, &request).await.unwrap();
    assert_eq!(key.hold_receipt(&CHANNEL, &held.hold).await.unwrap(), receipt);
}

on_postgres_too! {
    seller_fetches_receipt_of_captured_hold,
    capturing_key_fetches_its_receipt,
    capture_frees_unused_room,
    failed_generation_is_not_charged,
    invalid_capture_is_rejected,
    holds_survive_kill,
    only_payer_holds_and_releases,
}
