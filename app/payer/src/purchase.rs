mod paid_body;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, header},
};
use motif_sdk::{
    channel::License,
    gateway::{
        GatewayError, IdempotencyKey, PaidAnswer, PaidPart, PaidRequest, PaidStream, ProblemType,
        wire::{Address, Amount, Digest, PaymentRequired, PriceTag, Unit, Use},
    },
    receipt::SignedReceipt,
};
use serde::Serialize;
use solana_sha256_hasher::hashv;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    answers::{KeptAnswer, KeptStream, note_unkept},
    callers::Caller,
    channels::{PaidChannel, Preparation, Prepared, UnitsWanted},
    clock::now,
    exchanges::{Party, Recorder},
    headers,
    places::Place,
    problem::PayerError,
    request_log::NamedPurchase,
    service::PayerService,
    target::Target,
};

use self::paid_body::{KeptParts, LiveStream, Source, record_payment};

pub use self::paid_body::PaidBody;

/// Request to a target, which is paid for if it asks for a payment.
pub struct Purchase {
    /// HTTP method.
    pub method: Method,
    /// URL.
    pub target: Target,
    /// Headers for the target.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Caller that pays.
    pub caller: Caller,
    /// Maximum cost of the answer, base units, fees included.
    pub max_cost: Option<u64>,
    /// Whether nothing is signed, and the price is returned instead.
    pub is_dry_run: bool,
    /// Cancelled when the client has left. A request without a hold ends then.
    pub gone: CancellationToken,
}

/// Answer to a purchase.
pub enum Answer {
    /// Answer of a target that asked for no Motif payment, as it came.
    Unpaid(reqwest::Response),
    /// Redirect to another URL of the same origin.
    Redirect(StatusCode, String),
    /// Refusal of the model server, which costs nothing, as it came.
    Refused {
        /// HTTP status.
        status: u16,
        /// Content type.
        kind: String,
        /// Body.
        body: Arc<[u8]>,
    },
    /// Paid answer.
    Paid {
        /// HTTP status.
        status: u16,
        /// Content type.
        kind: String,
        /// Body.
        body: Vec<u8>,
        /// Receipt.
        receipt: Box<SignedReceipt>,
    },
    /// Stream that is paid part by part, or its paid parts.
    Stream(Box<PaidBody>),
    /// What would be paid, in a dry run.
    Offer(Box<Offer>),
}

/// What a request would cost.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// Status of the answer without a payment.
    pub status: u16,
    /// Payment; absent if the target asks for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<OfferedPayment>,
}

/// Payment that a request needs. Nothing was signed for it.
#[derive(Debug, Serialize)]
pub struct OfferedPayment {
    /// Operator of the channel.
    pub operator: Address,
    /// Work.
    pub work: Address,
    /// Use.
    #[serde(rename = "use")]
    pub licensed_use: Use,
    /// Unit.
    pub unit: Unit,
    /// Price of a unit of new terms, without the operator's fee.
    pub unit_price: Amount,
    /// Maximum units of the answer, or of each part of a stream.
    pub most_units: u32,
    /// Whether the answer is a stream.
    pub streams: bool,
    /// Maximum cost of the answer, or of each part of a stream, fee included.
    pub most_cost: Amount,
    /// Currency of the amounts.
    pub currency: Address,
    /// What happens before the payment.
    #[serde(flatten)]
    pub preparation: Preparation,
}

/// Payment of a request, as its price tag asks for it.
struct Order {
    channel: Arc<PaidChannel>,
    license: License,
    caller: Caller,
    tag: PriceTag,
    /// Maximum cost, base units.
    cost: u64,
    max_cost: Option<u64>,
    named: Option<NamedPurchase>,
    gone: CancellationToken,
}

/// Answer of a paywall.
enum Answered {
    Whole(Box<PaidAnswer>),
    Stream(Box<PaidStream>),
}

