//! A price in front of any HTTP model server: as a tower layer, or as a reverse proxy.
//!
//! - [`PaywallLayer`]: wraps a server; [`Upstream`]: forwards to one that runs elsewhere.
//! - [`PaidRoutes`]: which routes cost what, from a TOML file; [`Metered`]: where units come from.
//! - An answer is made first, kept in a folder ([`Spool`]), and handed over once the voucher for
//!   exactly its units is durable. A generation that fails is never charged.
//! - Streams are cut into parts, each of which is made, kept, paid for and handed over.

mod generate;
mod handler;
mod headers;
mod held;
mod in_flight;
mod layer;
mod metered;
mod parts;
mod payment_due;
mod price_tags;
mod redirect;
mod refusal;
mod route;
mod route_table;
mod spool;
mod stream;
mod upstream;

use std::{sync::Arc, time::Duration};

use motif_sdk::gateway::wire::PaidRoutes as PaidRoutesFacts;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use layer::{PaywallLayer, PaywallService};
pub use metered::{Counted, Metered, Missing};
pub use refusal::PaywallRefusal;
pub use route::PaidRoute;
pub use route_table::PaidRoutes;
pub use spool::{Spool, SpoolError};
pub use upstream::{Upstream, UpstreamUrl};

use self::{in_flight::InFlight, price_tags::PriceTags};
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
    in_flight: InFlight,
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
        let in_flight = InFlight::new(config.running as usize, config.streams as usize);
        let price_tags = PriceTags::default();
        let tasks = TaskTracker::new();
        let inner = Inner { app, config, spool, in_flight, price_tags, tasks, stop };
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
        self.inner.in_flight.streams()
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

    fn spool(&self) -> &Arc<Spool> {
        &self.inner.spool
    }

    fn in_flight(&self) -> &InFlight {
        &self.inner.in_flight
    }

    fn price_tags(&self) -> &PriceTags {
        &self.inner.price_tags
    }

    /// What goes on when whoever asked has gone.
    fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }
}
