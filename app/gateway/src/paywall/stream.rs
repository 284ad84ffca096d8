use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures::stream;
use motif_sdk::{
    gateway::{
        PaidStream,
        wire::{
            Digest, ReceiptParts, StreamEnd, StreamEvent, StreamFailure, StreamedPart, VoucherParts,
        },
    },
    receipt::SignedReceipt,
};
use opentelemetry::trace::FutureExt;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, interval_at, timeout},
};

use super::{
    Paywall, PaywallRefusal,
    generate::{check_status, server_refusal},
    held::Held,
    in_flight::{PendingPayment, Slot},
    layer::Server,
    parts::Parts,
    payment_due::payment_due,
    spool::Answer,
};
use crate::{error::GatewayError, ledger::HoldId};

/// Says that a paused stream is still there; finds out, too, that its client is not.
const STILL_THERE: Duration = Duration::from_secs(15);
/// Events that are on their way to the client.
const EVENTS_AHEAD: usize = 2;

/// How a stream begins, if it does.
type Begun = Result<Beginning, GatewayError>;

enum Beginning {
    /// Its parts are of an answer of this content type.
    Of(Option<HeaderValue>),
    /// The server refuses the request: nothing to pay for.
    Refused(Box<Response>),
}

/// One stream: what it has handed over, and to whom.
struct Stream {
    paywall: Paywall,
    held: Held,
    events: mpsc::Sender<Bytes>,
    end: StreamEnd,
}

/// Why a stream ends before its end.
enum Ended {
    /// Its client has gone, or paid for nothing more.
    Abandoned,
    /// Something failed, which the client is told.
    Failed(GatewayError),
}

impl From<GatewayError> for Ended {
    fn from(error: GatewayError) -> Self {
        Self::Failed(error)
    }
}

impl From<PaywallRefusal> for Ended {
    fn from(refusal: PaywallRefusal) -> Self {
        Self::Failed(refusal.into())
    }
}

impl Paywall {
    /// Answers with events: each part of the server's answer once it is paid for.
    pub(super) async fn stream(
        &self,
        held: Held,
        slot: Slot,
        request: Request,
        server: Server,
    ) -> Result<Response, GatewayError> {
        let (events, to_client) = mpsc::channel(EVENTS_AHEAD);
        let (begun, begins) = oneshot::channel();
        let stream = Stream { paywall: self.clone(), held, events, end: StreamEnd::default() };
        self.tasks().spawn(stream.run(slot, request, server, begun).with_current_context());
        let gone = || GatewayError::Internal("a stream ended without a word".into());
        let kind = match begins.await.map_err(|_| gone())?? {
            Beginning::Of(kind) => kind,
            Beginning::Refused(response) => return Ok(*response),
        };
        let events = stream::unfold(to_client, async |mut to_client| {
            let event = to_client.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(event), to_client))
        });
        let mut response = Response::new(Body::from_stream(events));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(kind) = kind {
            headers.insert(PaidStream::KIND, kind);
        }
        Ok(response)
    }
}

impl Stream {
    async fn run(
        mut self,
        slot: Slot,
        request: Request,
        server: Server,
        begun: oneshot::Sender<Begun>,
    ) {
        let within = self.held.route.answer_within;
        let (gone, stop) = (self.events.clone(), self.paywall.stop().clone());
        let opened = tokio::select! {
            opened = timeout(within, server(request)) => opened,
            () = gone.closed() => return self.release().await,
        };
        let opened = opened.map_err(|_| PaywallRefusal::UpstreamTimeout(within.as_secs()).into());
        let opened = opened.and_then(|response| check_status(response.status()).map(|()| response));
        let (head, body) = match opened {
            Ok(response) => response.into_parts(),
            Err(error) => {
                self.release().await;
                // Whoever has gone does not hear it.
                drop(begun.send(Err(error)));
                return;
            }
        };
        if !head.status.is_success() {
            self.release().await;
            let most = self.held.route.most_answer_bytes;
            let body = axum::body::to_bytes(body, most).await.unwrap_or_default();
            let response = server_refusal(head.status, head.headers, body);
            drop(begun.send(Ok(Beginning::Refused(Box::new(response)))));
            return;
        }
        let kind = head.headers.get(header::CONTENT_TYPE).cloned();
        drop(begun.send(Ok(Beginning::Of(kind))));
        let ended = tokio::select! {
            ended = self.parts(head.status, head.headers, body) => ended,
            () = gone.closed() => Err(Ended::Abandoned),
            () = stop.cancelled() => Err(PaywallRefusal::Stopping.into()),
        };
        self.release().await;
        match ended {
            Ok(()) => self.send(&StreamEvent::End(self.end)).await.unwrap_or(()),
            Err(Ended::Abandoned) => {}
            Err(Ended::Failed(error)) => {
                let problem = error.problem();
                let failure = StreamFailure { slug: problem.slug, detail: problem.detail };
                self.send(&StreamEvent::Failed(failure)).await.unwrap_or(());
            }
        }
        drop(slot);
    }