/// Time in which a target answers a request without a payment, and sends the next bytes of an unpaid answer.
pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(600);
/// Added to the hold of a stream: time in which its next event arrives.
const EXTRA_EVENT_TIME: Duration = Duration::from_secs(60);
/// Time for which a request waits for a place among the channel's unpaid answers.
const PLACE_WITHIN: Duration = Duration::from_secs(600);
/// Number of top-ups for a request that the gateway refuses, because it keeps holds that this service does not
/// know, such as those of a killed process. Other requests may take each of them.
const TOP_UP_ATTEMPTS: u32 = 8;
/// Number of holds that a request places if they end without a payment.
const HOLD_ATTEMPTS: u32 = 3;
/// Time after its expiry for which gateways surely know whether a hold was captured; they keep it a day.
const HOLD_KNOWN_SECONDS: i64 = 3_600;
impl PayerService {
    /// Sends a request, and pays for the answer if the target asks for it within policy and budgets. A request
    /// with the idempotency key of an earlier one gets its answer.
    ///
    /// # Errors
    /// [`PayerError`].
    pub async fn buy(&self, mut purchase: Purchase) -> Result<Answer, PayerError> {
        let shown = format!("{} {}", purchase.method, purchase.target.shown());
        let recorder = self.exchanges.begin(&purchase.caller, &shown);
        recorder.add(Party::Client, Party::Payer, &shown);
        let caller = purchase.caller.clone();
        let mut is_kept = false;
        let bought = async {
            let named = self.named(&mut purchase).await?;
            if let Some(named) = &named
                && let Some(kept) = self.kept_answer(named, &purchase, &recorder).await?
            {
                is_kept = true;
                recorder.add(Party::Payer, Party::Client, "the paid answer, again");
                return Ok(kept);
            }
            self.bought(purchase, named, &recorder).await
        };
        let bought = bought.await;
        match &bought {
            Ok(_) if is_kept => self.metrics.count(&caller, "repeated"),
            Ok(answer) => self.metrics.count(&caller, answer.outcome()),
            Err(error) => self.metrics.count_problem(&caller, error.slug()),
        }
        if let Err(error) = &bought {
            recorder.add(Party::Payer, Party::Client, format!("{}: {error}", error.slug()));
        }
        self.paid.notify_one();
        bought
    }

    /// Takes the idempotency key of a purchase, and waits for other requests with it.
    async fn named(&self, purchase: &mut Purchase) -> Result<Option<NamedPurchase>, PayerError> {
        let key = client_key(&mut purchase.headers)?.filter(|_| !purchase.is_dry_run);
        let Some(key) = key else { return Ok(None) };
        let Purchase { caller, target, method, body, gone, .. } = purchase;
        let waiting = self.requests.begin(caller, target.as_str(), &key);
        let name = Arc::new(while_present(gone, waiting).await?);
        let request = hashv(&[method.as_str().as_bytes(), &[0], body]).to_bytes();
        Ok(Some(NamedPurchase { name, request: Digest(request) }))
    }

    /// Returns the answer that an earlier request with the same key has paid for, if it is kept here.
    async fn kept_answer(
        &self,
        named: &NamedPurchase,
        purchase: &Purchase,
        recorder: &Recorder,
    ) -> Result<Option<Answer>, PayerError> {
        let (answers, NamedPurchase { name, request }) = (self.answers.clone(), named.clone());
        let max_bytes = self.settings.proxy.max_answer_bytes;
        let found = spawn_blocking(move || answers.find(&name, &request, max_bytes)).await;
        let Some(found) = found.map_err(|_| PayerError::Internal)?? else { return Ok(None) };
        Ok(Some(match found {
            KeptAnswer::Whole(answer) => {
                let PaidAnswer { status, kind, body, receipt } = *answer;
                Answer::Paid { status, kind, body, receipt: Box::new(receipt) }
            }
            KeptAnswer::Stream(stream, cut) => {
                let lost = match cut {
                    Some(cut) => self.parts_after(cut, purchase, named, recorder).await,
                    None => VecDeque::new(),
                };
                let kind = stream.kind().to_owned();
                Answer::earlier_parts(&purchase.caller, kind, Some(*stream), lost)
            }
        }))
    }

