//! Two gateways on one PostgreSQL server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use motif_gateway::{GatewayConfig, RunningGateway};
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    gateway::{
        AdminClient, GatewayClient, Payer, PayerOptions,
        wire::{Amount, NewApiKey, ScopeWord},
    },
};
use reqwest::Client;
use solana_keypair::Keypair;
use solana_signer::Signer;
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};

use crate::world::{
    Answer, CHANNEL, SECRET, ScriptedChain, Server, Threads, let_leases_expire, next_request,
    payer_client, reader_of, voucher_key, with_admin,
};

/// Process on a shared store.
struct Process {
    gateway: RunningGateway,
    /// Ends the process without shutdown when it is dropped.
    _threads: Threads,
}

/// Server and chain with processes on both.
struct Shared {
    chain: Arc<ScriptedChain>,
    config: GatewayConfig,
    database_url: String,
}

impl Shared {
    /// Returns `None` without a PostgreSQL server.
    async fn new(lease: Duration) -> Option<Self> {
        let database_url = Server::get()?.database().await;
        let operator = Arc::new(Keypair::new_from_array([8; 32]));
        let chain = Arc::new(ScriptedChain::new(operator.pubkey()));
        let store = database_url.parse::<motif_gateway::config::StorePlace>().unwrap();
        let mut config = GatewayConfig::new("http://unused.invalid", operator, store);
        with_admin(&mut config);
        config.lease = lease;
        Some(Self { chain, config, database_url })
    }

    async fn process(&self) -> Process {
        let threads = Threads::new();
        let gateway = threads.serve(&self.config, &self.chain).await;
        Process { gateway, _threads: threads }
    }

    /// Starts two processes at the same time, on an empty database; the first holds
    /// the channel.
    async fn two(&self) -> (Process, Process) {
        let (first, second) = tokio::join!(self.process(), self.process());
        first.client().open_channel(&CHANNEL).await.unwrap();
        (first, second)
    }

    async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.database_url).await.unwrap()
    }

    /// Returns the number of generations on disk.
    async fn stored(&self) -> i64 {
        let row = sqlx::query("SELECT COUNT(*) AS stored FROM generations");
        row.fetch_one(&mut self.database().await).await.unwrap().get("stored")
    }
}

impl Process {
    fn client(&self) -> GatewayClient {
        payer_client(&self.gateway.url())
    }

    fn admin(&self) -> AdminClient {
        AdminClient::new(&self.gateway.admin_url().unwrap(), SECRET)
    }

    /// Sends a generation to this process, whichever process holds the channel.
    async fn generate(
        &self,
        key: &str,
        token: Option<&str>,
        request: &motif_sdk::gateway::wire::GenerationRequest,
    ) -> Answer {
        let url = format!("{}/v1/channels/{CHANNEL}/generations", self.gateway.url());
        let asked = Client::new().post(url).header("idempotency-key", key).json(request);
        let asked = match token {
            Some(token) => asked.bearer_auth(token),
            None => asked,
        };
        Answer::to(asked).await
    }

    /// Returns an honest payer's next request.
    async fn next_request(&self) -> motif_sdk::gateway::wire::GenerationRequest {
        next_request(&self.client().channel(&CHANNEL).await.unwrap(), &voucher_key())
    }
}

/// Long enough that no lease ends during a test.
const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn channel_has_one_writer() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    let request = first.next_request().await;
    let refused = second.generate("the-first-key", None, &request).await;
    refused.assert_problem(421, "channel-held-elsewhere");
    assert_eq!(refused.problem().holder, Some(first.gateway.url()));
    assert_eq!(shared.stored().await, 0);
    first.generate("the-first-key", None, &request).await.assert_ok();
    // A client at the wrong process is redirected to the right one.
    let state = second.client().channel(&CHANNEL).await.unwrap();
    assert_eq!(state.open.receipts, 1);
    second.client().open_channel(&CHANNEL).await.unwrap();
    assert!(second.admin().channels().await.unwrap().is_empty());
    assert_eq!(first.admin().settle(&CHANNEL).await.unwrap()[0].prices.0, 100);
}

