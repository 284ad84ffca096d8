use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{CHANNEL, World, on_postgres_too};

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

#[tokio::test]
async fn an_answer_that_is_lost_at_any_byte_is_had_again_and_nothing_is_charged_twice() {
    let world = World::new().await;
    let mut whole = usize::MAX;
    let mut lost_at = 0;
    let mut generations = 0;
    while lost_at < whole {
        let (key, request) = (format!("lost-at-{lost_at}"), world.next_request().await);
        let body = serde_json::to_string(&request).unwrap();
        let sent = format!(
            "POST /v1/channels/{CHANNEL}/generations HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream.read_exact(&mut vec![0; lost_at]).await.unwrap();
        drop(stream);
        let again = world.generate(&key, &request).await;
        again.assert_ok();
        assert_eq!(world.generate(&key, &request).await.body, again.body);
        generations += 1;
        assert_eq!(world.state().await.open.receipts, generations);
        whole = again.body.len();
        lost_at += 97;
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_at_any_byte_charges_nothing() {
    let world = World::new().await;
    let body = serde_json::to_string(&world.next_request().await).unwrap();
    let sent = format!(
        "POST /v1/channels/{CHANNEL}/generations HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/json\r\nidempotency-key: broken-off\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for broken_at in (1..sent.len()).step_by(53) {
        let mut stream = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
        stream.write_all(&sent.as_bytes()[..broken_at]).await.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(world.state().await.open.receipts, 0);
}

on_postgres_too! {
    a_retry_gets_the_identical_receipt_and_is_charged_once,
    a_retry_gets_the_identical_receipt_after_a_restart_and_after_settlement,
    another_body_under_the_same_key_is_refused,
    spaces_in_the_body_make_no_other_request,
}