    /// Keeps the paid answer of a named purchase, before its client has the first byte.
    async fn keep(&self, named: &NamedPurchase, answer: PaidAnswer) -> PaidAnswer {
        let (answers, NamedPurchase { name, request }) = (self.answers.clone(), named.clone());
        let answer = Arc::new(answer);
        let kept = answer.clone();
        let written = spawn_blocking(move || answers.keep(&name, request, &kept)).await;
        note_unkept(written.map_err(|_| PayerError::Internal).flatten());
        Arc::unwrap_or_clone(answer)
    }

    async fn bought(
        &self,
        purchase: Purchase,
        named: Option<NamedPurchase>,
        recorder: &Recorder,
    ) -> Result<Answer, PayerError> {
        let url = purchase.target.as_str();
        let request = self.http.request(purchase.method.clone(), url);
        let request = request.headers(purchase.headers.clone()).body(purchase.body.clone());
        recorder.add(Party::Payer, Party::Paywall, "the request, without a payment");
        let sent = timeout(HEAD_WITHIN, request.send());
        let sent = while_present(&purchase.gone, sent).await?;
        let response = sent.map_err(|_| late(HEAD_WITHIN))?.map_err(|error| unreachable(&error))?;
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            let reason = "it switches to another protocol, which is not passed on";
            return Err(PayerError::TargetUnreachable(reason.to_owned()));
        }
        let location = response.headers().get(header::LOCATION);
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            let to = location.to_str().ok().and_then(|text| purchase.target.redirect(text));
            recorder.add(Party::Paywall, Party::Payer, format!("{status}"));
            return Ok(Answer::Redirect(status, to.ok_or(PayerError::RedirectElsewhere)?));
        }
        let required = response.headers().get(PaymentRequired::HEADER);
        let required = required.filter(|_| status == StatusCode::PAYMENT_REQUIRED);
        let Some(required) = required else {
            recorder.add(Party::Paywall, Party::Payer, format!("{status}, unpaid"));
            if purchase.is_dry_run {
                let offer = Offer { status: status.as_u16(), payment: None };
                return Ok(Answer::Offer(Box::new(offer)));
            }
            recorder.add(Party::Payer, Party::Client, "the same answer");
            return Ok(Answer::Unpaid(response));
        };
        let required = required.to_str().map_err(|_| invalid("it is not ASCII"))?;
        let tag = match PaymentRequired::from_header(required) {
            Ok(PaymentRequired::PriceTag(tag)) => *tag,
            Ok(PaymentRequired::Due(_)) => return Err(invalid("it names no price")),
            Err(error) => return Err(invalid(&error.to_string())),
        };
        let quote = &tag.quote;
        let parts = if tag.streams { " a part" } else { "" };
        recorder.add(
            Party::Paywall,
            Party::Payer,
            format!("402: {} a {}, at most {}{parts}", quote.price, quote.unit, tag.most_units),
        );
        self.check_price_tag(&tag)?;
        if purchase.is_dry_run {
            return self.offer(&tag, &purchase).await;
        }
        self.pay(purchase, (tag, named), recorder).await
    }

    /// Checks a price tag against the policy. The license's own price is checked before anything is signed.
    fn check_price_tag(&self, tag: &PriceTag) -> Result<(), PayerError> {
        let (given, own) = (tag.quote.currency.0, self.channels.mint());
        if given != own {
            return Err(PayerError::OtherCurrency(given, own));
        }
        if tag.most_units == 0 {
            return Err(invalid("it sells no units"));
        }
        if tag.hold_seconds > self.settings.proxy.max_answer_seconds {
            return Err(invalid("its hold is longer than `proxy.max_answer_seconds`"));
        }
        Ok(())
    }

    async fn offer(&self, tag: &PriceTag, purchase: &Purchase) -> Result<Answer, PayerError> {
        let quote = &tag.quote;
        let (caller, max_cost) = (&purchase.caller, purchase.max_cost);
        let (most_cost, preparation) = self.preview(caller, &wanted(tag), max_cost).await?;
        let payment = OfferedPayment {
            operator: tag.operator,
            work: quote.work,
            licensed_use: quote.licensed_use,
            unit: quote.unit,
            unit_price: quote.price,
            most_units: tag.most_units,
            streams: tag.streams,
            most_cost: Amount(most_cost),
            currency: quote.currency,
            preparation,
        };
        let status = StatusCode::PAYMENT_REQUIRED.as_u16();
        Ok(Answer::Offer(Box::new(Offer { status, payment: Some(payment) })))
    }

    async fn pay(
        &self,
        purchase: Purchase,
        (tag, named): (PriceTag, Option<NamedPurchase>),
        recorder: &Recorder,
    ) -> Result<Answer, PayerError> {
        let Purchase { method, target, headers, body, caller, max_cost, gone, .. } = purchase;
        let open = self.channels.existing(&tag.operator.0).await?;
        let wanted = wanted(&tag);
        let headers = headers::texts(&headers)?;
        if let (Some(named), Some(channel)) = (&named, &open)
            && self.requests.is_known(&named.name)
            && let Some((index, _)) = channel.license(&wanted.work, wanted.licensed_use)
        {
            let (method, body) = (method.clone(), Vec::from(body.clone()));
            let mut request = PaidRequest::new(method, target.as_str(), body, index, &tag);
            request.headers.clone_from(&headers);
            self.requests.name(&mut request, &named.name)?;
            let earlier = (&**channel, tag.streams, &caller);
            if let Some(answer) = self.paid_earlier(earlier, &request, named, recorder).await {
                return Ok(answer);
            }
        }
        let prepared = self.prepare(open, &caller, &wanted, max_cost).await?;
        let (Prepared { channel, index, license, cost }, units) = (prepared, wanted.units);
        let order = Order { channel, license, caller, tag, cost, max_cost, named, gone };
        let deadline = Instant::now() + PLACE_WITHIN;
        let mut attempts = 0;
        let mut ended = false;
        let mut top_up_attempts = 0;
        let origin = target.origin();
        loop {
            let place = order.channel.places.take((&origin, &order.caller), deadline);
            let place = while_present(&order.gone, place).await??;
            let (method, body) = (method.clone(), Vec::from(body.clone()));
            let mut request = PaidRequest::new(method, target.as_str(), body, index, &order.tag);
            request.headers.clone_from(&headers);
            match &order.named {
                Some(named) if ended => self.requests.rename(&mut request, &named.name)?,
                Some(named) => self.requests.name(&mut request, &named.name)?,
                None => {}
            }
            let what =
                format!("the request, with a hold of at most {units} units of license {index}");
            recorder.add(Party::Payer, Party::Paywall, what);
            let top_ups = order.channel.top_ups();
            let error = match self.attempt(&order, &request, place, deadline, recorder).await? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // Nothing is held, so the same request may be repeated.
            if top_up_attempts < TOP_UP_ATTEMPTS
                && self.tops_up_for(&order.channel, &error, cost, top_ups).await
            {
                top_up_attempts += 1;
                continue;
            }
            // The hold has ended without a payment, so another one may be placed. The gateway may have
            // forgotten the payment of an older one.
            let left = request.expires_at.saturating_sub(now());
            let is_late = left < i64::from(order.tag.hold_seconds);
            ended = is_hold_over(&error, is_late) && left > -HOLD_KNOWN_SECONDS;
            let is_refused = error.problem_type() == Some(ProblemType::TooManyUnpaid);
            attempts += u32::from(!is_refused);
            if !ended || attempts >= HOLD_ATTEMPTS || Instant::now() >= deadline {
                return self.refusal(&order.channel, error).await;
            }
            recorder.add(Party::Paywall, Party::Payer, "no place: the request is repeated later");
        }
    }

    /// Returns the answer, or the parts of a stream, that a process has paid for which was killed before it
    /// kept them. Budgets do not matter: nothing is paid.
    async fn paid_earlier(
        &self,
        (channel, streams, caller): (&PaidChannel, bool, &Caller),
        request: &PaidRequest,
        named: &NamedPurchase,
        recorder: &Recorder,
    ) -> Option<Answer> {
        if streams {
            let lost = self.first_parts(channel, request, named, recorder).await;
            return (!lost.parts.is_empty())
                .then(|| Answer::earlier_parts(caller, lost.kind, None, lost.parts));
        }
        match channel.payer.paid_part(&self.paywall, request, 0).await {
            Ok(answer) => {
                let PaidAnswer { status, kind, body, receipt } = self.keep(named, answer?).await;
                recorder.add(Party::Paywall, Party::Payer, "the paid answer, again");
                Some(Answer::Paid { status, kind, body, receipt: Box::new(receipt) })
            }
            Err(error) => {
                tracing::warn!(%error, "a paid answer was not asked for");
                None
            }
        }
    }

    /// Sends a request with a hold, and pays for its answer. Returns the error of the paywall or the gateway
    /// apart from those of this service.
    async fn attempt(
        &self,
        order: &Order,
        request: &PaidRequest,
        place: Place,
        deadline: Instant,
        recorder: &Recorder,
    ) -> Result<Result<Answer, GatewayError>, PayerError> {
        let Order { channel, license, caller, tag, cost, max_cost, named, gone } = order;
        let hold = (*cost, request.expires_at);
        let binding = self.bind(channel, caller, hold, u64::MAX);
        let (reservation, hold) = while_present(gone, binding).await??;
        let (mut place, mut hold) = (Some(place), Some(hold));
        // What is paid for takes no place and binds nothing, also if the paywall does not return it.
        let paid = || {
            drop(hold.take());
            if let Some(place) = place.take() {
                place.note_paid();
            }
        };
        let payer = channel.payer.tagged(caller);
        let answered = match tag.streams {
            true => payer.stream(&self.paywall, request).await.map(Box::new).map(Answered::Stream),
            false => {
                let fetched = payer.fetch_then(&self.paywall, request, paid).await;
                fetched.map(Box::new).map(Answered::Whole)
            }
        };
        drop(reservation); // each part of a stream is reserved
        let answer = match answered {
            Ok(Answered::Whole(answer)) => answer,
            Ok(Answered::Stream(stream)) => {
                let kind = stream.kind().to_owned();
                let mut live = LiveStream {
                    service: self.clone(),
                    stream: Some(*stream),
                    first: None,
                    channel: channel.clone(),
                    license: *license,
                    caller: caller.clone(),
                    recorder: recorder.clone(),
                    part_cost: channel.cost(license, tag.most_units),
                    max_cost: *max_cost,
                    cost: 0,
                    parts: 0,
                    place: place.ok_or(PayerError::Internal)?,
                    hold: hold.ok_or(PayerError::Internal)?,
                    event_within: Duration::from_secs(tag.hold_seconds.into()) + EXTRA_EVENT_TIME,
                    failed: None,
                    named: named.clone(),
                    writer: None,
                };
                while_present(gone, live.wait()).await?;
                live.first = live.pay_next().await?;
                let (caller, source) = (caller.clone(), Source::Live(Box::new(live)));
                return Ok(Ok(Answer::Stream(Box::new(PaidBody { caller, kind, source }))));
            }
            Err(error) => {
                if error.problem_type() == Some(ProblemType::TooManyUnpaid)
                    && let Some(place) = place
                {
                    place.give_up(deadline).await;
                }
                return Ok(Err(error));
            }
        };
        let answer = match named {
            Some(named) => self.keep(named, *answer).await,
            None => *answer,
        };
        record_payment(recorder, &answer.receipt);
        let what = format!("{} {}, {} bytes", answer.status, answer.kind, answer.body.len());
        recorder.add(Party::Paywall, Party::Payer, &what);
        recorder.add(Party::Payer, Party::Client, &what);
        let PaidAnswer { status, kind, body, receipt } = answer;
        Ok(Ok(Answer::Paid { status, kind, body, receipt: Box::new(receipt) }))
    }

    /// Returns the model server's refusal as an answer, and every other error.
    async fn refusal(
        &self,
        channel: &PaidChannel,
        error: GatewayError,
    ) -> Result<Answer, PayerError> {
        match error {
            GatewayError::ServerRefused { status, kind, body, .. } => {
                Ok(Answer::Refused { status, kind, body })
            }
            error => Err(self.failed(channel, error).await),
        }
    }
}

