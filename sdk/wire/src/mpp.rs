//! The HTTP authentication scheme `Payment` (MPP) with the intent `charge` on Solana.
//!
//! Source: tempoxyz/mpp-specs and what `mppx` 0.11.0 with `@solana/mpp` 0.6.0 sends. Values are base64url,
//! without padding, of JSON whose keys are sorted (RFC 8785).
//!
//! ```
//! use motif_wire::mpp;
//!
//! assert_eq!(mpp::timestamp(1_796_049_821), "2026-11-30T14:43:41Z");
//! ```

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Address, Amount, ParseHeaderError, paywall};

/// Header of a 402 with a [`Challenge`].
pub const CHALLENGE_HEADER: &str = "www-authenticate";
/// Header of a request with a [`Credential`].
pub const CREDENTIAL_HEADER: &str = "authorization";
/// Header of a response with a [`Receipt`].
pub const RECEIPT_HEADER: &str = "payment-receipt";
/// The authentication scheme.
pub const SCHEME: &str = "Payment";
/// The payment method.
pub const METHOD: &str = "solana";
/// The intent: one payment.
pub const CHARGE: &str = "charge";
/// Beginning of the problem types of MPP.
pub const PROBLEMS: &str = "https://paymentauth.org/problems/";

/// Payment that a server requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Identifier, by which the server recognizes its challenge.
    pub id: String,
    /// Host of the server.
    pub realm: String,
    /// Payment method, such as [`METHOD`].
    pub method: String,
    /// Intent, such as [`CHARGE`].
    pub intent: String,
    /// Encoded [`ChargeRequest`].
    pub request: String,
    /// End of the challenge, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `sha-256=` and the standard base64 of the SHA-256 of the request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Data of the server, encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque: Option<String>,
    /// Description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Request of the intent `charge`. Fields are in the order of RFC 8785.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeRequest {
    /// Base units.
    pub amount: Amount,
    /// Mint.
    pub currency: Address,
    /// Memo of the transaction.
    pub external_id: String,
    /// Details of Solana.
    pub method_details: MethodDetails,
    /// Owner of the associated token account that is paid.
    pub recipient: Address,
}

/// Details of a charge on Solana. Fields are in the order of RFC 8785.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodDetails {
    /// Decimals of the mint.
    pub decimals: u8,
    /// Whether the server pays the fee.
    pub fee_payer: bool,
    /// Key that signs as the fee payer.
    pub fee_payer_key: Address,
    /// Network, such as `mainnet-beta`.
    pub network: String,
    /// Recent blockhash, base58.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recent_blockhash: Option<String>,
    /// Program of the mint.
    pub token_program: Address,
}

/// Server's data in [`Challenge::opaque`]: texts, because clients read it as a record of texts. Fields are
/// in the order of RFC 8785.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opaque {
    /// Nonce, 16 hexadecimal digits.
    pub n: String,
    /// Last unix second of the payment, decimal digits.
    pub t: String,
}

/// Payment of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The challenge, repeated.
    pub challenge: Challenge,
    /// The payment.
    pub payload: CredentialPayload,
}

/// Payment of a [`Credential`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum CredentialPayload {
    /// Transaction without the fee payer's signature.
    Transaction {
        /// Standard base64.
        transaction: String,
    },
    /// Transaction that has landed.
    Signature {
        /// Signature of the transaction, base58.
        signature: String,
    },
}

/// Receipt of a payment. Fields are in the order of RFC 8785.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Identifier of the challenge.
    pub challenge_id: String,
    /// Payment method.
    pub method: String,
    /// Signature of the transaction, base58.
    pub reference: String,
    /// `success`.
    pub status: String,
    /// Time of the receipt, RFC 3339.
    pub timestamp: String,
}

impl Challenge {
    /// Returns the bytes that the identifier authenticates: realm, method, intent, request, expires,
    /// digest and opaque, divided by `|`. An absent field is empty.
    pub fn bound(&self) -> String {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.realm.clone(),
            self.method.clone(),
            self.intent.clone(),
            self.request.clone(),
            optional(&self.expires),
            optional(&self.digest),
            optional(&self.opaque),
        ]
        .join("|")
    }

    /// Returns the value of the header.
    pub fn to_header(&self) -> String {
        let mut text = format!(
            "{SCHEME} id=\"{}\", realm=\"{}\", method=\"{}\", intent=\"{}\", request=\"{}\"",
            self.id, self.realm, self.method, self.intent, self.request
        );
        let optional = [
            ("expires", &self.expires),
            ("digest", &self.digest),
            ("opaque", &self.opaque),
            ("description", &self.description),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                text.push_str(&format!(", {name}=\"{}\"", quoted(value)));
            }
        }
        text
    }
}

