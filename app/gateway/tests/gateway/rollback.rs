use std::time::Duration;

use motif_sdk::gateway::PayerRequest;

use crate::world::{CHANNEL, Network, World};

async fn generate(world: &World, key: &str) {
    world.generate(key, &world.next_request().await).await.assert_ok();
}

/// Waits until the chain has this many statements of the channel, at most five seconds.
async fn settled(world: &World, statements: u64) {
    for _ in 0..250 {
        if world.chain.channel_account().channel.statements.length == statements {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come to that");
}

#[tokio::test]
async fn rolled_back_settlement_is_resent() {
    let world = World::with(|config| {
        config.settle.look_every = Duration::from_millis(50);
    });
    let world = world.await;
    generate(&world, "generation-0").await;
    let before = world.chain.channel_account();
    world.settle().await.unwrap();
    generate(&world, "generation-1").await;
    let first = world.chain.state().submitted[0].clone();
    world.chain.state().roll_back(CHANNEL, before);
    settled(&world, 1).await;
    assert!(world.chain.state().submitted.iter().all(|bytes| *bytes == first), "the same bytes");
    assert_eq!(world.settle().await.unwrap()[0].statement, 1);
    assert_eq!(world.chain.channel_account().channel.prices, 200);
    let books = world.gateway.app().reconciler.reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
}

#[tokio::test]
async fn unknown_outcome_is_not_resigned() {
    let world = World::with(|config| config.settle.look_every = Duration::from_secs(60)).await;
    generate(&world, "generation-0").await;
    // Transactions land in a finalized block, and no node reports them.
    world.chain.network(Network::Deaf);
    let (client, request) = (world.client(), world.request(PayerRequest::settle));
    let client = client.patience(Duration::ZERO);
    let settling = tokio::spawn(async move { client.settle(&request).await });
    while world.chain.state().submitted.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.chain.state().height += 1_000;
    let refused = settling.await.unwrap().unwrap_err();
    assert_eq!(refused.slug(), Some("chain-unreachable"));
    {
        let state = world.chain.state();
        assert!(state.submitted.iter().all(|bytes| *bytes == state.submitted[0]));
    }
    world.chain.network(Network::Up);
    let again = world.settle().await.unwrap_err();
    assert_eq!(again.slug(), Some("nothing-to-settle"));
    assert_eq!(world.chain.channel_account().channel.prices, 100);
}

#[tokio::test]
async fn expired_rollback_is_signed_again() {
    let world = World::with(|config| config.settle.look_every = Duration::from_millis(50)).await;
    generate(&world, "generation-0").await;
    let before = world.chain.channel_account();
    world.settle().await.unwrap();
    let first = world.chain.state().submitted[0].clone();
    {
        let mut state = world.chain.state();
        // The blockhash of the first transaction is gone with the fork.
        state.lost = Some(CHANNEL);
        state.roll_back(CHANNEL, before);
    }
    while world.chain.state().submitted.len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    {
        let mut state = world.chain.state();
        state.height += 151;
        state.lost = None;
    }
    settled(&world, 1).await;
    assert_ne!(world.chain.state().submitted.last(), Some(&first));
    generate(&world, "generation-1").await;
    assert_eq!(world.settle().await.unwrap()[0].statement, 1);
    let books = world.gateway.app().reconciler.reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
}
