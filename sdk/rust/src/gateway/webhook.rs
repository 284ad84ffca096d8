use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use reqwest::header::HeaderMap;
use ring::hmac;

/// Secret of a webhook, with which a gateway signs what it sends as
/// [Standard Webhooks](https://www.standardwebhooks.com) has it.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

/// Error returned when a request is not a new one of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Error returned when a text is not a secret.
    #[error("invalid secret: expected `whsec_` and standard base64 of 24 to 64 bytes")]
    InvalidSecret,
    /// Error returned when a header is missing or malformed.
    #[error("missing or malformed header `{0}`")]
    Header(&'static str),
    /// Error returned when a request was signed too far from the present time.
    #[error("the request was signed more than five minutes from now")]
    Stale,
    /// Error returned when no signature is of the secret.
    #[error("invalid signature")]
    Signature,
}

impl WebhookSecret {
    /// Header of the event's id.
    pub const ID: &'static str = "webhook-id";
    /// Header of the time of the signature, unix seconds.
    pub const TIMESTAMP: &'static str = "webhook-timestamp";
    /// Header of the signatures.
    pub const SIGNATURE: &'static str = "webhook-signature";
    /// Maximum difference between the clocks of gateway and receiver, seconds.
    pub const MAX_SKEW_SECONDS: u64 = 300;

    const PREFIX: &'static str = "whsec_";
    const VERSION: &'static str = "v1";

    /// Creates a secret.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// Parses a secret as a gateway shows it.
    ///
    /// # Errors
    /// [`WebhookError::InvalidSecret`].
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        let encoded = text.trim().strip_prefix(Self::PREFIX);
        let bytes = encoded.and_then(|encoded| BASE64.decode(encoded).ok());
        let bytes = bytes.filter(|bytes| (24..=64).contains(&bytes.len()));
        bytes.map(Self).ok_or(WebhookError::InvalidSecret)
    }

    /// Returns the header [`WebhookSecret::SIGNATURE`] of a request.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signature = hmac::sign(&self.key(), &signed(id, timestamp, body));
        format!("{},{}", Self::VERSION, BASE64.encode(signature))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

/// Returns what a signature covers.
fn signed(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{timestamp}.").as_bytes(), body].concat()
}

/// Verifies that a gateway sent a request within five minutes of `now`, unix seconds, and returns the
/// event's id. A receiver that keeps the ids of ten minutes also finds repetitions.
///
/// # Errors
/// [`WebhookError`].
pub fn verify_webhook<'a>(
    secret: &str,
    headers: &'a HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<&'a str, WebhookError> {
    let secret = WebhookSecret::parse(secret)?;
    let header = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or(WebhookError::Header(name))
    };
    let id = header(WebhookSecret::ID)?;
    let malformed = |_| WebhookError::Header(WebhookSecret::TIMESTAMP);
    let timestamp: i64 = header(WebhookSecret::TIMESTAMP)?.parse().map_err(malformed)?;
    let (key, signed) = (secret.key(), signed(id, timestamp, body));
    let is_signed = header(WebhookSecret::SIGNATURE)?.split(' ').any(|signature| {
        let encoded = signature.split_once(',');
        let encoded = encoded.filter(|(version, _)| *version == WebhookSecret::VERSION);
        let given = encoded.and_then(|(_, encoded)| BASE64.decode(encoded).ok());
        given.is_some_and(|given| hmac::verify(&key, &signed, &given).is_ok())
    });
    if !is_signed {
        return Err(WebhookError::Signature);
    }
    let is_fresh = timestamp.abs_diff(now) <= WebhookSecret::MAX_SKEW_SECONDS;
    if is_fresh { Ok(id) } else { Err(WebhookError::Stale) }
}

/// Formats the secret itself.
impl fmt::Display for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", Self::PREFIX, BASE64.encode(&self.0))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(secret: &WebhookSecret, timestamp: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let signature = format!("v1a,AAAA v1,AAAA {}", secret.sign("id", timestamp, b"{}"));
        headers.insert(WebhookSecret::ID, "id".parse().unwrap());
        headers.insert(WebhookSecret::TIMESTAMP, timestamp.into());
        headers.insert(WebhookSecret::SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn signature_is_that_of_the_specification() {
        // The specification's example.
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = b"{\"test\": 2432232314}";
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn changed_or_replayed_request_is_rejected() {
        let secret = WebhookSecret::new([7; 32]);
        let text = secret.to_string();
        let sent = headers(&secret, 1_000);
        for now in [700, 1_000, 1_300] {
            assert_eq!(verify_webhook(&text, &sent, b"{}", now), Ok("id"));
        }
        for now in [699, 1_301, i64::MIN, i64::MAX] {
            assert_eq!(verify_webhook(&text, &sent, b"{}", now), Err(WebhookError::Stale));
        }
        assert_eq!(verify_webhook(&text, &sent, b"{ }", 1_000), Err(WebhookError::Signature));
        let other = WebhookSecret::new([8; 32]).to_string();
        assert_eq!(verify_webhook(&other, &sent, b"{}", 1_000), Err(WebhookError::Signature));
        for (name, value) in [(WebhookSecret::ID, "di"), (WebhookSecret::TIMESTAMP, "1001")] {
            let mut changed = sent.clone();
            changed.insert(name, value.parse().unwrap());
            let verified = verify_webhook(&text, &changed, b"{}", 1_000);
            assert_eq!(verified, Err(WebhookError::Signature), "{name}");
            changed.remove(name);
            let verified = verify_webhook(&text, &changed, b"{}", 1_000);
            assert_eq!(verified, Err(WebhookError::Header(name)));
        }
        assert_eq!(WebhookSecret::parse("whsec_AAAA").err(), Some(WebhookError::InvalidSecret));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(not shown)");
    }
}
