use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::wire::{Problem, mpp, sale::SaleState, x402},
};
use opentelemetry::trace::FutureExt;
use tokio::{
    sync::OwnedMutexGuard,
    time::{sleep, timeout},
};

use super::{
    desk::{NewSale, SaleDesk, SaleEvent, SaleItem, SaleRecord},
    dispatch::{Dialect, SalePayment, network},
    offers::OfferFacts,
    refusal::{Refusal, Word},
    request::{Forward, Request},
    response::signature_text,
    setbacks::Setbacks,
    transaction::ClientTransaction,
    validity::{LANDING_SECONDS, earliest_offer},
};
use crate::{
    engine::{AnswerId, EngineError},
    error::PaywallError,
    paywall::{Paywall, RETRY_AFTER, SaleKey},
    route::PaidRoute,
    unpaid::Unpaid,
};

/// A payment for a request, checked as far as its own bytes tell.
struct Order<'a> {
    request: Request,
    payment: &'a SalePayment,
    transaction: ClientTransaction,
    id: [u8; 32],
    wallet: Pubkey,
    /// The item and the acceptance that the memo commits to; `None` for a payment that was sent
    /// before.
    bought: Option<(SaleItem, SaleAcceptance)>,
}

impl Order<'_> {
    /// Returns the key of equal purchases. A name is of one purchase, whatever is requested under it.
    fn key(&self) -> SaleKey {
        match self.payment.name() {
            "" => (self.wallet, self.request.digest, String::new()),
            name => (self.wallet, [0; 32], name.to_owned()),
        }
    }

    /// Returns whether the payment is for what an earlier payment for the same request and name has
    /// bought: its answer was not handed over, the purchase has a name, or the offer was made before the
    /// buyer could have the answer.
    fn is_of(&self, earlier: &SaleRecord) -> bool {
        let Some(delivered_at) = earlier.delivered_at else { return true };
        let bought = self.bought.as_ref();
        // Both times are whole seconds: in the same one, the offer may have been first.
        !self.payment.name().is_empty()
            || bought.is_some_and(|(_, acceptance)| earliest_offer(acceptance) <= delivered_at)
    }
}

/// Next step of an order.
pub(super) enum Step {
    /// A payment may still land.
    Await(SaleRecord),
    /// It has landed and its answer is stored.
    Deliver(SaleRecord),
    /// It has landed and its answer is to be made.
    Make(SaleRecord),
    /// It has landed and its answer is no longer stored.
    Gone(SaleRecord),
    /// This payment has failed.
    Failed(SaleRecord),
    /// The payment is to be sent. Its answer has this name, under which it may be stored already.
    Buy(AnswerId),
}

/// Outcome of a purchase.
enum Bought {
    /// The payment was sent, or had been sent before.
    Sent(Box<SaleRecord>),
    /// The model server has refused the request, which costs nothing.
    Refused(Response),
}

/// Outcome of making an answer that is paid for.
pub(super) enum Made {
    /// It is stored.
    Stored,
    /// Meanwhile the payment bought the answer of another request; this is the request that was not sent.
    Spent(Forward),
    /// The model server has refused the request.
    Refused(Response),
}

/// Why an order has no answer.
pub(super) enum SaleError {
    /// The payment does not buy it. `record` is the failed payment, if it was sent.
    Refused(Refusal, Option<Box<SaleRecord>>),
    /// Another reason.
    Paywall(PaywallError),
}

impl From<PaywallError> for SaleError {
    fn from(error: PaywallError) -> Self {
        Self::Paywall(error)
    }
}

impl From<Box<dyn EngineError>> for SaleError {
    fn from(error: Box<dyn EngineError>) -> Self {
        Self::Paywall(error.into())
    }
}

impl From<Refusal> for SaleError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, None)
    }
}

impl Paywall {
    /// Adds the offers of a request in all protocols to its 402, whose body is the JSON of a problem
    /// document: none if the route is not sold without a channel, or if the cluster is unreachable.
    async fn with_offers(
        &self,
        desk: &dyn SaleDesk,
        (request, error): (&Request, &str),
        response: Response,
        problem: &[u8],
    ) -> Response {
        let item = match self.item(desk, &request.route).await {
            Ok(Some(item)) => item,
            Ok(None) => return response,
            Err(error) => {
                tracing::debug!(%error, "no offer without a channel");
                return response;
            }
        };
        let blockhash = desk.blockhash().await.ok();
        let facts = OfferFacts { item, blockhash, now: self.engine().now() };
        let offers = self.prepared_offers().of(desk, &request.route, facts);
        offers.apply(desk, (request, error), response, problem)
    }