    /// Part by part: made, kept, paid for, handed over.
    async fn parts(
        &mut self,
        status: StatusCode,
        headers: HeaderMap,
        body: Body,
    ) -> Result<(), Ended> {
        let route = self.held.route.clone();
        let none = || GatewayError::Internal("a stream that counts nothing".into());
        let (counted, count) = route.part().ok_or_else(none)?;
        let mut parts = Parts::new(body, counted, count, route.most_answer_bytes);
        // The voucher that came with the request can pay for the first part.
        let mut voucher = self.held.ask.voucher;
        loop {
            let within = route.answer_within;
            let next = timeout(within, parts.next()).await;
            let late = |_| PaywallRefusal::UpstreamTimeout(within.as_secs());
            let Some((bytes, count)) = next.map_err(late)?? else { return Ok(()) };
            let units = u32::try_from(route.metered.units_of(count)).unwrap_or(u32::MAX);
            let (part, headers) = (self.end.parts, headers.clone());
            let answer =
                self.paywall.store(&self.held, part, units, status, headers, bytes.clone()).await?;
            let paid = self.payment_of(&answer, voucher.take()).await;
            let receipt = match paid {
                Ok(receipt) => receipt,
                Err(ended) => {
                    self.paywall.spool().give_up(&answer.id.0).await;
                    return Err(ended);
                }
            };
            self.hand_over(part, &bytes, &receipt).await?;
        }
    }

    /// Waits until a part is paid for. Nothing but a voucher for exactly it ends the wait well.
    async fn payment_of(
        &self,
        answer: &Arc<Answer>,
        voucher: Option<VoucherParts>,
    ) -> Result<SignedReceipt, Ended> {
        let id: HoldId = answer.id.0;
        // From here on vouchers for it are this stream's.
        let mut pending = self.paywall.in_flight().await_payment(id);
        let mut because = None;
        if let Some(voucher) = voucher {
            match self.paywall.take_payment(answer, voucher, &self.held.caller).await {
                Ok(receipt) => return Ok(receipt),
                Err(refused) => because = Some(refused.problem().slug),
            }
        }
        let channel = self.paywall.app().channels.get(&answer.channel.0).await?;
        let due = payment_due(&channel, answer, because, self.paywall.app().cluster.now())?;
        self.send(&StreamEvent::Due(Box::new(due))).await?;
        let pause = Duration::from_secs(self.paywall.config().pause_seconds.into());
        timeout(pause, self.paid(&mut pending)).await.unwrap_or(Err(Ended::Abandoned))
    }

    async fn paid(&self, pending: &mut PendingPayment) -> Result<SignedReceipt, Ended> {
        let mut still_there = interval_at(Instant::now() + STILL_THERE, STILL_THERE);
        loop {
            tokio::select! {
                paid = &mut pending.paid => return paid.map_err(|_| Ended::Abandoned),
                _ = still_there.tick() => self.write(": waiting to be paid\n\n".into()).await?,
            }
        }
    }

    async fn hand_over(
        &mut self,
        part: u32,
        bytes: &Bytes,
        receipt: &SignedReceipt,
    ) -> Result<(), Ended> {
        let parts = ReceiptParts::from(receipt);
        self.end = StreamEnd {
            parts: part + 1,
            units: self.end.units + u64::from(receipt.receipt.units),
            bytes: self.end.bytes + bytes.len() as u64,
            last_receipt: Some(Digest(receipt.receipt.digest())),
        };
        let body = BASE64.encode(bytes);
        self.send(&StreamEvent::Output(Box::new(StreamedPart { part, body, receipt: parts }))).await
    }

    /// Sends an event; its data is one line, since JSON has no line feeds of its own.
    async fn send(&self, event: &StreamEvent) -> Result<(), Ended> {
        let tagged = json!(event);
        let name = tagged.get("event").and_then(Value::as_str).unwrap_or("failed");
        let data = tagged.get("data").unwrap_or(&Value::Null);
        self.write(format!("event: {name}\ndata: {data}\n\n").into()).await
    }

    /// A client that takes nothing for as long as it may pause has gone.
    async fn write(&self, event: Bytes) -> Result<(), Ended> {
        let pause = Duration::from_secs(self.paywall.config().pause_seconds.into());
        match timeout(pause, self.events.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Abandoned),
        }
    }

    /// Gives the room up that was held and is not used.
    async fn release(&self) {
        self.paywall.app().holds.abandon(&self.held.ask.channel.0, self.held.id).await;
    }
}
