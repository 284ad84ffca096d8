use std::{net::SocketAddr, ops::Deref, path::PathBuf, sync::Arc, time::Duration};

use motif_ed25519_batch::Verifier;
use motif_paywall::{BodyBudget, SpoolError};
use motif_sdk::{Pubkey, channel::Channel};
use parking_lot::RwLock;
use tokio::time::timeout;

use crate::{
    GatewayConfig,
    admission::Admission,
    api_keys::ApiKeys,
    catalogue::Catalogue,
    chain::Chain,
    channel_opening::ChannelOpening,
    channel_registry::ChannelRegistry,
    channel_sync::ChannelSync,
    clock::system_now,
    cluster::Cluster,
    config::{Faults, StorePlace},
    events::{EventHub, EventSource, WebhookSender},
    exchanges::Exchanges,
    expenses::Expenses,
    funds::Funds,
    health::Health,
    hold_pruner::HoldPruner,
    holds::Holds,
    hosting::Hosting,
    keys::{DigestKey, DigestKeyError, Keyring},
    metering::Metering,
    metrics::{Exposure, Metrics},
    operator_keys::{OperatorKeys, receipt_signer},
    rebalance::LeaseRenewal,
    receipts::Receipts,
    recognition::{Recognizer, WorksFollower},
    reconcile::Reconciler,
    record::Record,
    sale::{Sales, SalesParts},
    settlement::{
        SettlementFees, SettlementPolicy, SettlementWorker, Settler, StatusPoller, Submitter,
    },
    sponsor::Sponsor,
    store::{Change, ExpenseKind, Failpoints, Store, StoreError, StoreOptions},
    traces::{TraceError, Traces},
};

/// Time within which a start learns the cluster's tag.
const CLUSTER_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of all batches that are being read.
const BATCH_BYTES: u64 = 64 << 20;

/// A gateway: its components. Clones share them.
#[derive(Clone)]
pub struct App(Arc<Components>);

/// Components of a gateway.
pub struct Components {
    /// Configuration.
    pub config: Arc<GatewayConfig>,
    /// The cluster: nodes, clock and tag.
    pub cluster: Arc<Cluster>,
    /// Channels held by this process, with their leases.
    pub channels: Arc<ChannelRegistry>,
    /// Reads channels from the cluster.
    pub sync: Arc<ChannelSync>,
    /// Opens channels at the request of clients.
    pub opening: ChannelOpening,
    /// Takes payment for generations.
    pub metering: Arc<Metering>,
    /// Adds, captures and releases holds.
    pub holds: Arc<Holds>,
    /// Settles and closes channels.
    pub settler: Arc<Settler>,
    /// Settles payments to tills; `None` if sales without a channel are not configured.
    pub sales: Option<Arc<Sales>>,
    /// Pays for creators without SOL; `None` if it is not configured.
    pub(crate) sponsor: Option<Sponsor>,
    /// Newest requests at the paywall.
    pub(crate) exchanges: Arc<Exchanges>,
    /// Keys that sign settlements and receipts.
    pub operator_keys: Arc<OperatorKeys>,
    /// Works, terms and prices.
    pub catalogue: Arc<Catalogue>,
    /// Where the money of works and persons is, and what happened.
    pub(crate) record: Record,
    /// Metadata and pictures of works.
    pub(crate) hosting: Hosting,
    /// Events of creators and payers.
    pub(crate) events: Arc<EventHub>,
    /// Receipts, proofs and usage.
    pub receipts: Receipts,
    /// Compares the store with the chain.
    pub reconciler: Reconciler,
    /// API keys.
    pub keys: Arc<ApiKeys>,
    /// Recognizes registered works.
    pub recognizer: Arc<Recognizer>,
    /// Liveness and readiness.
    pub health: Health,
    /// Balance that pays for settlements.
    pub funds: Arc<Funds>,
    /// Rate limits.
    pub admission: Arc<Admission>,
    /// Budget of the bodies of batches.
    pub(crate) batch_bodies: BodyBudget,
    /// Metrics for Prometheus.
    pub metrics: Arc<Metrics>,
    /// Exporter of traces, if configured.
    pub(crate) traces: Option<Arc<Traces>>,
    policy: Arc<SettlementPolicy>,
    fees: Arc<SettlementFees>,
    store: Store,
}