    /// Returns how a route is sold without a channel; `None` if it is not.
    pub(crate) async fn item(
        &self,
        desk: &dyn SaleDesk,
        route: &PaidRoute,
    ) -> Result<Option<SaleItem>, PaywallError> {
        let Some(units) = route.fixed_sale_units() else { return Ok(None) };
        let item = desk.item(route.work.0, route.licensed_use, units).await?;
        Ok(item.filter(|item| item.amount >= desk.config().least_price))
    }

    /// Returns the 402 of a request without a payment.
    pub(crate) async fn offer_sale(
        &self,
        desk: &dyn SaleDesk,
        request: &Request,
        unpaid: &Unpaid,
    ) -> Response {
        let why = (request, "payment required");
        self.with_offers(desk, why, unpaid.response(), unpaid.problem()).await
    }

    /// Sells an answer for a payment without a channel.
    pub(crate) async fn sell(
        &self,
        desk: Arc<dyn SaleDesk>,
        request: Request,
        payment: (Dialect, HeaderValue),
        forward: Forward,
    ) -> Result<Response, PaywallError> {
        let (dialect, value) = payment;
        let payment = match SalePayment::read(dialect, &value) {
            Ok(payment) => payment,
            Err(what) if dialect == Dialect::Mpp => {
                let refusal = Refusal::new(Word::NotDecoded, what);
                return Ok(self.refuse(&*desk, &request, dialect, (refusal, None)).await);
            }
            Err(what) => return Err(PaywallError::Malformed(what)),
        };
        match self.try_sell(&desk, &request, &payment, forward).await {
            Ok(response) => Ok(response),
            Err(SaleError::Paywall(error)) => Err(error),
            Err(SaleError::Refused(refusal, record)) => {
                // A buyer with an unknown outcome gets no offer, whatever else is wrong.
                if self.is_unsettled(&*desk, &request, &payment).await? {
                    return Err(PaywallError::PaymentUnsettled);
                }
                Ok(self.refuse(&*desk, &request, dialect, (refusal, record)).await)
            }
        }
    }

    /// Returns whether an earlier payment of the wallet for the same request and name may still land.
    async fn is_unsettled(
        &self,
        desk: &dyn SaleDesk,
        request: &Request,
        payment: &SalePayment,
    ) -> Result<bool, PaywallError> {
        let Some(wallet) = payment.wallet() else { return Ok(false) };
        let earlier = desk.of_request(&wallet, &request.digest, payment.name()).await?;
        Ok(earlier.iter().any(|sale| sale.state == SaleState::Sent))
    }

    async fn try_sell(
        &self,
        desk: &Arc<dyn SaleDesk>,
        request: &Request,
        payment: &SalePayment,
        forward: Forward,
    ) -> Result<Response, SaleError> {
        let order = self.order(&**desk, request.clone(), payment).await?;
        let mut forward = Some(forward);
        loop {
            // Equal purchases of a wallet take turns: the later ones find what the first one bought.
            let turn = self.sale_locks().lock(order.key()).await;
            match self.next_step(&**desk, &order).await? {
                Step::Await(record) => {
                    drop(turn);
                    let ended = self.await_end(&**desk, &record).await?;
                    if let Some(response) = self.deliver_own(desk, &order, &ended).await? {
                        return Ok(response);
                    }
                }
                Step::Deliver(record) => {
                    if record.payment != order.id {
                        // The same bytes again are not sent either.
                        let until = self.engine().now() + i64::from(self.config().keep_seconds);
                        self.answered_payments().add(order.id, record.payment, until);
                    }
                    drop(turn);
                    return Ok(self.sale_response(desk, &record, Some(order.payment)).await?);
                }
                Step::Gone(record) => {
                    let gone = PaywallError::Gone.into_response();
                    let why = (request, Some(order.payment));
                    return Ok(self.paid_without_answer(&**desk, &record, why, gone).await?);
                }
                Step::Failed(record) => {
                    let refusal = Refusal::new(Word::TransactionFailed, "the payment has failed");
                    return Err(SaleError::Refused(refusal, Some(Box::new(record))));
                }
                Step::Make(record) => {
                    let sent = forward.take().ok_or(PaywallError::Running)?;
                    let purchase = (request, order.payment.name());
                    let made = self.make_sold(desk, purchase, record.clone(), (sent, turn)).await;
                    let response = match made {
                        Ok(Made::Stored) => continue,
                        Ok(Made::Spent(unsent)) => {
                            forward = Some(unsent);
                            continue;
                        }
                        Ok(Made::Refused(response)) => response,
                        Err(SaleError::Paywall(owed @ PaywallError::AnswerOwed(_))) => {
                            owed.into_response()
                        }
                        Err(error) => return Err(error),
                    };
                    let why = (request, Some(order.payment));
                    return Ok(self.paid_without_answer(&**desk, &record, why, response).await?);
                }
                Step::Buy(answer) => {
                    let forward =
                        if order.request.route.is_upfront() { None } else { forward.take() };
                    let record = match self.buy(desk, &order, answer, (forward, turn)).await? {
                        Bought::Sent(record) => *record,
                        Bought::Refused(refused) => return Ok(refused),
                    };
                    let ended = self.await_end(&**desk, &record).await?;
                    if let Some(response) = self.deliver_own(desk, &order, &ended).await? {
                        return Ok(response);
                    }
                }
            }
        }
    }

