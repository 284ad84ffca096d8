use crate::world::{World, on_postgres_too};

#[tokio::test]
async fn a_retry_gets_the_identical_receipt_and_is_charged_once() {
    let world = World::new().await;
    let request = world.next_request().await;
    let first = world.generate("the-same-key", &request).await;
    first.assert_ok();
    for _ in 0..3 {
        let again = world.generate("the-same-key", &request).await;
        assert_eq!(again.body, first.body);
    }
    let state = world.state().await;
    assert_eq!((state.open.receipts, state.cumulative.0), (1, 102));
}

#[tokio::test]
async fn a_retry_gets_the_identical_receipt_after_a_restart_and_after_settlement() {
    let world = World::new().await;
    let request = world.next_request().await;
    let first = world.generate("the-same-key", &request).await;
    let world = world.restarted(false).await;
    assert_eq!(world.generate("the-same-key", &request).await.body, first.body);
    world.settle().await.unwrap();
    assert_eq!(world.generate("the-same-key", &request).await.body, first.body);
    let world = world.restarted(true).await;
    assert_eq!(world.generate("the-same-key", &request).await.body, first.body);
    assert_eq!(world.state().await.cumulative.0, 102);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let world = World::new().await;
    let mut request = world.next_request().await;
    world.generate("the-same-key", &request).await.assert_ok();
    request.output_digest.0[0] ^= 1;
    let other = world.generate("the-same-key", &request).await;
    other.assert_problem(409, "idempotency-key-reused");
    let other = world.generate("the-same-key", &world.next_request().await).await;
    other.assert_problem(409, "idempotency-key-reused");
    assert_eq!(world.state().await.open.receipts, 1);
}

#[tokio::test]
async fn spaces_in_the_body_make_no_other_request() {
    let world = World::new().await;
    let request = world.next_request().await;
    let first = world.generate("the-same-key", &request).await;
    let spaced = world.post(Some("the-same-key"), serde_json::to_vec_pretty(&request).unwrap());
    assert_eq!(spaced.await.body, first.body);
}

on_postgres_too! {
    a_retry_gets_the_identical_receipt_and_is_charged_once,
    a_retry_gets_the_identical_receipt_after_a_restart_and_after_settlement,
    another_body_under_the_same_key_is_refused,
    spaces_in_the_body_make_no_other_request,
}
