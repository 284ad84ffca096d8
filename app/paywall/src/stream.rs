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
        PaidStream, part_id,
        wire::{Digest, ReceiptParts, StreamEnd, StreamEvent, StreamFailure, StreamedPart},
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};
use opentelemetry::trace::FutureExt;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, interval_at, timeout},
};

use crate::{
    engine::AnswerId,
    error::PaywallError,
    generate::{check_status, server_refusal},
    held::Held,
    in_flight::{PendingPayment, Slot},
    parts::Parts,
    payment_due::Sender,
    paywall::Paywall,
    server::Server,
    spool::{Answer, Room},
};

/// Interval of keep-alive comments, which also detect a client that disconnected.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Maximum number of queued events.
const MAX_QUEUED_EVENTS: usize = 2;

/// Outcome of opening a stream.
type Opened = Result<Opening, PaywallError>;

enum Opening {
    /// Content type of the server's answer.
    Answer(Option<HeaderValue>),
    /// The server refused the request, which costs nothing.
    Refused(Box<Response>),
}

/// State of one stream.
struct Stream {
    paywall: Paywall,
    held: Held,
    /// Room for the next part.
    room: Option<Room>,
    events: mpsc::Sender<Bytes>,
    end: StreamEnd,
}

/// Reason for an early end of a stream.
enum StreamError {
    /// The client disconnected or stopped paying.
    Abandoned,
    /// Failure that is reported to the client.
    Failed(PaywallError),
}

impl From<PaywallError> for StreamError {
    fn from(error: PaywallError) -> Self {
        Self::Failed(error)
    }
}

