//! The gateway as the payment engine of a paywall, and the paywall's listener.
//!
//! The only module that knows the crate `motif-paywall`, apart from the configuration's listener.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use motif_paywall::{
    AmountDue, AnswerEvent, AnswerId, AnswerKey, ChannelLicense, EngineError, EngineResult,
    ForwardedFor, PartKeeper, PaymentEngine, Paywall, PaywallConfig, PaywallLayer, ReleaseListener,
    SaleDesk, Seller, SpoolError, Upstream, UpstreamUrl,
};
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{
        IdempotencyKey, PayerAction, ProblemType,
        wire::{
            Address, Amount, GenerationRequest, HoldFacts, HoldRequest, PayerProof, Problem, Quote,
            ScopeWord, Use,
        },
    },
    receipt::SignedReceipt,
};
use opentelemetry::trace::SpanKind;
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::{
    App,
    admission::ClientAddress,
    api_keys::ApiKeys,
    catalogue::Catalogue,
    channel_registry::ChannelRegistry,
    error::GatewayError,
    exchanges::AnsweredAfter,
    holds::Holds,
    keys::Caller,
    ledger::{Item, LedgerError},
    metering::Metering,
    metrics::Metrics,
    payer_request::verify_payer,
    sale::PaywallDesk,
    traces,
};

/// Payment engine of a paywall.
pub struct Engine {
    payments: Arc<Payments>,
    channels: Arc<ChannelRegistry>,
    catalogue: Arc<Catalogue>,
    keys: Arc<ApiKeys>,
    metrics: Arc<Metrics>,
    api_keys_required: bool,
}

/// Components that take payment.
struct Payments {
    holds: Arc<Holds>,
    metering: Arc<Metering>,
}

/// Caller of a paywall.
struct PayingCaller {
    payments: Arc<Payments>,
    caller: Caller,
}

/// Opens the paywall of a gateway.
///
/// # Errors
/// As [`Paywall::open`].
pub fn open(
    app: &App,
    config: PaywallConfig,
    stop: CancellationToken,
) -> Result<Paywall, SpoolError> {
    let request_seconds = app.config.limits.request_seconds;
    let config = PaywallConfig { request_seconds, ..config };
    let desk = app.sales.clone().map(|sales| Arc::new(PaywallDesk(sales)) as Arc<dyn SaleDesk>);
    Paywall::open_with_sales(Arc::new(Engine::new(app)), desk, config, stop)
}

/// Returns the router that sells the model server at the paywall's upstream.
pub fn sales_router(paywall: Paywall) -> Router {
    match paywall.routes().upstream().cloned() {
        Some(url) => {
            let server = model_server(url, paywall.routes().most_request_bytes());
            Router::new().fallback_service(PaywallLayer::new(paywall).layer(server))
        }
        // The configuration check rejects routes without an upstream.
        None => Router::new().fallback(async || GatewayError::NotFound),
    }
}

/// Returns whether a request has a payment without a channel, or a sign-in.
pub fn is_sale(request: &Request) -> bool {
    motif_paywall::is_sale(request.headers())
}

/// Returns the model server as a service: requests carry the client's address and the trace.
fn model_server(
    url: UpstreamUrl,
    max_request_bytes: usize,
) -> impl Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send>
+ Clone
+ Send
+ Sync {
    let upstream = Upstream::new(url, max_request_bytes).service();
    service_fn(move |mut request: Request| {
        let upstream = upstream.clone();
        async move {
            if let Some(client) = request.extensions().get::<ClientAddress>().copied() {
                request.extensions_mut().insert(ForwardedFor(client.0));
            }
            let answered = request.extensions().get::<AnsweredAfter>().cloned();
            let sent = async {
                traces::inject(request.headers_mut());
                let Ok(response) = upstream.oneshot(request).await;
                if let Some(answered) = answered {
                    answered.record();
                }
                // The proxy's own problems are failures of the model server.
                match response.extensions().get::<ProblemType>() {
                    Some(_) => Err(Box::new(response)),
                    None => Ok(response),
                }
            };
            let answered = traces::traced("model server", SpanKind::Client, sent).await;
            Ok(answered.unwrap_or_else(|failed| *failed))
        }
    })
}

impl Engine {
    /// Creates the payment engine of a gateway.
    pub fn new(app: &App) -> Self {
        let payments = Payments { holds: app.holds.clone(), metering: app.metering.clone() };
        Self {
            payments: Arc::new(payments),
            channels: app.channels.clone(),
            catalogue: app.catalogue.clone(),
            keys: app.keys.clone(),
            metrics: app.metrics.clone(),
            api_keys_required: app.config.api_keys_required,
        }
    }
}

#[async_trait]
impl PaymentEngine for Engine {
    fn now(&self) -> i64 {
        self.payments.metering.cluster.now()
    }

