use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

use motif_ed25519_batch::Verifier;
use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount, StatementRecord},
    keypair::signing_key,
};
use opentelemetry::trace::{FutureExt, SpanKind};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::sync::{Notify, OnceCell};

use crate::{
    GatewayConfig,
    admission::Admission,
    chain::{Chain, ReadChannel},
    clock::Clock,
    config::{Faults, StorePlace},
    desk::Desk,
    keys::Keyring,
    ledger::CutStatement,
    metrics::{Exposure, Metrics},
    paywall::SpoolError,
    problem::ApiError,
    recognition::Recognition,
    settlement::records,
    store::{Change, Failpoint, Failpoints, SettledStatement, Store, StoreError, StoreOptions},
    traces::{TraceError, Traces, step},
};

/// A gateway; clones share it.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    config: GatewayConfig,
    chain: Arc<dyn Chain>,
    store: Store,
    clock: Clock,
    cluster: OnceCell<[u8; 32]>,
    desks: RwLock<HashMap<Pubkey, Arc<Desk>>>,
    /// Held while a desk is opened: two for one channel would not know of each other.
    seating: tokio::sync::Mutex<()>,
    failpoints: Arc<dyn Failpoints>,
    wake: Notify,
    admission: Admission,
    verifier: Verifier,
    keyring: Keyring,
    metrics: Metrics,
    traces: Option<Traces>,
    recognition: Recognition,
    /// When the settlement worker was last seen at work.
    worked_at: Mutex<Instant>,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot run as it is told to.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The store cannot be opened.
    #[error("store {place}: {source}")]
    Store {
        /// Where it is.
        place: StorePlace,
        /// Why.
        source: StoreError,
    },
    /// The folder for a paywall's answers cannot be opened.
    #[error("paywall.spool {path}: {source}")]
    Spool {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        source: SpoolError,
    },
    /// Traces cannot be sent.
    #[error("traces: {0}")]
    Traces(#[from] TraceError),
    /// The address cannot be listened on.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

impl Gateway {
    /// Opens the store and goes on where it was left; `url` is where clients find this process.
    ///
    /// The cluster need not be reachable: it is asked when it is needed.
    ///
    /// # Errors
    /// [`StartError::Config`], [`StartError::Store`], [`StartError::Traces`].
    pub(crate) async fn open(
        config: GatewayConfig,
        chain: Arc<dyn Chain>,
        failpoints: Arc<dyn Failpoints>,
        url: &str,
    ) -> Result<Self, StartError> {
        config.faults().or(())?;
        let place = config.store.clone();
        let refuse = |source| StartError::Store { place: place.clone(), source };
        let options = StoreOptions::new(signing_key(&config.operator))
            .url(url)
            .lease_duration(config.lease)
            .failpoints(failpoints.clone());
        let store = match &config.store {
            StorePlace::File(path) => options.open_file(path).await,
            StorePlace::Server(url) => {
                let opened = options.open_server(url.whole()).await;
                opened.map_err(|error| error.map_text(|text| url.scrub(text)))
            }
        };
        let store = store.map_err(refuse)?;
        let metrics = Metrics::default();
        let start = |to| Traces::start(to, url, metrics.trace_failures.clone());
        let traces = config.traces.as_ref().map(start).transpose()?;
        let stored_keys = store.queries().api_keys().await.map_err(refuse)?;
        let inner = Inner {
            admission: Admission::new(&config.limits),
            verifier: Verifier::default(),
            keyring: Keyring::new(&config.operator, stored_keys),
            metrics,
            traces,
            recognition: Recognition::new(
                config.decoding.clone(),
                config.store.file().map(|file| &**file),
            ),
            worked_at: Mutex::new(Instant::now()),
            config,
            chain,
            store,
            clock: Clock::default(),
            cluster: OnceCell::new(),
            desks: RwLock::default(),
            seating: tokio::sync::Mutex::default(),
            failpoints,
            wake: Notify::new(),
        };
        let gateway = Self { inner: Arc::new(inner) };
        gateway.open_desks().await.map_err(refuse)?;
        Ok(gateway)
    }

    /// How it runs.
    pub fn config(&self) -> &GatewayConfig {
        &self.inner.config
    }

    /// Who it is.
    pub fn operator(&self) -> Pubkey {
        self.inner.config.operator.pubkey()
    }

    /// The cluster's tag, asked for once.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`].
    pub async fn cluster(&self) -> Result<[u8; 32], ApiError> {
        let asked = self.inner.cluster.get_or_try_init(|| self.inner.chain.cluster()).await;
        Ok(*asked?)
    }

    /// Takes on a channel, or reads it again.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`] and each way in which a channel is not for this gateway.
    pub async fn open_channel(&self, address: Pubkey) -> Result<Arc<Desk>, ApiError> {
        self.observe_clock().await;
        let read = self.read_channel(&address).await?;
        let channel = &read.account.channel;
        self.check(channel)?;
        match self.desk(&address).await {
            Ok(desk) if desk.opened_slot == channel.opened_slot => {
                self.observe(&desk, read).await?;
                return Ok(desk);
            }
            Ok(_) | Err(ApiError::UnknownChannel(_)) => {}
            Err(error) => return Err(error),
        }
        let (slot, data) = (channel.opened_slot, &read.data);
        let id = self.store().queries().register_channel(&address.to_bytes(), slot, data).await?;
        let desk = self.take_on(&address, id).await?;
        self.observe(&desk, read).await?;
        Ok(desk)
    }

    /// The desk of a channel that is served here already.
    pub(crate) fn known_desk(&self, address: &Pubkey) -> Option<Arc<Desk>> {
        let desks = self.inner.desks.read().unwrap_or_else(PoisonError::into_inner);
        desks.get(address).cloned()
    }

    /// Serves a channel, in place of its earlier incarnation if there is one.
    pub(crate) fn open_desk(&self, desk: Arc<Desk>) {
        let mut desks = self.inner.desks.write().unwrap_or_else(PoisonError::into_inner);
        desks.insert(desk.address, desk);
    }

    /// Serves a channel no longer from this desk.
    pub(crate) fn close_desk(&self, desk: &Desk) {
        let mut desks = self.inner.desks.write().unwrap_or_else(PoisonError::into_inner);
        if desks.get(&desk.address).is_some_and(|open| open.lease == desk.lease) {
            desks.remove(&desk.address);
        }
    }

    /// Held by whoever opens a desk.
    pub(crate) fn seating(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.seating
    }

    /// A moment has come that a test may be waiting for.
    pub(crate) fn hit(&self, failpoint: Failpoint) {
        self.inner.failpoints.hit(failpoint);
    }

    /// All desks.
    pub(crate) fn desks(&self) -> Vec<Arc<Desk>> {
        let desks = self.inner.desks.read().unwrap_or_else(PoisonError::into_inner);
        desks.values().cloned().collect()
    }

    /// Reads a channel from the chain again and records what has settled.
    pub(crate) async fn look(&self, desk: &Arc<Desk>) -> Result<Channel, ApiError> {
        let read = self.read_channel(&desk.address).await?;
        self.observe(desk, read).await?;
        Ok(desk.channel())
    }

    /// Takes the cluster's time over; without an answer the clock goes on as it was.
    pub(crate) async fn observe_clock(&self) {
        match self.inner.chain.now().await {
            Ok(now) => self.inner.clock.observe(now),
            Err(_) => {
                self.metrics().chain_failures.inc();
            }
        }
    }

    /// Writes what is queued, and closes the store.
    pub(crate) async fn close_store(&self) {
        self.store().close().await;
    }

    pub(crate) fn chain(&self) -> &dyn Chain {
        &*self.inner.chain
    }

    pub(crate) fn shared_chain(&self) -> Arc<dyn Chain> {
        self.inner.chain.clone()
    }

    /// What it recognises works by.
    pub(crate) fn recognition(&self) -> &Recognition {
        &self.inner.recognition
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn keypair(&self) -> &Keypair {
        &self.inner.config.operator
    }

    /// Who is let in how often.
    pub(crate) fn admission(&self) -> &Admission {
        &self.inner.admission
    }

    /// Verifies what vouchers are signed with.
    pub(crate) fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    /// All API keys.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    /// Figures about this gateway.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Who records what becomes of requests, if anybody does.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        self.inner.traces.as_ref()
    }

    /// What waits for settlement now.
    pub fn exposure(&self) -> Exposure {
        let mut exposure = Exposure::default();
        let mut amounts = std::collections::BTreeMap::<String, u64>::new();
        for desk in self.desks() {
            exposure.channels += 1;
            let book = desk.book();
            let (ledger, open) = (&book.ledger, book.ledger.open_statement());
            let cut = ledger.cut_statements().iter().map(|cut| u64::from(cut.receipts));
            exposure.receipts += cut.sum::<u64>() + u64::from(open.receipts);
            if !book.ledger.is_over(self.now()) {
                let unseen = desk.unseen_for().as_secs();
                exposure.blind_seconds = exposure.blind_seconds.max(unseen);
            }
            let age = open.begun_at.map_or(0, |begun_at| self.now().saturating_sub(begun_at));
            exposure.oldest_seconds = exposure.oldest_seconds.max(age);
            let amount = amounts.entry(ledger.channel().mint.to_string()).or_default();
            *amount = amount.saturating_add(ledger.exposed());
        }
        exposure.amounts = amounts.into_iter().collect();
        exposure
    }

    /// Whether the chain has said lately what a channel is: its payer might have started
    /// closing it, and only what is vouched for until that is seen can be settled in time.
    pub(crate) fn check_sight(&self, desk: &Desk) -> Result<(), ApiError> {
        let (unseen, most) = (desk.unseen_for().as_secs(), self.config().settle.max_blind_seconds);
        if unseen > u64::from(most) { Err(ApiError::ChannelUnseen(unseen)) } else { Ok(()) }
    }

    /// The settlement worker is at work.
    pub(crate) fn worker_is_alive(&self) {
        *self.inner.worked_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nothing was seen of the settlement worker.
    pub(crate) fn worker_silent_for(&self) -> std::time::Duration {
        self.inner.worked_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Unix seconds on the cluster.
    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// Wakes the settlement worker.
    pub(crate) fn wake(&self) -> &Notify {
        &self.inner.wake
    }

    async fn read_channel(&self, address: &Pubkey) -> Result<ReadChannel, ApiError> {
        let read = self.ask_for(address).await?;
        read.ok_or(ApiError::UnknownChannel(*address))
    }

    /// A channel as the chain has it, if it has it.
    pub(crate) async fn ask_for(&self, address: &Pubkey) -> Result<Option<ReadChannel>, ApiError> {
        let read = step("read channel", SpanKind::Client, self.chain().channel(address)).await;
        let failed = |_: &_| {
            self.metrics().chain_failures.inc();
        };
        Ok(read.inspect_err(failed)?)
    }

    /// Whether this gateway serves such a channel.
    fn check(&self, channel: &Channel) -> Result<(), ApiError> {
        let config = self.config();
        let (theirs, ours) = (channel.operator, self.operator());
        if theirs != ours {
            return Err(ApiError::WrongOperator { theirs, ours });
        }
        let (given, least) = (channel.operator_fee_bps, config.operator_fee_bps);
        if given < least {
            return Err(ApiError::FeeTooLow { given, least });
        }
        let (given, least) = (channel.grace_seconds, config.min_grace_seconds);
        if given < least {
            return Err(ApiError::GraceTooShort { given, least });
        }
        if !config.mints.is_empty() && !config.mints.contains(&channel.mint) {
            return Err(ApiError::MintNotServed(channel.mint));
        }
        if i64::try_from(channel.deposited).is_err() {
            return Err(ApiError::DepositTooLarge(channel.deposited));
        }
        Ok(())
    }

    /// Takes over what the chain says of a channel; what has settled by it is recorded with
    /// everything its receipts' proofs need. Goes on when whoever asked has gone.
    async fn observe(&self, desk: &Arc<Desk>, read: ReadChannel) -> Result<(), ApiError> {
        let (gateway, desk) = (self.clone(), desk.clone());
        let observing = async move { gateway.take_over(&desk, read).await };
        let observing = tokio::spawn(observing.with_current_context());
        observing.await.map_err(|error| ApiError::Internal(Box::new(error)))?
    }

    async fn take_over(&self, desk: &Desk, read: ReadChannel) -> Result<(), ApiError> {
        if read.account.channel.opened_slot != desk.opened_slot
            || i64::try_from(read.account.channel.deposited).is_err()
        {
            return Ok(()); // not what this desk serves, or can
        }
        desk.seen();
        let _turn = desk.observing.lock().await;
        let after = read.account.channel;
        let newest = desk.read_at(read.slot);
        if read.slot < newest {
            return Ok(()); // somebody else asked later, and was quicker
        }
        let (chain_has, known) = (after.statements.length, desk.channel().statements.length);
        if chain_has < known && read.slot > newest {
            return self.land_again(desk, chain_has..known).await;
        }
        let (before, settled) = {
            let mut book = desk.book();
            let before = book.ledger.account().clone();
            if is_known(&before, &read.account) {
                return Ok(());
            }
            let settled = book.ledger.refresh(read.account);
            if book.ledger.open_statement().receipts == 0 {
                book.keys = HashMap::new();
            }
            (before.channel, settled)
        };
        let settled = self.recorded(desk, &before, &after, settled).await?;
        let (channel_id, account) = (desk.id(), read.data);
        let change = Change::Observed { channel_id, account, settled };
        self.on_disk(desk, self.store().writer().write_channel(desk.lease, change)).await?;
        self.hit(Failpoint::Recorded);
        Ok(())
    }

    async fn recorded(
        &self,
        desk: &Desk,
        before: &Channel,
        after: &Channel,
        settled: Vec<CutStatement>,
    ) -> Result<Vec<SettledStatement>, ApiError> {
        let mut roots = Vec::with_capacity(settled.len());
        for cut in &settled {
            roots.push(self.receipts(desk.id(), cut.number).await?.map(|receipts| receipts.root));
        }
        let (records, is_proven) = records(desk.address, before, after, &settled, &roots);
        if !is_proven {
            tracing::error!(channel = %desk.address, "the chain settled something unknown");
        }
        let settled_at = self.now();
        let statement = |(cut, record): (&CutStatement, StatementRecord)| SettledStatement {
            entries: cut.statement.to_bytes(),
            record,
            is_proven,
            settled_at,
        };
        Ok(settled.iter().zip(records).map(statement).collect())
    }
}

/// Whether a restart would go on the same from either of these.
fn is_known(before: &ChannelAccount, after: &ChannelAccount) -> bool {
    let facts = |account: &ChannelAccount| {
        let channel = account.channel;
        let totals = (channel.deposited, channel.upfront_fees, channel.statements.length);
        let keys = (channel.voucher_key, channel.next_voucher_key, channel.rotates_at);
        (totals, keys, channel.closes_at, account.licenses.len())
    };
    facts(before) == facts(after)
}
