use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use motif_sdk::{
    gateway::{
        IdempotencyKey, PaidStream, hold_id, paid_request_digest,
        wire::{
            AskToPay, Digest, HoldRequest, HoldState, PayForAnswer, Payment, ReceiptParts,
            sign_in::SignIn,
        },
    },
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};
use opentelemetry::trace::FutureExt;
use solana_sha256_hasher::hash;
use tokio::time::timeout;

use crate::{
    body_budget::{BodyBudget, BodyError, HeldBody},
    engine::{AnswerEvent, Caller, ChannelLicense},
    error::PaywallError,
    generate::Generated,
    headers::API_KEY,
    held::Held,
    in_flight::Slot,
    payment_due::Sender,
    paywall::Paywall,
    route::PaidRoute,
    route_table::RouteMatch,
    sale::{self, Dialect, Forward, SaleDesk},
    server::Server,
    span::{self, set_attribute},
    spool::{Answer, Room, SpoolError},
    stored_body::StoredBody,
    unpaid::Unpaid,
    unread_body::UnreadBody,
};

impl Paywall {
    /// Handles a request: returns the paid answer, the payment that is due, or a refusal.
    ///
    /// The body is read only if the head names a license of a known channel.
    pub(crate) async fn answer(
        &self,
        request: Request,
        server: Server,
    ) -> Result<Response, PaywallError> {
        let (matched, path) = self.routes().find(request.method(), request.uri().path())?;
        let (mut parts, body) = request.into_parts();
        // The payment is bound to the target as it was sent; the server receives what was matched.
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        parts.uri = with_path(parts.uri, &path)?;
        let route = match matched {
            RouteMatch::Paid(route) => route,
            RouteMatch::Free => return self.pass_on(parts, body, server).await,
        };
        set_attribute(span::ROUTE, route.path.clone());
        // What is paid for is the whole answer, as its bytes are.
        for name in [header::RANGE, header::IF_RANGE] {
            parts.headers.remove(name);
        }
        parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut body = UnreadBody::new(body, route.most_request_bytes);
        let payments = sale::payments(&mut parts.headers);
        let sign_in = parts.headers.remove(SignIn::HEADER);
        payments.check_sole()?;
        let payment = match (payment(&parts.headers), self.desk().cloned()) {
            (Some(payment), _) => payment?,
            (None, Some(desk)) if route.fixed_sale_units().is_some() => {
                let sale = (payments.sale, sign_in);
                return self.answer_sale(desk, route, sale, (parts, target, body), server).await;
            }
            (None, _) => return Ok(self.unpaid(&route).await?.response()),
        };
        let (Payment::Pay(PayForAnswer { channel, .. }) | Payment::Ask(AskToPay { channel, .. })) =
            &payment;
        set_attribute(span::CHANNEL, channel.0.to_string());
        let caller = self.caller(&parts.headers).await?;
        let named = format!("{} {target}", parts.method);
        match payment {
            Payment::Pay(pay) => self.pay(pay, &named, &*caller).await,
            Payment::Ask(ask) => {
                let key = key(&parts.headers)?;
                if let Some(part) = part(&parts.headers)? {
                    let channel = self.engine().recorded_channel(ask.channel.0).await?;
                    let body = self.request_body(body.take(), route.most_request_bytes).await?;
                    let digest = paid_request_digest(parts.method.as_str(), &target, &body.bytes);
                    return self.paid_part((&ask, &channel), &key, &digest, part).await;
                }
                let license = self.check_ask(&route, &ask).await;
                let license = match license {
                    Err(error) if !error.is_moved() => return Err(error),
                    license => license,
                };
                let body = self.request_body(body.take(), route.most_request_bytes).await?;
                let request_digest =
                    paid_request_digest(parts.method.as_str(), &target, &body.bytes);
                let license = match license {
                    Ok(license) => license,
                    Err(error) => {
                        return self.retry_after_move(&ask, &key, &request_digest, error).await;
                    }
                };
                let id = hold_id(&ask.channel.0, license.opened_slot, &key);
                parts.headers.remove(Payment::HEADER);
                let request = Request::from_parts(parts, Body::from(body.bytes));
                let (target, _body) = (named, body.share);
                let held = Held { route, id, ask, request_digest, target, caller, _body };
                self.ask(held, &key, request, server).await
            }
        }
    }

    /// Returns the 402 that names the price of a route.
    async fn unpaid(&self, route: &Arc<PaidRoute>) -> Result<Arc<Unpaid>, PaywallError> {
        self.price_tags().unpaid(self.engine(), route).await
    }

