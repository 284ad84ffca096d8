use std::{collections::HashMap, sync::Arc, time::Duration};

use motif_sdk::Pubkey;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::{Gateway, GatewayConfig, desk::Desk, ledger::Ledger, problem::ApiError};

const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long a channel that is over is still looked at: the cluster may take its end back.
const FINAL_AFTER_SECONDS: i64 = 3_600;

/// Settles channels as the policy says, and watches them for payers who leave.
pub struct Worker {
    gateway: Gateway,
    /// Channels that failed: not before when, and how long to wait after the next failure.
    pauses: HashMap<Pubkey, (Instant, Duration)>,
}

impl Worker {
    /// A worker for a gateway.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway, pauses: HashMap::new() }
    }

    /// Works until it is told to stop; a settlement that has begun is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        let every = self.gateway.config().settle.look_every;
        while !stop.is_cancelled() {
            self.round(&stop).await;
            let woken = timeout(every, self.gateway.wake().notified());
            tokio::select! {
                () = stop.cancelled() => {}
                _ = woken => {}
            }
        }
    }

    /// One look at every channel. What fails for one is tried again later and keeps no other
    /// waiting.
    async fn round(&mut self, stop: &CancellationToken) {
        self.gateway.observe_clock().await;
        self.gateway.worker_is_alive();
        for desk in self.gateway.desks() {
            self.gateway.worker_is_alive();
            let now = self.gateway.now();
            if desk.book().ledger.is_over(now - FINAL_AFTER_SECONDS) {
                continue;
            }
            // What must settle soon does not wait for a pause to end.
            let may_wait = !is_urgent(&self.gateway, &desk);
            if stop.is_cancelled() || (may_wait && self.is_paused(&desk)) {
                continue;
            }
            let looked = self.gateway.look(&desk).await;
            let is_due = is_due(&self.gateway, &desk);
            let outcome = match looked {
                Ok(_) if is_due => self.gateway.settle(desk.address).await.map(drop),
                // Its payer has taken the account back, as it may.
                Err(ApiError::UnknownChannel(_)) if desk.book().ledger.is_over(now) => Ok(()),
                looked => looked.map(drop),
            };
            match outcome {
                Ok(()) => drop(self.pauses.remove(&desk.address)),
                Err(error) => {
                    self.gateway.metrics().settlement_failures.inc();
                    tracing::warn!(channel = %desk.address, %error, "will settle later");
                    self.pause(desk.address);
                }
            }
        }
    }

    fn is_paused(&self, desk: &Desk) -> bool {
        self.pauses.get(&desk.address).is_some_and(|(until, _)| Instant::now() < *until)
    }

    fn pause(&mut self, channel: Pubkey) {
        let pause = self.pauses.get(&channel).map_or(FIRST_PAUSE, |(_, pause)| *pause);
        let next = LONGEST_PAUSE.min(pause * 2);
        self.pauses.insert(channel, (Instant::now() + pause, next));
    }
}

/// Whether something must settle so soon that nothing else comes first: a voucher or a license
/// is about to end, much is exposed, or the payer is leaving.
fn is_urgent(gateway: &Gateway, desk: &Desk) -> bool {
    let book = desk.book();
    let is_leaving = is_leaving(&book.ledger, gateway.now());
    let owes = book.ledger.settle_before().is_some();
    (is_leaving && owes) || must_settle(&book.ledger, gateway.config(), gateway.now())
}

/// Whether vouchers will soon be worth nothing: the payer closes the channel, or changes the key.
fn is_leaving(ledger: &Ledger, now: i64) -> bool {
    ledger.channel().closes_at != i64::MAX || ledger.rotation(now).is_some()
}

fn must_settle(ledger: &Ledger, config: &GatewayConfig, now: i64) -> bool {
    let margin = i64::from(config.min_voucher_seconds);
    // Half of what may be exposed leaves time to settle before anything is refused.
    let half = config.settle.max_exposure.map(|most| most / 2);
    ledger.settle_before().is_some_and(|end| end.saturating_sub(margin) <= now)
        || half.is_some_and(|half| ledger.exposed() >= half)
}

/// Whether a channel should settle now.
fn is_due(gateway: &Gateway, desk: &Arc<Desk>) -> bool {
    let (config, now) = (gateway.config(), gateway.now());
    let (policy, book) = (config.settle, desk.book());
    let (ledger, open) = (&book.ledger, book.ledger.open_statement());
    if !ledger.cut_statements().is_empty() {
        return true;
    }
    let Some(begun_at) = open.begun_at else { return false };
    let age = i64::from(policy.at_age_seconds);
    let is_leaving = is_leaving(ledger, now);
    must_settle(ledger, config, now)
        || is_leaving
        || now.saturating_sub(begun_at) >= age
        || open.receipts >= policy.at_receipts
        || policy.at_amount.is_some_and(|amount| open.prices >= amount)
}