#[tokio::test]
async fn dead_process_loses_nothing() {
    let Some(shared) = Shared::new(Duration::from_secs(1)).await else { return };
    let (first, second) = shared.two().await;
    let mut acknowledged = Vec::new();
    for number in 0..5 {
        let request = first.next_request().await;
        let key = format!("generation-{number}");
        let answer = first.generate(&key, None, &request).await;
        answer.assert_ok();
        acknowledged.push((key, request, answer.body));
    }
    drop(first); // nothing is released
    // The client uses the other process, which takes the channel over when the lease ends.
    let state = second.client().channel(&CHANNEL).await.unwrap();
    assert_eq!((state.open.receipts, state.cumulative.0), (5, 5 * 102));
    for (key, request, body) in &acknowledged {
        let again = second.generate(key, None, request).await;
        again.assert_ok();
        assert_eq!(&again.body, body, "{key}");
        let other = second.generate("another-key", None, request).await;
        other.assert_problem(409, "voucher-not-newer");
    }
    second.generate("the-next-one", None, &second.next_request().await).await.assert_ok();
    assert!(second.admin().reconcile().await.unwrap().exact);
    assert_eq!(second.admin().settle(&CHANNEL).await.unwrap()[0].receipts, 6);
}

#[tokio::test]
async fn lost_lease_stops_writes() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    first.generate("the-first-key", None, &first.next_request().await).await.assert_ok();
    let request = first.next_request().await;
    // The first was paused beyond its lease and has not read that yet.
    let_leases_expire(&shared.database_url).await;
    let state = second.client().channel(&CHANNEL).await.unwrap();
    assert_eq!(state.open.receipts, 1);
    let refused = first.generate("the-second-key", None, &request).await;
    refused.assert_problem(421, "channel-held-elsewhere");
    assert_eq!(refused.problem().holder, Some(second.gateway.url()));
    assert_eq!(shared.stored().await, 1);
    let refused = first.admin().settle(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-held-elsewhere"));
    assert!(shared.chain.state().submitted.is_empty());
    second.generate("the-second-key", None, &request).await.assert_ok();
    // The first's store has not failed: it still serves reads.
    first.client().ready().await.unwrap();
}

#[tokio::test]
async fn lost_lease_stops_settlement() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    first.generate("the-first-key", None, &first.next_request().await).await.assert_ok();
    let_leases_expire(&shared.database_url).await;
    second.client().channel(&CHANNEL).await.unwrap();
    // The first still holds the channel in memory.
    let refused = first.admin().settle(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-moving"));
    assert!(shared.chain.state().submitted.is_empty(), "what is not stored is not sent");
    assert_eq!(second.admin().settle(&CHANNEL).await.unwrap()[0].prices.0, 100);
    assert_eq!(shared.chain.state().submitted.len(), 1);
}

#[tokio::test]
async fn shutdown_releases_leases() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    first.generate("the-first-key", None, &first.next_request().await).await.assert_ok();
    first.gateway.shutdown().await;
    second.generate("the-second-key", None, &second.next_request().await).await.assert_ok();
    assert_eq!(shared.stored().await, 2);
}

#[tokio::test]
async fn lease_is_renewed() {
    let Some(shared) = Shared::new(Duration::from_millis(900)).await else { return };
    let (first, second) = shared.two().await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let request = first.next_request().await;
    let refused = second.generate("the-first-key", None, &request).await;
    refused.assert_problem(421, "channel-held-elsewhere");
    first.generate("the-first-key", None, &request).await.assert_ok();
}

#[tokio::test]
async fn api_keys_are_shared() {
    let Some(shared) = Shared::new(Duration::from_millis(900)).await else { return };
    let (first, second) = shared.two().await;
    let key = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Read],
        channels: vec![],
        budget: None,
        expires_at: None,
    };
    let created = first.admin().create_api_key(&key).await.unwrap();
    let client = second.client().api_key(&created.token);
    client.channel(&CHANNEL).await.unwrap();
    first.admin().revoke_api_key(&created.key.key).await.unwrap();
    let mut refused = None;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        refused = client.channel(&CHANNEL).await.err();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused.unwrap().slug(), Some("unauthorized"));
}

