use std::{fmt, sync::Arc, time::Duration};

use backon::{ConstantBuilder, Retryable};
use motif_payer::{now, purchase::API_KEY_HEADER};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use tokio::time::{Instant, timeout};

use super::{
    GatewayError, IdempotencyKey, PaidRequest,
    error::untrusted,
    wire::{Payment, PaymentRequired, PriceTag, Problem},
};
use crate::http;

/// Client of model servers behind paywalls. Clones share connections.
///
/// Redirects are not followed, because a payment is bound to its URL.
#[derive(Clone)]
pub struct PaywallClient {
    http: reqwest::Client,
    max_bytes: usize,
    patience: Duration,
    api_key: Option<Arc<str>>,
}

/// Answer with its body.
pub(super) struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(3_600);
/// Time after the end of its hold in which a request is answered: the answer may have been paid for before.
const AFTER_HOLD: Duration = Duration::from_secs(30);
/// Time in which a paywall returns what was paid for.
const PAID_TIMEOUT: Duration = Duration::from_secs(300);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses between attempts; [`PaywallClient::patience`] limits their number.
const BACKOFF: ConstantBuilder =
    ConstantBuilder::new().with_delay(Duration::from_millis(200)).without_max_times();
/// Maximum length of a server's body in an error.
const MAX_TEXT_BYTES: usize = 300;

impl PaywallClient {
    /// Creates a client that accepts answers of up to 64 MiB.
    pub fn new() -> Self {
        // Fails only if the system resolver cannot be set up.
        Self::from_builder(http::client_builder())
            .unwrap_or_else(|_| Self::with(Default::default()))
    }

    /// Creates a client with other settings of its connections, such as a resolver. Redirects,
    /// compression and time limits are set by this client.
    ///
    /// # Errors
    /// Those of the builder.
    pub fn from_builder(builder: reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        let builder = builder
            .redirect(reqwest::redirect::Policy::none())
            // Receipts contain the digest of the unencoded body.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .tcp_nodelay(true);
        builder.build().map(Self::with)
    }

    fn with(http: reqwest::Client) -> Self {
        Self { http, max_bytes: 64 << 20, patience: Duration::from_secs(10), api_key: None }
    }

    /// Sets the maximum size of an answer, bytes. Default: 64 MiB.
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets how long unanswered requests are repeated. Default: 10 seconds.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets the API key, which gateways without open access require. Default: none.
    pub fn api_key(self, token: &str) -> Self {
        Self { api_key: Some(token.into()), ..self }
    }

