use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::timeout};

use crate::{
    GatewayConfig, channel::ChannelHandle, channel_sync::ChannelSync, error::GatewayError,
    funds::Funds, ledger::Ledger,
};

/// Time limit of the read of a dormant channel that is used again.
const WAKE_WITHIN: Duration = Duration::from_secs(5);
/// Pause between two such reads of one channel.
const WAKE_PAUSE: Duration = Duration::from_secs(1);

/// Decides when a channel settles, and wakes the settlement worker.
pub struct SettlementPolicy {
    config: Arc<GatewayConfig>,
    sync: Arc<ChannelSync>,
    funds: Arc<Funds>,
    wake: Notify,
}

impl SettlementPolicy {
    /// Creates the policy of a configuration. `sync` reads channels that are used again, and `funds` pay
    /// for settlements.
    pub fn new(config: Arc<GatewayConfig>, sync: Arc<ChannelSync>, funds: Arc<Funds>) -> Self {
        Self { config, sync, funds, wake: Notify::new() }
    }

    /// Reads a channel that has not been read for too long, because it was not used. Payments at the
    /// same time share the read.
    pub async fn wake_channel(&self, channel: &Arc<ChannelHandle>) {
        let max_age = Duration::from_secs(self.config.settle.max_blind_seconds.into());
        if let Some(_turn) = channel.turn_to_wake(max_age, WAKE_PAUSE).await {
            // The payment is refused if the read fails.
            let _ = timeout(WAKE_WITHIN, self.sync.refresh(channel)).await;
        }
    }

    /// Checks that a channel's vouchers can settle: its last read is recent, and the operator can pay.
    ///
    /// # Errors
    /// [`GatewayError::ChannelUnseen`], [`GatewayError::OperatorUnfunded`].
    pub fn check_settleable(&self, channel: &ChannelHandle) -> Result<(), GatewayError> {
        self.funds.check_payable()?;
        channel.check_seen(self.config.settle.max_blind_seconds)
    }

    /// Wakes the settlement worker.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until the worker is woken.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Wakes the settlement worker if a channel should not wait for the next round.
    pub fn wake_if_large(&self, channel: &ChannelHandle) {
        let is_large = {
            let locked = channel.lock();
            let (open, policy) = (locked.ledger.open_statement(), self.config.settle);
            open.receipts >= policy.at_receipts
                || policy.at_amount.is_some_and(|amount| open.prices >= amount)
                || self.is_exposed(&locked.ledger)
        };
        if is_large {
            self.wake();
        }
    }

    /// Returns whether a channel's unsettled amount is worth a transaction: it is at least
    /// `settle.min_amount`, or it takes much memory. The end of a license blocks the channel, and a
    /// payer pays for each license it accepts, so that it counts at any amount.
    pub fn is_worthwhile(&self, ledger: &Ledger, now: i64) -> bool {
        let Some(least) = self.config.settle.min_amount else { return true };
        let cut = ledger.cut_statements().iter().map(|cut| cut.receipts);
        let receipts = cut.fold(ledger.open_statement().receipts, u32::saturating_add);
        ledger.exposed() >= least
            || receipts >= self.config.settle.at_receipts
            || ledger.licenses_before().is_some_and(|end| self.is_near(end, now))
    }

    /// Checks that a payer may have a channel settled.
    ///
    /// # Errors
    /// [`GatewayError::SettlementTooSmall`].
    pub fn check_worthwhile(&self, channel: &ChannelHandle, now: i64) -> Result<(), GatewayError> {
        let locked = channel.lock();
        if self.is_worthwhile(&locked.ledger, now) {
            return Ok(());
        }
        let least = self.config.settle.min_amount.unwrap_or_default();
        Err(GatewayError::SettlementTooSmall { exposed: locked.ledger.exposed(), least })
    }

    /// Returns whether a channel must settle before anything else: a voucher or license is about
    /// to expire, the unsettled amount is large, the payer is leaving with debts, or the cluster has
    /// rolled a settlement back. A stopped channel is never urgent.
    pub fn is_urgent(&self, channel: &ChannelHandle, now: i64) -> bool {
        let locked = channel.lock();
        if locked.ledger.stopped_at().is_some() {
            return false;
        }
        if channel.rolled_back().is_some() {
            return true;
        }
        if !self.is_worthwhile(&locked.ledger, now) {
            return false;
        }
        let owes = locked.ledger.settle_before().is_some();
        (is_leaving(&locked.ledger, now) && owes) || self.must_settle(&locked.ledger, now)
    }

    /// Returns the unix second after which a channel's vouchers may be void: that of the first
    /// voucher, license or key to expire, or of the channel's end. `None` if nothing is unsettled.
    pub fn deadline(&self, channel: &ChannelHandle, now: i64) -> Option<i64> {
        let locked = channel.lock();
        let ledger = &locked.ledger;
        let rotation = ledger.rotation(now).unwrap_or(i64::MAX);
        let end = ledger.channel().closes_at.min(rotation);
        ledger.settle_before().map(|first| first.min(end))
    }

    /// Returns whether a channel should settle now.
    pub fn is_due(&self, channel: &ChannelHandle, now: i64) -> bool {
        if channel.rolled_back().is_some() {
            return true;
        }
        let (has_cut, is_worthwhile) = {
            let ledger = &channel.lock().ledger;
            (!ledger.cut_statements().is_empty(), self.is_worthwhile(ledger, now))
        };
        is_worthwhile && (has_cut || self.is_open_due(channel, now))
    }

    /// Returns whether a channel's open statement should settle now.
    pub fn is_open_due(&self, channel: &ChannelHandle, now: i64) -> bool {
        let (policy, locked) = (self.config.settle, channel.lock());
        let (ledger, open) = (&locked.ledger, locked.ledger.open_statement());
        if !self.is_worthwhile(ledger, now) {
            return false;
        }
        let Some(begun_at) = open.begun_at else { return false };
        self.must_settle(ledger, now)
            || is_leaving(ledger, now)
            || now.saturating_sub(begun_at) >= i64::from(policy.at_age_seconds)
            || open.receipts >= policy.at_receipts
            || policy.at_amount.is_some_and(|amount| open.prices >= amount)
    }

    fn must_settle(&self, ledger: &Ledger, now: i64) -> bool {
        ledger.settle_before().is_some_and(|end| self.is_near(end, now)) || self.is_exposed(ledger)
    }

    fn is_near(&self, end: i64, now: i64) -> bool {
        end.saturating_sub(i64::from(self.config.min_voucher_seconds)) <= now
    }

    /// Returns whether half of the maximum exposure is reached, which leaves time to settle
    /// before generations are rejected.
    fn is_exposed(&self, ledger: &Ledger) -> bool {
        let half = self.config.settle.max_exposure.map(|most| most / 2);
        half.is_some_and(|half| ledger.exposed() >= half)
    }
}

/// Returns whether vouchers will soon be void: the payer closes the channel or rotates its key.
fn is_leaving(ledger: &Ledger, now: i64) -> bool {
    ledger.channel().closes_at != i64::MAX || ledger.rotation(now).is_some()
}