impl Answer {
    /// Returns the parts of a stream that were paid for earlier.
    fn earlier_parts(
        caller: &Caller,
        kind: String,
        stream: Option<KeptStream>,
        lost: VecDeque<PaidPart>,
    ) -> Self {
        let source = Source::Kept(Box::new(KeptParts { stream, lost }));
        Self::Stream(Box::new(PaidBody { caller: caller.clone(), kind, source }))
    }

    /// Returns the kind of the answer, as metrics count it.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Unpaid(_) | Self::Redirect(..) => "unpaid",
            Self::Refused { .. } => "refused",
            Self::Paid { .. } => "paid",
            Self::Stream(_) => "stream",
            Self::Offer(_) => "dry-run",
        }
    }
}

/// Returns whether an error proves that a request has no hold, or one that has ended without a payment.
/// `is_late` tells that the request was named too long ago for a hold.
fn is_hold_over(error: &GatewayError, is_late: bool) -> bool {
    let is_over = match error.problem_type() {
        Some(ProblemType::TooManyUnpaid | ProblemType::HoldEnded | ProblemType::HoldTooLong) => {
            true
        }
        Some(ProblemType::HoldTooShort | ProblemType::VoucherExpiresTooSoon) => is_late,
        _ => false,
    };
    is_over && error.is_definite()
}

