//! Health checks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{
    cache::{Cache, MaxAges},
    cluster::Cluster,
    error::GatewayError,
    funds::Funds,
    store::{ReceiptSigner, Store},
};

/// Maximum silence of the settlement worker: longer than one channel takes on a slow cluster.
const MAX_SILENCE: Duration = Duration::from_secs(900);

/// Maximum age of a readiness check.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Time of the settlement worker's last progress.
#[derive(Debug)]
pub struct Heartbeat(Mutex<Instant>);

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Heartbeat {
    /// Records progress.
    pub fn beat(&self) {
        *self.0.lock() = Instant::now();
    }

    /// Returns the time since the last progress.
    pub fn silence(&self) -> Duration {
        self.0.lock().elapsed()
    }
}

/// Liveness and readiness checks.
pub struct Health {
    store: Store,
    cluster: Arc<Cluster>,
    pub(crate) heartbeat: Arc<Heartbeat>,
    pub(crate) funds: Arc<Funds>,
    receipts: ReceiptSigner,
    /// Whether the gateway is about to shut down.
    is_draining: AtomicBool,
    readiness: Cache<(), ()>,
}

impl Health {
    /// Creates the checks.
    pub(crate) fn new(
        store: Store,
        cluster: Arc<Cluster>,
        funds: Arc<Funds>,
        receipts: ReceiptSigner,
    ) -> Self {
        let ages = MaxAges { value: MAX_AGE, error: MAX_AGE };
        let (heartbeat, is_draining) = (Arc::new(Heartbeat::default()), AtomicBool::new(false));
        let readiness = Cache::new(ages, 1);
        Self { store, cluster, heartbeat, funds, receipts, is_draining, readiness }
    }

    /// Checks that the store works and the settlement worker makes progress. A restart repairs
    /// what fails here.
    ///
    /// # Errors
    /// [`GatewayError::StoreFailed`], [`GatewayError::WorkerStalled`].
    pub fn check_alive(&self) -> Result<(), GatewayError> {
        if let Some(failure) = self.store.writer().failure() {
            return Err(GatewayError::StoreFailed(failure));
        }
        let silence = self.heartbeat.silence();
        let is_alive = silence <= MAX_SILENCE;
        if is_alive { Ok(()) } else { Err(GatewayError::WorkerStalled(silence.as_secs())) }
    }

    /// Fails readiness from now on.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Checks that the gateway is not about to shut down, that the operator can pay for settlements,
    /// that the store takes writes, receipts can be signed, and the cluster answers. Writes to the disk,
    /// asks the signer and reads from the cluster at most once a second, however often it is called.
    ///
    /// # Errors
    /// [`GatewayError::Draining`], [`GatewayError::OperatorUnfunded`],
    /// [`GatewayError::StoreFailed`], [`GatewayError::SignerUnavailable`],
    /// [`GatewayError::ChainUnreachable`].
    pub async fn check_ready(&self) -> Result<(), GatewayError> {
        if let Some(failure) = self.store.writer().failure() {
            return Err(GatewayError::StoreFailed(failure));
        }
        if self.is_draining.load(Ordering::Relaxed) {
            return Err(GatewayError::Draining);
        }
        self.funds.check_floor()?;
        let (store, cluster) = (self.store.clone(), self.cluster.clone());
        let receipts = self.receipts.clone();
        let probe = || async move {
            store.writer().probe().await?;
            receipts.reach(cluster.now()).await?;
            Ok(cluster.chain().reach().await?)
        };
        self.readiness.get((), probe).await
    }
}
