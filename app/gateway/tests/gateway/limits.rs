use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use motif_gateway::{check_listeners, config::Rate};
use motif_sdk::{gateway::wire::ReaderProof, voucher::SignedVoucher};
use reqwest::{Client, Method};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::world::{Answer, CHANNEL, World, foreign_key, reader_of, with_admin};

async fn asked(world: &World, forwarded: &str) -> Answer {
    let url = format!("{}/v1/operator", world.gateway.url());
    Answer::to(Client::new().get(url).header("x-forwarded-for", forwarded)).await
}

#[tokio::test]
async fn forged_address_gains_no_allowance() {
    let world = World::with(|config| config.limits.address = Rate::per_hour(60, 3)).await;
    let mut allowed = 0;
    for claimed in 0..10 {
        let answer = asked(&world, &format!("203.0.113.{claimed}")).await;
        if answer.status.is_success() {
            allowed += 1;
            continue;
        }
        answer.assert_problem(429, "rate-limited");
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    assert_eq!(allowed, 2, "and one was used to open the channel");
}

#[tokio::test]
async fn proxied_clients_have_own_allowance() {
    let world = World::with(|config| {
        config.limits.address = Rate::per_hour(60, 1);
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let world = world.await;
    for client in 0..5 {
        let address = format!("203.0.113.{client}");
        assert!(asked(&world, &address).await.status.is_success());
        // The client's own claim is left of the address that the proxy appends.
        let forged = format!("198.51.100.1, {address}");
        asked(&world, &forged).await.assert_problem(429, "rate-limited");
    }
}

#[tokio::test]
async fn unmatched_path_is_rate_limited() {
    let world = World::unopened(|config| {
        with_admin(config);
        config.api_keys_required = true;
        config.cors_origins = vec!["https://studio.example".parse().unwrap()];
        config.limits.address = Rate::per_hour(60, 3);
    });
    let world = world.await;
    let channel = format!("/v1/channels/{CHANNEL}");
    for (method, path, status, slug) in [
        (Method::GET, &*channel, 401, "unauthorized"),
        (Method::DELETE, &*channel, 405, "method-not-allowed"),
        (Method::GET, "/nowhere", 404, "not-found"),
        (Method::GET, "/nowhere", 429, "rate-limited"),
        (Method::DELETE, &*channel, 429, "rate-limited"),
    ] {
        world.send(method, path, None, None).await.assert_problem(status, slug);
    }
    // A browser's preflight does not count as a request of the page.
    let url = format!("{}{channel}", world.gateway.url());
    let preflight = Client::new().request(Method::OPTIONS, url);
    let preflight = preflight.header("access-control-request-method", "POST");
    assert!(Answer::to(preflight).await.status.is_success());
}

#[tokio::test]
async fn channel_allowance_is_private() {
    let world = World::with(|config| config.limits.channel = Rate::per_hour(60, 2)).await;
    let mut foreign = world.next_request().await;
    let voucher = foreign.voucher.voucher;
    foreign.voucher = SignedVoucher::sign(voucher, &foreign_key());
    for _ in 0..10 {
        world.generate("a-foreign-key", &foreign).await.assert_problem(422, "voucher-signature");
    }
    for key in ["the-first-key", "another-key"] {
        world.generate(key, &world.next_request().await).await.assert_ok();
    }
    let request = world.next_request().await;
    world.generate("a-third-key", &request).await.assert_problem(429, "rate-limited");
    assert_eq!(world.state().await.open.receipts, 2);
}

async fn connect(world: &World, from: [u8; 4]) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(world.gateway.local_addr()).await
}

/// Returns whether the other side closes within a second.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0; 1])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn connections_per_address_are_capped() {
    let world = World::with(|config| {
        config.limits.connections_per_address = 5;
        config.limits.connections = 8;
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(connect(&world, [127, 0, 0, 2]).await.unwrap());
    }
    assert!(is_closed(&mut connect(&world, [127, 0, 0, 2]).await.unwrap()).await);
    assert!(asked(&world, "").await.status.is_success(), "another address is served");
    held.clear();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut again = connect(&world, [127, 0, 0, 2]).await.unwrap();
    again.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(again.read(&mut [0; 1]).await.unwrap() > 0);
}

#[tokio::test]
async fn four_addresses_cannot_fill_listener() {
    let world = World::with(|config| {
        config.limits.connections_per_address = 10;
        config.limits.connections = 40;
    })
    .await;
    let mut held = Vec::new();
    for address in 2..=5 {
        for _ in 0..10 {
            held.push(connect(&world, [127, 0, 0, address]).await.unwrap());
        }
    }
    // Some hold a place with a head that never ends.
    for stream in held.iter_mut().step_by(2) {
        stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    }
    for honest in 6..=7 {
        let mut stream = connect(&world, [127, 0, 0, honest]).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        held.push(stream);
    }
    assert!(asked(&world, "").await.status.is_success(), "a third one");
    let closing = held[..40].iter_mut().map(is_closed);
    let closed = futures::future::join_all(closing).await.into_iter().filter(|closed| *closed);
    let closed = closed.count();
    assert!(
        (3..=5).contains(&closed),
        "{closed}: those in the reserve, and one for an honest address"
    );
}

#[tokio::test]
async fn endless_head_is_cut_off() {
    let world = World::new().await;
    let mut long = connect(&world, [127, 0, 0, 1]).await.unwrap();
    long.write_all(b"GET /healthz HTTP/1.1\r\nx-long: ").await.unwrap();
    let mut written = 0;
    // It ends with 431 or a closed connection, long before this.
    while written < 1 << 20 && long.write_all(&[b'x'; 1_024]).await.is_ok() {
        written += 1_024;
        let mut head = [0; 12];
        let read = tokio::time::timeout(Duration::from_millis(1), long.read(&mut head)).await;
        if let Ok(Ok(count)) = read {
            let said = String::from_utf8_lossy(&head[..count]);
            assert!(said.is_empty() || said.ends_with("431"), "{said}");
            break;
        }
    }
    assert!(written < 1 << 20, "{written} bytes were taken");

    let many: String = (0..100).map(|number| format!("x-{number}: 1\r\n")).collect();
    let mut many_headers = connect(&world, [127, 0, 0, 1]).await.unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: a\r\n{many}\r\n");
    many_headers.write_all(head.as_bytes()).await.unwrap();
    let mut said = vec![0; 12];
    many_headers.read_exact(&mut said).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said), "HTTP/1.1 431");
}