/// Removes the client's idempotency key, which names its request at this service.
///
/// # Errors
/// [`PayerError::InvalidHeader`].
pub fn client_key(headers: &mut HeaderMap) -> Result<Option<IdempotencyKey>, PayerError> {
    let Some(value) = headers.remove(IdempotencyKey::HEADER) else { return Ok(None) };
    let key = value.to_str().ok().and_then(|text| text.parse().ok());
    let expected = "8 to 128 visible ASCII characters";
    let invalid = || PayerError::header(IdempotencyKey::HEADER, expected);
    key.map(Some).ok_or_else(invalid)
}

/// Returns what a price tag sells.
fn wanted(tag: &PriceTag) -> UnitsWanted {
    UnitsWanted {
        operator: tag.operator.0,
        work: tag.quote.work.0,
        licensed_use: tag.quote.licensed_use,
        units: tag.fixed_units.unwrap_or(tag.most_units),
    }
}

/// Waits while the client is there.
async fn while_present<T>(
    gone: &CancellationToken,
    waiting: impl Future<Output = T>,
) -> Result<T, PayerError> {
    tokio::select! {
        biased;
        () = gone.cancelled() => Err(PayerError::ClientLeft),
        done = waiting => Ok(done),
    }
}

fn late(limit: Duration) -> PayerError {
    PayerError::TargetUnreachable(format!("nothing arrived within {} seconds", limit.as_secs()))
}

fn invalid(what: &str) -> PayerError {
    PayerError::InvalidPriceTag(what.to_owned())
}

/// Returns an error without the URL, whose query may have secrets.
fn unreachable(error: &reqwest::Error) -> PayerError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The outermost error shows the URL.
    let reason = cause.downcast_ref::<reqwest::Error>().map(|_| "the request failed".to_owned());
    PayerError::TargetUnreachable(reason.unwrap_or_else(|| cause.to_string()))
}

#[cfg(test)]
mod tests;