impl Credential {
    /// Returns whether the value of an `Authorization` header has the scheme of MPP.
    pub fn is_in(header: &str) -> bool {
        token(header).is_some()
    }

    /// Parses the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(header: &str) -> Result<Self, ParseHeaderError> {
        decode(token(header).unwrap_or_default())
    }

    /// Returns the value of an `Authorization` header.
    pub fn to_header(&self) -> String {
        format!("{SCHEME} {}", encode(self))
    }
}

/// Encodes a value as base64url of JSON.
pub fn encode(value: &impl Serialize) -> String {
    paywall::to_header(value)
}

/// Decodes base64url of JSON.
///
/// # Errors
/// [`ParseHeaderError`].
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, ParseHeaderError> {
    paywall::from_header(text.trim_end_matches('='))
}

/// Returns a time in RFC 3339, UTC. The first and last years are 1970 and 9999.
pub fn timestamp(unix_seconds: i64) -> String {
    const SECONDS: i64 = 86_400;
    const LAST: i64 = 253_402_300_799; // of the year 9999
    let seconds = unix_seconds.clamp(0, LAST);
    let (days, second) = (seconds / SECONDS, seconds % SECONDS);
    // Days since 1 March of the year 0, in cycles of 400 years.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Returns the token behind the scheme's name.
fn token(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim())
}

/// Escapes a quoted string; characters outside printable ASCII are left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for one in text.chars().filter(|one| (' '..='~').contains(one)) {
        if one == '"' || one == '\\' {
            quoted.push('\\');
        }
        quoted.push(one);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge() -> Challenge {
        Challenge {
            id: "abc".to_owned(),
            realm: "gw.example".to_owned(),
            method: METHOD.to_owned(),
            intent: CHARGE.to_owned(),
            request: "e30".to_owned(),
            expires: Some("2026-11-29T14:43:41Z".to_owned()),
            digest: None,
            opaque: Some("eyJuIjoiIn0".to_owned()),
            description: Some("a \"b\" \\ ü".to_owned()),
        }
    }

    #[test]
    fn challenge_header_is_quoted() {
        assert_eq!(
            challenge().to_header(),
            "Payment id=\"abc\", realm=\"gw.example\", method=\"solana\", intent=\"charge\", \
             request=\"e30\", expires=\"2026-11-29T14:43:41Z\", opaque=\"eyJuIjoiIn0\", \
             description=\"a \\\"b\\\" \\\\ \""
        );
    }

    #[test]
    fn bound_text_has_seven_fields() {
        let bound = challenge().bound();
        assert_eq!(bound, "gw.example|solana|charge|e30|2026-11-29T14:43:41Z||eyJuIjoiIn0");
        let digested = Challenge { digest: Some("sha-256=x".to_owned()), ..challenge() };
        assert_ne!(digested.bound(), bound);
    }

    #[test]
    fn charge_request_is_canonical() {
        let key = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w";
        let address: Address = key.parse().unwrap();
        let request = ChargeRequest {
            amount: Amount(12_200),
            currency: address,
            external_id: "memo".to_owned(),
            method_details: MethodDetails {
                decimals: 6,
                fee_payer: true,
                fee_payer_key: address,
                network: "mainnet-beta".to_owned(),
                recent_blockhash: Some("hash".to_owned()),
                token_program: address,
            },
            recipient: address,
        };
        let json = serde_json::to_string(&request).unwrap();
        let expected = format!(
            "{{\"amount\":\"12200\",\"currency\":\"{key}\",\"externalId\":\"memo\",\
             \"methodDetails\":{{\"decimals\":6,\"feePayer\":true,\"feePayerKey\":\"{key}\",\
             \"network\":\"mainnet-beta\",\"recentBlockhash\":\"hash\",\"tokenProgram\":\"{key}\"}},\
             \"recipient\":\"{key}\"}}"
        );
        assert_eq!(json, expected);
        assert_eq!(decode::<ChargeRequest>(&encode(&request)).unwrap(), request);
    }

    #[test]
    fn credential_is_read_from_authorization() {
        let payload = CredentialPayload::Transaction { transaction: "AQ==".to_owned() };
        let credential = Credential { challenge: challenge(), payload };
        let header = credential.to_header();
        assert_eq!(Credential::from_header(&header).unwrap(), credential);
        let lower = header.replacen("Payment", "payment", 1);
        assert!(Credential::is_in(&lower) && Credential::from_header(&lower).is_ok());
        assert!(!Credential::is_in("Bearer abc") && !Credential::is_in("Paymentx abc"));
        for wrong in ["Payment ", "Payment e30", "Payment !"] {
            assert!(Credential::from_header(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn timestamp_follows_the_calendar() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (-1, "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(unix), text);
        }
    }
}
