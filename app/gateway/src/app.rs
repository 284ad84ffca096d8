use std::{ops::Deref, path::PathBuf, sync::Arc};

use motif_ed25519_batch::Verifier;
use motif_paywall::SpoolError;
use motif_sdk::{Pubkey, channel::Channel, keypair::signing_key};

use crate::{
    GatewayConfig,
    admission::Admission,
    api_keys::ApiKeys,
    catalogue::Catalogue,
    chain::Chain,
    channel_registry::ChannelRegistry,
    channel_sync::ChannelSync,
    cluster::Cluster,
    config::{Faults, StorePlace},
    health::{Health, Heartbeat},
    holds::Holds,
    keys::Keyring,
    metering::Metering,
    metrics::{Exposure, Metrics},
    rebalance::LeaseRenewal,
    receipts::Receipts,
    recognition::{Recognizer, WorksFollower},
    reconcile::Reconciler,
    settle_key::SettleKey,
    settlement::{SettlementPolicy, SettlementWorker, Settler, Submitter},
    store::{Failpoints, ReceiptSigner, Store, StoreError, StoreOptions},
    traces::{TraceError, Traces},
};

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
    /// Takes payment for generations.
    pub metering: Arc<Metering>,
    /// Adds, captures and releases holds.
    pub holds: Arc<Holds>,
    /// Settles and closes channels.
    pub settler: Arc<Settler>,
    /// Follows which key settles for the operator.
    pub settle_key: Arc<SettleKey>,
    /// Works, terms and prices.
    pub catalogue: Arc<Catalogue>,
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
    /// Rate limits.
    pub admission: Arc<Admission>,
    /// Metrics for Prometheus.
    pub metrics: Arc<Metrics>,
    /// Exporter of traces, if configured.
    pub(crate) traces: Option<Arc<Traces>>,
    policy: Arc<SettlementPolicy>,
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
    /// Error returned when the paywall's folder of answers cannot be opened.
    #[error("paywall.spool {path}: {source}")]
    Spool {
        /// The folder.
        path: PathBuf,
        /// Cause.
        source: SpoolError,
    },
    /// Error returned when the exporter of traces cannot be created.
    #[error("traces: {0}")]
    Traces(#[from] TraceError),
    /// Error returned when an address cannot be listened on.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl App {
    /// Opens the store and creates the components. `url` is the URL of this process. The cluster
    /// may be unreachable.
    ///
    /// # Errors
    /// [`StartError::Config`], [`StartError::Store`], [`StartError::OtherOperator`],
    /// [`StartError::Traces`].
    pub(crate) async fn open(
        config: GatewayConfig,
        chain: Arc<dyn Chain>,
        failpoints: Arc<dyn Failpoints>,
        url: &str,
    ) -> Result<Self, StartError> {
        config.faults().or(())?;
        let config = Arc::new(config);
        let failed = |source| StartError::Store { place: config.store.clone(), source };
        let mut signer = ReceiptSigner::from(signing_key(&config.receipt_keypair));
        if let Some((next, valid_from)) = &config.next_receipt_keypair {
            signer = signer.then(signing_key(next), *valid_from);
        }
        let options = StoreOptions::new(signer)
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
        let metrics = Arc::new(Metrics::default());
        let start = |to| Traces::start(to, url, metrics.trace_failures.clone()).map(Arc::new);
        let traces = config.traces.as_ref().map(start).transpose()?;
        let stored_keys = store.queries().api_keys().await.map_err(failed)?;

        let admission = Arc::new(Admission::new(&config.limits));
        let cluster = Arc::new(Cluster::new(chain, metrics.chain_failures.clone()));
        let channels = Arc::new(ChannelRegistry::new(store.clone(), config.margins()));
        let policy = Arc::new(SettlementPolicy::new(config.clone()));
        let sync = Arc::new(ChannelSync {
            channels: channels.clone(),
            cluster: cluster.clone(),
            config: config.clone(),
            failpoints: failpoints.clone(),
            rollbacks: metrics.rollbacks.clone(),
        });
        let settle_key = Arc::new(SettleKey::new(&config, cluster.clone()));
        let metering = Arc::new(Metering {
            channels: channels.clone(),
            cluster: cluster.clone(),
            verifier: Verifier::default(),
            admission: admission.clone(),
            policy: policy.clone(),
            settle_key: settle_key.clone(),
            metrics: metrics.clone(),
            failpoints: failpoints.clone(),
        });
        let components = Components {
            holds: Arc::new(Holds {
                channels: channels.clone(),
                metering: metering.clone(),
                cluster: cluster.clone(),
                admission: admission.clone(),
                policy: policy.clone(),
            }),
            settler: Arc::new(Settler {
                sync: sync.clone(),
                submitter: Submitter {
                    channels: channels.clone(),
                    cluster: cluster.clone(),
                    keypair: config.keypair.clone(),
                    failpoints,
                },
                admission: admission.clone(),
                metrics: metrics.clone(),
                traces: traces.clone(),
            }),
            catalogue: Arc::new(Catalogue { cluster: cluster.clone(), config: config.clone() }),
            receipts: Receipts { channels: channels.clone() },
            reconciler: Reconciler { channels: channels.clone(), sync: sync.clone() },
            keys: Arc::new(ApiKeys {
                keyring: Keyring::new(&config.keypair, stored_keys),
                store: store.clone(),
                admission: admission.clone(),
                cluster: cluster.clone(),
            }),
            recognizer: Arc::new(Recognizer::new(
                cluster.clone(),
                store.clone(),
                config.decoding.clone(),
                config.store.file(),
            )),
            health: Health {
                store: store.clone(),
                cluster: cluster.clone(),
                heartbeat: Arc::new(Heartbeat::default()),
            },
            settle_key,
            config: config.clone(),
            cluster,
            channels,
            sync,
            metering,
            admission,
            metrics,
            traces,
            policy,
            store,
        };
        let app = Self(Arc::new(components));
        let loaded = match app.store.leases() {
            Some(_) => app.lease_renewal().renew().await.map(drop),
            None => app.channels.load_all().await,
        };
        loaded.map_err(failed)?;
        for channel in app.channels.list() {
            check_channel(&config, &channel.account())?;
        }
        Ok(app)
    }

    /// Returns the operator's authority.
    pub fn operator(&self) -> Pubkey {
        self.config.operator
    }

    /// Returns the unsettled amounts of all channels.
    pub fn exposure(&self) -> Exposure {
        self.channels.exposure(self.cluster.now())
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
        }
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

/// Checks that a stored channel is the configured operator's.
///
/// # Errors
/// [`StartError::OtherOperator`].
pub(crate) fn check_channel(config: &GatewayConfig, channel: &Channel) -> Result<(), StartError> {
    let (theirs, ours): (Pubkey, Pubkey) = (channel.operator, config.operator);
    if theirs == ours {
        return Ok(());
    }
    Err(StartError::OtherOperator { place: config.store.clone(), theirs, ours })
}

impl Deref for App {
    type Target = Components;

    fn deref(&self) -> &Components {
        &self.0
    }
}
