use std::sync::Arc;

use motif_sdk::gateway::wire::sale::SaleState;
use solana_signature::Signature;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{Sales, sales::EndReceiver};
use crate::{
    chain::ChainError,
    error::GatewayError,
    store::{Change, ExpenseKind, Failpoint, PaymentId, SaleEvent, StoredSale},
};

/// Pause before a transaction is sent again, in polls of the cluster; doubled up to the maximum.
const FIRST_RESUBMIT_POLLS: u32 = 4;
const MAX_RESUBMIT_POLLS: u32 = 32;

impl Sales {
    /// Follows the payments of an earlier process.
    ///
    /// # Errors
    /// [`GatewayError::StoreFailed`].
    pub(super) async fn resume(self: &Arc<Self>) -> Result<(), GatewayError> {
        for sale in self.store.sales().pending().await? {
            self.follow(sale, Instant::now());
        }
        Ok(())
    }

    /// Follows a payment to its end in a task, unless it is followed. Sends it again from
    /// `submit_at` on.
    pub(super) fn follow(self: &Arc<Self>, sale: StoredSale, submit_at: Instant) -> EndReceiver {
        let mut followed = self.followed.lock();
        if let Some(known) = followed.get(&sale.payment) {
            return known.clone();
        }
        let (tell, ended) = watch::channel(None);
        followed.insert(sale.payment, ended.clone());
        let sales = self.clone();
        tokio::spawn(async move {
            let id = sale.payment;
            let ended = tokio::select! {
                state = sales.follow_to_end(&sale, submit_at) => match sales.end(&id, state).await {
                    Ok(at) => Some(StoredSale { state, ended_at: Some(at), ..sale }),
                    Err(error) => {
                        tracing::error!(%error, "the end of a payment was not recorded");
                        None
                    }
                },
                () = sales.stop.cancelled() => None, // the next start continues
            };
            sales.followed.lock().remove(&id);
            if ended.is_some() {
                tell.send_replace(ended);
            }
        });
        ended
    }

    /// Waits until a payment has ended, and returns it.
    ///
    /// # Errors
    /// [`GatewayError::PaymentUnsettled`] if the gateway stops before.
    pub(super) async fn ended(
        self: &Arc<Self>,
        payment: &PaymentId,
    ) -> Result<StoredSale, GatewayError> {
        let followed = self.followed.lock().get(payment).cloned();
        let mut ended = match followed {
            Some(ended) => ended,
            None => {
                let unknown = || GatewayError::internal("a payment that was not stored");
                let stored = self.store.sales().find(payment).await?.ok_or_else(unknown)?;
                if stored.state != SaleState::Sent {
                    return Ok(stored);
                }
                self.follow(stored, Instant::now())
            }
        };
        // The sender is dropped without an end if none was recorded.
        let ended = ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone());
        ended.ok_or(GatewayError::PaymentUnsettled)
    }

    /// Records the end of a payment. Returns its time, unix seconds.
    pub(super) async fn end(
        &self,
        payment: &PaymentId,
        state: SaleState,
    ) -> Result<i64, GatewayError> {
        let at = self.cluster.now();
        let event = SaleEvent::Ended { state, at };
        let change = Change::Sale { payment: *payment, event };
        self.store.writer().write(change).await?;
        self.failpoints.hit(Failpoint::Recorded);
        match state {
            SaleState::Landed => self.metrics.sales_landed.inc(),
            SaleState::Sent | SaleState::Failed | SaleState::Expired => {
                self.metrics.sales_failed.inc()
            }
        };
        Ok(at)
    }

    /// Sends the same bytes until they have landed, failed, or provably expired.
    async fn follow_to_end(&self, sale: &StoredSale, mut submit_at: Instant) -> SaleState {
        let signature = Signature::from(sale.signature);
        let poll = self.cluster.poll_interval();
        let mut pause = poll * FIRST_RESUBMIT_POLLS;
        loop {
            if let Some(state) = self.look(&signature).await {
                return state;
            }
            if Instant::now() >= submit_at {
                // Read before the last look at the signature: a transaction confirmed by this height
                // is visible to that look.
                let height = self.cluster.final_height().await;
                if height.is_ok_and(|height| height > sale.last_valid_height) {
                    if let Ok(None) = self.cluster.chain().landed(&signature).await {
                        return SaleState::Expired;
                    }
                } else {
                    // Refused as processed, or behind: statuses tell.
                    let _ = self.cluster.chain().submit(&sale.bytes, false).await;
                }
                submit_at = Instant::now() + pause;
                pause = (pause * 2).min(poll * MAX_RESUBMIT_POLLS);
            }
            sleep(self.cluster.status_interval()).await;
        }
    }

    /// Looks at a transaction; `None` while its end is unknown.
    async fn look(&self, signature: &Signature) -> Option<SaleState> {
        match self.statuses.status(signature).await {
            Ok(Some(landed)) => {
                self.failpoints.hit(Failpoint::Landed);
                self.expenses.record(ExpenseKind::Sale, &landed).await;
                Some(SaleState::Landed)
            }
            Ok(None) | Err(ChainError::Unreachable(_)) => None,
            Err(ChainError::Refused(reason) | ChainError::Final(reason)) => {
                tracing::info!(%signature, reason, "a payment failed on chain");
                Some(SaleState::Failed)
            }
        }
    }
}
