use std::{collections::HashMap, sync::Arc};

use motif_sdk::{Pubkey, channel::Currency};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    budget::FeeBudget,
    open_till::{OpenTills, SaleTerms},
};
use crate::{
    GatewayConfig,
    cache::Cache,
    catalogue::Catalogue,
    cluster::Cluster,
    config::SalesConfig,
    expenses::Expenses,
    funds::Funds,
    id_locks::IdLocks,
    keys::DigestKey,
    metrics::Metrics,
    operator_keys::OperatorKeys,
    settlement::StatusPoller,
    store::{Failpoints, PaymentId, SellerPayments, Store, StoredSale},
};

/// Receiver of a payment as it has ended; its sender is dropped if the end was not recorded.
pub(super) type EndReceiver = watch::Receiver<Option<StoredSale>>;

/// Signs payments to tills as the fee payer, stores them, sends them, and follows them to their end.
pub struct Sales {
    pub(super) sales: SalesConfig,
    pub(super) config: Arc<GatewayConfig>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) store: Store,
    pub(super) keys: Arc<OperatorKeys>,
    pub(super) funds: Arc<Funds>,
    pub(super) statuses: Arc<StatusPoller>,
    pub(super) expenses: Expenses,
    pub(super) metrics: Arc<Metrics>,
    pub(super) failpoints: Arc<dyn Failpoints>,
    /// URL of this process.
    pub(super) holder: String,
    /// Key of MPP's challenges.
    pub(super) challenge_key: [u8; 32],
    pub(super) budget: FeeBudget,
    /// Locks of payments that are being stored.
    pub(super) locks: IdLocks,
    pub(super) tills: OpenTills,
    pub(super) terms: Cache<(Pubkey, String), Option<Arc<SaleTerms>>>,
    pub(super) currencies: Cache<Pubkey, Option<(Currency, u8)>>,
    /// Payments that are followed, with their end.
    pub(super) followed: Mutex<HashMap<PaymentId, EndReceiver>>,
    pub(super) stop: CancellationToken,
}

/// Components that [`Sales`] shares with the rest of a gateway.
pub(crate) struct SalesParts {
    pub config: Arc<GatewayConfig>,
    pub cluster: Arc<Cluster>,
    pub store: Store,
    pub keys: Arc<OperatorKeys>,
    pub funds: Arc<Funds>,
    pub statuses: Arc<StatusPoller>,
    pub metrics: Arc<Metrics>,
    pub failpoints: Arc<dyn Failpoints>,
}

impl Sales {
    const CHALLENGES: &str = "motif gateway 2026-11 challenges of payments";
    /// Maximum numbers of terms and of mints kept.
    const MAX_KEPT: usize = 1_024;

    /// Creates the sales of a gateway; `None` if they are not configured. `holder` is the URL of this
    /// process.
    pub(crate) fn new(parts: SalesParts, digest_key: &DigestKey, holder: &str) -> Option<Self> {
        let SalesParts { config, cluster, store, keys, funds, statuses, metrics, failpoints } =
            parts;
        let sales = config.sales.clone()?;
        let ages = Catalogue::ages(&config);
        Some(Self {
            budget: FeeBudget::new(sales.daily_lamports),
            locks: IdLocks::default(),
            sales,
            expenses: Expenses {
                store: store.clone(),
                cluster: cluster.clone(),
                metrics: metrics.clone(),
            },
            config,
            cluster,
            store,
            keys,
            funds,
            statuses,
            metrics,
            failpoints,
            holder: holder.to_owned(),
            challenge_key: digest_key.derived(Self::CHALLENGES),
            tills: OpenTills::default(),
            terms: Cache::new(ages, Self::MAX_KEPT),
            currencies: Cache::new(ages, Self::MAX_KEPT),
            followed: Mutex::default(),
            stop: CancellationToken::new(),
        })
    }

    /// Counts what earlier processes paid for buyers today, and for which sellers.
    pub(crate) fn count_earlier(&self, payments: u64, sellers: &[SellerPayments], now: i64) {
        let count = |one: &SellerPayments| (Pubkey::new_from_array(one.seller), one.payments);
        let sellers: Vec<_> = sellers.iter().map(count).collect();
        self.budget.resume(payments, &sellers, now);
    }

    /// Returns the fees for buyers of the day of `now`, lamports, as the budget counts them.
    pub(crate) fn fees_today(&self, now: i64) -> u64 {
        self.budget.spent(now)
    }

    /// Returns the configuration.
    pub fn config(&self) -> &SalesConfig {
        &self.sales
    }

    /// Returns the key that pays for buyers' transactions.
    pub fn fee_payer(&self) -> Pubkey {
        self.keys.fee_payer().public_key()
    }
}