    /// Returns the price of a request. Nothing is held or paid.
    ///
    /// # Errors
    /// [`GatewayError::Refused`], [`GatewayError::Unreachable`]; [`GatewayError::Untrusted`] if the
    /// answer has no price.
    pub async fn price_tag(
        &self,
        method: &Method,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<PriceTag, GatewayError> {
        let ask = || with(self.http.request(method.clone(), url), headers).body(body.to_vec());
        let answered = self.patiently(url, ask).await?;
        match answered.required()? {
            Some(PaymentRequired::PriceTag(price_tag)) => Ok(*price_tag),
            Some(PaymentRequired::Due(_)) => {
                Err(untrusted("payment is due before a price was named"))
            }
            None => Err(answered.refusal()),
        }
    }

    /// Sends a payment, with its request if it is the first one.
    pub(super) async fn send(
        &self,
        request: &PaidRequest,
        payment: &Payment,
    ) -> Result<Answered, GatewayError> {
        let paying = || self.paying(request, payment).timeout(within(request, payment));
        self.patiently(&request.url, paying).await
    }

    /// Sends a payment once and returns the response before its body is read.
    pub(super) async fn open(
        &self,
        request: &PaidRequest,
        payment: &Payment,
    ) -> Result<Response, GatewayError> {
        // The body of a stream takes longer than its head.
        let sent = timeout(within(request, payment), self.paying(request, payment).send()).await;
        let sent = sent.map_err(|_| untrusted("no answer within the time of its hold"))?;
        sent.map_err(|error| unreachable(&request.url, error))
    }

    /// Returns the maximum size of an answer, bytes.
    pub(super) fn limit(&self) -> usize {
        self.max_bytes
    }

    fn paying(&self, request: &PaidRequest, payment: &Payment) -> RequestBuilder {
        let sent = self.http.request(request.method.clone(), &request.url);
        let sent = sent.header(Payment::HEADER, payment.to_header());
        // The key also routes a payment without its request, if there are several gateways.
        let sent = sent.header(IdempotencyKey::HEADER, request.key.as_str());
        let sent = match &self.api_key {
            Some(token) => sent.header(API_KEY_HEADER, &**token),
            None => sent,
        };
        match payment {
            Payment::Ask(_) => with(sent, &request.headers).body(request.body.clone()),
            Payment::Pay(_) => sent,
        }
    }

    /// Sends a request, and repeats it until it is answered or `patience` has passed. Repeating is
    /// safe: an idempotency key names one answer, and a voucher pays once.
    async fn patiently(
        &self,
        url: &str,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Answered, GatewayError> {
        let deadline = Instant::now() + self.patience;
        let attempt = || async {
            let sent = request().send().await;
            let response = sent.map_err(|error| unreachable(url, error))?;
            Answered::read(response, self.max_bytes).await
        };
        let is_transient = |error: &GatewayError| {
            matches!(error, GatewayError::Unreachable { .. }) && Instant::now() < deadline
        };
        attempt.retry(BACKOFF).when(is_transient).await
    }
}

impl Default for PaywallClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PaywallClient {
    /// Omits the API key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PaywallClient").finish_non_exhaustive()
    }
}

impl Answered {
    /// Reads the body of a response.
    pub(super) async fn read(
        mut response: Response,
        max_bytes: usize,
    ) -> Result<Self, GatewayError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let url = response.url().to_string();
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| unreachable(&url, error))?;
            let Some(chunk) = chunk else { return Ok(Self { status, headers, body }) };
            if body.len() + chunk.len() > max_bytes {
                return Err(untrusted("its answer exceeds this client's maximum size"));
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Returns the payment that the answer requires.
    pub(super) fn required(&self) -> Result<Option<PaymentRequired>, GatewayError> {
        if self.status != StatusCode::PAYMENT_REQUIRED {
            return Ok(None);
        }
        let Some(header) = self.text(PaymentRequired::HEADER) else { return Ok(None) };
        let read = PaymentRequired::from_header(header);
        read.map(Some).map_err(|error| untrusted(&error.to_string()))
    }

    /// Converts an unsuccessful answer into an error.
    pub(super) fn refusal(&self) -> GatewayError {
        match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => GatewayError::Refused(Box::new(problem)),
            Err(_) => {
                let words = &self.body[..self.body.len().min(MAX_TEXT_BYTES)];
                let text = String::from_utf8_lossy(words).into_owned();
                let (status, kind) = (self.status.as_u16(), self.kind());
                GatewayError::ServerRefused { status, text, kind, body: self.body[..].into() }
            }
        }
    }

    /// Returns a text header.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the content type of the body.
    pub(super) fn kind(&self) -> String {
        self.text(CONTENT_TYPE.as_str()).unwrap_or("application/octet-stream").to_owned()
    }
}

/// Returns the time in which a payment is answered: the model may take as long as the hold.
fn within(request: &PaidRequest, payment: &Payment) -> Duration {
    match payment {
        Payment::Ask(_) => {
            let left = request.expires_at.saturating_sub(now());
            AFTER_HOLD + Duration::from_secs(u64::try_from(left).unwrap_or(0))
        }
        Payment::Pay(_) => PAID_TIMEOUT,
    }
    .min(ANSWER_TIMEOUT)
}

fn with(mut request: RequestBuilder, headers: &[(String, String)]) -> RequestBuilder {
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
}

pub(super) fn unreachable(url: &str, source: reqwest::Error) -> GatewayError {
    GatewayError::unreachable(url, source)
}
