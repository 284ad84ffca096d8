use std::time::{Duration, SystemTime, UNIX_EPOCH};

use motif_gateway::SettlePolicy;
use motif_sdk::{
    Pubkey,
    channel::Moment,
    gateway::{GatewayError, IdempotencyKey, Payer, PayerOptions, PayerRequest},
    receipt::{SignedReceipt, proof::ReceiptProof},
};

use crate::{
    sold::payer_options,
    world::{CHANNEL, Network, World, next_request, on_postgres_too, voucher_key},
};

async fn session(world: &World) -> Payer {
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await.unwrap()
}

async fn generate(session: &Payer, count: u8) -> Vec<SignedReceipt> {
    let mut receipts = Vec::new();
    for number in 0..count {
        receipts.push(session.generate(0, 1, [number; 32], [number; 32]).await.unwrap());
    }
    receipts
}

#[tokio::test]
async fn receipts_prove_across_statements() {
    let world = World::new().await;
    let session = session(&world).await;
    let mut receipts = Vec::new();
    for count in [1, 3, 4] {
        receipts.extend(generate(&session, count).await);
        let settled = world.settle().await.unwrap();
        assert_eq!(settled.len(), 1);
        assert_eq!(settled[0].receipts, u32::from(count));
        assert_eq!((settled[0].compute_units, settled[0].fee_lamports), (3_000, 10_000));
    }
    let channel = world.chain.channel_account().channel;
    for receipt in &receipts {
        let parts = world.client().proof(&receipt.receipt.digest()).await.unwrap();
        let proof = ReceiptProof::from(&parts);
        assert_eq!(proof.signed, *receipt);
        assert_eq!(proof.verify(&CHANNEL, &channel, &world.receipt_keys()), Ok(()));
    }
    assert_eq!(channel.cumulative(), Ok(session.cumulative().unwrap()));
}

#[tokio::test]
async fn unsettled_receipt_has_no_proof_yet() {
    let world = World::new().await;
    let receipts = generate(&session(&world).await, 1).await;
    let unsettled = world.client().proof(&receipts[0].receipt.digest()).await.unwrap_err();
    assert_eq!(unsettled.slug(), Some("receipt-not-settled"));
    let unknown = world.client().proof(&[1; 32]).await.unwrap_err();
    assert_eq!(unknown.slug(), Some("unknown-receipt"));
}

#[tokio::test]
async fn empty_settlement_is_rejected() {
    let world = World::new().await;
    let refused = world.settle().await.unwrap_err();
    assert_eq!(refused.slug(), Some("nothing-to-settle"));
    assert!(world.chain.state().submitted.is_empty());
}

#[tokio::test]
async fn transaction_is_resent_until_expiry() {
    let world = World::new().await;
    generate(&session(&world).await, 2).await;
    world.chain.network(Network::Losing);
    let (client, request) = (world.client(), world.request(PayerRequest::settle));
    let settling = tokio::spawn(async move { client.settle(&request).await });
    while world.chain.state().submitted.len() < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    {
        let mut state = world.chain.state();
        assert!(state.submitted.iter().all(|bytes| *bytes == state.submitted[0]));
        state.height += 151;
        state.network = Network::Up;
    }
    let settled = settling.await.unwrap().unwrap();
    assert_eq!((settled.len(), settled[0].prices.0), (1, 200));
    let state = world.chain.state();
    assert_ne!(state.submitted.last(), state.submitted.first());
    assert_eq!(state.channels[&CHANNEL].channel.statements.length, 1);
}

#[tokio::test]
async fn unheard_settlement_is_recorded() {
    let world = World::new().await;
    let receipts = generate(&session(&world).await, 2).await;
    world.chain.network(Network::Silent);
    let client = world.client().patience(Duration::ZERO);
    let request = world.request(PayerRequest::settle);
    let settling = tokio::spawn(async move { client.settle(&request).await });
    while world.chain.state().submitted.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    settling.abort();
    world.chain.network(Network::Down);
    let world = world.restarted(false).await;
    world.chain.network(Network::Up);
    let refused = world.settle().await.unwrap_err();
    assert_eq!(refused.slug(), Some("nothing-to-settle"));
    let parts = world.client().proof(&receipts[1].receipt.digest()).await.unwrap();
    let channel = world.chain.channel_account().channel;
    assert_eq!(
        ReceiptProof::from(&parts).verify(&CHANNEL, &channel, &world.receipt_keys()),
        Ok(())
    );
    assert_eq!(world.chain.state().submitted.len(), 1);
}

#[tokio::test]
async fn rejected_settlement_keeps_vouchers() {
    let world = World::new().await;
    let session = session(&world).await;
    generate(&session, 2).await;
    world.chain.network(Network::Refusing);
    let refused = world.settle().await.unwrap_err();
    assert_eq!(refused.slug(), Some("settlement-refused"));
    // The statement is closed; metering continues in the next one, and both settle later.
    generate(&session, 1).await;
    world.chain.network(Network::Up);
    let settled = world.settle().await.unwrap();
    let prices: Vec<_> = settled.iter().map(|report| (report.statement, report.prices.0)).collect();
    assert_eq!(prices, [(0, 200), (1, 100)]);
}

