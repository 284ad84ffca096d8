//! World of a test: a gateway, its chain and a payer.

mod buyer;
mod chain;
mod node;
mod payer;
mod server;

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
};

use ed25519_dalek::SigningKey;
use motif_gateway::{
    AdminConfig, GatewayConfig, RunningGateway,
    config::{Rate, StorePlace},
    serve_watched, serve_with,
    store::Failpoints,
};
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{
        AdminClient, GatewayClient, GatewayError, PayerRequest, SignedPayerRequest,
        wire::{ChannelState, Closing, GenerationRequest, Problem, ReaderProof, SettlementReport},
    },
    operator::ReceiptKeys,
};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use solana_keypair::Keypair;
use solana_signer::Signer;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub use buyer::{Buyer, Payment};
pub use chain::{Network, ScriptedChain, SettleParts, channel_data, data, settle_parts};
pub use node::serve_chain;
pub use payer::{
    CHANNEL, MINT, channel_account, license, next_request, payer_client, reader_of, voucher_key,
};
pub use server::Server;

/// Admin secret.
pub const SECRET: &str = "canary-secret-of-the-operators-0123456789";

/// Opens the admin listener on a free port.
pub fn with_admin(config: &mut GatewayConfig) {
    let listen = "127.0.0.1:0".parse().unwrap();
    config.admin = Some(AdminConfig { listen, secret: SECRET.parse().unwrap() });
}

