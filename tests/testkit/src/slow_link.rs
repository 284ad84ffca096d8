//! TCP proxy that delays each direction, as a long way does: it costs time, not throughput.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// Delaying proxy in front of a server. It ends, with its connections, when it is dropped.
pub struct SlowLink {
    address: SocketAddr,
    server: watch::Sender<SocketAddr>,
    accepting: JoinHandle<()>,
}

/// Chunks on their way in one direction.
const MAX_CHUNKS: usize = 4_096;
const CHUNK_BYTES: usize = 64 << 10;

impl SlowLink {
    /// Starts a proxy to `server` that delays each direction.
    pub async fn to(server: SocketAddr, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (server, present) = watch::channel(server);
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let mut present = present.clone();
                let server = *present.borrow_and_update();
                tokio::spawn(async move {
                    // The handshake takes one way as well; then the server may be gone.
                    tokio::time::sleep(delay).await;
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    client.set_nodelay(true).unwrap();
                    server.set_nodelay(true).unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let both = async {
                        tokio::join!(
                            forward(from_client, to_server, delay),
                            forward(from_server, to_client, delay)
                        )
                    };
                    tokio::select! {
                        _ = both => {}
                        _ = present.changed() => {}
                    }
                });
            }
        });
        Self { address, server, accepting }
    }

    /// Ends all connections, and connects clients to another server from now on.
    pub fn redirect(&self, server: SocketAddr) {
        self.server.send_replace(server);
    }

    /// Returns the URL of the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Forwards bytes, each chunk `delay` after it was read.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(MAX_CHUNKS);
    let reading = async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let due = Instant::now() + delay;
            if sender.send((due, buffer[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, chunk)) = receiver.recv().await {
            sleep_until(due).await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