#[tokio::test]
async fn worker_settles_at_amount() {
    let world = World::with(|config| {
        let look_every = Duration::from_millis(50);
        config.settle = SettlePolicy { at_amount: Some(300), look_every, ..config.settle };
    })
    .await;
    let session = session(&world).await;
    generate(&session, 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.chain.channel_account().channel.statements.length, 0);
    generate(&session, 1).await;
    while world.chain.channel_account().channel.statements.length == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.chain.channel_account().channel.prices, 300);
}

/// Starts closing the channel, on a chain with the present time.
fn request_close(world: &World) -> i64 {
    let mut state = world.chain.state();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    state.now = since.as_secs() as i64;
    let now = state.now;
    let account = state.channels.get_mut(&CHANNEL).unwrap();
    let payer = account.channel.payer;
    account
        .channel
        .request_close(|key| *key == payer, Moment { unix_seconds: now, slot: 0 })
        .unwrap();
    now
}

#[tokio::test]
async fn cooperative_close_settles_at_once() {
    let world = World::new().await;
    generate(&session(&world).await, 2).await;
    let refused = world.close().await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-not-closing"));

    let now = request_close(&world);
    let closing = world.close().await.unwrap();
    assert!(closing.signature.is_some());
    assert_eq!((closing.closes_at, closing.settlements[0].prices.0), (now, 200));
    let mut channel = world.chain.channel_account().channel;
    assert_eq!(channel.withdraw(Moment::running(now)), Ok(1_000_000 - 204));

    let again = world.close().await.unwrap();
    assert_eq!((again.signature, again.settlements), (None, vec![]));
}

#[tokio::test]
async fn unused_channel_closes_at_once() {
    let world = World::unopened(|_| ()).await;
    let refused = world.settle().await.unwrap_err();
    assert_eq!(refused.slug(), Some("unknown-channel"));
    let now = request_close(&world);
    let closing = world.close().await.unwrap();
    assert!(closing.signature.is_some() && closing.settlements.is_empty());
    assert_eq!(closing.closes_at, now);
}

#[tokio::test]
async fn worker_settles_closing_channel() {
    let world = World::with(|config| {
        config.settle.look_every = Duration::from_millis(50);
    })
    .await;
    let session = session(&world).await;
    generate(&session, 2).await;
    request_close(&world);
    while world.chain.channel_account().channel.statements.length == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = session.generate(0, 1, [3; 32], [3; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-closing"));
}

#[tokio::test]
async fn failing_channel_delays_no_others() {
    let world = World::with(|config| {
        let look_every = Duration::from_millis(100);
        config.settle = SettlePolicy { at_amount: Some(1), look_every, ..config.settle };
    })
    .await;
    let channels: Vec<_> = (100..120).map(|byte| Pubkey::new_from_array([byte; 32])).collect();
    world.chain.state().poisoned = Some(channels[7]);
    for channel in &channels {
        let account = world.chain.channel_account();
        world.chain.state().channels.insert(*channel, account);
        let state = world.client().open_channel(channel).await.unwrap();
        let (request, key) = (next_request(&state, &voucher_key()), IdempotencyKey::random());
        world.client().generate(channel, &key, &request).await.unwrap();
    }
    let settled = || {
        let state = world.chain.state();
        let of = |channel: &&Pubkey| state.channels[*channel].channel.prices == 100;
        channels.iter().filter(of).copied().collect::<Vec<_>>()
    };
    while settled().len() < 19 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!settled().contains(&channels[7]));
    world.chain.state().poisoned = None;
    assert_eq!(world.gateway.app().settler.settle(channels[7]).await.unwrap().len(), 1);
    assert_eq!(settled().len(), 20);
}

#[tokio::test]
async fn fees_are_claimed_once() {
    let world = World::new().await;
    generate(&session(&world).await, 2).await;
    world.settle().await.unwrap();
    let settler = &world.gateway.app().settler;
    assert_eq!(settler.claim_fees(CHANNEL).await.unwrap().0, 4);
    let claimed = settler.claim_fees(CHANNEL).await.unwrap_err();
    assert_eq!(claimed.problem().slug, "nothing-to-claim");
    let unknown = settler.claim_fees(world.operator()).await.unwrap_err();
    assert_eq!(unknown.problem().slug, "unknown-channel");
}

#[tokio::test]
async fn session_signs_within_budget() {
    let world = World::new().await;
    let account = world.chain.channel_account();
    let options = payer_options(250);
    let session = Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await;
    let session = session.unwrap();
    generate(&session, 2).await;
    let refused = session.generate(0, 1, [0; 32], [0; 32]).await.unwrap_err();
    assert!(matches!(refused, GatewayError::OverBudget { total: 306, budget: 250 }), "{refused}");
    assert_eq!(world.state().await.cumulative.0, 204);
}

on_postgres_too! {
    receipts_prove_across_statements,
    unsettled_receipt_has_no_proof_yet,
    transaction_is_resent_until_expiry,
    unheard_settlement_is_recorded,
    rejected_settlement_keeps_vouchers,
    worker_settles_at_amount,
    cooperative_close_settles_at_once,
    worker_settles_closing_channel,
}
