//! A gateway whose connection to the PostgreSQL server is lost.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use motif_gateway::{
    GatewayConfig, RunningGateway,
    config::StorePlace,
    serve_watched,
    store::{Failpoint, Failpoints},
};
use motif_sdk::gateway::{Payer, PayerOptions};
use solana_keypair::Keypair;
use solana_signer::Signer;
use sqlx::{Connection, PgConnection, Row, query};

use crate::world::{CHANNEL, ScriptedChain, Server, voucher_key, with_admin};

/// Proxy in front of a server that loses its connections on demand.
struct Wire {
    port: u16,
    is_deaf: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_deaf, open) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<_>>>::default());
        let (deaf, connections) = (is_deaf.clone(), open.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                connections.lock().unwrap().push(client.try_clone().unwrap());
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || forward(up, server, None));
                let deaf = deaf.clone();
                thread::spawn(move || forward(down, client, Some(&deaf)));
            }
        });
        Self { port, is_deaf, open }
    }

    /// Closes all connections of the client.
    fn cut(&self) {
        for connection in self.open.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// Forwards bytes. An answer that arrives while the client is deaf ends the connection instead.
fn forward(mut from: TcpStream, mut to: TcpStream, is_deaf: Option<&AtomicBool>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if is_deaf.is_some_and(|deaf| deaf.swap(false, Ordering::SeqCst)) {
            break;
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Action at the next commit, while the transaction is open.
#[derive(Default)]
struct AtCommit(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl AtCommit {
    fn run(&self, action: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::new(action));
    }
}

impl Failpoints for AtCommit {
    fn hit(&self, failpoint: Failpoint) {
        if failpoint == Failpoint::Committing
            && let Some(action) = self.0.lock().unwrap().take()
        {
            action();
        }
    }
}

struct Shared {
    wire: Arc<Wire>,
    at_commit: Arc<AtCommit>,
    gateway: RunningGateway,
    payer: Payer,
    database_url: String,
}

impl Shared {
    /// Returns `None` without a PostgreSQL server.
    async fn new() -> Option<Self> {
        let database_url = Server::get()?.database().await;
        let rest = database_url.split_once("127.0.0.1:").unwrap().1;
        let port = rest.split_once('/').unwrap().0;
        let wire = Arc::new(Wire::to(port.parse().unwrap()));
        let store = database_url.replace(&format!(":{port}/"), &format!(":{}/", wire.port));
        let operator = Arc::new(Keypair::new_from_array([8; 32]));
        let chain = Arc::new(ScriptedChain::new(operator.pubkey()));
        let store: StorePlace = store.parse().unwrap();
        let mut config = GatewayConfig::new("http://unused.invalid", operator, store);
        with_admin(&mut config);
        let at_commit = Arc::new(AtCommit::default());
        let gateway = serve_watched(config, chain.clone(), at_commit.clone()).await.unwrap();
        let client = motif_sdk::gateway::GatewayClient::new(&gateway.url());
        client.open_channel(&CHANNEL).await.unwrap();
        let (account, options) = (chain.channel_account(), PayerOptions::default());
        let payer = Payer::open(client, CHANNEL, &account, voucher_key(), options).await;
        Some(Self { wire, at_commit, gateway, payer: payer.unwrap(), database_url })
    }

    async fn pay(&mut self) {
        self.payer.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
    }

    /// Asserts that exactly these generations are stored, each once.
    async fn assert_stored(&self, expected: i64) {
        let mut database = PgConnection::connect(&self.database_url).await.unwrap();
        let row = query("SELECT COUNT(*) AS stored FROM generations");
        let stored: i64 = row.fetch_one(&mut database).await.unwrap().get("stored");
        assert_eq!(stored, expected);
        self.gateway.app().health.check_alive().unwrap();
        assert!(self.gateway.app().reconciler.reconcile().await.unwrap().exact);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connection_is_opened_again() {
    let Some(mut shared) = Shared::new().await else { return };
    shared.pay().await;
    shared.wire.cut();
    shared.pay().await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE application_name = 'motif-gateway' AND datname = current_database()";
    let mut database = PgConnection::connect(&shared.database_url).await.unwrap();
    query(end).execute(&mut database).await.unwrap();
    shared.pay().await;
    shared.assert_stored(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_that_never_arrived_is_repeated() {
    let Some(mut shared) = Shared::new().await else { return };
    shared.pay().await;
    let wire = shared.wire.clone();
    shared.at_commit.run(move || wire.cut());
    shared.pay().await;
    shared.assert_stored(2).await;
    shared.pay().await;
    shared.assert_stored(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_without_answer_is_not_repeated() {
    let Some(mut shared) = Shared::new().await else { return };
    shared.pay().await;
    let wire = shared.wire.clone();
    shared.at_commit.run(move || wire.is_deaf.store(true, Ordering::SeqCst));
    shared.pay().await;
    shared.assert_stored(2).await;
    shared.pay().await;
    shared.assert_stored(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_lost_commits_ends_gateway() {
    let Some(mut shared) = Shared::new().await else { return };
    for _ in 0..3 {
        shared.pay().await;
    }
    // As after a failover to a replica that lacks the last commits.
    let mut database = PgConnection::connect(&shared.database_url).await.unwrap();
    query("UPDATE processes SET written = written - 2").execute(&mut database).await.unwrap();
    shared.wire.cut();
    let refused = shared.payer.generate(0, 1, [1; 32], [1; 32]).await.unwrap_err();
    assert_eq!(refused.slug(), Some("store-failed"));
    let failed = shared.gateway.failed(std::time::Duration::from_millis(10), || ());
    let error = tokio::time::timeout(std::time::Duration::from_secs(5), failed).await.unwrap();
    assert!(matches!(error, motif_gateway::error::GatewayError::StoreFailed(_)), "{error}");
}
