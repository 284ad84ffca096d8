use std::{sync::Arc, time::Duration};

use motif_sdk::gateway::wire::PaidRoutes as PaidRoutesFacts;
use tokio_util::sync::CancellationToken;

use super::{PaidRoutes, Spool, SpoolError, offers::Offers, running::Running};
use crate::{Gateway, config::PaywallConfig};

/// Routes with prices, what is kept and what runs for them; clones share it.
#[derive(Clone)]
pub struct Paywall {
    inner: Arc<Inner>,
}

struct Inner {
    gateway: Gateway,
    config: PaywallConfig,
    spool: Arc<Spool>,
    running: Running,
    offers: Offers,
    stop: CancellationToken,
}

/// How often what is over is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

impl Paywall {
    /// Opens the folder that answers are kept in. Streams end when `stop` is cancelled.
    ///
    /// # Errors
    /// [`SpoolError`].
    pub fn open(
        gateway: Gateway,
        config: PaywallConfig,
        stop: CancellationToken,
    ) -> Result<Self, SpoolError> {
        let spool = Arc::new(Spool::open(&config.spool, config.keep_bytes)?);
        let running = Running::new(config.running as usize, config.streams as usize);
        let offers = Offers::default();
        Ok(Self { inner: Arc::new(Inner { gateway, config, spool, running, offers, stop }) })
    }

    /// The gateway that takes payment.
    pub fn gateway(&self) -> &Gateway {
        &self.inner.gateway
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
        PaidRoutesFacts { routes: self.inner.offers.all(self.gateway(), routes).await }
    }

    /// Removes what is kept long enough, until told to stop.
    pub async fn sweep(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = self.inner.stop.cancelled() => return,
            }
            self.inner.spool.sweep(self.gateway().now()).await;
        }
    }

    pub(super) fn spool(&self) -> &Arc<Spool> {
        &self.inner.spool
    }

    pub(super) fn running(&self) -> &Running {
        &self.inner.running
    }

    pub(super) fn offers(&self) -> &Offers {
        &self.inner.offers
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }
}
