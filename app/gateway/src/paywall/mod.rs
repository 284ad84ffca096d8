//! Paywall for any HTTP model server, as a tower layer or as a reverse proxy.
//!
//! - [`PaywallLayer`] wraps a server in this process; [`Upstream`] forwards to another process.
//! - [`PaidRoutes`] are the priced routes of a TOML file; [`Metered`] is the source of their units.
//! - The server generates an answer before it is paid for. The gateway stores it in a folder
//!   ([`Spool`]) and returns it once the voucher for exactly its units is durable. A failed
//!   generation is never charged.
//! - A stream is cut into parts. Each part is generated, stored, paid for and sent in turn.

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

/// Paid routes with their stored answers and running requests; clones share the state.
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

/// Interval between removals of expired answers.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Time limit of running generations once the gateway stops.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

impl Paywall {
    /// Opens the folder of stored answers. Streams end when `stop` is cancelled.
    ///
    /// # Errors
    /// [`SpoolError`] if the folder is in use or cannot be read.
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

    /// Returns the configuration.
    pub fn config(&self) -> &PaywallConfig {
        &self.inner.config
    }

    /// Returns the paid routes.
    pub fn routes(&self) -> &PaidRoutes {
        &self.inner.config.routes
    }

    /// Returns the number of open streams.
    pub fn streams(&self) -> usize {
        self.inner.in_flight.streams()
    }

    /// Returns the paid routes whose work can be licensed now, with their prices.
    pub async fn facts(&self) -> PaidRoutesFacts {
        let routes = self.routes().paid().iter().map(AsRef::as_ref);
        PaidRoutesFacts { routes: self.inner.price_tags.all(self.app(), routes).await }
    }

    /// Removes expired answers until the gateway stops; then waits for running generations.
    pub async fn run(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = self.inner.stop.cancelled() => break,
            }
            self.inner.spool.sweep(self.app().cluster.now()).await;
        }
        self.inner.tasks.close();
        if tokio::time::timeout(DRAIN_WITHIN, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.inner.tasks.len(), "stopped before all generations ended");
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

    /// Returns the tasks that outlive the client's connection.
    fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }
}