    /// Returns the answer of an order's own payment that has just landed, if it is stored: without a turn
    /// and another read.
    async fn deliver_own(
        &self,
        desk: &Arc<dyn SaleDesk>,
        order: &Order<'_>,
        ended: &SaleRecord,
    ) -> Result<Option<Response>, SaleError> {
        let is_own = ended.payment == order.id && ended.state == SaleState::Landed;
        let answer = self.spool().find(&ended.answer).filter(|_| is_own);
        if answer.is_none_or(|answer| answer.request_digest.0 != order.request.digest) {
            return Ok(None);
        }
        Ok(Some(self.sale_response(desk, ended, Some(order.payment)).await?))
    }

    /// Checks a payment against the offer as it is made now, unless the payment was sent before.
    async fn order<'a>(
        &self,
        desk: &dyn SaleDesk,
        request: Request,
        payment: &'a SalePayment,
    ) -> Result<Order<'a>, SaleError> {
        let transaction = ClientTransaction::parse(&payment.transaction()?)?;
        let id = transaction.id();
        let found = desk.find(&id).await?;
        if let Some(record) = found {
            let (acceptance, repeats) = (&record.acceptance, payment.repeats(&record.acceptance));
            // Without a nonce, a copy from the chain would take the payment for a request of its own.
            let can_move = repeats && acceptance.nonce != 0;
            let is_own = record.request_digest == request.digest;
            if !(is_own || can_move) || !self.is_owed_to(&record, &request) {
                return Err(PaywallError::PaymentForAnotherRequest.into());
            }
            if !repeats {
                let what = "the payment does not repeat the offer that it paid for";
                return Err(Refusal::new(Word::MemoMismatch, what).into());
            }
            let wallet = record.wallet;
            return Ok(Order { request, payment, transaction, id, wallet, bought: None });
        }
        let item = self.item(desk, &request.route).await?;
        let unsold = || Refusal::new(Word::NotServed, "the route is not sold without a channel");
        let item = item.ok_or_else(unsold)?;
        let now = self.engine().now();
        let digests = (request.digest, request.body_digest);
        let mut refusal = Refusal::new(Word::MemoMismatch, "the offer has ended");
        for acceptance in payment.acceptances(desk, &item, digests, now)? {
            match item.payment(&acceptance).check(&transaction) {
                Ok(wallet) => {
                    let bought = Some((item, acceptance));
                    return Ok(Order { request, payment, transaction, id, wallet, bought });
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal.into())
    }

    /// Decides what to do for an order, in its turn.
    async fn next_step(&self, desk: &dyn SaleDesk, order: &Order<'_>) -> Result<Step, SaleError> {
        if let Some(own) = desk.find(&order.id).await? {
            return Ok(match own.state {
                SaleState::Sent => Step::Await(own),
                SaleState::Landed => self.landed_step(own, &order.request)?,
                SaleState::Failed | SaleState::Expired => Step::Failed(own),
            });
        }
        if let Some(earlier) = self.answered_payments().sale_of(&order.id)
            && let Some(earlier) = desk.find(&earlier).await?
        {
            return Ok(self.landed_step(earlier, &order.request)?);
        }
        let (wallet, digest) = (&order.wallet, &order.request.digest);
        let name = order.payment.name();
        if !name.is_empty() && desk.is_name_taken(wallet, digest, name).await? {
            return Err(PaywallError::PaymentForAnotherRequest.into());
        }
        let mut answer = order.id;
        for earlier in desk.of_request(wallet, digest, name).await? {
            match earlier.state {
                SaleState::Sent => return Ok(Step::Await(earlier)),
                SaleState::Landed
                    if !self.is_kept(&earlier)
                        || !order.is_of(&earlier)
                        || !self.is_owed_to(&earlier, &order.request) =>
                {
                    answer = order.id;
                }
                SaleState::Landed => return Ok(self.landed_step(earlier, &order.request)?),
                SaleState::Failed | SaleState::Expired => {
                    // The answer of a payment that failed is still for this buyer.
                    if self.spool().find(&earlier.answer).is_some() {
                        answer = earlier.answer;
                    }
                }
            }
        }
        if order.request.route.is_upfront()
            && let Some((_, acceptance)) = &order.bought
        {
            // The wallet has paid for a request that was refused: it is not charged for the next one.
            let refused = desk.refused(wallet).await?.into_iter();
            let mut same = refused.filter(|earlier| is_same_item(&earlier.acceptance, acceptance));
            if let Some(earlier) = same.find(|earlier| self.is_owed_to(earlier, &order.request)) {
                return Ok(Step::Make(earlier));
            }
        }
        Ok(Step::Buy(answer))
    }

    /// Returns whether a payment that was sent buys the answer of a request: of the one that it was sent
    /// for, or of another one of its route, if the model server refused the first and none was answered.
    fn is_owed_to(&self, record: &SaleRecord, request: &Request) -> bool {
        if let Some(answer) = self.spool().find(&record.answer) {
            return answer.request_digest.0 == request.digest;
        }
        let (acceptance, route) = (&record.acceptance, &request.route);
        let is_of_route = || {
            route.is_upfront()
                && record.shares.works.iter().all(|share| share.work == route.work.0)
                && acceptance.licensed_use == route.licensed_use
                && route.fixed_sale_units() == Some(acceptance.units)
        };
        let is_open = record.is_refused
            && record.output_digest.is_none()
            && record.state == SaleState::Landed
            && self.is_kept(record);
        record.request_digest == request.digest || (is_open && is_of_route())
    }

    /// Returns whether the answer of a landed payment is still owed.
    fn is_kept(&self, record: &SaleRecord) -> bool {
        let ended = record.ended_at.unwrap_or(record.sent_at);
        let kept = ended.saturating_add(self.config().keep_seconds.into());
        self.engine().now() <= kept
    }

    /// Decides what to do for a request whose payment has landed.
    pub(super) fn landed_step(
        &self,
        record: SaleRecord,
        request: &Request,
    ) -> Result<Step, PaywallError> {
        if !self.is_owed_to(&record, request) {
            return Err(PaywallError::PaymentForAnotherRequest);
        }
        if !self.is_kept(&record) {
            return Ok(Step::Gone(record));
        }
        if self.spool().find(&record.answer).is_some() {
            return Ok(Step::Deliver(record));
        }
        if record.delivered_at.is_some() {
            return Ok(Step::Gone(record));
        }
        match record.holder {
            Some(holder) if record.output_digest.is_some() => {
                Err(PaywallError::AnswerElsewhere(holder))
            }
            _ => Ok(Step::Make(record)),
        }
    }

    /// Waits for the end of a payment, and returns it.
    ///
    /// # Errors
    /// [`PaywallError::PaymentUnsettled`] if it is not known in time.
    async fn await_end(
        &self,
        desk: &dyn SaleDesk,
        record: &SaleRecord,
    ) -> Result<SaleRecord, PaywallError> {
        let within = Duration::from_secs(desk.config().settle_seconds.into());
        tokio::select! {
            ended = timeout(within, desk.outcome(&record.payment)) => match ended {
                Ok(ended) => Ok(ended?),
                Err(_) => Err(PaywallError::PaymentUnsettled),
            },
            () = self.stop().cancelled() => Err(PaywallError::PaymentUnsettled),
        }
    }

    /// Makes the answer, if `forward` has the request for it, and sends the payment. Continues if the
    /// client disconnects.
    async fn buy(
        &self,
        desk: &Arc<dyn SaleDesk>,
        order: &Order<'_>,
        answer: AnswerId,
        (forward, turn): (Option<Forward>, OwnedMutexGuard<()>),
    ) -> Result<Bought, SaleError> {
        let Some((item, acceptance)) = order.bought.clone() else {
            return Err(PaywallError::internal("a payment without an offer").into());
        };
        let new = NewSale {
            wallet: order.wallet,
            transaction: order.transaction.clone(),
            request_digest: order.request.digest,
            name: order.payment.name().to_owned(),
            acceptance,
            shares: item.shares,
            answer,
            output_digest: None,
        };
        let (paywall, desk) = (self.clone(), desk.clone());
        let request = order.request.clone();
        let buying = async move {
            let _turn = turn;
            paywall.make_and_pay(desk, request, new, forward).await
        };
        let bought = self.tasks().spawn(buying.with_current_context()).await;
        bought.map_err(PaywallError::internal)?
    }

    async fn make_and_pay(
        self,
        desk: Arc<dyn SaleDesk>,
        request: Request,
        new: NewSale,
        forward: Option<Forward>,
    ) -> Result<Bought, SaleError> {
        let is_stored = self.spool().find(&new.answer).is_some();
        let wait = self.setbacks().wait(&new.wallet, self.engine().now());
        if wait > 0 && !is_stored {
            return Err(PaywallError::WalletFailing(wait).into());
        }
        if let Err(reason) = desk.simulate(&new.transaction).await? {
            self.setbacks().add(new.wallet, 1, self.engine().now());
            return Err(Refusal::new(Word::SimulationFailed, reason).into());
        }
        let forward = forward.filter(|_| !is_stored);
        // An answer is made only if its payment can be sent afterwards.
        let within = forward.as_ref().map_or(Duration::ZERO, |_| request.route.answer_within);
        self.check_end(&new, within)?;
        if let Some(forward) = forward {
            let made = self.make(&request, (new.wallet, new.answer), forward).await?;
            if let Some(refused) = made {
                return Ok(Bought::Refused(refused));
            }
        }
        // Keeps the answer until the end of its payment is known.
        let guard = self.spool().begin_payment(&new.answer);
        let stored = self.spool().find(&new.answer);
        if stored.is_none() && !request.route.is_upfront() {
            return Err(PaywallError::Gone.into()); // the folder was emptied
        }
        if let Some(answer) = &stored {
            drop(self.stored_body(answer).await?); // a damaged answer is not charged
        }
        self.check_end(&new, Duration::ZERO)?;
        let output_digest = stored.map(|answer| answer.output_digest.0);
        let record = desk.submit(NewSale { output_digest, ..new }).await?;
        let (paywall, sent) = (self.clone(), record.clone());
        self.tasks().spawn(async move {
            tokio::select! {
                () = paywall.keep_until_end(&*desk, &sent) => {}
                () = paywall.stop().cancelled() => {} // the next start continues
            }
            drop(guard);
        });
        Ok(Bought::Sent(Box::new(record)))
    }

    /// Checks that a payment that is sent after a while lands before its offer ends.
    fn check_end(&self, new: &NewSale, after: Duration) -> Result<(), Refusal> {
        let left = new.acceptance.not_after - self.engine().now() - LANDING_SECONDS;
        if u64::try_from(left).is_ok_and(|left| left >= after.as_secs()) {
            return Ok(());
        }
        Err(Refusal::new(Word::MemoMismatch, "the offer has ended"))
    }

    /// Waits for the end of a payment, and marks its answer as paid if it has landed. Reads the end again
    /// until it succeeds: the answer may be sold.
    pub(crate) async fn keep_until_end(&self, desk: &dyn SaleDesk, record: &SaleRecord) {
        let ended = loop {
            match desk.outcome(&record.payment).await {
                Ok(ended) => break ended,
                Err(error) => {
                    tracing::error!(%error, "the end of a payment was not read; retrying");
                }
            }
            sleep(RETRY_AFTER).await;
        };
        let now = self.engine().now();
        match ended.state {
            SaleState::Landed => {
                let until = now.saturating_add(self.config().keep_seconds.into());
                self.spool().mark_sold(&record.answer, until);
                self.setbacks().clear(&record.wallet);
            }
            SaleState::Failed | SaleState::Expired => {
                // It has cost an answer or a fee. The answer is stored for the next payment.
                self.setbacks().add(record.wallet, Setbacks::FREE + 1, now);
            }
            SaleState::Sent => {}
        }
    }

    /// Makes the answer of a payment that has landed, for the purchase of a request under a name.
    pub(super) async fn make_sold(
        &self,
        desk: &Arc<dyn SaleDesk>,
        (request, name): (&Request, &str),
        record: SaleRecord,
        (forward, turn): (Forward, OwnedMutexGuard<()>),
    ) -> Result<Made, SaleError> {
        let (paywall, desk) = (self.clone(), desk.clone());
        let (request, name) = (request.clone(), name.to_owned());
        let making = async move {
            let _turn = turn;
            // Requests that the payment may buy take turns, too.
            let key = (record.wallet, record.payment, String::new());
            let _payment = paywall.sale_locks().lock(key).await;
            let missing = || PaywallError::internal("a payment that was not stored");
            let record = desk.find(&record.payment).await?.ok_or_else(missing)?;
            if !paywall.is_owed_to(&record, &request) {
                return Ok(Made::Spent(forward));
            }
            if paywall.spool().find(&record.answer).is_none() {
                let made = paywall.make(&request, (record.wallet, record.answer), forward).await;
                let made = made.map_err(|error| PaywallError::AnswerOwed(Box::new(error)))?;
                if let Some(refused) = made {
                    desk.record(&record.payment, SaleEvent::Refused).await?;
                    return Ok(Made::Refused(refused));
                }
            }
            let keep = i64::from(paywall.config().keep_seconds);
            let until = paywall.engine().now().saturating_add(keep);
            paywall.spool().mark_sold(&record.answer, until);
            if let Some(answer) = paywall.spool().find(&record.answer) {
                let (output_digest, request_digest) = (answer.output_digest.0, request.digest);
                let event = SaleEvent::Made { output_digest, request_digest, name };
                desk.record(&record.payment, event).await?;
            }
            Ok::<_, SaleError>(Made::Stored)
        };
        let made = self.tasks().spawn(making.with_current_context()).await;
        made.map_err(PaywallError::internal)?
    }

    /// Returns the 402 of a payment that buys nothing, with fresh offers.
    async fn refuse(
        &self,
        desk: &dyn SaleDesk,
        request: &Request,
        dialect: Dialect,
        (refusal, record): (Refusal, Option<Box<SaleRecord>>),
    ) -> Response {
        let error = format!("{}: {}", refusal.word.as_str(), refusal.what);
        let problem = refusal_problem(dialect, &refusal);
        let mut response = PaywallError::SaleRefused(refusal.clone()).into_response();
        if let Some(record) = record {
            let settled = x402::Settlement {
                transaction: signature_text(&record.signature),
                ..x402::Settlement::failed(refusal.word.as_str(), network(desk, dialect))
            };
            let name = match dialect {
                Dialect::X402V1 => x402::RESPONSE_HEADER_V1,
                Dialect::X402 | Dialect::Mpp => x402::RESPONSE_HEADER,
            };
            if let Ok(value) = HeaderValue::try_from(x402::to_header(&settled)) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        let problem = serde_json::to_vec(&problem).unwrap_or_default(); // texts and numbers
        self.with_offers(desk, (request, &error), response, &problem).await
    }
}

/// Returns whether two acceptances are of the same item at the same price under the same terms.
fn is_same_item(earlier: &SaleAcceptance, present: &SaleAcceptance) -> bool {
    let SaleAcceptance { request_digest, not_after, nonce, .. } = *present;
    SaleAcceptance { request_digest, not_after, nonce, ..*earlier } == *present
}

/// Returns the problem document of a refusal. MPP has types of its own.
fn refusal_problem(dialect: Dialect, refusal: &Refusal) -> Problem {
    let problem = PaywallError::SaleRefused(refusal.clone()).problem();
    if dialect != Dialect::Mpp {
        return problem;
    }
    let word = match refusal.word {
        Word::NotDecoded => "malformed-credential",
        Word::MemoMismatch => "invalid-challenge",
        Word::AmountMismatch => "payment-insufficient",
        _ => "verification-failed",
    };
    Problem { slug: format!("{}{word}", mpp::PROBLEMS), ..problem }
}