    /// Handles a request to a route that is sold without a channel, with its payment or sign-in:
    /// returns the paid answer, or the offers.
    async fn answer_sale(
        &self,
        desk: Arc<dyn SaleDesk>,
        route: Arc<PaidRoute>,
        (payment, sign_in): (Option<(Dialect, HeaderValue)>, Option<HeaderValue>),
        (parts, target, mut body): (Parts, String, UnreadBody),
        server: Server,
    ) -> Result<Response, PaywallError> {
        let max_bytes = route.most_request_bytes;
        let wallet = sign_in.and_then(|sign_in| self.signed_in(&*desk, &target, &sign_in));
        if payment.is_none() && wallet.is_none() {
            let read = BodyBudget::digest(body.take(), max_bytes);
            let digest = self.read_in_time(read, max_bytes).await?;
            let request = sale::request(route, &parts, &target, digest);
            return self.offers(&*desk, &request).await;
        }
        let read = self.bodies().collect_of_stranger(body.take(), max_bytes);
        let body = self.read_in_time(read, max_bytes).await?;
        let request = sale::request(route, &parts, &target, hash(&body.bytes).to_bytes());
        let forward = Forward { parts, body: body.bytes, server, share: body.share };
        if let Some(payment) = payment {
            return self.sell(desk, request, payment, forward).await;
        }
        if let Some(wallet) = wallet
            && let Some(answer) = self.fetch_again(&desk, (&request, wallet), forward).await?
        {
            return Ok(answer);
        }
        self.offers(&*desk, &request).await
    }

    /// Returns the 402 of a request with all offers.
    async fn offers(
        &self,
        desk: &dyn SaleDesk,
        request: &sale::Request,
    ) -> Result<Response, PaywallError> {
        let unpaid = self.unpaid(&request.route).await?;
        Ok(self.offer_sale(desk, request, &unpaid).await)
    }

    /// Has the server answer a request to a free route.
    async fn pass_on(
        &self,
        parts: Parts,
        body: Body,
        server: Server,
    ) -> Result<Response, PaywallError> {
        let max_bytes = self.routes().most_request_bytes();
        let read = self.bodies().collect_of_stranger(body, max_bytes);
        let body = self.read_in_time(read, max_bytes).await?;
        let request = Request::from_parts(parts, Body::from(body.bytes));
        let answered = timeout(FREE_WITHIN, server(request)).await;
        drop(body.share);
        answered.map_err(|_| PaywallError::UpstreamTimeout(FREE_WITHIN.as_secs()))
    }

    /// Authenticates the caller.
    async fn caller(&self, headers: &HeaderMap) -> Result<Arc<dyn Caller>, PaywallError> {
        // A value that is not visible ASCII is no API key; neither is the empty text.
        let key = headers.get(API_KEY).map(|key| key.to_str().unwrap_or_default());
        Ok(self.engine().authenticate(key).await?)
    }

    /// Checks that the request's license and units fit the route, before an amount is held.
    /// Returns the license.
    async fn check_ask(
        &self,
        route: &PaidRoute,
        ask: &AskToPay,
    ) -> Result<ChannelLicense, PaywallError> {
        let license = self.engine().license(ask.channel.0, ask.license).await?;
        if license.work != route.work || license.licensed_use != Some(route.licensed_use) {
            return Err(PaywallError::OtherLicense { license: ask.license });
        }
        // Fixed units and the parts of a stream have one size, so the hold must match it.
        let is_exact = route.streams || route.metered.fixed().is_some();
        let min = if is_exact { route.most_units } else { 1 };
        if !(min..=route.most_units).contains(&ask.units) {
            let (given, max) = (ask.units, route.most_units);
            return Err(PaywallError::HoldUnits { given, min, max });
        }
        Ok(license)
    }

    /// Reads the body of a request within the budget of bodies.
    async fn request_body(&self, body: Body, max_bytes: usize) -> Result<HeldBody, PaywallError> {
        self.read_in_time(self.bodies().collect(body, max_bytes), max_bytes).await
    }

    /// Waits until a body of at most `max_bytes` is read.
    async fn read_in_time<T>(
        &self,
        read: impl Future<Output = Result<T, BodyError>>,
        max_bytes: usize,
    ) -> Result<T, PaywallError> {
        let within = Duration::from_secs(self.config().request_seconds.into());
        let read = timeout(within, read).await;
        read.map_err(|_| PaywallError::Timeout)?.map_err(|error| match error {
            BodyError::TooLarge => PaywallError::BodyTooLarge(max_bytes),
            BodyError::Broken => PaywallError::Malformed("the request body is incomplete".into()),
            BodyError::Full => PaywallError::Full,
        })
    }

