//! Body of a paid stream: its parts are paid for when they are asked for, or were paid for earlier.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::http::StatusCode;
use motif_sdk::{
    channel::License,
    gateway::{GatewayError, PaidPart, PaidStream, wire::ReceiptParts},
    receipt::SignedReceipt,
};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    answers::{Head, KeptStream, StreamWriter, note_unkept},
    budgets::check_cost,
    callers::Caller,
    channels::PaidChannel,
    exchanges::{Party, Recorder},
    holds::RequestedHold,
    places::Place,
    problem::PayerError,
    request_log::NamedPurchase,
    service::PayerService,
};

use super::late;

/// Body of a stream.
pub struct PaidBody {
    pub(super) caller: Caller,
    pub(super) kind: String,
    pub(super) source: Source,
}

pub(super) enum Source {
    /// Each part is paid for when it is asked for.
    Live(Box<LiveStream>),
    /// Parts that were paid for earlier, by a request with the same idempotency key.
    Kept(Box<KeptParts>),
}

/// Parts that were paid for earlier.
pub(super) struct KeptParts {
    /// `None` after the last.
    pub(super) stream: Option<KeptStream>,
    /// Parts after the kept ones, which the paywall has returned again. The stream ends early after them.
    pub(super) lost: VecDeque<PaidPart>,
}

/// Stream of a paywall.
pub(super) struct LiveStream {
    pub(super) service: PayerService,
    /// `None` once it is dropped.
    pub(super) stream: Option<PaidStream>,
    pub(super) first: Option<PaidPart>,
    pub(super) channel: Arc<PaidChannel>,
    pub(super) license: License,
    pub(super) caller: Caller,
    pub(super) recorder: Recorder,
    /// Maximum cost of a part, base units.
    pub(super) part_cost: u64,
    pub(super) max_cost: Option<u64>,
    pub(super) cost: u64,
    pub(super) parts: u64,
    /// Place of the stream, until its end.
    pub(super) place: Place,
    /// Binds the cost of a part, until the end.
    pub(super) hold: RequestedHold,
    /// Time in which its next event arrives.
    pub(super) event_within: Duration,
    /// Error that [`LiveStream::wait`] has met.
    pub(super) failed: Option<PayerError>,
    pub(super) named: Option<NamedPurchase>,
    /// Keeps the parts of a named request, from the first one to the end.
    pub(super) writer: Option<StreamWriter>,
}

/// Time for which a stream whose client is gone may still end without another payment.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Attempts to fetch a part after a lost connection.
const PART_ATTEMPTS: u32 = 3;

impl PaidBody {
    /// Returns the caller that pays.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the content type of the joined parts.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Waits until [`PaidBody::next`] pays or ends. Nothing is paid, and the wait may be abandoned.
    pub async fn wait(&mut self) {
        if let Source::Live(live) = &mut self.source {
            live.wait().await;
        }
    }

    /// Pays for the next part and returns it, or returns one that was paid for earlier; `None` after the
    /// last.
    ///
    /// # Errors
    /// [`PayerError`]. The body is incomplete then.
    pub async fn next(&mut self) -> Result<Option<PaidPart>, PayerError> {
        match &mut self.source {
            Source::Live(live) => live.next().await,
            Source::Kept(kept) => kept.next().await,
        }
    }
}

impl KeptParts {
    async fn next(&mut self) -> Result<Option<PaidPart>, PayerError> {
        if let Some(mut stream) = self.stream.take() {
            let read = spawn_blocking(move || (stream.next(), stream)).await;
            let (next, stream) = read.map_err(|_| PayerError::Internal)?;
            match next {
                Err(PayerError::StreamEnded) => {}
                Ok(None) => return Ok(None),
                next => {
                    self.stream = Some(stream);
                    return next;
                }
            }
        }
        self.lost.pop_front().map(Some).ok_or(PayerError::StreamEnded)
    }
}