    async fn seller(&self) -> EngineResult<Seller> {
        let seller = self.catalogue.operator().await?;
        Ok(Seller { operator: seller.operator, cluster: seller.cluster.0 })
    }

    async fn quote(&self, work: Pubkey, licensed_use: Use) -> EngineResult<Quote> {
        Ok(self.catalogue.quote(work, licensed_use).await?)
    }

    async fn authenticate(
        &self,
        api_key: Option<&str>,
    ) -> EngineResult<Arc<dyn motif_paywall::Caller>> {
        let caller = match api_key {
            Some(token) => self.keys.authenticate(token).await?,
            None => Caller::default(),
        };
        caller.allow(ScopeWord::Meter, self.api_keys_required).map_err(GatewayError::from)?;
        Ok(Arc::new(PayingCaller { payments: self.payments.clone(), caller }))
    }

    async fn license(&self, channel: Pubkey, license: u16) -> EngineResult<ChannelLicense> {
        let channel = self.channels.get(&channel).await?;
        let locked = channel.lock();
        let licenses = &locked.ledger.account().licenses;
        let unknown = || GatewayError::rejected(LedgerError::LicenseNotFound(license));
        let license = licenses.get(usize::from(license)).ok_or_else(unknown)?;
        Ok(ChannelLicense {
            opened_slot: channel.opened_slot,
            work: Address(license.work),
            licensed_use: Use::from_byte(license.licensed_use),
        })
    }

    async fn recorded_channel(&self, channel: Pubkey) -> EngineResult<Channel> {
        Ok(self.channels.recorded(&channel).await?.1)
    }

    fn verify_payer(
        &self,
        address: Pubkey,
        channel: &Channel,
        action: PayerAction,
        proof: &PayerProof,
    ) -> EngineResult<()> {
        Ok(verify_payer(&address, channel, action, proof)?)
    }

    async fn hold(
        &self,
        channel: Pubkey,
        key: &IdempotencyKey,
        request: &HoldRequest,
    ) -> EngineResult<HoldFacts> {
        // The paywall, which has no API key, is the seller.
        Ok(self.payments.holds.add(channel, key, request, &Caller::default()).await?)
    }

    async fn is_held(&self, channel: Pubkey, hold: AnswerId) -> bool {
        self.payments.holds.is_held(&channel, &hold).await
    }

    async fn release(&self, channel: Pubkey, hold: AnswerId) {
        self.payments.holds.abandon(&channel, hold).await;
    }

    fn on_release(&self, listener: ReleaseListener) {
        self.payments.holds.on_release(listener);
    }

    fn keep_parts(&self, keeper: PartKeeper) {
        self.payments.metering.keep_parts(keeper);
    }

    async fn amount_due(
        &self,
        channel: Pubkey,
        license: u16,
        units: u32,
    ) -> EngineResult<AmountDue> {
        let channel = self.channels.get(&channel).await?;
        let (now, item) = (self.now(), Item { license, units });
        let locked = channel.lock();
        let (price, cumulative) = locked.ledger.cost(&item, now).map_err(GatewayError::rejected)?;
        Ok(AmountDue { price: Amount(price), expected: locked.expected(cumulative) })
    }

    async fn receipt(&self, answer: AnswerKey) -> EngineResult<Option<SignedReceipt>> {
        let AnswerKey { channel, id, part } = answer;
        Ok(self.payments.metering.receipt_of(channel, id, part).await?)
    }

    fn count(&self, event: AnswerEvent) {
        match event {
            AnswerEvent::Generated => self.metrics.answers_made.inc(),
            AnswerEvent::Delivered => self.metrics.answers_handed_over.inc(),
            AnswerEvent::Damaged => self.metrics.answers_damaged.inc(),
        };
    }
}

#[async_trait]
impl motif_paywall::Caller for PayingCaller {
    async fn pay(
        &self,
        answer: AnswerKey,
        request: GenerationRequest,
    ) -> EngineResult<SignedReceipt> {
        let Payments { holds, metering } = &*self.payments;
        let AnswerKey { channel, id, part } = answer;
        let paid = match part {
            0 => holds.capture(id, request, &self.caller).await,
            _ => metering.pay_part(channel, id, request, &self.caller).await,
        };
        Ok(paid?)
    }
}

impl EngineError for GatewayError {
    fn problem_type(&self) -> ProblemType {
        self.problem_type()
    }

    fn problem(&self) -> Problem {
        self.problem()
    }

    fn is_rejected_voucher(&self) -> bool {
        matches!(self, Self::Rejected { .. } | Self::IdempotencyKeyReused)
    }

    fn into_response(self: Box<Self>) -> Response {
        IntoResponse::into_response(*self)
    }
}
