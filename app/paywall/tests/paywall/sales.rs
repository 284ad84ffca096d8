//! Answers of payments without a channel that an earlier process has sent.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use motif_paywall::{
    Answer, ClientTransaction, EngineResult, NewSale, PaidRoutes, PaymentId, Paywall,
    PaywallConfig, SaleConfig, SaleDesk, SaleEvent, SaleItem, SaleRecord, Spool,
};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::{
        ProblemType,
        wire::{Address, Digest, Use, sale::SaleState},
    },
    till::TillShares,
};
use solana_sha256_hasher::hash;
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, NOW, Rejection, WORK};

const PAYMENT: PaymentId = [1; 32];
const BUYER: Pubkey = Pubkey::new_from_array([6; 32]);

/// Desk with one payment that was sent, whose store fails at first.
pub struct Desk {
    config: SaleConfig,
    /// What all routes sell.
    pub item: Mutex<Option<SaleItem>>,
    pub blockhash: Mutex<String>,
    /// Number of reads that still fail: of the sent payments, and of the end.
    pending_failures: AtomicU32,
    outcome_failures: AtomicU32,
    ends_as: SaleState,
}

impl Desk {
    pub fn new(failures: u32, ends_as: SaleState) -> Arc<Self> {
        Arc::new(Self {
            config: SaleConfig { least_price: 0, ..SaleConfig::new("https://gw.example/base") },
            item: Mutex::default(),
            blockhash: Mutex::default(),
            pending_failures: failures.into(),
            outcome_failures: failures.into(),
            ends_as,
        })
    }

    fn fail(failures: &AtomicU32) -> EngineResult<()> {
        let left = |left: u32| left.checked_sub(1);
        match failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(_) => Err(Rejection(ProblemType::StoreFailed).into()),
            Err(_) => Ok(()),
        }
    }
}

fn record(state: SaleState) -> SaleRecord {
    let shares = TillShares::sole(WORK);
    SaleRecord {
        payment: PAYMENT,
        wallet: BUYER,
        request_digest: [2; 32],
        acceptance: SaleAcceptance {
            cluster: [3; 32],
            till: BUYER,
            subject: shares.subject(),
            mint: BUYER,
            terms_number: 1,
            terms_digest: [4; 32],
            licensed_use: Use::Generate,
            units: 1,
            amount: 10,
            request_digest: [2; 32],
            operator: shares.operator,
            not_after: NOW,
            nonce: 5,
        },
        shares,
        answer: PAYMENT,
        holder: None,
        signature: [7; 64],
        state,
        sent_at: NOW - 100,
        ended_at: None,
        output_digest: Some([3; 32]),
        delivered_at: None,
        is_refused: false,
    }
}

#[async_trait::async_trait]
impl SaleDesk for Desk {
    fn config(&self) -> &SaleConfig {
        &self.config
    }

    fn seller(&self) -> Pubkey {
        Pubkey::new_from_array([1; 32])
    }

    fn mac(&self, text: &str) -> [u8; 32] {
        hash(text.as_bytes()).to_bytes()
    }

    async fn item(&self, _: Pubkey, _: Use, _: u32) -> EngineResult<Option<SaleItem>> {
        Ok(self.item.lock().unwrap().clone())
    }

    async fn blockhash(&self) -> EngineResult<(String, u64)> {
        Ok((self.blockhash.lock().unwrap().clone(), 7))
    }

    async fn find(&self, _: &PaymentId) -> EngineResult<Option<SaleRecord>> {
        Ok(None)
    }

    async fn of_request(&self, _: &Pubkey, _: &[u8; 32], _: &str) -> EngineResult<Vec<SaleRecord>> {
        Ok(Vec::new())
    }

    async fn refused(&self, _: &Pubkey) -> EngineResult<Vec<SaleRecord>> {
        Ok(Vec::new())
    }

    async fn is_name_taken(&self, _: &Pubkey, _: &[u8; 32], _: &str) -> EngineResult<bool> {
        Ok(false)
    }

    async fn pending(&self) -> EngineResult<Vec<SaleRecord>> {
        Self::fail(&self.pending_failures)?;
        Ok(vec![record(SaleState::Sent)])
    }

    async fn simulate(&self, _: &ClientTransaction) -> EngineResult<Result<(), String>> {
        Ok(Ok(()))
    }

    async fn submit(&self, _: NewSale) -> EngineResult<SaleRecord> {
        Ok(record(SaleState::Sent))
    }

    async fn outcome(&self, payment: &PaymentId) -> EngineResult<SaleRecord> {
        assert_eq!(*payment, PAYMENT);
        Self::fail(&self.outcome_failures)?;
        Ok(record(self.ends_as))
    }

    async fn record(&self, _: &PaymentId, _: SaleEvent) -> EngineResult<()> {
        Ok(())
    }

    async fn sign(&self, _: &[&[u8]], _: i64) -> EngineResult<(Pubkey, Vec<[u8; 64]>)> {
        Ok((Pubkey::default(), Vec::new()))
    }
}

/// Stores the answer of the payment as an earlier process did, past its time.
async fn store(folder: &Path) {
    let spool = Arc::new(Spool::open(folder, 1 << 20).unwrap());
    let answer = Answer {
        id: Digest(PAYMENT),
        part: 0,
        channel: Address(BUYER),
        license: 0,
        units: 1,
        request_digest: Digest([2; 32]),
        output_digest: Digest([3; 32]),
        target: "POST /poems".into(),
        status: 200,
        headers: Vec::new(),
        expires_at: NOW - 700,
        kept_until: NOW - 100,
        is_sale: true,
    };
    let room = spool.reserve(answer.channel, 4).unwrap();
    spool.put(answer, "body".into(), room).await.unwrap();
}

/// Runs a paywall until it has removed expired answers. Returns whether this one is still stored.
async fn is_kept(desk: Arc<Desk>) -> bool {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path()).await;
    let routes = format!(
        "[[route]]\nmethod = \"POST\"\npath = \"/poems\"\nwork = \"{WORK}\"\n\
         use = \"generate\"\nunits = {{ fixed = 1 }}\n"
    );
    let routes = PaidRoutes::read(&routes, "paywall.toml").unwrap();
    let config = PaywallConfig::new(routes, folder.path().to_owned());
    let stop = CancellationToken::new();
    let engine = Arc::new(Engine::default());
    let paywall = Paywall::open_with_sales(engine, Some(desk), config, stop.clone()).unwrap();
    let running = tokio::spawn(paywall.run());
    // A second for the failed read, ten until expired answers are removed.
    tokio::time::sleep(Duration::from_secs(13)).await;
    stop.cancel();
    running.await.unwrap();
    let left = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
    left.filter(|entry| entry.path().extension().is_some_and(|it| it == "answer")).count() == 1
}

#[tokio::test]
async fn failed_reads_keep_sold_answer() {
    let [sold, unsold] = [SaleState::Landed, SaleState::Expired].map(|end| Desk::new(1, end));
    let kept = tokio::join!(is_kept(sold.clone()), is_kept(unsold.clone()));
    assert_eq!(kept, (true, false));
    for desk in [sold, unsold] {
        assert_eq!(desk.pending_failures.load(Ordering::Relaxed), 0);
        assert_eq!(desk.outcome_failures.load(Ordering::Relaxed), 0);
    }
}