#[tokio::test]
async fn key_budget_spans_processes() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    let key = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Read, ScopeWord::Meter],
        channels: vec![],
        budget: Some(Amount(2 * 102)),
        expires_at: None,
    };
    let created = first.admin().create_api_key(&key).await.unwrap();
    let token = Some(&created.token[..]);
    // The second loads it before the first spends with it.
    second.client().api_key(&created.token).channel(&CHANNEL).await.unwrap();
    for number in 0..2 {
        let request = first.next_request().await;
        first.generate(&format!("generation-{number}"), token, &request).await.assert_ok();
    }
    let_leases_expire(&shared.database_url).await;
    let request = second.next_request().await;
    let refused = second.generate("one-too-many", token, &request).await;
    refused.assert_problem(402, "key-budget");
    assert_eq!(shared.stored().await, 2);
    // The channel continues from the state on disk.
    second.generate("another-key", None, &request).await.assert_ok();
    assert_eq!(second.client().channel(&CHANNEL).await.unwrap().cumulative.0, 3 * 102);
    assert!(second.admin().reconcile().await.unwrap().exact);
}

#[tokio::test]
async fn synchronous_commit_is_enforced() {
    let Some(shared) = Shared::new(LONG).await else { return };
    // The server of these tests runs with `synchronous_commit = off`.
    let mut database = shared.database().await;
    let row = sqlx::query("SELECT current_setting('synchronous_commit') AS value");
    let value: String = row.fetch_one(&mut database).await.unwrap().get("value");
    assert_eq!(value, "off");
    let process = shared.process().await;
    process.client().open_channel(&CHANNEL).await.unwrap();
    let request = process.next_request().await;
    let inserted = "SELECT pg_current_wal_insert_lsn()::text AS place";
    let row = sqlx::query(inserted).fetch_one(&mut database).await.unwrap();
    let before: String = row.get("place");
    process.generate("the-first-key", None, &request).await.assert_ok();
    // The commit is after that position of the server's log, which is on its disk.
    let on_disk = sqlx::query("SELECT pg_current_wal_flush_lsn() > $1::pg_lsn AS on_disk");
    let row = on_disk.bind(before).fetch_one(&mut database).await.unwrap();
    assert!(row.get::<bool, _>("on_disk"));
}

#[tokio::test]
async fn required_tls_sends_no_plaintext() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let mut config = shared.config.clone();
    // The server of these tests has no certificate.
    let url = shared.database_url.replace("sslmode=disable", "sslmode=verify-full");
    config.store = url.parse().unwrap();
    let refused = motif_gateway::serve_with(config, shared.chain.clone()).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("server does not support TLS"), "{refused}");
}

#[tokio::test]
async fn database_password_is_not_shown() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let mut config = shared.config.clone();
    config.store = "postgres://motif:canary-password@127.0.0.1:9/motif".parse().unwrap();
    let refused = motif_gateway::serve_with(config.clone(), shared.chain.clone()).await;
    let refused = refused.err().unwrap();
    let shown = format!("{refused} {refused:?} {config:?}");
    assert!(shown.contains("127.0.0.1:9") && !shown.contains("canary"), "{shown}");
}

/// Adds a channel to the chain that no process serves.
fn another_channel(shared: &Shared, number: u8) -> (Pubkey, ChannelAccount) {
    let address = Pubkey::new_from_array([100 + number; 32]);
    let mut account = shared.chain.channel_account();
    account.channel.deposited = 1 << 40;
    shared.chain.state().channels.insert(address, account.clone());
    (address, account)
}

async fn payer(process: &Process, address: Pubkey, account: &ChannelAccount) -> Payer {
    let options = PayerOptions::default();
    Payer::open(process.client(), address, account, voucher_key(), options).await.unwrap()
}