#[tokio::test]
async fn endless_body_is_cut_off() {
    let world = World::with(|config| config.limits.request_seconds = 1).await;
    let head = format!(
        "POST /v1/channels/{CHANNEL}/generations HTTP/1.1\r\nhost: a\r\nidempotency-key: 12345678\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    // Faster than the gateway reads: too large.
    let mut fast = connect(&world, [127, 0, 0, 1]).await.unwrap();
    fast.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..8 {
        if fast.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut said = vec![0; 12];
    // Unread bytes of the body may reset the connection before the response arrives.
    if fast.read_exact(&mut said).await.is_ok() {
        assert_eq!(String::from_utf8_lossy(&said), "HTTP/1.1 413");
    }
    // A byte at a time: too slow.
    let mut slow = connect(&world, [127, 0, 0, 1]).await.unwrap();
    slow.write_all(head.as_bytes()).await.unwrap();
    let begun = Instant::now();
    slow.write_all(b"1\r\n \r\n").await.unwrap();
    slow.read_exact(&mut said).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said), "HTTP/1.1 408");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn compressed_body_is_rejected() {
    let world = World::new().await;
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip"] {
        let url = format!("{}/v1/channels", world.gateway.url());
        let asked = Client::new().post(url).header("content-encoding", encoding);
        let asked = asked.header("content-type", "application/json").body(vec![0; 64]);
        Answer::to(asked).await.assert_problem(415, "encoded-body");
    }
}

/// `MOTIF_SLOW_SOCKETS` sets the number of sockets; 5,000 need a machine without other load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_sockets_delay_no_others() {
    let sockets = std::env::var("MOTIF_SLOW_SOCKETS").ok().and_then(|count| count.parse().ok());
    let sockets: usize = sockets.unwrap_or(500);
    let world = World::with(|config| config.limits.connections_per_address = 6_000).await;
    let before = p99(&world).await;
    let mut held = Vec::new();
    for _ in 0..sockets {
        let mut socket = connect(&world, [127, 0, 0, 2]).await.unwrap();
        socket.write_all(b"POST /v1/channels HTTP/1.1\r\nhost: ").await.unwrap();
        held.push(socket);
    }
    let drip = tokio::spawn(async move {
        loop {
            for socket in &mut held {
                let _ = socket.write_all(b"a").await;
                tokio::time::sleep(Duration::from_micros(500)).await;
            }
        }
    });
    let beside = p99(&world).await;
    drip.abort();
    println!("p99 alone {before:?}, beside {sockets} slow sockets {beside:?}");
    // Twice as long, with a margin for machines that run other tests.
    let most = before * 2 + Duration::from_millis(100);
    assert!(beside <= most, "{beside:?} instead of {before:?}");
}

async fn p99(world: &World) -> Duration {
    let (client, url) = (Client::new(), format!("{}/v1/channels/{CHANNEL}", world.gateway.url()));
    let proof = reader_of(CHANNEL).proof().unwrap().to_header();
    let mut times = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        client
            .get(&url)
            .header(ReaderProof::HEADER, &proof)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[tokio::test]
async fn missing_or_repeated_host_is_rejected() {
    let world = World::with(with_admin).await;
    let admin = world.gateway.admin_url().unwrap().replace("http://", "").parse().unwrap();
    for address in [world.gateway.local_addr(), admin] {
        for (hosts, expected) in
            [("host: a\r\n", "200"), ("", "400"), ("host: a\r\nhost: b\r\n", "400")]
        {
            let mut stream = TcpStream::connect::<SocketAddr>(address).await.unwrap();
            let request = format!("GET /openapi.json HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let is_admin = address == admin && expected == "200";
            let expected = if is_admin { "401" } else { expected };
            assert_eq!(&answer[9..12], expected, "{hosts:?} at {address}");
            assert_eq!(answer.contains("invalid-host"), expected == "400", "{answer}");
        }
    }
}

#[tokio::test]
async fn taken_listener_is_named() {
    let world = World::with(with_admin).await;
    let mut config = world.config.clone();
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    check_listeners(&config).await.unwrap();
    let taken = world.gateway.local_addr();
    config.admin.as_mut().unwrap().listen = taken;
    let refused = check_listeners(&config).await.unwrap_err().to_string();
    assert!(refused.starts_with(&format!("admin.listen: cannot listen on {taken}: ")), "{refused}");
}
