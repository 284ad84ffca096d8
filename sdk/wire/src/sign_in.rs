//! Sign-in-with-x (x402 extension `sign-in-with-x`, CAIP-122) for Solana: a wallet proves itself to an origin
//! without a payment.
//!
//! A 402 declares the extension; the client signs the text of [`SignIn::message`] and sends [`SignIn`] as
//! standard base64 of JSON in the header [`SignIn::HEADER`].

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use solana_pubkey::Pubkey;

use super::Address;

/// Name of the x402 extension.
pub const SIGN_IN: &str = "sign-in-with-x";
/// Maximum age of a signature, seconds.
pub const MAX_AGE_SECONDS: i64 = 300;
/// Tolerance for a clock that is ahead, seconds.
const AHEAD_SECONDS: i64 = 60;
const VERSION: &str = "1";
const ED25519: &str = "ed25519";
/// Maximum length of the header.
const MAX_HEADER: usize = 8_192;

/// Signed message of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    /// Host of the origin, with its port.
    pub domain: String,
    /// Wallet.
    pub address: Address,
    /// Text for the person who signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// URL that was requested.
    pub uri: String,
    /// Version of the message: `1`.
    pub version: String,
    /// Network, CAIP-2.
    pub chain_id: String,
    /// Kind of the signature: `ed25519`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Random text of the server.
    pub nonce: String,
    /// Time of the challenge, RFC 3339.
    pub issued_at: String,
    /// End of the challenge, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_time: Option<String>,
    /// Start of the challenge, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Name of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Further URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Signature of the message, base58.
    pub signature: String,
}

/// Error returned when a sign-in proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Error returned when the header is not base64 of the JSON.
    #[error("invalid `sign-in-with-x`: expected standard base64 of JSON")]
    Malformed,
    /// Error returned when it is of another version, network or kind of signature.
    #[error("unsupported sign-in: expected version 1 and an ed25519 signature on Solana")]
    Unsupported,
    /// Error returned when it is for another origin or URL.
    #[error("the sign-in is for another URL")]
    OtherUrl,
    /// Error returned when it is too old, or not valid yet.
    #[error("the sign-in is not valid at this time")]
    NotNow,
    /// Error returned when the wallet did not sign it.
    #[error("invalid signature of the sign-in")]
    Signature,
}

impl SignIn {
    /// Name of the header.
    pub const HEADER: &'static str = SIGN_IN;