impl LiveStream {
    async fn next(&mut self) -> Result<Option<PaidPart>, PayerError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.parts == 0 {
            return Ok(None); // an empty stream
        }
        self.pay_next().await
    }

    /// Waits for the next event, which the stream has to send within a time limit.
    pub(super) async fn wait(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        if self.first.is_some() || self.failed.is_some() {
            return;
        }
        self.failed = match timeout(self.event_within, stream.is_over()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(self.service.failed(&self.channel, error).await),
            Err(_) => Some(late(self.event_within)),
        };
    }

    pub(super) async fn pay_next(&mut self) -> Result<Option<PaidPart>, PayerError> {
        let paid = self.paid_next().await;
        self.service.paid.notify_one();
        match &paid {
            Ok(Some(part)) => {
                if self.named.is_some() {
                    self.keep(part.clone()).await;
                }
                self.parts += 1;
                let units = part.receipt.receipt.units;
                self.cost = self.cost.saturating_add(self.channel.cost(&self.license, units));
                record_payment(&self.recorder, &part.receipt);
                let what = format!("part {}, {} bytes", self.parts, part.body.len());
                self.recorder.add(Party::Paywall, Party::Payer, &what);
                self.recorder.add(Party::Payer, Party::Client, &what);
                self.service.metrics.count_part(&self.caller);
            }
            Ok(None) => {
                self.place.note_paid();
                if let Some(writer) = self.writer.take() {
                    keep_end(writer).await;
                }
                let what = format!("the end, after {} parts", self.parts);
                self.recorder.add(Party::Payer, Party::Client, what);
            }
            Err(error) => {
                (self.stream, self.writer) = (None, None);
                let what = format!("the stream ends early: {error}");
                self.recorder.add(Party::Payer, Party::Client, what);
            }
        }
        paid
    }

    async fn paid_next(&mut self) -> Result<Option<PaidPart>, PayerError> {
        self.wait().await;
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(stream) = &mut self.stream else { return Err(PayerError::StreamEnded) };
        match stream.is_over().await {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            Err(error) => return Err(self.service.failed(&self.channel, error).await),
        }
        check_cost(self.cost.saturating_add(self.part_cost), self.max_cost)?;
        let spent = || self.service.spent_today(&self.caller);
        let _reservation =
            self.service.budgets.reserve(&self.caller, self.part_cost, spent).await?;
        self.service.fund(&self.channel, &self.hold).await?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match stream.next().await {
                Ok(part) => return Ok(part),
                // A paid part that was lost with the connection is fetched again.
                Err(GatewayError::Unreachable { .. }) if attempts < PART_ATTEMPTS => {}
                Err(error) => return Err(self.service.failed(&self.channel, error).await),
            }
        }
    }

    /// Keeps a paid part of a named request, before its client has the first byte.
    async fn keep(&mut self, part: PaidPart) {
        let Some(NamedPurchase { name, request }) = self.named.clone() else { return };
        let kind = self.stream.as_ref().map_or("", PaidStream::kind).to_owned();
        let (answers, writer, is_first) =
            (self.service.answers.clone(), self.writer.take(), self.parts == 0);
        let writing = move || -> Result<Option<StreamWriter>, PayerError> {
            let status = StatusCode::OK.as_u16();
            let head = Head { request, status, kind, streams: true };
            let writer = if is_first { answers.begin(&name, &head)? } else { writer };
            let Some(mut writer) = writer else { return Ok(None) };
            writer.part(&part)?;
            Ok(Some(writer))
        };
        match spawn_blocking(writing).await.map_err(|_| PayerError::Internal).flatten() {
            Ok(writer) => self.writer = writer,
            // Without this part the later ones are of no use.
            Err(error) => note_unkept(Err(error)),
        }
    }
}

impl Drop for LiveStream {
    /// A client that disconnects may have received all parts, and not the end.
    fn drop(&mut self) {
        let (Some(mut stream), Some(writer)) = (self.stream.take(), self.writer.take()) else {
            return;
        };
        // A repeated request waits until the end is known.
        let named = self.named.take();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if matches!(timeout(END_WITHIN, stream.is_over()).await, Ok(Ok(true))) {
                keep_end(writer).await;
            }
            drop(named);
        });
    }
}

async fn keep_end(mut writer: StreamWriter) {
    let written = spawn_blocking(move || writer.end()).await;
    note_unkept(written.map_err(|_| PayerError::Internal).flatten());
}

pub(super) fn record_payment(recorder: &Recorder, receipt: &SignedReceipt) {
    let parts = ReceiptParts::from(receipt);
    let digest = hex::encode(&receipt.receipt.digest()[..4]);
    let what = format!("a voucher for {} in total", parts.cumulative);
    recorder.add(Party::Payer, Party::Gateway, what);
    let units = if parts.units == 1 { "unit" } else { "units" };
    let what = format!("receipt {digest}…: {} {units}, {}", parts.units, parts.amount);
    recorder.add(Party::Gateway, Party::Payer, what);
}