    /// Places a hold, has the server generate the answer, and returns it if it is already paid.
    async fn ask(
        &self,
        held: Held,
        key: &IdempotencyKey,
        request: Request,
        server: Server,
    ) -> Result<Response, PaywallError> {
        let (ask, engine) = (&held.ask, self.engine());
        let hold = HoldRequest {
            license: ask.license,
            units: ask.units,
            request_digest: Digest(held.request_digest),
            expires_at: ask.expires_at,
            proof: ask.proof,
        };
        let facts = engine.hold(ask.channel.0, key, &hold).await?;
        // The accepted hold proves that the payer signed exactly this request.
        if let Some(answer) = self.spool().find(&held.id) {
            if held.route.streams {
                return Err(PaywallError::StreamBegun);
            }
            return self.deliver(&answer, ask.voucher, Sender::Payer, &*held.caller).await;
        }
        match facts.state {
            HoldState::Captured => return Err(PaywallError::Gone),
            HoldState::Released => return Err(PaywallError::HoldEnded),
            HoldState::Open => {}
        }
        let place = match self.take_place(&held) {
            // A concurrent request may have generated it after the lookup above.
            Ok(_) if self.spool().find(&held.id).is_some() => {
                return Err(PaywallError::Running);
            }
            Ok(place) => place,
            Err(PaywallError::Running) => return Err(PaywallError::Running),
            Err(error) => {
                engine.release(ask.channel.0, held.id).await;
                return Err(error);
            }
        };
        // A release before the place was taken has not stopped the request.
        if !engine.is_held(ask.channel.0, held.id).await {
            return Err(PaywallError::HoldEnded);
        }
        if held.route.streams {
            return self.stream(held, place, request, server).await;
        }
        let (id, voucher, caller) = (held.id, ask.voucher, held.caller.clone());
        // Runs to the end if the client disconnects, so that a retry finds the answer.
        let generation = self.clone().generate(held, place, request, server);
        let generation = self.tasks().spawn(generation.with_current_context());
        match generation.await.map_err(PaywallError::internal)?? {
            Generated::Refused(response) => Ok(*response),
            Generated::Answer => {
                let answer = self.spool().find(&id).ok_or(PaywallError::Gone)?;
                self.engine().count(AnswerEvent::Generated);
                self.deliver(&answer, voucher, Sender::Payer, &*caller).await
            }
        }
    }

    /// Takes a slot for one more answer of the channel, and the room to store it.
    fn take_place(&self, held: &Held) -> Result<(Slot, Room), PaywallError> {
        let channel = held.ask.channel;
        let now = self.engine().now();
        // Reports a running duplicate before the limit of unpaid answers applies.
        let slot = self.in_flight().begin(held.id, channel.0, held.route.streams)?;
        if held.ask.expires_at < now + i64::from(held.route.hold_seconds()) - HOLD_SLACK_SECONDS {
            return Err(PaywallError::HoldTooShort(held.route.hold_seconds()));
        }
        let max = self.config().unpaid;
        let open = self.spool().unpaid(channel, now) + self.in_flight().count(&channel.0);
        if open > max as usize {
            return Err(PaywallError::TooManyUnpaid(max));
        }
        Ok((slot, self.room(held)?))
    }

    /// Sets room aside for an answer or a part of a stream.
    pub(crate) fn room(&self, held: &Held) -> Result<Room, PaywallError> {
        Ok(self.spool().reserve(held.ask.channel, held.route.most_answer_bytes as u64)?)
    }

    /// Takes payment for a stored answer and returns it.
    async fn pay(
        &self,
        pay: PayForAnswer,
        target: &str,
        caller: &dyn Caller,
    ) -> Result<Response, PaywallError> {
        let id = pay.answer.0;
        let answer = self.spool().find(&id).filter(|answer| answer.channel == pay.channel);
        let answer = answer.ok_or(PaywallError::UnknownAnswer)?;
        if answer.target != target || pay.voucher.voucher.channel != pay.channel.0 {
            return Err(PaywallError::HoldMismatch);
        }
        if self.in_flight().is_awaited(&id) {
            // The open stream sends the bytes; this response carries the receipt only.
            let receipt = self.take_payment(&answer, pay.voucher, Sender::Bearer, caller).await?;
            let parts = ReceiptParts::from(&receipt);
            let mut response = axum::Json(parts).into_response();
            with_receipt(response.headers_mut(), &receipt);
            return Ok(response);
        }
        self.deliver(&answer, Some(pay.voucher), Sender::Bearer, caller).await
    }