/// Error returned when a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Error returned when the configuration is invalid.
    #[error("{0}")]
    Config(#[from] Faults),
    /// Error returned when the store cannot be opened.
    #[error("store {place}: {source}")]
    Store {
        /// Location of the store.
        place: StorePlace,
        /// Cause.
        source: StoreError,
    },
    /// Error returned when the operator cannot pay for settlements.
    #[error(
        "the fee payer {account} has {lamports} lamports: expected at least {least}, the setting \
         `settle.min_lamports`"
    )]
    Unfunded {
        /// The fee payer.
        account: Pubkey,
        /// Its balance.
        lamports: u64,
        /// Minimum.
        least: u64,
    },
    /// Error returned when a store has channels of another operator.
    #[error(
        "store {place} has channels of operator {theirs}, not of {ours}: pass `--operator \
         {theirs}`, or another store"
    )]
    OtherOperator {
        /// Location of the store.
        place: StorePlace,
        /// Operator of a stored channel.
        theirs: Pubkey,
        /// Configured operator.
        ours: Pubkey,
    },
    /// Error returned when a store has channels of another cluster.
    #[error(
        "store {place} has channels of another cluster than that of `rpc_url`: configure a node of \
         theirs, or another store"
    )]
    OtherCluster {
        /// Location of the store.
        place: StorePlace,
    },
    /// Error returned when the paywall's folder of answers cannot be opened.
    #[error("paywall.spool {path}: {source}")]
    Spool {
        /// The folder.
        path: PathBuf,
        /// Cause.
        source: SpoolError,
    },
    /// Error returned when the key of API keys' digests cannot be read or created.
    #[error("keys.digest_file {path}: {source}")]
    DigestKey {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: DigestKeyError,
    },
    /// Error returned when the digest key is another one than that of the store's API keys and webhooks.
    #[error(
        "{key} {fault} of the API keys and webhooks in store {place}: put back the digest key that was \
         backed up with the store. If it is lost, `--replace-digest-key` starts with a new one and \
         revokes all API keys"
    )]
    ForeignDigestKey {
        /// Where the key comes from.
        key: String,
        /// What is wrong.
        fault: &'static str,
        /// Location of the store.
        place: StorePlace,
    },
    /// Error returned when the exporter of traces cannot be created.
    #[error("traces: {0}")]
    Traces(#[from] TraceError),
    /// Error returned when an address cannot be listened on.
    #[error("{setting}: cannot listen on {address}: {source}")]
    Listen {
        /// Setting of the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// Cause.
        source: std::io::Error,
    },
}

