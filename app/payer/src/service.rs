use std::{
    collections::BTreeSet,
    fs::File,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use motif_sdk::{
    Pubkey,
    durable_file::{LockFile, remove_unfinished},
    gateway::{GatewayError, PaywallClient, ProblemType, wire::ReceiptParts},
};
use tokio::{
    sync::Notify,
    time::{Instant, interval_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    answers::Answers,
    archive::Archive,
    budgets::{Budgets, Reservation, check_cost},
    callers::Caller,
    channels::{
        ChannelParts, Channels, PaidChannel, Plan, PlannedLicense, Preparation, Prepared,
        UnitsWanted,
    },
    clock::now,
    day::Day,
    exchanges::Exchanges,
    holds::RequestedHold,
    metrics::Metrics,
    problem::PayerError,
    request_log::RequestLog,
    settings::Settings,
    state_lock::{lock_state, lock_voucher_key},
    target::PublicResolver,
};

/// Service that pays for its callers. Clones share it.
#[derive(Clone)]
pub struct PayerService(Arc<Parts>);

/// Parts of a service.
pub struct Parts {
    pub(crate) settings: Settings,
    pub(crate) channels: Channels,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) archive: Arc<Archive>,
    pub(crate) exchanges: Arc<Exchanges>,
    pub(crate) requests: RequestLog,
    pub(crate) answers: Arc<Answers>,
    pub(crate) metrics: Metrics,
    /// Sends requests without a payment.
    pub(crate) http: reqwest::Client,
    /// Sends paid requests.
    pub(crate) paywall: PaywallClient,
    /// Notified when there are receipts to export.
    pub(crate) paid: Notify,
    /// Whether a channel's state file has failed, so that nothing is paid on it before a restart.
    has_failed: AtomicBool,
    _locks: (LockFile, Option<File>),
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for which a payment waits for earlier ones that bind the deposit.
const DEPOSIT_WITHIN: Duration = Duration::from_secs(600);
/// Pause in which receipts gather before they are exported.
const EXPORT_PAUSE: Duration = Duration::from_millis(200);
/// Pause between two removals of what has expired.
const PURGE_PAUSE: Duration = Duration::from_secs(3_600);
/// Difference to the cluster's clock above which a warning is logged, seconds.
const CLOCK_TOLERANCE: u64 = 600;

impl PayerService {
    /// Opens a service in its state folder, and the channels that it has paid with.
    ///
    /// # Errors
    /// [`PayerError::StateLocked`], [`PayerError::VoucherKeyLocked`], [`PayerError::StateFailed`],
    /// [`PayerError::StateInvalid`], [`PayerError::Chain`]; those of a channel's payer.
    pub async fn open(
        settings: Settings,
        parts: ChannelParts,
        state: &Path,
    ) -> Result<Self, PayerError> {
        let lock = lock_state(state)?;
        let own_key = || state.join("voucher.json");
        let voucher_key = settings.voucher_key.clone().unwrap_or_else(own_key);
        let locks = (lock, lock_voucher_key(&voucher_key)?);
        // Before anything is written: they may fill the disk.
        for folder in ["", "channels", "receipts", "answers"].map(|name| state.join(name)) {
            remove_unfinished(&folder).map_err(|error| PayerError::state(&folder, error))?;
        }
        let private = &settings.proxy.private_targets;
        let builder = || {
            let builder = reqwest::Client::builder().no_proxy();
            builder.dns_resolver(Arc::new(PublicResolver::new(private)))
        };
        let http = builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .build();
        let http = http.map_err(|error| PayerError::TargetUnreachable(error.to_string()))?;
        let paywall = PaywallClient::from_builder(builder());
        let paywall = paywall.map_err(|error| PayerError::TargetUnreachable(error.to_string()))?;
        let archive = Arc::new(Archive::open(&state.join("receipts"), Day::of(now()))?);
        let service = Self(Arc::new(Parts {
            channels: Channels::new(parts, &settings, state, archive.clone())?,
            budgets: Budgets::new(&settings),
            archive,
            exchanges: Arc::default(),
            requests: RequestLog::open(&state.join("requests.jsonl"))?,
            answers: Arc::new(Answers::open(
                &state.join("answers"),
                settings.proxy.max_kept_bytes,
            )?),
            metrics: Metrics::default(),
            http,
            paywall: paywall.max_bytes(settings.proxy.max_answer_bytes),
            paid: Notify::new(),
            has_failed: AtomicBool::new(false),
            settings,
            _locks: locks,
        }));
        match service.channels.open_known().await {
            // No payment is made before the gateway responds.
            Err(error @ PayerError::GatewayUnresponsive { .. }) => tracing::warn!("{error}"),
            opened => opened?,
        }
        service.export().await?;
        service.purge().await;
        Ok(service)
    }

    /// Returns the address of the wallet.
    pub fn wallet(&self) -> Pubkey {
        self.channels.wallet()
    }

    /// Whether a state file has failed: nothing is paid on its channel before a restart.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Exports receipts of all channels, and removes what has expired, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut purge_due = interval_at(Instant::now() + PURGE_PAUSE, PURGE_PAUSE);
        loop {
            tokio::select! {
                () = self.paid.notified() => {
                    tokio::time::sleep(EXPORT_PAUSE).await;
                    self.try_export().await;
                }
                _ = purge_due.tick() => self.purge().await,
                () = stop.cancelled() => break,
            }
        }
        self.try_export().await;
    }

    /// Removes the requests and answers that have expired by the clocks of this machine and of the cluster: one
    /// that is wrong removes nothing early. A failure removes nothing.
    async fn purge(&self) {
        let (here, there) = match self.channels.cluster_time().await {
            Ok(there) => (now(), there),
            Err(error) => {
                tracing::warn!(%error, "nothing that has expired is removed");
                return;
            }
        };
        if here.abs_diff(there) > CLOCK_TOLERANCE {
            tracing::warn!(here, there, "the clocks of this machine and of the cluster differ");
        }
        let (at, service) = (here.min(there), self.clone());
        let purging = tokio::task::spawn_blocking(move || {
            service.answers.purge(at);
            service.requests.purge(at)
        });
        if let Err(error) = purging.await.map_err(|_| PayerError::Internal).flatten() {
            tracing::error!(%error, "requests that have expired were not removed");
        }
    }

    async fn try_export(&self) {
        if let Err(error) = self.export().await {
            tracing::error!(%error, "receipts were not exported");
        }
    }

    /// Writes the receipts of all channels into the archive, durably.
    ///
    /// # Errors
    /// [`PayerError::StateFailed`].
    pub async fn export(&self) -> Result<(), PayerError> {
        for channel in self.channels.all() {
            self.export_channel(&channel).await?;
        }
        Ok(())
    }

    async fn export_channel(&self, channel: &PaidChannel) -> Result<(), PayerError> {
        let kept = channel.payer.receipts();
        if kept.is_empty() {
            return Ok(());
        }
        let archive = self.archive.clone();
        let written =
            tokio::task::spawn_blocking(move || archive.append(&kept, Day::of(now()))).await;
        if let Some(through) = written.map_err(|_| PayerError::Internal)?? {
            channel.payer.forget_receipts(through).await?;
        }
        Ok(())
    }

    /// Returns the spending of this day, base units, with upfront fees and with payments whose outcome is
    /// unknown: by all, and by a caller.
    pub fn spent_today(&self, caller: &str) -> (u64, u64) {
        let today = Day::of(now());
        let channels = self.channels.all();
        let open: BTreeSet<_> = channels.iter().map(|channel| channel.payer.channel()).collect();
        let spent = |tag: Option<&str>| {
            let elsewhere = self.archive.spent_elsewhere(today, tag, &open);
            let upfront_fees = self.channels.wallet_spending().upfront_fees(today, tag);
            let missing = self.channels.totals().missing(today, tag, &open);
            let elsewhere = elsewhere.saturating_add(upfront_fees).saturating_add(missing);
            let of = |channel: &Arc<PaidChannel>| channel.payer.committed_on(today.number(), tag);
            let here = channels.iter().map(of);
            here.fold(elsewhere, u64::saturating_add)
        };
        (spent(None), spent(Some(caller)))
    }

    /// Reserves the maximum cost of a payment, and has it available on the channel.
    pub(crate) async fn reserve(
        &self,
        channel: &PaidChannel,
        caller: &Caller,
        cost: u64,
    ) -> Result<Reservation, PayerError> {
        let spent = || self.spent_today(caller);
        let reservation = self.budgets.reserve(caller, cost, spent).await?;
        self.channels.fund(channel, cost).await?;
        Ok(reservation)
    }

    /// Reserves the maximum cost of a payment until a unix second, and binds it on the channel: beside earlier
    /// payments under way, for which it waits if the channel may not be topped up. `share` limits what the
    /// caller binds, base units.
    ///
    /// # Errors
    /// [`PayerError::OverBudget`], [`PayerError::DepositUsedUp`]; those of a top-up.
    pub(crate) async fn bind(
        &self,
        channel: &PaidChannel,
        caller: &Caller,
        hold: (u64, i64),
        share: u64,
    ) -> Result<(Reservation, RequestedHold), PayerError> {
        let spent = || self.spent_today(caller);
        let reservation = self.budgets.reserve(caller, hold.0, spent).await?;
        let hold = channel.holds.request(caller, hold, share)?;
        self.fund(channel, &hold).await?;
        Ok((reservation, hold))
    }

    /// Has a hold's maximum cost available on its channel, beside earlier holds.
    ///
    /// # Errors
    /// As [`PayerService::bind`].
    pub(crate) async fn fund(
        &self,
        channel: &PaidChannel,
        hold: &RequestedHold,
    ) -> Result<(), PayerError> {
        let deadline = Instant::now() + DEPOSIT_WITHIN;
        loop {
            let needed = hold.needed();
            match self.channels.fund(channel, needed).await {
                Err(PayerError::DepositUsedUp { .. }) if hold.less(needed, deadline).await => {}
                funded => return funded,
            }
        }
    }

    /// Returns the channel and the license that units are paid with. Opens the channel and accepts the work's
    /// latest terms if needed, once price, cost, budgets, SOL and deposits allow all of it together.
    ///
    /// # Errors
    /// [`PayerError::CostTooHigh`], [`PayerError::OverBudget`]; as [`Channels::plan`] and
    /// [`Channels::prepare`].
    pub(crate) async fn prepare(
        &self,
        open: Option<Arc<PaidChannel>>,
        caller: &Caller,
        wanted: &UnitsWanted,
        max_cost: Option<u64>,
    ) -> Result<Prepared, PayerError> {
        let plan = self.channels.plan(open.as_deref(), wanted).await?;
        let Plan { cost, license, .. } = plan;
        check_cost(cost, max_cost)?;
        if let (Some(channel), PlannedLicense::Accepted(index, license)) = (open, license) {
            return Ok(Prepared { channel, index, license, cost });
        }
        let spent = || self.spent_today(caller);
        let total = cost.saturating_add(plan.upfront_fee());
        let _reservation = match self.budgets.reserve(caller, total, spent).await {
            Ok(reservation) => reservation,
            Err(error) => {
                // A concurrent request may have accepted the terms, so that no upfront fee is left.
                let open = self.channels.existing(&wanted.operator).await?;
                let (work, licensed_use) = (&wanted.work, wanted.licensed_use);
                let accepted = open.and_then(|channel| {
                    let (index, license) = channel.license(work, licensed_use)?;
                    let cost = channel.cost(&license, wanted.units);
                    Some(Prepared { channel, index, license, cost })
                });
                return accepted.ok_or(error);
            }
        };
        self.channels.prepare(caller, wanted, plan).await
    }

    /// Returns what units would cost and need first, and signs nothing.
    ///
    /// # Errors
    /// As [`PayerService::prepare`].
    pub(crate) async fn preview(
        &self,
        caller: &Caller,
        wanted: &UnitsWanted,
        max_cost: Option<u64>,
    ) -> Result<(u64, Preparation), PayerError> {
        let open = self.channels.existing(&wanted.operator).await?;
        let plan = self.channels.plan(open.as_deref(), wanted).await?;
        check_cost(plan.cost, max_cost)?;
        let total = plan.cost.saturating_add(plan.upfront_fee());
        self.budgets.check(caller, total, self.spent_today(caller))?;
        Ok((plan.cost, self.channels.preparation(wanted, &plan).await?))
    }

    /// Tops a channel up after a refusal because holds bind its deposit. Returns whether the payment, which was
    /// not made, may be repeated.
    pub(crate) async fn tops_up_for(
        &self,
        channel: &PaidChannel,
        refusal: &GatewayError,
        cost: u64,
        top_ups: u64,
    ) -> bool {
        if refusal.problem_type() != Some(ProblemType::Underfunded) {
            return false;
        }
        let topped_up = self.channels.top_up_bound(channel, cost, top_ups).await;
        topped_up.unwrap_or_else(|error| {
            tracing::warn!(%error, "a channel was not topped up");
            false
        })
    }

    /// Returns what receipts of an open channel have cost, base units, fees included.
    pub fn cost_of(&self, receipts: &[ReceiptParts]) -> u64 {
        let channels = self.channels.all();
        let cost = |receipt: &ReceiptParts| {
            let is_it = |one: &&Arc<PaidChannel>| one.payer.channel() == receipt.channel.0;
            channels.iter().find(is_it).map_or(receipt.amount.0, |channel| channel.charged(receipt))
        };
        receipts.iter().map(cost).fold(0, u64::saturating_add)
    }

    /// Converts the error of a payment. A channel that takes no more payments is forgotten; one from which
    /// another process pays is named.
    pub(crate) async fn failed(&self, channel: &PaidChannel, error: GatewayError) -> PayerError {
        if matches!(error, GatewayError::StateFailed { .. }) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        const OVER: [&str; 3] = ["channel-closing", "channel-stopped", "unknown-channel"];
        if error.slug().is_some_and(|slug| OVER.contains(&slug)) {
            if let Err(error) = self.export_channel(channel).await {
                return error;
            }
            self.channels.forget(channel);
        }
        if channel.payer.is_overtaken(&error) {
            return PayerError::ChannelShared(channel.payer.channel());
        }
        error.into()
    }
}

impl std::ops::Deref for PayerService {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
