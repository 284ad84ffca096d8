//! Settlement when transactions are lost, refused or outbid.

use std::time::Duration;

use motif_gateway::SettlePolicy;
use motif_sdk::{
    Pubkey,
    gateway::{IdempotencyKey, PayerRequest, wire::ChannelSummary},
};
use solana_message::Hash;

use crate::world::{
    Answer, CHANNEL, Network, SECRET, World, next_request, on_postgres_too, settle_parts,
    voucher_key, with_admin,
};

/// Opens a channel and pays one generation on it.
async fn pay(world: &World, channel: &Pubkey) {
    let account = world.chain.channel_account();
    world.chain.state().channels.entry(*channel).or_insert(account);
    let state = world.client().open_channel(channel).await.unwrap();
    let (request, key) = (next_request(&state, &voucher_key()), IdempotencyKey::random());
    world.client().generate(channel, &key, &request).await.unwrap();
}

/// Waits for a condition, at most ten seconds.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to that");
}

async fn summary(world: &World, channel: &Pubkey) -> ChannelSummary {
    let channels = world.admin().channels().await.unwrap();
    channels.into_iter().find(|one| one.channel.0 == *channel).unwrap()
}

async fn metrics(world: &World) -> String {
    let url = format!("{}/metrics", world.gateway.admin_url().unwrap());
    Answer::to(reqwest::Client::new().get(url).bearer_auth(SECRET)).await.text()
}

#[tokio::test]
async fn lost_settlement_delays_no_others() {
    let world = World::with(|config| {
        let look_every = Duration::from_millis(100);
        config.settle = SettlePolicy { at_amount: Some(1), look_every, ..config.settle };
    })
    .await;
    world.chain.state().lost = Some(CHANNEL);
    pay(&world, &CHANNEL).await;
    until(|| !world.chain.state().submitted.is_empty()).await;
    // The first settlement neither lands nor expires.
    let others: Vec<_> = (100..120).map(|byte| Pubkey::new_from_array([byte; 32])).collect();
    for channel in &others {
        pay(&world, channel).await;
    }
    let is_settled = |channel: &Pubkey| world.chain.state().channels[channel].channel.prices == 100;
    until(|| others.iter().all(is_settled)).await;
    assert!(!is_settled(&CHANNEL));
    world.chain.state().lost = None;
    until(|| is_settled(&CHANNEL)).await;
}

#[tokio::test]
async fn fee_rises_with_each_attempt() {
    let world = World::with(with_admin).await;
    world.chain.state().recent_fees = (1..=100).map(|fee| fee * 1_000).collect();
    world.chain.state().lost = Some(CHANNEL);
    pay(&world, &CHANNEL).await;
    let (client, request) = (world.client(), world.request(PayerRequest::settle));
    let settling = tokio::spawn(async move { client.settle(&request).await });
    let prices = || {
        let mut prices = Vec::new();
        for transaction in &world.chain.state().submitted {
            let parts = settle_parts(transaction);
            assert_eq!(parts.units, Some(5_600), "3,000 in simulation, a fifth and 2,000");
            if prices.last() != Some(&parts.price) {
                prices.push(parts.price);
            }
        }
        prices
    };
    for attempt in 1..=4 {
        until(|| prices().len() == attempt).await;
        // Its blockhash expires.
        world.chain.state().height += 151;
        if attempt == 3 {
            let summary = summary(&world, &CHANNEL).await;
            assert_eq!((summary.settlement_attempts, summary.settlement_problem), (3, None));
            assert!(metrics(&world).await.contains("motif_channels_delayed 1"));
        }
    }
    world.chain.state().lost = None;
    assert_eq!(settling.await.unwrap().unwrap().len(), 1);
    // The median, but at least 500 lamports once it is raised.
    let first_raise = 500 * 1_000_000 / 5_600;
    assert_eq!(prices()[..4], [50_000, first_raise * 2, first_raise * 4, first_raise * 8]);
    assert_eq!(summary(&world, &CHANNEL).await.settlement_attempts, 0);
    assert!(metrics(&world).await.contains("motif_channels_delayed 0"));
}

#[tokio::test]
async fn refused_settlement_waits_for_blockhash() {
    let world = World::new().await;
    world.chain.state().cached_blockhash = Some(Hash::new_from_array([1; 32]));
    world.chain.network(Network::Refusing);
    pay(&world, &CHANNEL).await;
    assert_eq!(world.settle().await.unwrap_err().slug(), Some("settlement-refused"));
    world.chain.network(Network::Up);
    // The node returns the same blockhash for a while, as a caching one does.
    assert_eq!(world.settle().await.unwrap_err().slug(), Some("chain-unreachable"));
    assert_eq!(world.chain.state().submitted.len(), 1);
    world.chain.state().cached_blockhash = Some(Hash::new_from_array([2; 32]));
    assert_eq!(world.settle().await.unwrap().len(), 1);
    assert_eq!(world.chain.state().submitted.len(), 2);
    world.client().ready().await.unwrap();
}

#[tokio::test]
async fn unsent_settlement_costs_no_fee() {
    let world = World::with(with_admin).await;
    world.chain.state().recent_fees = vec![1_000_000; 100];
    world.chain.network(Network::Refusing);
    pay(&world, &CHANNEL).await;
    let fees = || world.gateway.app().exposure().priority_fees;
    for _ in 0..3 {
        assert_eq!(world.settle().await.unwrap_err().slug(), Some("settlement-refused"));
        assert_eq!(fees(), 0);
    }
    world.chain.network(Network::Up);
    assert_eq!(world.settle().await.unwrap().len(), 1);
    assert!(fees() > 0);
}

#[tokio::test]
async fn channels_are_read_in_batches() {
    let world = World::with(|config| config.settle.look_every = Duration::from_millis(100)).await;
    let channels = (0..250_u64).map(|number| {
        let mut address = [7; 32];
        address[..8].copy_from_slice(&number.to_le_bytes());
        Pubkey::new_from_array(address)
    });
    let channels: Vec<_> = channels.collect();
    for channel in &channels {
        let account = world.chain.channel_account();
        world.chain.state().channels.insert(*channel, account);
        world.client().open_channel(channel).await.unwrap();
    }
    let (requests, reads) = {
        let state = world.chain.state();
        (state.channel_requests, state.reads)
    };
    until(|| world.chain.state().reads >= reads + 1_004).await;
    // Four or five rounds of 251 channels.
    assert!(world.chain.state().channel_requests <= requests + 5 * 3);
}

#[tokio::test]
async fn payment_reads_unseen_channel() {
    let world = World::with(|config| {
        config.settle.look_every = Duration::from_secs(1);
        config.settle.max_blind_seconds = 2;
    })
    .await;
    let request = world.next_request().await;
    world.chain.network(Network::Down);
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    world.generate("a-first-key", &request).await.assert_problem(503, "channel-unseen");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    world.chain.network(Network::Up);
    world.generate("a-first-key", &request).await.assert_ok();
}

on_postgres_too! {
    lost_settlement_delays_no_others,
    fee_rises_with_each_attempt,
    refused_settlement_waits_for_blockhash,
}
