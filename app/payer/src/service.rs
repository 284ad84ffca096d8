use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use motif_sdk::{
    Pubkey,
    channel::License,
    durable_file::LockFile,
    gateway::{GatewayError, PaywallClient, wire::Use},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    answers::Answers,
    archive::Archive,
    budgets::{Budgets, Reservation},
    callers::Caller,
    channels::{ChannelParts, Channels, PaidChannel},
    clock::now,
    day::Day,
    exchanges::Exchanges,
    metrics::Metrics,
    problem::PayerError,
    request_log::RequestLog,
    settings::Settings,
    state_lock::lock_state,
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
    _lock: LockFile,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause in which receipts gather before they are exported.
const EXPORT_PAUSE: Duration = Duration::from_millis(200);

impl PayerService {
    /// Opens a service in its state folder, and the channels that it has paid with.
    ///
    /// # Errors
    /// [`PayerError::StateLocked`], [`PayerError::StateFailed`], [`PayerError::Chain`]; those of a
    /// channel's payer.
    pub async fn open(
        settings: Settings,
        parts: ChannelParts,
        state: &Path,
    ) -> Result<Self, PayerError> {
        let lock = lock_state(state)?;
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
        let service = Self(Arc::new(Parts {
            channels: Channels::new(parts, &settings, state)?,
            budgets: Budgets::new(&settings),
            archive: Arc::new(Archive::open(&state.join("receipts"), Day::of(now()))?),
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
            settings,
            _lock: lock,
        }));
        match service.channels.open_known().await {
            // No payment is made before the gateway responds.
            Err(PayerError::Gateway(GatewayError::Unreachable { .. })) => {
                tracing::warn!("the gateway of a known channel does not respond");
            }
            opened => opened?,
        }
        service.export().await?;
        Ok(service)
    }

    /// Returns the address of the wallet.
    pub fn wallet(&self) -> Pubkey {
        self.channels.wallet()
    }

    /// Exports receipts of all channels until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.paid.notified() => tokio::time::sleep(EXPORT_PAUSE).await,
                () = stop.cancelled() => break,
            }
            self.try_export().await;
        }
        self.try_export().await;
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
            let elsewhere = elsewhere.saturating_add(upfront_fees);
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

    /// Returns the newest license of a channel for a use of a work; accepts the work's latest terms if there
    /// is none and policy and budgets allow them.
    ///
    /// # Errors
    /// [`PayerError::OverBudget`]; as [`Channels::acceptable_terms`] and [`Channels::accept`].
    pub(crate) async fn license(
        &self,
        channel: &PaidChannel,
        caller: &Caller,
        (work, licensed_use): (&Pubkey, Use),
    ) -> Result<(u16, License), PayerError> {
        if let Some(found) = channel.license(work, licensed_use) {
            return Ok(found);
        }
        let terms = self.channels.acceptable_terms(work, licensed_use).await?;
        let spent = || self.spent_today(caller);
        let _reservation = match self.budgets.reserve(caller, terms.upfront_fee, spent).await {
            Ok(reservation) => reservation,
            // A concurrent request may have accepted them.
            Err(error) => return channel.license(work, licensed_use).ok_or(error),
        };
        self.channels.accept(channel, caller, (work, licensed_use), terms).await
    }

    /// Converts the error of a payment. A channel that takes no more payments is forgotten.
    pub(crate) async fn failed(&self, channel: &PaidChannel, error: GatewayError) -> PayerError {
        const OVER: [&str; 3] = ["channel-closing", "channel-stopped", "unknown-channel"];
        if error.slug().is_some_and(|slug| OVER.contains(&slug)) {
            if let Err(error) = self.export_channel(channel).await {
                return error;
            }
            self.channels.forget(channel);
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