thread_local! {
    /// Whether the worlds of this test use a PostgreSQL store.
    static ON_A_SERVER: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test with PostgreSQL stores.
pub fn on_postgres(test: fn()) {
    if on_a_server() {
        test();
    }
}

/// Switches the worlds of this test to PostgreSQL stores; returns `false` without a server.
pub fn on_a_server() -> bool {
    let there_is_one = Server::get().is_some();
    ON_A_SERVER.set(there_is_one); // a thread has one test
    there_is_one
}

/// Defines tests of a module that also run on PostgreSQL.
#[macro_export]
macro_rules! on_postgres_too {
    ($($test:ident),+ $(,)?) => {
        mod on_postgres {
            $(
                #[test]
                fn $test() {
                    $crate::world::on_postgres(super::$test);
                }
            )+
        }
    };
}
pub use on_postgres_too;

/// Own runtime of a gateway, so that it can be killed.
pub struct Threads(Option<Runtime>);

impl Threads {
    /// Starts two.
    pub fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        Self(Some(runtime.worker_threads(2).enable_all().build().unwrap()))
    }

    /// Starts a gateway on the runtime.
    pub async fn serve(
        &self,
        config: &GatewayConfig,
        chain: &Arc<ScriptedChain>,
    ) -> RunningGateway {
        let (config, chain) = (config.clone(), chain.clone());
        let serving = self.0.as_ref().unwrap().spawn(async { serve_with(config, chain).await });
        serving.await.unwrap().unwrap()
    }

    /// Starts a gateway with failpoints on the runtime.
    async fn serve_watched(
        &self,
        config: &GatewayConfig,
        chain: &Arc<ScriptedChain>,
        failpoints: Arc<dyn Failpoints>,
    ) -> RunningGateway {
        let (config, chain) = (config.clone(), chain.clone());
        let serving = async { serve_watched(config, chain, failpoints).await };
        self.0.as_ref().unwrap().spawn(serving).await.unwrap().unwrap()
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Threads {
    /// Stops everything on the runtime without finishing it.
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// World of a test. The gateway can be restarted on the same store.
pub struct World {
    /// Chain that the gateway settles on.
    pub chain: Arc<ScriptedChain>,
    /// Configuration that the gateway was started with.
    pub config: GatewayConfig,
    /// The gateway.
    pub gateway: RunningGateway,
    folder: TempDir,
    threads: Threads,
    database_url: Option<String>,
}

impl World {
    /// Starts a gateway that serves [`CHANNEL`], with one license at 100 base units.
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// As [`World::new`], with a changed configuration.
    pub async fn with(configure: impl FnOnce(&mut GatewayConfig)) -> Self {
        let world = Self::unopened(configure).await;
        world.client().open_channel(&CHANNEL).await.unwrap();
        world
    }

    /// As [`World::with`], without opening the channel.
    pub async fn unopened(configure: impl FnOnce(&mut GatewayConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operator = Arc::new(Keypair::new_from_array([8; 32]));
        let chain = Arc::new(ScriptedChain::new(operator.pubkey()));
        let database_url = match ON_A_SERVER.get() {
            true => Some(Server::get().unwrap().database().await),
            false => None,
        };
        let store: StorePlace = match &database_url {
            Some(url) => url.parse().unwrap(),
            None => folder.path().join("gateway.sqlite").into(),
        };
        let mut config = GatewayConfig::new("http://unused.invalid", operator, store);
        // Tests send faster than clients, and change what was read before.
        (config.limits.reads, config.catalogue_seconds) = (Rate::per_second(0, 0), 0);
        configure(&mut config);
        let threads = Threads::new();
        let gateway = threads.serve(&config, &chain).await;
        Self { chain, config, gateway, folder, threads, database_url }
    }

    /// Starts another process on the same database and chain.
    pub async fn second(&self, configure: impl FnOnce(&mut GatewayConfig)) -> Self {
        let mut config = self.config.clone();
        configure(&mut config);
        let threads = Threads::new();
        let gateway = threads.serve(&config, &self.chain).await;
        let (chain, database_url) = (self.chain.clone(), self.database_url.clone());
        let folder = tempfile::tempdir().unwrap();
        Self { chain, config, gateway, folder, threads, database_url }
    }

    /// Takes the channel over from a process that has not read that its lease has ended.
    pub async fn take_over(&self) {
        let_leases_expire(self.database_url.as_ref().unwrap()).await;
        let state = self.client().channel(&CHANNEL).await.unwrap();
        assert_eq!(state.channel.0, CHANNEL);
    }

    /// Restarts the gateway: after a shutdown if `graceful`, otherwise after a kill, which leaves
    /// the files as they are.
    pub async fn restarted(mut self, graceful: bool) -> Self {
        if graceful {
            self.gateway.shutdown().await;
        } else if self.config.store.file().is_some() {
            let copy = copied(self.folder.path());
            self.config.store = copy.path().join("gateway.sqlite").into();
            self.gateway.shutdown().await;
            self.folder = copy;
        } else {
            drop(self.gateway);
            self.threads = Threads::new();
            let_leases_expire(self.database_url.as_ref().unwrap()).await;
        }
        let gateway = self.threads.serve(&self.config, &self.chain).await;
        Self { gateway, ..self }
    }

    /// Returns a copy of the files of the store; `None` if it is in a database.
    pub async fn backup(&self) -> Option<TempDir> {
        self.config.store.file()?;
        // Everything queued before is on disk then.
        self.state().await;
        Some(copied(self.folder.path()))
    }

    /// Restores the store from a backup, and restarts the gateway on it.
    pub async fn restored(mut self, backup: TempDir) -> Self {
        self.config.store = backup.path().join("gateway.sqlite").into();
        self.gateway.shutdown().await;
        self.folder = backup;
        let gateway = self.threads.serve(&self.config, &self.chain).await;
        Self { gateway, ..self }
    }

    /// Restarts the gateway after a shutdown, with failpoints.
    pub async fn watched(self, failpoints: Arc<dyn Failpoints>) -> Self {
        self.gateway.shutdown().await;
        let gateway = self.threads.serve_watched(&self.config, &self.chain, failpoints).await;
        Self { gateway, ..self }
    }

    /// Restarts the gateway on a copy of the store's folder, which a kill has left, and on a cluster that
    /// answers.
    pub async fn restarted_on(mut self, folder: TempDir) -> Self {
        self.gateway.shutdown().await;
        self.chain.network(Network::Up);
        self.config.store = folder.path().join("gateway.sqlite").into();
        let gateway = self.threads.serve(&self.config, &self.chain).await;
        Self { gateway, folder, ..self }
    }

    /// Returns a client of the public API, which reads [`CHANNEL`] as its payer.
    pub fn client(&self) -> GatewayClient {
        payer_client(&self.gateway.url())
    }

    /// Returns a client of the admin listener, which [`with_admin`] opens.
    pub fn admin(&self) -> AdminClient {
        AdminClient::new(&self.gateway.admin_url().unwrap(), SECRET)
    }

    /// Returns a payer's request, signed by its voucher key.
    pub fn request(&self, ask: fn(&Pubkey, &Channel) -> PayerRequest) -> SignedPayerRequest {
        ask(&CHANNEL, &self.chain.channel_account().channel).sign(&voucher_key())
    }

    /// Settles [`CHANNEL`] at its payer's request.
    ///
    /// # Errors
    /// The gateway's answer if it refuses.
    pub async fn settle(&self) -> Result<Vec<SettlementReport>, GatewayError> {
        self.client().settle(&self.request(PayerRequest::settle)).await
    }

    /// Closes [`CHANNEL`] at its payer's request.
    ///
    /// # Errors
    /// The gateway's answer if it refuses.
    pub async fn close(&self) -> Result<Closing, GatewayError> {
        self.client().close(&self.request(PayerRequest::close)).await
    }

    /// Returns the operator's address.
    pub fn operator(&self) -> Pubkey {
        self.config.operator
    }

    /// Keys that sign the operator's receipts.
    pub fn receipt_keys(&self) -> ReceiptKeys {
        ReceiptKeys::sole(self.operator())
    }

    /// Returns the URL of the database, if the store is in one.
    pub fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// Returns the path of the store's file.
    pub fn store(&self) -> PathBuf {
        self.config.store.file().unwrap().clone()
    }

    /// Returns the gateway's view of [`CHANNEL`].
    pub async fn state(&self) -> ChannelState {
        self.client().channel(&CHANNEL).await.unwrap()
    }

    /// Returns an honest payer's next request, for one unit of license 0.
    pub async fn next_request(&self) -> GenerationRequest {
        payer::next_request(&self.state().await, &voucher_key())
    }

    /// Sends any request unchanged.
    pub async fn post(&self, key: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
        let path = format!("/v1/channels/{CHANNEL}/generations");
        self.send(Method::POST, &path, key, Some(body.into())).await
    }

    /// Sends a generation under a key.
    pub async fn generate(&self, key: &str, request: &GenerationRequest) -> Answer {
        self.post(Some(key), serde_json::to_vec(request).unwrap()).await
    }

    /// Sends any request to the public API, with the proof of the payer of [`CHANNEL`].
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<reqwest::Body>,
    ) -> Answer {
        let url = format!("{}{path}", self.gateway.url());
        let proof = reader_of(CHANNEL).proof().unwrap().to_header();
        let mut request = reqwest::Client::new().request(method, url);
        request = request.header(ReaderProof::HEADER, proof);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        Answer::to(request).await
    }
}

/// Returns a copy of a folder's files.
fn copied(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// Ends all leases in a database.
pub async fn let_leases_expire(database_url: &str) {
    let mut database = PgConnection::connect(database_url).await.unwrap();
    let expire = sqlx::query("UPDATE processes SET seen_until = 0");
    expire.execute(&mut database).await.unwrap();
}

/// Response.
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Content type; empty if there is none.
    pub kind: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Sends a request and reads the whole answer.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let kind = headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let body = response.bytes().await.unwrap().to_vec();
        Self { status, kind: kind.unwrap_or_default(), headers, body }
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the problem; panics if the response is not a problem.
    pub fn problem(&self) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.kind, "application/problem+json", "{text}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        problem
    }

    /// Asserts that it is a problem with this status and slug.
    pub fn assert_problem(&self, status: u16, slug: &str) {
        let problem = self.problem();
        assert_eq!((problem.status, &problem.slug[..]), (status, slug), "{problem}");
    }

    /// Asserts that its status is 200.
    pub fn assert_ok(&self) {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
    }
}

/// Signs a request with a wrong key.
pub fn foreign_key() -> SigningKey {
    SigningKey::from_bytes(&[77; 32])
}
