use ed25519_dalek::SigningKey;
use motif_gateway::{StartError, check_store, serve_with, store::StoreError};
use motif_sdk::{
    Pubkey,
    gateway::{ChannelReader, GatewayClient, PayerSession, SessionPolicy},
};

use crate::world::{CHANNEL, MINT, World, next_request, on_postgres_too, voucher_key};

#[tokio::test]
async fn acknowledged_generation_survives_kill() {
    let mut world = World::new().await;
    for generation in 0..20_u32 {
        let request = world.next_request().await;
        world.generate(&format!("generation-{generation}"), &request).await.assert_ok();
        if generation % 7 == 3 {
            let before = world.state().await;
            world = world.restarted(false).await;
            assert_eq!(world.state().await, before);
        }
    }
    let settled = world.settle().await.unwrap();
    assert_eq!((settled[0].receipts, settled[0].prices.0), (20, 2_000));
}

#[tokio::test]
async fn new_keys_voucher_survives_kill() {
    let world = World::new().await;
    let old = world.next_request().await;
    let new_key = SigningKey::from_bytes(&[10; 32]);
    {
        let mut state = world.chain.state();
        let channel = &mut state.channels.get_mut(&CHANNEL).unwrap().channel;
        channel.next_voucher_key = Pubkey::new_from_array(new_key.verifying_key().to_bytes());
        channel.rotates_at = 1;
    }
    let client = GatewayClient::new(&world.gateway.url());
    let state = client.open_channel(&CHANNEL).await.unwrap();
    let refused = world.generate("by-the-old-key", &old).await;
    refused.assert_problem(422, "voucher-signature");
    let request = next_request(&state, &new_key);
    world.generate("by-the-new-key", &request).await.assert_ok();
    let channel = world.chain.channel_account().channel;
    let reader = ChannelReader::new(CHANNEL, &channel, new_key);
    let before = client.reader(reader.clone()).channel(&CHANNEL).await.unwrap();
    assert_eq!(before.open.receipts, 1);
    let world = world.restarted(false).await;
    let client = GatewayClient::new(&world.gateway.url()).reader(reader);
    assert_eq!(client.channel(&CHANNEL).await.unwrap(), before);
}

#[tokio::test]
async fn session_survives_kills() {
    let mut world = World::new().await;
    let account = world.chain.channel_account();
    for run in 0..4_u8 {
        let client = world.client();
        let begun =
            PayerSession::begin(client, CHANNEL, &account, voucher_key(), SessionPolicy::default());
        let settled = world.chain.channel_account().channel.statements.length;
        if settled > 0 {
            // The account was read before the settlement, so the gateway is ahead.
            assert!(begun.await.is_err());
            break;
        }
        let mut session = begun.await.unwrap();
        for generation in 0..5 {
            let digest = [run * 16 + generation; 32];
            session.generate(0, 1, digest, digest).await.unwrap();
        }
        assert_eq!(session.spent().unwrap(), 5 * 102);
        if run == 2 {
            world.settle().await.unwrap();
            // The session follows the cut, because the total is its own.
            session.generate(0, 1, [99; 32], [99; 32]).await.unwrap();
            assert_eq!(session.statement(), 1);
        }
        world = world.restarted(run % 2 == 0).await;
    }
    assert_eq!(world.state().await.cumulative.0, 16 * 102);
}

#[tokio::test]
async fn store_admits_one_gateway() {
    let world = World::new().await;
    let second = serve_with(world.config.clone(), world.chain.clone()).await;
    let error = second.err().unwrap();
    assert!(matches!(error, StartError::Store { source: StoreError::InUse, .. }), "{error}");
    assert!(world.store().exists());
}

#[tokio::test]
async fn other_operators_store_is_refused() {
    let world = World::new().await;
    let mut config = world.config.clone();
    world.gateway.shutdown().await;
    check_store(&config).await.unwrap();
    (config.operator, config.keys.authority) = (MINT, None);
    let is_refused = |error: &StartError| matches!(error, StartError::OtherOperator { ours, .. } if *ours == MINT);
    assert!(is_refused(&check_store(&config).await.unwrap_err()));
    let started = serve_with(config, world.chain.clone()).await;
    let error = started.err().unwrap();
    assert!(is_refused(&error), "{error}");
}

on_postgres_too! {
    acknowledged_generation_survives_kill,
    new_keys_voucher_survives_kill,
    session_survives_kills,
}