impl Paywall {
    /// Responds with events; each part of the server's answer is sent once it is paid for.
    pub(crate) async fn stream(
        &self,
        held: Held,
        (slot, room): (Slot, Room),
        request: Request,
        server: Server,
    ) -> Result<Response, PaywallError> {
        let (events, to_client) = mpsc::channel(MAX_QUEUED_EVENTS);
        let (opened, opening) = oneshot::channel();
        let (paywall, end) = (self.clone(), StreamEnd::default());
        let stream = Stream { paywall, held, room: Some(room), events, end };
        self.tasks().spawn(stream.run(slot, request, server, opened).with_current_context());
        let gone = || PaywallError::internal("the task of a stream ended early");
        let kind = match opening.await.map_err(|_| gone())?? {
            Opening::Answer(kind) => kind,
            Opening::Refused(response) => return Ok(*response),
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
        result: oneshot::Sender<Opened>,
    ) {
        let within = self.held.route.answer_within;
        let (gone, stop) = (self.events.clone(), self.paywall.stop().clone());
        let opened = tokio::select! {
            opened = timeout(within, server(request)) => opened,
            () = gone.closed() => return self.release().await,
            () = slot.released() => return drop(result.send(Err(PaywallError::HoldEnded))),
        };
        let opened = opened.map_err(|_| PaywallError::UpstreamTimeout(within.as_secs()));
        let opened = opened.and_then(|response| {
            check_status(response.status(), response.headers())?;
            let answers = &self.held.route.answers;
            let refused = answers.refused_head(response.status(), response.headers());
            match refused.filter(|_| response.status().is_success()) {
                Some(reason) => Err(PaywallError::UpstreamFailed(reason)),
                None => Ok(response),
            }
        });
        let (head, body) = match opened {
            Ok(response) => response.into_parts(),
            Err(error) => {
                self.release().await;
                // The client may be gone.
                drop(result.send(Err(error)));
                return;
            }
        };
        if !head.status.is_success() {
            self.release().await;
            let most = self.held.route.most_answer_bytes;
            let body = timeout(within, self.paywall.answer_body(body, most)).await;
            let late = |_| PaywallError::UpstreamTimeout(within.as_secs());
            let refused = body.map_err(late).flatten().map(|body| {
                let response = server_refusal(head.status, head.headers, body);
                Opening::Refused(Box::new(response))
            });
            drop(result.send(refused));
            return;
        }
        let kind = head.headers.get(header::CONTENT_TYPE).cloned();
        drop(result.send(Ok(Opening::Answer(kind))));
        let ended = tokio::select! {
            ended = self.parts(head.status, head.headers, body) => ended,
            () = gone.closed() => Err(StreamError::Abandoned),
            () = slot.released() => Err(PaywallError::HoldEnded.into()),
            () = stop.cancelled() => Err(PaywallError::Stopping.into()),
        };
        self.release().await;
        match ended {
            Ok(()) => self.send(&StreamEvent::End(self.end)).await.unwrap_or(()),
            Err(StreamError::Abandoned) => {}
            Err(StreamError::Failed(error)) => {
                let problem = error.problem();
                let failure = StreamFailure { slug: problem.slug, detail: problem.detail };
                self.send(&StreamEvent::Failed(failure)).await.unwrap_or(());
            }
        }
        drop(slot);
    }

    /// Generates, stores, charges and sends one part after the other.
    async fn parts(
        &mut self,
        status: StatusCode,
        headers: HeaderMap,
        body: Body,
    ) -> Result<(), StreamError> {
        let route = self.held.route.clone();
        let uncounted = || PaywallError::internal("the route of a stream has no count");
        let (counted, count) = route.part().ok_or_else(uncounted)?;
        let share = self.paywall.bodies().share();
        let mut parts = Parts::new(body, counted, count, route.most_answer_bytes, share);
        // A voucher that came with the request pays for the first part.
        let mut voucher = self.held.ask.voucher;
        loop {
            let within = route.answer_within;
            let next = timeout(within, parts.next()).await;
            let late = |_| PaywallError::UpstreamTimeout(within.as_secs());
            let Some((bytes, count)) = next.map_err(late)?? else { return Ok(()) };
            let units = u32::try_from(route.metered.units_of(count)).unwrap_or(u32::MAX);
            let (part, head) = (self.end.parts, (status, headers.clone()));
            let room = match self.room.take() {
                Some(room) => room,
                None => self.paywall.room(&self.held)?,
            };
            let stored = self.paywall.store(&self.held, part, units, head, bytes.clone(), room);
            let answer = stored.await?;
            // An unpaid part stays until its payment deadline: its voucher may be at the gateway.
            let receipt = self.payment_of(&answer, voucher.take()).await?;
            if let Some(before) = part.checked_sub(1) {
                self.paywall.spool().confirm_delivery(&part_id(&self.held.id, before));
            }
            self.send_part(part, &bytes, &receipt).await?;
            self.paywall.spool().mark_delivered(&answer.id.0);
        }
    }

    /// Waits until a voucher for exactly this part is accepted.
    async fn payment_of(
        &self,
        answer: &Arc<Answer>,
        voucher: Option<SignedVoucher>,
    ) -> Result<SignedReceipt, StreamError> {
        let id: AnswerId = answer.id.0;
        // Registered first, so that a voucher sent from now on reaches this stream.
        let mut pending = self.paywall.in_flight().await_payment(id);
        let mut because = None;
        if let Some(voucher) = voucher {
            match self
                .paywall
                .take_payment(answer, voucher, Sender::Payer, &*self.held.caller)
                .await
            {
                Ok(receipt) => return Ok(receipt),
                Err(refused) => because = Some(refused.problem().slug),
            }
        }
        let due = self.paywall.due(answer, because).await?;
        self.send(&StreamEvent::Due(Box::new(due))).await?;
        let pause = Duration::from_secs(self.paywall.config().pause_seconds.into());
        timeout(pause, self.paid(&mut pending)).await.unwrap_or(Err(StreamError::Abandoned))
    }

    async fn paid(&self, pending: &mut PendingPayment) -> Result<SignedReceipt, StreamError> {
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        loop {
            tokio::select! {
                paid = &mut pending.paid => return paid.map_err(|_| StreamError::Abandoned),
                _ = keep_alive.tick() => self.write(": awaiting payment\n\n".into()).await?,
            }
        }
    }

    async fn send_part(
        &mut self,
        part: u32,
        bytes: &Bytes,
        receipt: &SignedReceipt,
    ) -> Result<(), StreamError> {
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

    /// Sends an event whose data is one line of JSON.
    async fn send(&self, event: &StreamEvent) -> Result<(), StreamError> {
        let tagged = json!(event);
        let name = tagged.get("event").and_then(Value::as_str).unwrap_or("failed");
        let data = tagged.get("data").unwrap_or(&Value::Null);
        self.write(format!("event: {name}\ndata: {data}\n\n").into()).await
    }

    /// Writes to the client, and treats one that reads nothing for a pause as disconnected.
    async fn write(&self, event: Bytes) -> Result<(), StreamError> {
        let pause = Duration::from_secs(self.paywall.config().pause_seconds.into());
        match timeout(pause, self.events.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StreamError::Abandoned),
        }
    }

    /// Releases the hold if it is unused.
    async fn release(&self) {
        self.paywall.engine().release(self.held.ask.channel.0, self.held.id).await;
    }
}
