//! What the operator pays for transactions.

use std::sync::Arc;

use motif_sdk::client::ConfirmedTransaction;

use crate::{
    cluster::Cluster,
    metrics::Metrics,
    store::{Change, Expense, ExpenseKind, Store},
};

/// Counts lamports that the operator pays, in the metrics and in the store.
pub struct Expenses {
    pub(crate) store: Store,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Expenses {
    /// Counts a confirmed transaction; in the store once, however often it is confirmed.
    pub(crate) async fn record(&self, kind: ExpenseKind, landed: &ConfirmedTransaction) {
        let lamports = landed.fee_lamports;
        self.metrics.count_lamports(kind, lamports);
        let (signature, spent_at) = (landed.signature.into(), self.cluster.now());
        let change = Change::Spent(Expense { signature, kind, lamports, spent_at });
        if let Err(error) = self.store.writer().write(change).await {
            tracing::warn!(%error, "an expense was not recorded");
        }
    }
}
