//! A gateway whose operator has another settle key on chain.

use motif_sdk::{
    Pubkey,
    operator::{Operator, OperatorKey, OperatorTerms},
};

use crate::world::{MINT, World};

/// Replaces the operator's account on chain. The gateway reads it.
async fn set_account(world: &World, account: &Operator) {
    world.chain.state().operator = Some(account.clone());
    world.gateway.app().operator_keys.refresh().await.unwrap();
}

fn account(world: &World, settle_key: Pubkey) -> Operator {
    let authority = world.operator();
    let terms = OperatorTerms::new(authority);
    Operator::new(255, authority, [settle_key, authority], terms, 0).unwrap()
}

#[tokio::test]
async fn replaced_settle_key_takes_no_generations() {
    let world = World::new().await;
    world.generate("generation-1", &world.next_request().await).await.assert_ok();
    set_account(&world, &account(&world, MINT)).await;
    let before = world.state().await;
    let refused = world.generate("generation-2", &world.next_request().await).await;
    refused.assert_problem(503, "settle-key-replaced");
    assert!(refused.problem().detail.contains(&MINT.to_string()));
    assert_eq!(world.state().await, before);
    // What was acknowledged is repeated, and the key may be put back.
    set_account(&world, &account(&world, world.operator())).await;
    world.generate("generation-2", &world.next_request().await).await.assert_ok();
}

#[tokio::test]
async fn pending_settle_key_takes_generations() {
    let world = World::new().await;
    let mut account = account(&world, MINT);
    account.rotate(OperatorKey::Settle, world.operator(), i64::from(u32::MAX)).unwrap();
    set_account(&world, &account).await;
    world.generate("generation-1", &world.next_request().await).await.assert_ok();
}