impl App {
    /// Opens the store and creates the components. `url` is the URL of this process. The cluster
    /// may be unreachable.
    ///
    /// # Errors
    /// [`StartError::Config`], [`StartError::Unfunded`], [`StartError::Store`],
    /// [`StartError::OtherOperator`], [`StartError::ForeignDigestKey`],
    /// [`StartError::Traces`].
    pub(crate) async fn open(
        config: GatewayConfig,
        chain: Arc<dyn Chain>,
        failpoints: Arc<dyn Failpoints>,
        url: &str,
    ) -> Result<Self, StartError> {
        config.faults().or(())?;
        let config = Arc::new(config);
        let metrics = Arc::new(Metrics::default());
        let cluster = Arc::new(Cluster::new(chain, metrics.chain_failures.clone()));
        let funds = open_funds(&config, &cluster).await?;
        let failed = |source| StartError::Store { place: config.store.clone(), source };
        let receipt_signer = receipt_signer(&config.keys);
        let options = StoreOptions::new(receipt_signer.clone())
            .url(url)
            .lease_duration(config.lease)
            .skip_frames(&config.skip_frames)
            .failpoints(failpoints.clone());
        let store = match &config.store {
            StorePlace::File(path) => options.open_file(path).await,
            StorePlace::Server(url) => {
                let opened = options.open_server(url.whole()).await;
                opened.map_err(|error| error.map_text(|text| url.scrub(text)))
            }
        };
        let store = store.map_err(failed)?;
        let start = |to| Traces::start(to, url, metrics.trace_failures.clone()).map(Arc::new);
        let traces = config.traces.as_ref().map(start).transpose()?;
        let digest_key = digest_key(&config, &store).await?;
        let stored_keys = store.queries().api_keys().await.map_err(failed)?;

        let admission = Arc::new(Admission::new(&config.limits));
        let operator_keys = OperatorKeys::new(&config, receipt_signer.clone(), cluster.clone());
        let operator_keys = Arc::new(operator_keys);
        let channels = Arc::new(ChannelRegistry::new(store.clone(), config.margins()));
        let sync = Arc::new(ChannelSync {
            channels: channels.clone(),
            cluster: cluster.clone(),
            config: config.clone(),
            failpoints: failpoints.clone(),
            rollbacks: metrics.rollbacks.clone(),
        });
        let policy = Arc::new(SettlementPolicy::new(config.clone(), sync.clone(), funds.clone()));
        let (priority_fee, daily_cap) = (config.settle.priority_fee, config.settle.daily_fee_cap);
        let capped = metrics.priority_fee_capped.clone();
        let fees = Arc::new(SettlementFees::new(priority_fee, daily_cap, capped));
        let now = cluster.now();
        let today = store.reports().expenses(SettlementFees::day_begin(now)).await;
        let today = today.map_err(failed)?;
        let spent_on = |kind| today.iter().find(|spent| spent.kind == kind).copied();
        if let Some(settled) = spent_on(ExpenseKind::Settle) {
            fees.resume(settled.transactions, settled.lamports, now);
        }
        let metering = Arc::new(Metering {
            channels: channels.clone(),
            cluster: cluster.clone(),
            verifier: Verifier::default(),
            admission: admission.clone(),
            policy: policy.clone(),
            keys: operator_keys.clone(),
            metrics: metrics.clone(),
            failpoints: failpoints.clone(),
            part_keepers: RwLock::default(),
        });
        let statuses = Arc::new(StatusPoller::new(cluster.clone()));
        let parts = SalesParts {
            config: config.clone(),
            cluster: cluster.clone(),
            store: store.clone(),
            keys: operator_keys.clone(),
            funds: funds.clone(),
            statuses: statuses.clone(),
            metrics: metrics.clone(),
            failpoints: failpoints.clone(),
        };
        let sales = Sales::new(parts, &digest_key, url).map(Arc::new);
        if let Some(sales) = &sales {
            let landed = spent_on(ExpenseKind::Sale).map_or(0, |spent| spent.transactions);
            let day = SettlementFees::day_begin(now);
            let sellers = store.sales().of_sellers(day).await.map_err(failed)?;
            sales.count_earlier(landed, &sellers, now);
        }
        let sponsor = config.sponsor.clone().map(|sponsor| {
            let spent = spent_on(ExpenseKind::Sponsorship).map_or(0, |spent| spent.lamports);
            let (cluster, metrics) = (cluster.clone(), metrics.clone());
            Sponsor::new(sponsor, cluster, store.clone(), metrics, (spent, now))
        });
        let components = Components {
            sales,
            sponsor,
            exchanges: Arc::default(),
            holds: Arc::new(Holds {
                channels: channels.clone(),
                metering: metering.clone(),
                cluster: cluster.clone(),
                admission: admission.clone(),
                policy: policy.clone(),
                listeners: RwLock::default(),
            }),
            settler: Arc::new(Settler {
                sync: sync.clone(),
                policy: policy.clone(),
                submitter: Submitter {
                    channels: channels.clone(),
                    cluster: cluster.clone(),
                    statuses,
                    fees: fees.clone(),
                    keys: operator_keys.clone(),
                    failpoints,
                    attempts: metrics.settlement_attempts.clone(),
                },
                expenses: Expenses {
                    store: store.clone(),
                    cluster: cluster.clone(),
                    metrics: metrics.clone(),
                },
                admission: admission.clone(),
                metrics: metrics.clone(),
                traces: traces.clone(),
            }),
            operator_keys,
            catalogue: Arc::new(Catalogue::new(cluster.clone(), config.clone())),
            events: EventHub::new(config.events.clone(), &store, &digest_key),
            hosting: Hosting::new(config.hosting.clone(), cluster.clone(), config.decoding.clone()),
            record: Record::new(cluster.clone(), store.clone(), &config),
            receipts: Receipts { channels: channels.clone() },
            reconciler: Reconciler { channels: channels.clone(), sync: sync.clone() },
            keys: Arc::new(ApiKeys {
                keyring: Keyring::new(digest_key, stored_keys),
                store: store.clone(),
                admission: admission.clone(),
                cluster: cluster.clone(),
            }),
            recognizer: Arc::new(Recognizer::new(
                cluster.clone(),
                store.clone(),
                config.decoding.clone(),
                config.store.file(),
                Catalogue::ages(&config),
            )),
            health: Health::new(store.clone(), cluster.clone(), funds.clone(), receipt_signer),
            funds,
            config: config.clone(),
            cluster,
            channels,
            opening: ChannelOpening::new(sync.clone()),
            sync,
            metering,
            admission,
            batch_bodies: BodyBudget::new(BATCH_BYTES),
            metrics,
            traces,
            policy,
            fees,
            store,
        };
        let app = Self(Arc::new(components));
        let loaded = match app.store.leases() {
            Some(_) => app.lease_renewal().start().await,
            None => app.channels.load_all().await,
        };
        loaded.map_err(failed)?;
        let channels = app.channels.list();
        // A start does not wait for a node, and has nothing to compare without channels.
        let tag = match channels.is_empty() {
            true => None,
            false => {
                let read = timeout(CLUSTER_WITHIN, app.cluster.chain().cluster()).await;
                read.ok().and_then(Result::ok)
            }
        };
        for channel in channels {
            check_channel(&config, tag, &channel.account())?;
        }
        Ok(app)
    }