#[tokio::test]
async fn any_process_reconciles_all() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    let (address, account) = another_channel(&shared, 0);
    let on_second = payer(&second, address, &account).await;
    let on_first = payer(&first, CHANNEL, &shared.chain.channel_account()).await;
    for number in 0..3 {
        on_first.generate(0, 1, [number; 32], [1; 32]).await.unwrap();
        on_second.generate(0, 2, [number; 32], [2; 32]).await.unwrap();
    }
    first.admin().settle(&CHANNEL).await.unwrap();
    on_first.generate(0, 1, [9; 32], [1; 32]).await.unwrap();
    let leases = async || {
        let rows = sqlx::query("SELECT channel_id, holder, epoch FROM leases ORDER BY channel_id");
        let rows = rows.fetch_all(&mut shared.database().await).await.unwrap();
        let read = |row: &PgRow| -> (i64, Vec<u8>, i64) {
            (row.get("channel_id"), row.get("holder"), row.get("epoch"))
        };
        rows.iter().map(read).collect::<Vec<_>>()
    };
    let before = leases().await;
    let books = first.admin().reconcile().await.unwrap();
    assert_eq!(books, second.admin().reconcile().await.unwrap());
    assert!(books.exact, "{books:?}");
    let of = |address: Pubkey| {
        let mut channels = books.channels.iter();
        channels.find(|channel| channel.channel.0 == address).unwrap()
    };
    let (one, other) = (of(CHANNEL), of(address));
    assert_eq!((one.receipts, one.settled_statements, one.exposed.0), (4, 1, 102));
    assert_eq!((one.vouched.0, one.settled.0), (4 * 102, 3 * 102));
    assert_eq!((other.receipts, other.settled_statements, other.exposed.0), (3, 0, 612));
    assert_eq!(leases().await, before, "reading takes no channel over");
    on_first.generate(0, 1, [10; 32], [1; 32]).await.unwrap();

    // A base unit without a voucher, in the other process's channel.
    let forge = "UPDATE generations SET amount = amount + 1 \
                 WHERE position = 1 AND channel_id = (SELECT id FROM channels WHERE address = $1)";
    let forge = sqlx::query(forge).bind(&address.to_bytes()[..]);
    forge.execute(&mut shared.database().await).await.unwrap();
    let books = first.admin().reconcile().await.unwrap();
    assert!(!books.exact);
    for channel in &books.channels {
        assert_eq!(channel.differences.is_empty(), channel.channel.0 == CHANNEL, "{channel:?}");
    }
}

#[tokio::test]
async fn concurrent_books_are_exact() {
    let Some(shared) = Shared::new(LONG).await else { return };
    let (first, second) = shared.two().await;
    let paying = payer(&first, CHANNEL, &shared.chain.channel_account()).await;
    let over = Arc::new(AtomicBool::new(false));
    let is_over = over.clone();
    let paying = tokio::spawn(async move {
        let mut paid = 0;
        while !is_over.load(Ordering::Relaxed) {
            paying.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
            paid += 1;
        }
        paid
    });
    for round in 0..10 {
        let books = second.admin().reconcile().await.unwrap();
        assert!(books.exact, "{books:?}");
        if round % 3 == 0 {
            first.admin().settle(&CHANNEL).await.unwrap();
        }
    }
    over.store(true, Ordering::Relaxed);
    let paid: u64 = paying.await.unwrap();
    let books = second.admin().reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
    assert_eq!((books.channels[0].receipts, paid > 20), (paid, true));
}

impl Process {
    /// Returns the number of channels of a process.
    async fn channels(&self) -> usize {
        self.admin().channels().await.unwrap().len()
    }
}

