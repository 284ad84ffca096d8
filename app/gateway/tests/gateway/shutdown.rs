use std::time::{Duration, Instant};

use motif_gateway::serve_with;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    idempotency::on_the_wire,
    world::{CHANNEL, World, payer_client},
};

/// Returns the bytes received until the other side closes, within a time limit.
async fn rest(stream: &mut TcpStream, within: Duration) -> String {
    let mut read = Vec::new();
    tokio::time::timeout(within, stream.read_to_end(&mut read)).await.unwrap().unwrap();
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn shutdown_finishes_open_requests() {
    let world = World::new().await;
    let address = world.gateway.local_addr();
    let sent = on_the_wire("begun-before", &world.next_request().await);
    let (begun, left) = sent.split_at(sent.len() - 20);
    let mut paying = TcpStream::connect(address).await.unwrap();
    paying.write_all(begun.as_bytes()).await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(idle.read(&mut [0; 1_024]).await.unwrap() > 0);

    let stopping = tokio::spawn(world.gateway.shutdown());
    // Idle connections close at once, and new ones are rejected.
    assert_eq!(rest(&mut idle, Duration::from_secs(5)).await, "");
    let refused_by = Instant::now() + Duration::from_secs(5);
    while let Ok(mut late) = TcpStream::connect(address).await {
        let _ = late.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let answered = late.read(&mut [0; 1]).await;
        assert!(!matches!(answered, Ok(count) if count > 0), "it still answers");
        assert!(Instant::now() < refused_by, "it still listens");
    }
    assert!(!stopping.is_finished(), "a request is under way");
    paying.write_all(left.as_bytes()).await.unwrap();
    let answer = rest(&mut paying, Duration::from_secs(5)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), stopping).await.unwrap().unwrap();

    let again = serve_with(world.config.clone(), world.chain.clone()).await.unwrap();
    let state = payer_client(&again.url()).channel(&CHANNEL).await.unwrap();
    assert_eq!((state.open.receipts, state.cumulative.0), (1, 102));
    again.shutdown().await;
}
