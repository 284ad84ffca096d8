use motif_sdk::gateway::wire::{Unit, Use, WorkQuery};

use crate::{
    works::{WORK, publish},
    world::{Network, World},
};

#[tokio::test]
async fn quote_states_price_fee_and_terms() {
    let world = World::with(|config| config.operator_fee_bps = 150).await;
    publish(&world);
    let quote = world.client().quote(&WORK, Use::Generate).await.unwrap();
    assert_eq!((quote.price.0, quote.operator_fee_bps, quote.price_with_fee.0), (101, 150, 103));
    assert_eq!((quote.unit, quote.terms_number), (Unit::Generation, 2));
    assert_eq!((quote.terms_digest.0, quote.upfront_fee.0, quote.free_units), ([4; 32], 5, 3));
    let refused = world.client().quote(&WORK, Use::Train).await.unwrap_err();
    assert_eq!(refused.slug(), Some("use-not-licensed"));
}

#[tokio::test]
async fn readiness_needs_the_chain() {
    let world = World::new().await;
    let client = world.client().patience(std::time::Duration::ZERO);
    client.ready().await.unwrap();
    assert_eq!(client.operator().await.unwrap().operator.0, world.operator());
    world.chain.network(Network::Down);
    // A check is at most a second old.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(client.ready().await.unwrap_err().slug(), Some("chain-unreachable"));
    let works = client.works(&WorkQuery::default()).await.unwrap_err();
    assert_eq!(works.slug(), Some("chain-unreachable"));
}
