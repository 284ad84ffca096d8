use futures::future::join_all;

use crate::world::{World, on_postgres_too};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_1000_voucher_uses_wins() {
    let world = World::new().await;
    for round in 0..3 {
        let request = world.next_request().await;
        let keys: Vec<_> = (0..1_000).map(|racer| format!("round-{round}-racer-{racer}")).collect();
        let racers = keys.iter().map(|key| world.generate(key, &request));
        let answers = join_all(racers).await;
        let winners = answers.iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(winners, 1);
        for loser in answers.iter().filter(|answer| !answer.status.is_success()) {
            loser.assert_problem(409, "voucher-not-newer");
        }
        let state = world.state().await;
        assert_eq!(
            (state.open.receipts, state.cumulative.0),
            (round + 1, 102 * u64::from(round + 1))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousand_retries_get_one_receipt() {
    let world = World::new().await;
    let request = world.next_request().await;
    let racers = (0..1_000).map(|_| world.generate("the-same-key", &request));
    let answers = join_all(racers).await;
    for answer in &answers {
        answer.assert_ok();
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(world.state().await.open.receipts, 1);
}

on_postgres_too! {
    one_of_1000_voucher_uses_wins,
    thousand_retries_get_one_receipt,
}
