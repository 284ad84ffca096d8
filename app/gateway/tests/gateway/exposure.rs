use std::time::{Duration, SystemTime, UNIX_EPOCH};

use motif_sdk::channel::{License, Moment};

use crate::world::{CHANNEL, Network, World, license};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Waits for a condition, at most thirty seconds.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..1_500 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come to that");
}

#[tokio::test]
async fn exposure_is_capped_offline() {
    let world = World::with(|config| {
        config.settle.max_exposure = Some(3 * 102);
        config.settle.look_every = Duration::from_millis(50);
    })
    .await;
    world.chain.network(Network::Down);
    for number in 0..3 {
        let request = world.next_request().await;
        world.generate(&format!("generation-{number}"), &request).await.assert_ok();
    }
    let request = world.next_request().await;
    world.generate("one-too-many", &request).await.assert_problem(503, "exposed");
    world.chain.network(Network::Up);
    until(|| world.chain.channel_account().channel.prices == 300).await;
    // The gateway reads it later.
    while world.state().await.open.statement == 0 || !world.state().await.unsettled.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.generate("another-key", &world.next_request().await).await.assert_ok();
}

#[tokio::test]
async fn unseen_close_is_settled_in_time() {
    const CAP: u64 = 3 * 102;
    let world = World::with(|config| {
        config.settle.max_exposure = Some(CAP);
        config.settle.look_every = Duration::from_millis(50);
    })
    .await;
    world.chain.network(Network::Down);
    // Unseen by the gateway, the grace period has begun and is nearly over.
    let closes_at = now() + 5;
    {
        let mut state = world.chain.state();
        state.now = now();
        let account = state.channels.get_mut(&CHANNEL).unwrap();
        let payer = account.channel.payer;
        account
            .channel
            .request_close(|key| *key == payer, Moment { unix_seconds: now(), slot: 0 })
            .unwrap();
        account.channel.closes_at = closes_at;
    }
    let request = async || world.next_request().await;
    for number in 0..3 {
        world.generate(&format!("generation-{number}"), &request().await).await.assert_ok();
        let exposure = world.gateway.app().exposure();
        assert!(exposure.amounts[0].1 <= CAP, "{exposure:?}");
    }
    for number in 0..3 {
        let refused = world.generate(&format!("beyond-{number}"), &request().await).await;
        refused.assert_problem(503, "exposed");
    }
    world.chain.network(Network::Up);
    until(|| world.chain.channel_account().channel.prices == 300).await;
    assert!(now() <= closes_at, "after that the money would have been the payer's");
    while !world.state().await.unsettled.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = world.generate("one-more", &request().await).await;
    refused.assert_problem(409, "channel-closing");
}

#[tokio::test]
async fn worker_settles_at_half_cap() {
    let world = World::with(|config| {
        config.settle.max_exposure = Some(4 * 102);
        config.settle.look_every = Duration::from_secs(60);
    })
    .await;
    for number in 0..12 {
        let request = world.next_request().await;
        world.generate(&format!("generation-{number}"), &request).await.assert_ok();
        let statements = || world.chain.channel_account().channel.statements.length;
        until(|| number % 2 == 0 || statements() > number / 2).await;
    }
}

#[tokio::test]
async fn stale_channel_is_rejected() {
    let world = World::with(|config| {
        config.settle.look_every = Duration::from_millis(500);
        config.settle.max_blind_seconds = 1;
    })
    .await;
    world.chain.network(Network::Down);
    let request = world.next_request().await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    world.generate("the-first-key", &request).await.assert_problem(503, "channel-unseen");
    world.chain.network(Network::Up);
    world.client().open_channel(&CHANNEL).await.unwrap();
    world.generate("the-first-key", &request).await.assert_ok();
}

#[tokio::test]
async fn ending_license_is_settled_first() {
    let world = World::unopened(|config| {
        config.settle.look_every = Duration::from_millis(50);
        config.min_voucher_seconds = 4;
    })
    .await;
    let ends_at = now() + 6;
    let ending = License { expires_at: ends_at, ..license(100) };
    world.chain.state().channels.get_mut(&CHANNEL).unwrap().licenses[0] = ending;
    world.client().open_channel(&CHANNEL).await.unwrap();
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    // Only the license's end makes it settle: no request arrives and nothing else is due.
    until(|| world.chain.channel_account().channel.prices == 100).await;
    assert!(now() <= ends_at);
}