    /// Returns the answer once it is paid for. Without a voucher, the caller must have verified
    /// that the payer signed the request.
    async fn deliver(
        &self,
        answer: &Answer,
        voucher: Option<SignedVoucher>,
        sender: Sender,
        caller: &dyn Caller,
    ) -> Result<Response, PaywallError> {
        let Some(voucher) = voucher else {
            return match self.receipt(answer).await? {
                Some(receipt) => self.paid_response(answer, &receipt).await,
                None => Err(self.payment_due(answer, None).await?),
            };
        };
        // Opened first: a damaged answer is not charged.
        let body = self.stored_body(answer).await?;
        let receipt = self.take_payment(answer, voucher, sender, caller).await?;
        let mut response = self.response_with(answer, body, None);
        with_receipt(response.headers_mut(), &receipt);
        Ok(response)
    }

    /// Returns the stored answer with its receipt. The caller must have verified its payer.
    pub(crate) async fn paid_response(
        &self,
        answer: &Answer,
        receipt: &SignedReceipt,
    ) -> Result<Response, PaywallError> {
        let mut response = self.stored_response(answer, None).await?;
        with_receipt(response.headers_mut(), receipt);
        Ok(response)
    }

    /// Returns the stored answer. `delivered` is called when its body was read to its end.
    pub(crate) async fn stored_response(
        &self,
        answer: &Answer,
        delivered: Option<Box<dyn FnOnce() + Send + Sync>>,
    ) -> Result<Response, PaywallError> {
        Ok(self.response_with(answer, self.stored_body(answer).await?, delivered))
    }

    /// Returns the body of a stored answer, whose digest is verified.
    pub(crate) async fn stored_body(&self, answer: &Answer) -> Result<StoredBody, PaywallError> {
        let body = self.spool().body(&answer.id.0).await;
        if matches!(body, Err(SpoolError::Damaged)) {
            self.engine().count(AnswerEvent::Damaged);
        }
        body?.ok_or(PaywallError::Gone)
    }

    fn response_with(
        &self,
        answer: &Answer,
        mut body: StoredBody,
        delivered: Option<Box<dyn FnOnce() + Send + Sync>>,
    ) -> Response {
        let length = body.length();
        match delivered {
            Some(delivered) if length == 0 => delivered(),
            Some(delivered) => body.at_end.add(delivered),
            None => {}
        }
        let body = if length == 0 { Body::empty() } else { body.into_body() };
        let mut response = Response::new(body);
        if length > 0 {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        self.engine().count(AnswerEvent::Delivered);
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        for (name, value) in &answer.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                headers.append(name, value);
            }
        }
        response
    }
}

/// Time limit of the model server's response head on a free route.
const FREE_WITHIN: Duration = Duration::from_secs(120);
/// Tolerance for clock differences and network delay in a hold's expiry.
const HOLD_SLACK_SECONDS: i64 = 30;

/// Adds the receipt's header and forbids caches to store the paid response.
pub(crate) fn with_receipt(headers: &mut HeaderMap, receipt: &SignedReceipt) {
    let text = ReceiptParts::from(receipt).to_header();
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(ReceiptParts::HEADER, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Replaces the path of a target.
fn with_path(uri: Uri, path: &str) -> Result<Uri, PaywallError> {
    if uri.path() == path {
        return Ok(uri);
    }
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}").try_into(),
        None => path.try_into(),
    };
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(target.map_err(PaywallError::internal)?);
    Uri::from_parts(parts).map_err(PaywallError::internal)
}

fn payment(headers: &HeaderMap) -> Option<Result<Payment, PaywallError>> {
    let malformed = PaywallError::Malformed;
    let mut values = headers.get_all(Payment::HEADER).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some(Err(malformed("the header is repeated; expected it once".to_owned())));
    }
    let text = value.to_str().map_err(|error| malformed(error.to_string()));
    Some(
        text.and_then(|text| {
            Payment::from_header(text).map_err(|error| malformed(error.to_string()))
        }),
    )
}

fn key(headers: &HeaderMap) -> Result<IdempotencyKey, PaywallError> {
    let header = headers.get(IdempotencyKey::HEADER).ok_or(PaywallError::IdempotencyKeyMissing)?;
    let key = header.to_str().ok().and_then(|text| text.parse().ok());
    key.ok_or(PaywallError::IdempotencyKeyInvalid)
}

/// Returns the number of the part that a request asks for again.
fn part(headers: &HeaderMap) -> Result<Option<u32>, PaywallError> {
    let Some(value) = headers.get(PaidStream::PART) else { return Ok(None) };
    let part = value.to_str().ok().and_then(|text| text.parse().ok());
    let malformed = || format!("the header `{}` is no number", PaidStream::PART);
    part.map(Some).ok_or_else(|| PaywallError::Malformed(malformed()))
}