    /// Parses the header's value.
    ///
    /// # Errors
    /// [`SignInError::Malformed`].
    pub fn from_header(text: &str) -> Result<Self, SignInError> {
        if text.len() > MAX_HEADER {
            return Err(SignInError::Malformed);
        }
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| SignInError::Malformed)?;
        serde_json::from_slice(&bytes).map_err(|_| SignInError::Malformed)
    }

    /// Returns the text that the wallet signs.
    pub fn message(&self) -> String {
        let mut lines = vec![
            format!("{} wants you to sign in with your Solana account:", self.domain),
            self.address.to_string(),
            String::new(),
        ];
        if let Some(statement) = self.statement.as_deref().filter(|text| !text.is_empty()) {
            lines.extend([statement.to_owned(), String::new()]);
        }
        let reference = self.chain_id.split_once(':').map_or(&self.chain_id[..], |(_, id)| id);
        lines.extend([
            format!("URI: {}", self.uri),
            format!("Version: {}", self.version),
            format!("Chain ID: {reference}"),
            format!("Nonce: {}", self.nonce),
            format!("Issued At: {}", self.issued_at),
        ]);
        let optional = [
            ("Expiration Time", &self.expiration_time),
            ("Not Before", &self.not_before),
            ("Request ID", &self.request_id),
        ];
        for (name, value) in optional {
            lines.extend(value.iter().map(|value| format!("{name}: {value}")));
        }
        if !self.resources.is_empty() {
            lines.push("Resources:".to_owned());
            lines.extend(self.resources.iter().map(|resource| format!("- {resource}")));
        }
        lines.join("\n")
    }

    /// Returns the wallet that signed in for a URL, by `verifies(key, message, signature)`. `url` is the
    /// requested one, `now` unix seconds.
    ///
    /// # Errors
    /// [`SignInError`].
    pub fn wallet(
        &self,
        url: &str,
        now: i64,
        verifies: impl FnOnce(&Pubkey, &[u8], &[u8; 64]) -> bool,
    ) -> Result<Pubkey, SignInError> {
        let is_solana = self.chain_id.starts_with("solana:");
        if !is_solana || self.version != VERSION || self.kind != ED25519 {
            return Err(SignInError::Unsupported);
        }
        if self.domain != host(url) || self.uri != url {
            return Err(SignInError::OtherUrl);
        }
        // A text that is no time is never valid.
        let time = |text: &String| unix_seconds(text).ok_or(SignInError::NotNow);
        let issued_at = time(&self.issued_at)?;
        let expires_at = self.expiration_time.as_ref().map(time).transpose()?;
        let not_before = self.not_before.as_ref().map(time).transpose()?;
        let is_now = (now - MAX_AGE_SECONDS..=now + AHEAD_SECONDS).contains(&issued_at)
            && expires_at.is_none_or(|end| now <= end)
            && not_before.is_none_or(|start| start <= now + AHEAD_SECONDS);
        if !is_now {
            return Err(SignInError::NotNow);
        }
        let mut signature = [0; 64];
        five8::decode_64(&self.signature, &mut signature).map_err(|_| SignInError::Signature)?;
        if !verifies(&self.address.0, self.message().as_bytes(), &signature) {
            return Err(SignInError::Signature);
        }
        Ok(self.address.0)
    }
}

/// Returns the extension of a 402 that asks a wallet to sign in. `chain_id` is the network, CAIP-2;
/// `issued_at` RFC 3339.
pub fn challenge(url: &str, chain_id: &str, nonce: &str, issued_at: &str) -> Value {
    json!({
        "info": {
            "domain": host(url),
            "uri": url,
            "version": VERSION,
            "nonce": nonce,
            "issuedAt": issued_at,
            "statement": "Fetch again what you have bought.",
        },
        "supportedChains": [{ "chainId": chain_id, "type": ED25519 }],
        "schema": { "type": "object" },
    })
}