    /// Returns the operator's authority.
    pub fn operator(&self) -> Pubkey {
        self.config.operator
    }

    /// Returns the unsettled amounts of all channels.
    pub fn exposure(&self) -> Exposure {
        let now = self.cluster.now();
        let operator_lamports = self.funds.lamports();
        let priority_fees = self.fees.spent_today(now);
        let sale_fees = self.sales.as_ref().map_or(0, |sales| sales.fees_today(now));
        Exposure { operator_lamports, priority_fees, sale_fees, ..self.channels.exposure(now) }
    }

    /// Returns the job that renews leases.
    pub(crate) fn lease_renewal(&self) -> LeaseRenewal {
        LeaseRenewal {
            channels: self.channels.clone(),
            keys: self.keys.clone(),
            cluster: self.cluster.clone(),
        }
    }

    /// Returns the job that settles channels.
    pub(crate) fn settlement_worker(&self) -> SettlementWorker {
        SettlementWorker {
            settler: self.settler.clone(),
            policy: self.policy.clone(),
            heartbeat: self.health.heartbeat.clone(),
            every: self.config.settle.look_every,
            max_blind: Duration::from_secs(self.config.settle.max_blind_seconds.into()),
        }
    }

    /// Returns the job that deletes holds that have ended.
    pub(crate) fn hold_pruner(&self) -> HoldPruner {
        HoldPruner { store: self.store.clone(), cluster: self.cluster.clone() }
    }

    /// Returns the job that finds out what happened.
    pub(crate) fn event_source(&self) -> EventSource {
        let (events, books) = (self.events.clone(), self.store.event_books().clone());
        let (cluster, channels) = (self.cluster.clone(), self.channels.clone());
        EventSource::new(events, books, cluster, channels, self.operator())
    }

    /// Returns the job that sends events to webhooks.
    pub(crate) fn webhook_sender(&self) -> WebhookSender {
        WebhookSender::new(self.events.clone())
    }

    /// Returns the job that follows registered works.
    pub(crate) fn works_follower(&self) -> WorksFollower {
        WorksFollower::new(self.recognizer.clone())
    }

    /// Writes queued changes, closes the store, and sends the last traces.
    pub(crate) async fn close(&self) {
        self.store.close().await;
        if let Some(traces) = &self.traces {
            traces.stop().await;
        }
    }
}

