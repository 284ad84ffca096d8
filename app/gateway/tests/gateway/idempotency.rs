use motif_sdk::{
    gateway::wire::GenerationRequest,
    voucher::{SignedVoucher, Voucher},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{CHANNEL, World, on_postgres_too, voucher_key};

#[tokio::test]
async fn retry_gets_identical_receipt() {
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
async fn retry_after_restart_gets_receipt() {
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
async fn other_body_under_key_is_rejected() {
    let world = World::new().await;
    let request = world.next_request().await;
    world.generate("the-same-key", &request).await.assert_ok();
    let later = request.voucher.voucher;
    let later = Voucher { expires_at: later.expires_at + 1, ..later };
    let later = SignedVoucher::sign(later, &voucher_key());
    let changes: [&dyn Fn(&mut GenerationRequest); 5] = [
        &|other| other.output_digest.0[31] ^= 1,
        &|other| other.request_digest.0[0] ^= 1,
        &|other| other.units += 1,
        &|other| other.license += 1,
        &|other| other.voucher = later,
    ];
    for change in changes {
        let mut other = request.clone();
        change(&mut other);
        let other = world.generate("the-same-key", &other).await;
        other.assert_problem(409, "idempotency-key-reused");
    }
    let other = world.generate("the-same-key", &world.next_request().await).await;
    other.assert_problem(409, "idempotency-key-reused");
    assert_eq!(world.state().await.open.receipts, 1);
    world.generate("the-same-key", &request).await.assert_ok();
}

#[tokio::test]
async fn whitespace_keeps_request_equal() {
    let world = World::new().await;
    let request = world.next_request().await;
    let first = world.generate("the-same-key", &request).await;
    let spaced = world.post(Some("the-same-key"), serde_json::to_vec_pretty(&request).unwrap());
    assert_eq!(spaced.await.body, first.body);
}

/// Returns the bytes of a generation's HTTP request.
pub fn on_the_wire(key: &str, request: &GenerationRequest) -> String {
    let body = serde_json::to_string(request).unwrap();
    format!(
        "POST /v1/channels/{CHANNEL}/generations HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request, reads this many bytes of its response, and drops the rest.
async fn lose(world: &World, sent: &str, read: usize) {
    let mut stream = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream.read_exact(&mut vec![0; read]).await.unwrap();
}

#[tokio::test]
async fn lost_response_is_repeated() {
    let world = World::new().await;
    let request = world.next_request().await;
    let first = world.generate("the-same-key", &request).await;
    // Body and minimal head.
    let least = b"HTTP/1.1 200 OK\r\n\r\n".len() + first.body.len();
    // Responses to the same request, before and after it was first served.
    let sent = on_the_wire("the-same-key", &request);
    for lost_at in 0..=least {
        lose(&world, &sent, lost_at).await;
    }
    assert_eq!(world.generate("the-same-key", &request).await.body, first.body);
    assert_eq!(world.state().await.open.receipts, 1);
    for (number, lost_at) in (2..).zip((0..=least).step_by(29)) {
        let (key, request) = (format!("lost-at-{lost_at}"), world.next_request().await);
        lose(&world, &on_the_wire(&key, &request), lost_at).await;
        let again = world.generate(&key, &request).await;
        again.assert_ok();
        assert_eq!(world.generate(&key, &request).await.body, again.body);
        let state = world.state().await;
        assert_eq!((state.open.receipts, state.cumulative.0), (number, 102 * u64::from(number)));
    }
}

#[tokio::test]
async fn truncated_request_charges_nothing() {
    let world = World::new().await;
    let request = world.next_request().await;
    let sent = on_the_wire("broken-off", &request);
    for broken_at in 1..sent.len() {
        let mut stream = TcpStream::connect(world.gateway.local_addr()).await.unwrap();
        stream.write_all(&sent.as_bytes()[..broken_at]).await.unwrap();
    }
    // After it closes the last connection, the gateway has read all.
    while world.gateway.app().metrics.connections.get() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(world.state().await.open.receipts, 0);
    world.generate("broken-off", &request).await.assert_ok();
}

on_postgres_too! {
    retry_gets_identical_receipt,
    retry_after_restart_gets_receipt,
    other_body_under_key_is_rejected,
    whitespace_keeps_request_equal,
}