#[tokio::test]
async fn new_process_gets_idle_channels() {
    let Some(shared) = Shared::new(Duration::from_millis(900)).await else { return };
    let first = shared.process().await;
    let mut payers = Vec::new();
    for number in 0..5 {
        let (address, account) = another_channel(&shared, number);
        payers.push(payer(&first, address, &account).await);
    }
    for payer in &mut payers {
        payer.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
    }
    assert_eq!(first.channels().await, 5);
    let second = shared.process().await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while second.channels().await < 2 {
        assert!(Instant::now() < deadline, "{} channels", second.channels().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Three and two, and they stay.
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let all = (first.channels().await, second.channels().await);
        assert!(all.0 <= 3 && all.1 <= 3, "{all:?}");
    }
    // Clients of both continue, whichever process holds their channels.
    for payer in &mut payers {
        let receipt = payer.generate(0, 1, [2; 32], [2; 32]).await.unwrap();
        assert_eq!((receipt.receipt.position, receipt.receipt.cumulative), (1, 204));
    }
    assert_eq!(shared.stored().await, 10);
    let books = second.admin().reconcile().await.unwrap();
    assert_eq!((books.exact, books.channels.len()), (true, 5), "{books:?}");
    // After one process ends, the other acquires all channels, at once or after the lease.
    second.gateway.shutdown().await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while first.channels().await < 5 {
        assert!(Instant::now() < deadline, "{} channels", first.channels().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn busy_channel_is_not_moved() {
    let Some(shared) = Shared::new(Duration::from_millis(900)).await else { return };
    let first = shared.process().await;
    let mut payers = Vec::new();
    for number in 0..3 {
        let (address, account) = another_channel(&shared, number);
        payers.push(payer(&first, address, &account).await);
    }
    let [used, held, idle] = &mut payers[..] else { panic!() };
    idle.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
    let hold = held.hold(0, 1, [1; 32], 300).await.unwrap();
    let second = shared.process().await;
    let until = Instant::now() + Duration::from_secs(9);
    while Instant::now() < until {
        used.generate(0, 1, [1; 32], [1; 32]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let there = second.admin().channels().await.unwrap();
    assert_eq!(there.iter().map(|one| one.channel.0).collect::<Vec<_>>(), [idle.channel()]);
    held.capture(&hold, 1, [2; 32]).await.unwrap();
}

/// Number of channels of [`many_channels_do_not_delay_start`], unless `MOTIF_CHANNELS` is set.
const MANY: u32 = 2_000;

#[tokio::test]
async fn many_channels_do_not_delay_start() {
    let Some(mut shared) = Shared::new(Duration::from_secs(10)).await else { return };
    let many = std::env::var("MOTIF_CHANNELS").map_or(MANY, |many| many.parse().unwrap());
    shared.config.settle.look_every = Duration::from_secs(600);
    shared.process().await.gateway.shutdown().await;
    let insert = "INSERT INTO channels (address, opened_slot, account) \
                  SELECT sha256(number::text::bytea), 11, $1 \
                  FROM generate_series(1, $2::bigint) AS number";
    let insert = sqlx::query(insert).bind(crate::world::channel_data()).bind(i64::from(many));
    insert.execute(&mut shared.database().await).await.unwrap();
    let started_at = Instant::now();
    let process = shared.process().await;
    let ready = started_at.elapsed();
    // A request need not wait for the others.
    let last = sqlx::query("SELECT address FROM channels ORDER BY id DESC LIMIT 1");
    let last = last.fetch_one(&mut shared.database().await).await.unwrap();
    let last: Vec<u8> = last.get("address");
    let last = Pubkey::new_from_array(last.try_into().unwrap());
    let client = process.client().reader(reader_of(last));
    assert_eq!(client.channel(&last).await.unwrap().open.receipts, 0);
    let answered = started_at.elapsed();
    while process.channels().await < many as usize {
        assert!(started_at.elapsed() < Duration::from_secs(300), "{}", process.channels().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let loaded = started_at.elapsed();
    let leases = sqlx::query("SELECT MAX(epoch) AS epoch, COUNT(*) AS leases FROM leases");
    let leases = leases.fetch_one(&mut shared.database().await).await.unwrap();
    assert_eq!(leases.get::<i64, _>("leases"), i64::from(many));
    println!("{many} channels: ready in {ready:?}, answered in {answered:?}, loaded in {loaded:?}");
    assert!(ready < Duration::from_secs(8), "{ready:?}");
    assert!(answered < Duration::from_secs(10), "{answered:?}");
}