/// Returns the key of API keys' digests, which is the one that the store knows by its mark. A store that
/// has API keys and no file of their digest key comes from a gateway that derived it from the settle key:
/// the file gets that one.
async fn digest_key(config: &GatewayConfig, store: &Store) -> Result<DigestKey, StartError> {
    let failed = |source| StartError::Store { place: config.store.clone(), source };
    let derived = config.keys.derived_digest.clone();
    let path = config.keys.digest_path(&config.store);
    let source = path.as_ref().map(|path| format!("keys.digest_file {}", path.display()));
    let source = source.unwrap_or_else(|| "the key derived from the settle key".to_owned());
    let foreign = |fault| {
        let (key, place) = (source.clone(), config.store.clone());
        StartError::ForeignDigestKey { key, fault, place }
    };
    let queries = store.queries();
    let stored_keys = queries.api_keys().await.map_err(failed)?;
    let mark = queries.digest_key_mark().await.map_err(failed)?;
    let is_bound = !config.replace_digest_key && queries.uses_digest_key().await.map_err(failed)?;
    let key = match path {
        None => derived.ok_or_else(|| {
            let mut faults = Faults::default();
            faults.add("keys.digest_file", "", "required");
            StartError::Config(faults)
        })?,
        Some(path) => {
            let is_missing = !path.exists();
            let present = derived.filter(|key| match mark {
                Some(mark) => key.mark() == mark,
                None => !stored_keys.is_empty(),
            });
            if is_missing && is_bound && mark.is_some() && present.is_none() {
                return Err(foreign("is missing: it is the key"));
            }
            if is_missing && present.is_some() {
                tracing::warn!(path = %path.display(), "API keys' digest key is derived from the settle key");
            }
            let opened = DigestKey::open(&path, present);
            opened.map_err(|source| StartError::DigestKey { path, source })?
        }
    };
    let own = key.mark();
    let replaced = mark.filter(|mark| *mark != own);
    if replaced.is_some() {
        if is_bound {
            return Err(foreign("is not the key"));
        }
        let revoked_at = system_now();
        for stored in stored_keys.iter().filter(|stored| stored.revoked_at.is_none()) {
            let change = Change::KeyRevoked { id: stored.id, revoked_at };
            store.writer().write(change).await.map_err(failed)?;
        }
        tracing::warn!(
            "the digest key is replaced: API keys are revoked, webhooks have other secrets"
        );
    }
    let known = queries.mark_digest_key(&own, replaced.as_ref()).await.map_err(failed)?;
    if known == own { Ok(key) } else { Err(foreign("is not the key")) }
}

/// Reads the balance of the fee payer. A cluster that does not answer does not prevent a start.
async fn open_funds(
    config: &GatewayConfig,
    cluster: &Arc<Cluster>,
) -> Result<Arc<Funds>, StartError> {
    let (account, least) = (config.keys.fee_payer.public_key(), config.settle.min_lamports);
    let funds = Funds::new(cluster.clone(), account, least);
    if least == 0 {
        return Ok(Arc::new(funds));
    }
    match funds.observe().await {
        Ok(lamports) if lamports < least => Err(StartError::Unfunded { account, lamports, least }),
        Ok(_) | Err(_) => Ok(Arc::new(funds)),
    }
}

/// Checks that a stored channel is the configured operator's, and on this cluster if it is known.
///
/// # Errors
/// [`StartError::OtherOperator`], [`StartError::OtherCluster`].
pub(crate) fn check_channel(
    config: &GatewayConfig,
    cluster: Option<[u8; 32]>,
    channel: &Channel,
) -> Result<(), StartError> {
    let (theirs, ours): (Pubkey, Pubkey) = (channel.operator, config.operator);
    if theirs != ours {
        return Err(StartError::OtherOperator { place: config.store.clone(), theirs, ours });
    }
    if cluster.is_some_and(|cluster| cluster != channel.cluster) {
        return Err(StartError::OtherCluster { place: config.store.clone() });
    }
    Ok(())
}

impl Deref for App {
    type Target = Components;

    fn deref(&self) -> &Components {
        &self.0
    }
}
