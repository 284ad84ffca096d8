use std::{sync::Arc, time::Duration};

use motif_sdk::gateway::wire::PaidRoutes as PaidRoutesFacts;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{PaidRoutes, Spool, SpoolError, price_tags::PriceTags, running::Running};
use crate::{App, config::PaywallConfig};

/// Routes with prices, what is kept and what runs for them; clones share it.
#[derive(Clone)]
pub struct Paywall {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    config: PaywallConfig,
    spool: Arc<Spool>,
    running: Running,
    price_tags: PriceTags,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// How often what is over is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long answers may still be made after the gateway was told to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

impl Paywall {
    /// Opens the folder that answers are kept in. Streams end when `stop` is cancelled.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn open(
        app: App,
        config: PaywallConfig,
        stop: CancellationToken,
    ) -> Result<Self, SpoolError> {
        let spool = Arc::new(Spool::open(&config.spool, config.keep_bytes)?);
        let running = Running::new(config.running as usize, config.streams as usize);
        let price_tags = PriceTags::default();
        let tasks = TaskTracker::new();
        let inner = Inner { app, config, spool, running, price_tags, tasks, stop };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the gateway that takes payment.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// How it runs.
    pub fn config(&self) -> &PaywallConfig {
        &self.inner.config
    }

    /// Which routes cost what.
    pub fn routes(&self) -> &PaidRoutes {
        &self.inner.config.routes
    }

    /// How many streams are open now.
    pub fn streams(&self) -> usize {
        self.inner.running.streams()
    }

    /// Every route that has a price now, with it.
    pub async fn facts(&self) -> PaidRoutesFacts {
        let routes = self.routes().paid().iter().map(AsRef::as_ref);
        PaidRoutesFacts { routes: self.inner.price_tags.all(self.app(), routes).await }
    }

    /// Removes what is kept long enough, until told to stop; then waits for what is being made.
    pub async fn tend(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = self.inner.stop.cancelled() => break,
            }
            self.inner.spool.sweep(self.app().cluster.now()).await;
        }
        self.inner.tasks.close();
        if tokio::time::timeout(DRAIN_WITHIN, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.inner.tasks.len(), "answers were left unmade");
        }
    }

    pub(super) fn spool(&self) -> &Arc<Spool> {
        &self.inner.spool
    }

    pub(super) fn running(&self) -> &Running {
        &self.inner.running
    }

    pub(super) fn price_tags(&self) -> &PriceTags {
        &self.inner.price_tags
    }

    /// What goes on when whoever asked has gone.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }
}