/// Returns the host of a URL, with its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Returns the unix seconds of an RFC 3339 time in UTC: `2026-11-30T12:00:00Z`, with any fraction.
fn unix_seconds(text: &str) -> Option<i64> {
    let (head, tail) = text.split_at_checked(19)?;
    let fraction = tail.strip_suffix('Z')?;
    let digits = fraction.strip_prefix('.').unwrap_or(fraction);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || fraction.len() == 1 {
        return None;
    }
    let is_shaped = head.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let number = |from: usize, to: usize| head.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    if !is_shaped || !(1..=12).contains(&month) || !(1..=31).contains(&day) || !is_time {
        return None;
    }
    // Days since 1 March of the year 0, as the length of February is then of no matter.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some((days + of_year - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, VerifyingKey};

    use super::*;

    /// Header that `@x402/extensions` 2.27.0 creates for the key of 32 bytes 7.
    const HEADER: &str = "eyJkb21haW4iOiJndy5leGFtcGxlIiwiYWRkcmVzcyI6IkdtYURycHBCQzdQNUFSS1Y4ZzNkaml3UDg5dnoxakxLMjNWMkdCanVBRUdCIiwic3RhdGVtZW50IjoiRmV0Y2ggYWdhaW4gd2hhdCB5b3UgaGF2ZSBib3VnaHQuIiwidXJpIjoiaHR0cHM6Ly9ndy5leGFtcGxlL3YxL2ltYWdlcz9zaXplPWwiLCJ2ZXJzaW9uIjoiMSIsImNoYWluSWQiOiJzb2xhbmE6RXRXVFJBQlphWXE2aU1mZVlLb3VSdTE2NlZVMnhxYTEiLCJ0eXBlIjoiZWQyNTUxOSIsIm5vbmNlIjoiOGYzYzVlMGExYjJjM2Q0ZTVmNjA3MTgyOTNhNGI1YzYiLCJpc3N1ZWRBdCI6IjIwMjYtMTEtMzBUMTI6MDA6MDBaIiwiZXhwaXJhdGlvblRpbWUiOiIyMDI2LTExLTMwVDEyOjA1OjAwWiIsInJlc291cmNlcyI6WyJodHRwczovL2d3LmV4YW1wbGUvdjEvaW1hZ2VzP3NpemU9bCJdLCJzaWduYXR1cmUiOiIyOVBFSlBzbVlWekd4THk1Q2g1Skh6OEg0SGgzWmNKMmtqbTN0ZXVqTldrQWlidk1LZHk2S1BjVHdBRWFlRXdGaUdCa3pXd2Z3NWZmVG91cU10SnhrSmhEIn0=";
    const URL: &str = "https://gw.example/v1/images?size=l";
    /// 2026-11-30T12:00:00Z.
    const ISSUED_AT: i64 = 1_796_040_000;

    fn verifies(key: &Pubkey, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(key.as_array()).unwrap();
        key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    #[test]
    fn sign_in_of_a_stock_client_verifies() {
        let sign_in = SignIn::from_header(HEADER).unwrap();
        let wallet = sign_in.wallet(URL, ISSUED_AT + 299, verifies).unwrap();
        assert_eq!(wallet.to_string(), "GmaDrppBC7P5ARKV8g3djiwP89vz1jLK23V2GBjuAEGB");
        assert!(sign_in.message().starts_with("gw.example wants you to sign in"));
    }

    #[test]
    fn sign_in_is_bound_to_url_and_time() {
        let sign_in = SignIn::from_header(HEADER).unwrap();
        let at = |url: &str, now: i64| sign_in.wallet(url, now, verifies);
        for url in ["https://gw.example/v1/images", "https://gw.example.evil/v1/images?size=l"] {
            assert_eq!(at(url, ISSUED_AT), Err(SignInError::OtherUrl), "{url}");
        }
        for now in [ISSUED_AT - 61, ISSUED_AT + 301] {
            assert_eq!(at(URL, now), Err(SignInError::NotNow), "{now}");
        }
    }

    #[test]
    fn changed_sign_in_is_rejected() {
        let sign_in = SignIn::from_header(HEADER).unwrap();
        let check = |changed: SignIn| changed.wallet(URL, ISSUED_AT, verifies);
        let other = SignIn { nonce: "another nonce".to_owned(), ..sign_in.clone() };
        assert_eq!(check(other), Err(SignInError::Signature));
        let other = SignIn { kind: "eip191".to_owned(), ..sign_in.clone() };
        assert_eq!(check(other), Err(SignInError::Unsupported));
        let other = SignIn { issued_at: "now".to_owned(), ..sign_in };
        assert_eq!(check(other), Err(SignInError::NotNow));
        assert_eq!(SignIn::from_header("e30="), Err(SignInError::Malformed));
    }

    #[test]
    fn times_are_read_in_utc() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T23:59:59Z", Some(1_709_251_199)),
            ("2026-11-30T12:00:00.123Z", Some(ISSUED_AT)),
            ("2026-11-30T12:00:00+01:00", None),
            ("2026-11-30T12:00:00", None),
            ("2026-13-30T12:00:00Z", None),
            ("2026-11-30 12:00:00Z", None),
            ("2026-11-30T12:00:00.Z", None),
            ("+026-11-30T12:00:00Z", None),
        ] {
            assert_eq!(unix_seconds(text), expected, "{text}");
        }
    }
}
