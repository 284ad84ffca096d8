//! Changes that are durable in a file store's journal and not yet in its tables.

use std::{
    collections::HashSet,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use motif_gateway::{
    GatewayConfig, RunningGateway, StartError, serve_watched,
    store::{Failpoint, Failpoints, NoFailpoints},
};
use motif_sdk::{
    Pubkey,
    gateway::{
        AdminClient, GatewayClient, PayerSession, SessionPolicy,
        wire::{Digest, GenerationRequest, ReceiptPage, ReceiptParts, StatementEntry},
    },
    receipt::SignedReceipt,
};
use reqwest::Client;
use solana_keypair::Keypair;
use solana_signer::Signer;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::world::{
    Answer, CHANNEL, SECRET, ScriptedChain, next_request, payer_client, reader_of, voucher_key,
    with_admin,
};

/// Gate that blocks the writing of tables.
struct Gate {
    moment: Failpoint,
    is_closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn at(moment: Failpoint) -> Arc<Self> {
        Arc::new(Self { moment, is_closed: Mutex::new(true), opened: Condvar::new() })
    }

    /// Creates an open gate.
    fn open_at(moment: Failpoint) -> Arc<Self> {
        Arc::new(Self { moment, is_closed: Mutex::new(false), opened: Condvar::new() })
    }

    fn close(&self) {
        *self.is_closed.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.is_closed.lock().unwrap() = false;
        self.opened.notify_all();
    }
}

impl Failpoints for Gate {
    fn hit(&self, moment: Failpoint) {
        if moment == self.moment {
            // Tasks that are queued at this thread continue at others.
            tokio::task::block_in_place(|| {
                let closed = self.is_closed.lock().unwrap();
                drop(self.opened.wait_while(closed, |closed| *closed).unwrap());
            });
        }
    }
}

/// Gateway with its own store.
struct Served {
    gateway: RunningGateway,
    chain: Arc<ScriptedChain>,
    config: GatewayConfig,
    folder: TempDir,
}

impl Served {
    async fn watched(failpoints: Arc<dyn Failpoints>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operator = Arc::new(Keypair::new_from_array([8; 32]));
        let chain = Arc::new(ScriptedChain::new(operator.pubkey()));
        let store = folder.path().join("gateway.sqlite");
        let mut config = GatewayConfig::new("http://unused.invalid", operator, store);
        with_admin(&mut config);
        let gateway = serve_watched(config.clone(), chain.clone(), failpoints).await.unwrap();
        GatewayClient::new(&gateway.url()).open_channel(&CHANNEL).await.unwrap();
        Self { gateway, chain, config, folder }
    }

    /// Copies the files as a kill would leave them.
    fn killed(&self) -> Killed {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        let store = folder.path().join("gateway.sqlite");
        let config = GatewayConfig { store: store.into(), ..self.config.clone() };
        Killed { chain: self.chain.clone(), config, folder }
    }

    async fn generate(&self, key: &str, request: &GenerationRequest) -> Answer {
        let url = format!("{}/v1/channels/{CHANNEL}/generations", self.gateway.url());
        Answer::to(Client::new().post(url).header("idempotency-key", key).json(request)).await
    }

    async fn next_request(&self) -> GenerationRequest {
        let client = payer_client(&self.gateway.url());
        next_request(&client.channel(&CHANNEL).await.unwrap(), &voucher_key())
    }

    /// Pays for this many generations; returns requests and responses.
    async fn pay(&self, count: u32) -> Vec<(String, GenerationRequest, Vec<u8>)> {
        let mut paid = Vec::new();
        for number in 0..count {
            let (key, request) = (format!("generation-{number}"), self.next_request().await);
            let answer = self.generate(&key, &request).await;
            answer.assert_ok();
            paid.push((key, request, answer.body));
        }
        paid
    }

    async fn assert_whole(&self, paid: &[(String, GenerationRequest, Vec<u8>)]) {
        assert_eq!(receipts(&self.gateway.url()).await.total as usize, paid.len());
        for (key, request, body) in paid {
            assert_eq!(self.generate(key, request).await.body, *body, "{key}");
        }
        let admin = AdminClient::new(&self.gateway.admin_url().unwrap(), SECRET);
        let books = admin.reconcile().await.unwrap();
        assert!(books.exact, "{books:?}");
        assert_eq!(books.channels[0].receipts, paid.len() as u64);
    }
}

/// Files of a gateway after a kill.
struct Killed {
    chain: Arc<ScriptedChain>,
    config: GatewayConfig,
    folder: TempDir,
}

impl Killed {
    fn journal(&self) -> PathBuf {
        self.folder.path().join("gateway.sqlite.journal-0")
    }

    async fn start(self) -> Result<Served, StartError> {
        let Self { chain, config, folder } = self;
        let gateway = serve_watched(config.clone(), chain.clone(), Arc::new(NoFailpoints)).await?;
        Ok(Served { gateway, chain, config, folder })
    }
}

async fn receipts(url: &str) -> ReceiptPage {
    payer_client(url).receipts(&CHANNEL, None, 1_000, 0).await.unwrap()
}

/// Changes a byte on disk.
fn damage(path: &Path, at: u64) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0xFF], at).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn journal_only_record_survives_kill() {
    let gate = Gate::at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    let paid = served.pay(20).await;
    let again = served.killed().start().await.unwrap();
    again.assert_whole(&paid).await;
    // Again, from the tables alone.
    let killed = again.killed();
    again.gateway.shutdown().await;
    killed.start().await.unwrap().assert_whole(&paid).await;
    gate.open();
    served.assert_whole(&paid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn applied_record_is_not_doubled() {
    let gate = Gate::at(Failpoint::Applied);
    let served = Served::watched(gate.clone()).await;
    let paid = served.pay(1).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await; // the tables have it, unacknowledged
    let again = served.killed().start().await.unwrap();
    again.assert_whole(&paid).await;
    gate.open();
    served.assert_whole(&paid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_wait_for_acknowledged_writes() {
    let gate = Gate::at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    served.pay(5).await;
    let url = served.gateway.url();
    let mut reading = tokio::spawn(async move { receipts(&url).await });
    let early = tokio::time::timeout(Duration::from_millis(300), &mut reading).await;
    assert!(early.is_err(), "it has read what the tables had");
    // Payments continue meanwhile.
    served.generate("meanwhile", &served.next_request().await).await.assert_ok();
    gate.open();
    let page = reading.await.unwrap();
    assert!((5..=6).contains(&page.total), "{} of 5", page.total);
    assert_eq!(receipts(&served.gateway.url()).await.total, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn torn_last_frame_is_dropped() {
    let gate = Gate::at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    let mut paid = served.pay(3).await;
    let killed = served.killed();
    // Each payment is a frame of one page, after the journal's header. The third is removed.
    damage(&killed.journal(), 3 * 4_096 + 200);
    let again = killed.start().await.unwrap();
    let torn = paid.pop().unwrap();
    again.assert_whole(&paid).await;
    let answer = again.generate(&torn.0, &torn.1).await;
    answer.assert_ok();
    paid.push((torn.0, torn.1, answer.body));
    let killed = again.killed();
    killed.start().await.unwrap().assert_whole(&paid).await;
    gate.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn missing_frame_prevents_start() {
    let gate = Gate::at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    served.pay(3).await;
    let killed = served.killed();
    damage(&killed.journal(), 2 * 4_096 + 200);
    let refused = killed.start().await.err().unwrap().to_string();
    assert!(refused.contains("frame 2 of the journal is missing"), "{refused}");
    gate.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_frame_is_named_and_skipped() {
    let gate = Gate::open_at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    let mut paid = served.pay(3).await;
    let account = served.chain.channel_account();
    let client = payer_client(&served.gateway.url());
    let policy = SessionPolicy::default();
    let session = PayerSession::begin(client, CHANNEL, &account, voucher_key(), policy).await;
    let held = session.unwrap().hold(0, 1, [1; 32], 60).await.unwrap();
    // Half a second before it is in the tables.
    gate.close();
    let (key, request) = ("behind-it".to_owned(), served.next_request().await);
    let answer = served.generate(&key, &request).await;
    answer.assert_ok();
    paid.push((key, request, answer.body));
    // Makes the tables reject holds. Each payment is a frame, and so is the hold.
    let refusing = async |skip: &[u64]| {
        let mut killed = served.killed();
        let file = format!("sqlite:{}", killed.config.store.file().unwrap().display());
        let mut tables = SqliteConnection::connect(&file).await.unwrap();
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON holds \
                      BEGIN SELECT RAISE(ABORT, 'told to refuse'); END";
        sqlx::query(refuse).execute(&mut tables).await.unwrap();
        tables.close().await.unwrap();
        killed.config.skip_frames = skip.to_vec();
        killed.start().await
    };
    for wrong in [&[][..], &[1, 2, 3, 5]] {
        let refused = refusing(wrong).await.err().unwrap().to_string();
        let hold = Digest(held.hold).to_string();
        for said in ["frame 4 of the journal", "told to refuse", &hold, "`--skip-frame 4`"] {
            assert!(refused.contains(said), "{said} is missing in: {refused}");
        }
    }
    let again = refusing(&[4]).await.unwrap();
    again.assert_whole(&paid).await;
    let mut killed = again.killed();
    killed.config.skip_frames.clear();
    killed.start().await.unwrap().assert_whole(&paid).await;
    gate.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn skipped_generation_stops_its_channel_only() {
    let gate = Gate::at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    let other = Pubkey::new_from_array([6; 32]);
    let account = served.chain.channel_account();
    served.chain.state().channels.insert(other, account);
    GatewayClient::new(&served.gateway.url()).open_channel(&other).await.unwrap();
    served.pay(3).await;
    let mut killed = served.killed();
    damage(&killed.journal(), 2 * 4_096 + 200);
    killed.config.skip_frames = vec![2];
    let again = killed.start().await.unwrap();
    let client = payer_client(&again.gateway.url());
    let others = client.clone().reader(reader_of(other));
    assert_eq!(others.channel(&other).await.unwrap().channel.0, other);
    assert!(client.channel(&CHANNEL).await.is_err(), "its vouchers do not cover its receipts");
    assert_eq!(again.gateway.app().exposure().unreadable, 1);
    // The frame is dropped permanently: the next start needs no option.
    let mut killed = again.killed();
    killed.config.skip_frames.clear();
    let again = killed.start().await.unwrap();
    assert_eq!(again.gateway.app().exposure().unreadable, 1);
    gate.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn good_frame_is_never_skipped() {
    let gate = Gate::at(Failpoint::Applying);
    let served = Served::watched(gate.clone()).await;
    let paid = served.pay(3).await;
    let mut killed = served.killed();
    killed.config.skip_frames = vec![1, 2, 3, 4];
    killed.start().await.unwrap().assert_whole(&paid).await;
    gate.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shutdown_applies_the_journal() {
    let served = Served::watched(Arc::new(NoFailpoints)).await;
    let paid = served.pay(5).await;
    let Served { gateway, chain, config, folder } = served;
    gateway.shutdown().await;
    let killed = Killed { chain, config, folder };
    for number in 0..2 {
        let file = format!("gateway.sqlite.journal-{number}");
        std::fs::remove_file(killed.folder.path().join(file)).unwrap();
    }
    killed.start().await.unwrap().assert_whole(&paid).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_receipts_share_signature() {
    let gate = Gate::open_at(Failpoint::Beginning);
    let served = Arc::new(Served::watched(gate.clone()).await);
    let mut state = payer_client(&served.gateway.url()).channel(&CHANNEL).await.unwrap();
    gate.close();
    let mut asked = Vec::new();
    // The first is blocked, and all others queue behind it.
    for number in 0..20_u32 {
        let (key, request) = (format!("generation-{number}"), next_request(&state, &voucher_key()));
        state.open.entries = vec![StatementEntry { license: 0, units: number + 1 }];
        (state.open.prices.0, state.cumulative.0) =
            (state.open.prices.0 + 100, state.cumulative.0 + 102);
        let (to, named, sent) = (served.clone(), key.clone(), request.clone());
        let answering = tokio::spawn(async move { to.generate(&named, &sent).await });
        while served.gateway.app().exposure().receipts <= u64::from(number) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        asked.push((key, request, answering));
    }
    gate.open();
    let (mut paid, mut receipts) = (Vec::new(), Vec::new());
    for (key, request, answering) in asked {
        let answer = answering.await.unwrap();
        answer.assert_ok();
        let parts: ReceiptParts = serde_json::from_slice(&answer.body).unwrap();
        receipts.push(SignedReceipt::from(&parts));
        paid.push((key, request, answer.body));
    }
    let operator = served.config.operator;
    assert!(receipts.iter().all(|receipt| receipt.verifies(&operator)));
    let signatures: HashSet<_> = receipts.iter().map(|receipt| receipt.signature).collect();
    // The first frame has the first receipt and concurrent ones, the second has the rest.
    assert!((2..=3).contains(&signatures.len()), "{} signatures", signatures.len());
    let again = served.killed().start().await.unwrap();
    again.assert_whole(&paid).await;
    again.gateway.shutdown().await;
}
