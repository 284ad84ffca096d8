use motif_payer::{Purchase, now};
use reqwest::Method;

use super::{
    GatewayError, IdempotencyKey, PaidUnits, error::untrusted, paid_request_digest, wire::PriceTag,
};

/// Request to a model server behind a paywall. Repeating it returns the same bytes and pays once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidRequest {
    /// HTTP method.
    pub method: Method,
    /// URL.
    pub url: String,
    /// Headers, without those of the payment.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Index of the license that pays.
    pub license: u16,
    /// Number of units.
    pub units: PaidUnits,
    /// Idempotency key.
    pub key: IdempotencyKey,
    /// Last unix second in which the answer can be paid.
    pub expires_at: i64,
}

impl PaidRequest {
    /// Added to the required hold time, because clocks differ.
    const EXTRA_SECONDS: i64 = 60;

    /// Creates a request that is paid with a license as its price tag requires.
    pub fn new(
        method: Method,
        url: &str,
        body: Vec<u8>,
        license: u16,
        price_tag: &PriceTag,
    ) -> Self {
        let units = match price_tag.fixed_units {
            Some(units) => PaidUnits::Exactly(units),
            None => PaidUnits::AtMost(price_tag.most_units),
        };
        Self {
            method,
            url: url.to_owned(),
            headers: Vec::new(),
            body,
            license,
            units,
            key: IdempotencyKey::random(),
            expires_at: now() + i64::from(price_tag.hold_seconds) + Self::EXTRA_SECONDS,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the digest that binds the payment to the request.
    ///
    /// # Errors
    /// [`GatewayError::Untrusted`] if the URL is invalid.
    pub fn digest(&self) -> Result<[u8; 32], GatewayError> {
        let url: reqwest::Url = self.url.parse().map_err(|_| untrusted("invalid URL"))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{}{query}", url.path());
        Ok(paid_request_digest(self.method.as_str(), &target, &self.body))
    }

    /// Returns what is signed for the request.
    ///
    /// # Errors
    /// As [`PaidRequest::digest`].
    pub(super) fn purchase(&self) -> Result<Purchase, GatewayError> {
        let Self { license, units, expires_at, .. } = *self;
        let (key, request_digest) = (self.key.clone(), self.digest()?);
        Ok(Purchase { license, units, key, request_digest, expires_at })
    }
}
