use std::{sync::Arc, time::Duration};

use motif_sdk::{Pubkey, gateway::wire::PaidRoutes as PaidRoutesFacts};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    body_budget::BodyBudget,
    config::PaywallConfig,
    engine::{AnswerEvent, PaymentEngine},
    in_flight::InFlight,
    price_tags::PriceTags,
    route::PaidRoute,
    route_table::PaidRoutes,
    sale::{AnsweredPayments, Locks, PreparedOffers, SaleDesk, SaleItem, Setbacks},
    spool::{Spool, SpoolError},
};

/// Paid routes with their stored answers and running requests; clones share the state.
#[derive(Clone)]
pub struct Paywall {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<dyn PaymentEngine>,
    desk: Option<Arc<dyn SaleDesk>>,
    config: PaywallConfig,
    spool: Arc<Spool>,
    bodies: BodyBudget,
    in_flight: InFlight,
    price_tags: PriceTags,
    prepared_offers: PreparedOffers,
    sale_locks: Locks<SaleKey>,
    answered_payments: AnsweredPayments,
    setbacks: Setbacks,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Equal purchases: the wallet, the digest of the request, and the name of the payment.
pub(crate) type SaleKey = (Pubkey, [u8; 32], String);

/// Interval between removals of expired and overdue answers.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Pause before a failed read of sent payments is repeated.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Time limit of running generations after `stop` is cancelled.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

impl Paywall {
    /// Opens the folder of stored answers. Streams end when `stop` is cancelled.
    ///
    /// # Errors
    /// [`SpoolError`] if the folder is in use or cannot be read.
    pub fn open(
        engine: Arc<dyn PaymentEngine>,
        config: PaywallConfig,
        stop: CancellationToken,
    ) -> Result<Self, SpoolError> {
        Self::open_with_sales(engine, None, config, stop)
    }

    /// As [`Paywall::open`]; answers are also sold without a channel, through `desk`.
    ///
    /// # Errors
    /// As [`Paywall::open`].
    pub fn open_with_sales(
        engine: Arc<dyn PaymentEngine>,
        desk: Option<Arc<dyn SaleDesk>>,
        config: PaywallConfig,
        stop: CancellationToken,
    ) -> Result<Self, SpoolError> {
        let spool = Arc::new(Spool::open(&config.spool, config.keep_bytes)?);
        for _ in 0..spool.damaged_at_open() {
            engine.count(AnswerEvent::Damaged);
        }
        let in_flight = InFlight::new(config.running as usize, config.streams as usize);
        let bodies = BodyBudget::new(config.body_bytes);
        let price_tags = PriceTags::default();
        let tasks = TaskTracker::new();
        let inner = Inner {
            engine,
            desk,
            config,
            spool,
            bodies,
            in_flight,
            price_tags,
            prepared_offers: PreparedOffers::default(),
            sale_locks: Locks::default(),
            answered_payments: AnsweredPayments::default(),
            setbacks: Setbacks::default(),
            tasks,
            stop,
        };
        let inner = Arc::new(inner);
        let listening = Arc::downgrade(&inner);
        inner.engine.on_release(Box::new(move |hold| {
            if let Some(inner) = listening.upgrade() {
                // In this order: an answer that is stored in between finds its request released.
                inner.in_flight.release(&hold);
                inner.spool.release(&hold);
            }
        }));
        let keeping = Arc::downgrade(&inner);
        inner.engine.keep_parts(Box::new(move |part| {
            let inner = keeping.upgrade();
            inner.is_some_and(|inner| inner.spool.is_payable(&part, inner.engine.now()))
        }));
        Ok(Self { inner })
    }

    /// Returns the engine that takes payment.
    pub fn engine(&self) -> &dyn PaymentEngine {
        &*self.inner.engine
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
        let routes = self.inner.price_tags.all(self.engine(), self.routes().paid()).await;
        PaidRoutesFacts { routes }
    }

    /// Removes expired answers until `stop` is cancelled; then waits for running generations.
    pub async fn run(self) {
        if let Some(desk) = self.desk() {
            self.keep_sold(desk.clone()).await;
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = self.inner.stop.cancelled() => break,
            }
            self.inner.spool.sweep(self.engine().now()).await;
            self.discard_overdue().await;
        }
        self.inner.tasks.close();
        if tokio::time::timeout(DRAIN_WITHIN, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.inner.tasks.len(), "stopped before all generations ended");
        }
    }

    /// Keeps the answers of payments that were sent by an earlier process and may still land. Reads these
    /// payments again until it succeeds: without them, a sold answer would be removed.
    async fn keep_sold(&self, desk: Arc<dyn SaleDesk>) {
        let pending = loop {
            match desk.pending().await {
                Ok(pending) => break pending,
                Err(error) => tracing::error!(%error, "sent payments were not read; retrying"),
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_AFTER) => {}
                () = self.stop().cancelled() => return,
            }
        };
        for record in pending {
            let Some(guard) = self.spool().begin_payment(&record.answer) else { continue };
            let (paywall, desk) = (self.clone(), desk.clone());
            self.tasks().spawn(async move {
                tokio::select! {
                    () = paywall.keep_until_end(&*desk, &record) => {}
                    () = paywall.stop().cancelled() => {}
                }
                drop(guard);
            });
        }
    }

    /// Removes answers whose payment deadline has passed and releases their holds. An answer whose
    /// payment was recorded without this process's knowledge is kept.
    async fn discard_overdue(&self) {
        for answer in self.spool().overdue(self.engine().now()) {
            let id = answer.id.0;
            if answer.is_sale {
                self.spool().discard_unpaid(&id).await;
                continue;
            }
            // First, so that no voucher captures the hold of an answer that is being removed.
            if answer.part == 0 {
                self.engine().release(answer.channel.0, id).await;
            }
            if let Ok(None) = self.receipt(&answer).await {
                self.spool().discard_unpaid(&id).await;
            }
        }
    }

    /// Returns the budget of bodies in memory.
    pub(crate) fn bodies(&self) -> &BodyBudget {
        &self.inner.bodies
    }

    pub(crate) fn spool(&self) -> &Arc<Spool> {
        &self.inner.spool
    }

    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.inner.in_flight
    }

    pub(crate) fn price_tags(&self) -> &PriceTags {
        &self.inner.price_tags
    }

    pub(crate) fn prepared_offers(&self) -> &PreparedOffers {
        &self.inner.prepared_offers
    }

    /// Returns the routes that are sold without a channel now, each with the item that one answer is.
    pub async fn sold(&self) -> Vec<(Arc<PaidRoute>, SaleItem)> {
        let Some(desk) = self.desk() else { return Vec::new() };
        let mut sold = Vec::new();
        for route in self.routes().paid() {
            match self.item(&**desk, route).await {
                Ok(item) => sold.extend(item.map(|item| (route.clone(), item))),
                Err(error) => tracing::warn!(path = route.path, %error, "route has no item"),
            }
        }
        sold
    }

    /// Returns what settles payments to tills, or `None` if only channels pay.
    pub fn desk(&self) -> Option<&Arc<dyn SaleDesk>> {
        self.inner.desk.as_ref()
    }

    pub(crate) fn sale_locks(&self) -> &Locks<SaleKey> {
        &self.inner.sale_locks
    }

    pub(crate) fn answered_payments(&self) -> &AnsweredPayments {
        &self.inner.answered_payments
    }

    pub(crate) fn setbacks(&self) -> &Setbacks {
        &self.inner.setbacks
    }

    /// Returns the tasks that outlive the client's connection.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }
}
