//! x402, versions 1 and 2, with the scheme `exact` on Solana.
//!
//! Source: the specifications of x402-foundation/x402 and what `@x402/*` 2.27.0 and `x402` 2.25.0 (Python) send.
//! Headers are standard base64, with padding, of JSON. Names are in camel case; amounts are strings of digits.
//!
//! ```
//! use motif_wire::x402;
//!
//! let settled = x402::Settlement::failed("settlement_pending", "solana");
//! let header = x402::to_header(&settled);
//! assert_eq!(x402::from_header::<x402::Settlement>(&header)?, settled);
//! # Ok::<(), x402::InvalidHeader>(())
//! ```

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Address, Amount, sale::SaleOffer};

/// Header of a 402 with a [`Challenge`].
pub const REQUIRED_HEADER: &str = "payment-required";
/// Header of a request with a [`Payment`].
pub const PAYMENT_HEADER: &str = "payment-signature";
/// Header of a response with a [`Settlement`].
pub const RESPONSE_HEADER: &str = "payment-response";
/// Header of a request with a [`PaymentV1`].
pub const PAYMENT_HEADER_V1: &str = "x-payment";
/// Header of a response to a [`PaymentV1`] with a [`Settlement`].
pub const RESPONSE_HEADER_V1: &str = "x-payment-response";
/// The scheme: one transfer of exactly the amount.
pub const EXACT: &str = "exact";
/// Value of [`Extra::payment_flow`]: the payment settles before the answer is made.
pub const UPFRONT: &str = "upfront";
/// Extension by which a client names a payment.
pub const PAYMENT_IDENTIFIER: &str = "payment-identifier";
/// Extension with the signed receipt of a response.
pub const OFFER_RECEIPT: &str = "offer-receipt";

/// Payments that a server accepts: `PaymentRequired` of version 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// 2.
    pub x402_version: u8,
    /// Why payment is required, or why one was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is sold.
    pub resource: Resource,
    /// Payments, of which one suffices.
    pub accepts: Vec<Requirements>,
    /// Extensions by name, each with `info` and `schema`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, Value>,
}

/// What is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Public URL of the request, with its query.
    pub url: String,
    /// Description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Content type of the answer, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// A payment that a server accepts: `PaymentRequirements` of version 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    /// Scheme, such as [`EXACT`].
    pub scheme: String,
    /// CAIP-2 identifier of the network.
    pub network: String,
    /// Base units.
    pub amount: Amount,
    /// Mint.
    pub asset: Address,
    /// Owner of the associated token account that is paid.
    pub pay_to: Address,
    /// Time limit of the payment, seconds.
    pub max_timeout_seconds: u64,
    /// Details of the scheme.
    #[serde(default)]
    pub extra: Extra,
}

/// A payment that a server accepts: `PaymentRequirements` of version 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequirementsV1 {
    /// Scheme, such as [`EXACT`].
    pub scheme: String,
    /// Name of the network, such as `solana`.
    pub network: String,
    /// Base units.
    pub max_amount_required: Amount,
    /// Public URL of the request.
    pub resource: String,
    /// Description for people.
    pub description: String,
    /// Content type of the answer; empty if it is not known.
    #[serde(default)]
    pub mime_type: String,
    /// Owner of the associated token account that is paid.
    pub pay_to: Address,
    /// Time limit of the payment, seconds.
    pub max_timeout_seconds: u64,
    /// Mint.
    pub asset: Address,
    /// Details of the scheme.
    #[serde(default)]
    pub extra: Extra,
}

/// Fields of version 1 in the body of a 402, beside those of its problem document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeV1 {
    /// 1.
    pub x402_version: u8,
    /// Why payment is required, or why one was refused.
    pub error: String,
    /// Payments, of which one suffices.
    pub accepts: Vec<RequirementsV1>,
}

/// Details of the scheme `exact` on Solana. Unknown fields are ignored, and so are hints in what a
/// client sends back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extra {
    /// Key that signs as the fee payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_payer: Option<Address>,
    /// Required memo of the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Hint: a recent blockhash, base58.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub recent_blockhash: Option<String>,
    /// Hint: last block height at which the blockhash is valid, decimal digits.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub last_valid_block_height: Option<String>,
    /// [`UPFRONT`], or absent for a payment that settles after the answer is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_flow: Option<String>,
    /// What the memo commits to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motif: Option<SaleOffer>,
}

/// Payload of the scheme `exact` on Solana.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExactPayload {
    /// Transaction without the fee payer's signature, standard base64.
    pub transaction: String,
}

/// Payment of a client: `PaymentPayload` of version 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// 2.
    pub x402_version: u8,
    /// Payload of the scheme.
    pub payload: ExactPayload,
    /// The accepted requirements as the client states them.
    pub accepted: Requirements,
    /// Extensions by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<BTreeMap<String, Value>>,
}

/// Payment of a client: `PaymentPayload` of version 1, which does not repeat the requirements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentV1 {
    /// 1.
    pub x402_version: u8,
    /// Scheme.
    pub scheme: String,
    /// Name of the network.
    pub network: String,
    /// Payload of the scheme.
    pub payload: ExactPayload,
}

/// Outcome of a payment: `SettleResponse`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// Whether the payment has landed.
    pub success: bool,
    /// Reason of a failure, a word of the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// Signature of the transaction, base58; empty if nothing was sent.
    pub transaction: String,
    /// Network as the request named it.
    pub network: String,
    /// Key that paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Address>,
    /// Base units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Extensions by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, Value>,
}

/// Request of `POST /verify` and `POST /settle` of a facilitator. The payment and the requirements
/// have the shapes of the version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest {
    /// 1 or 2.
    pub x402_version: u8,
    /// Payment of the client.
    pub payment_payload: Value,
    /// Requirements of the seller.
    pub payment_requirements: Value,
}

/// Response of `POST /verify` of a facilitator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Whether the payment would settle now.
    pub is_valid: bool,
    /// Reason of a refusal, a word of the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_reason: Option<String>,
    /// Description of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_message: Option<String>,
    /// Key that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Address>,
}

/// Response of `GET /supported` of a facilitator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Supported {
    /// Supported payments.
    pub kinds: Vec<Kind>,
    /// Supported extensions.
    pub extensions: Vec<String>,
    /// Fee payers by network.
    pub signers: BTreeMap<String, Vec<Address>>,
}

/// A supported payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// 1 or 2.
    pub x402_version: u8,
    /// Scheme.
    pub scheme: String,
    /// Network, in the version's form.
    pub network: String,
    /// Details: `feePayer`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub extra: Extra,
}

/// Error returned when a header is no standard base64 of the expected JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid header: expected standard base64 of JSON: {0}")]
pub struct InvalidHeader(String);

impl Payment {
    /// Returns the identifier that the client gave to the payment, `None` without one.
    ///
    /// # Errors
    /// [`InvalidHeader`] if it is not 16 to 128 characters of `[A-Za-z0-9_-]`.
    pub fn identifier(&self) -> Result<Option<&str>, InvalidHeader> {
        let extension = self.extensions.as_ref().and_then(|all| all.get(PAYMENT_IDENTIFIER));
        let Some(id) = extension.and_then(|extension| extension["info"].get("id")) else {
            return Ok(None);
        };
        let is_word = |id: &&str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            (16..=128).contains(&id.len()) && id.bytes().all(allowed)
        };
        let id = id.as_str().filter(is_word);
        let invalid = || InvalidHeader("the payment identifier is invalid".to_owned());
        id.map(Some).ok_or_else(invalid)
    }
}

impl Settlement {
    /// Creates the outcome of a payment that has not landed.
    pub fn failed(reason: &str, network: &str) -> Self {
        Self {
            success: false,
            error_reason: Some(reason.to_owned()),
            transaction: String::new(),
            network: network.to_owned(),
            payer: None,
            amount: None,
            extensions: BTreeMap::new(),
        }
    }
}

/// Returns the value of a header.
pub fn to_header(value: &impl Serialize) -> String {
    // These are structures of texts and numbers: writing them does not fail.
    BASE64_STANDARD.encode(serde_json::to_vec(value).unwrap_or_default())
}

/// Parses the value of a header.
///
/// # Errors
/// [`InvalidHeader`].
pub fn from_header<T: DeserializeOwned>(text: &str) -> Result<T, InvalidHeader> {
    let json = BASE64_STANDARD.decode(text).map_err(|error| InvalidHeader(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| InvalidHeader(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TILL: &str = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w";
    const MINT: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

    fn requirements() -> Requirements {
        Requirements {
            scheme: EXACT.to_owned(),
            network: "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".to_owned(),
            amount: Amount(12_200),
            asset: MINT.parse().unwrap(),
            pay_to: TILL.parse().unwrap(),
            max_timeout_seconds: 60,
            extra: Extra {
                fee_payer: Some(TILL.parse().unwrap()),
                memo: Some("A".repeat(32)),
                recent_blockhash: Some(MINT.to_owned()),
                ..Extra::default()
            },
        }
    }

    #[test]
    fn challenge_has_the_documented_bytes() {
        let challenge = Challenge {
            x402_version: 2,
            error: Some("payment required".to_owned()),
            resource: Resource {
                url: "https://gw.example/v1/images?size=l".to_owned(),
                description: Some("One answer".to_owned()),
                mime_type: None,
            },
            accepts: vec![requirements()],
            extensions: BTreeMap::new(),
        };
        let memo = "A".repeat(32);
        let expected = format!(
            "{{\"x402Version\":2,\"error\":\"payment required\",\"resource\":{{\"url\":\
             \"https://gw.example/v1/images?size=l\",\"description\":\"One answer\"}},\
             \"accepts\":[{{\"scheme\":\"exact\",\
             \"network\":\"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp\",\"amount\":\"12200\",\
             \"asset\":\"{MINT}\",\"payTo\":\"{TILL}\",\"maxTimeoutSeconds\":60,\
             \"extra\":{{\"feePayer\":\"{TILL}\",\"memo\":\"{memo}\",\
             \"recentBlockhash\":\"{MINT}\"}}}}]}}"
        );
        let header = to_header(&challenge);
        assert_eq!(BASE64_STANDARD.decode(&header).unwrap(), expected.into_bytes());
    }

    #[test]
    fn echoed_hints_are_ignored() {
        let header = to_header(&requirements());
        let read: Requirements = from_header(&header).unwrap();
        assert_eq!(read.extra.recent_blockhash, None);
        assert_eq!(read.extra.memo, requirements().extra.memo);
        let numbered = json!({ "lastValidBlockHeight": 5, "unknown": [1] });
        assert_eq!(serde_json::from_value::<Extra>(numbered).unwrap(), Extra::default());
    }

    #[test]
    fn identifier_is_validated() {
        let payment = |id: Value| Payment {
            x402_version: 2,
            payload: ExactPayload { transaction: String::new() },
            accepted: requirements(),
            extensions: Some(BTreeMap::from([(
                PAYMENT_IDENTIFIER.to_owned(),
                json!({ "info": { "id": id } }),
            )])),
        };
        assert_eq!(
            payment(json!("order-0123456789")).identifier().unwrap(),
            Some("order-0123456789")
        );
        for wrong in
            [json!("short"), json!(7), json!("a".repeat(129)), json!("with spaces 0123456")]
        {
            assert!(payment(wrong.clone()).identifier().is_err(), "{wrong}");
        }
        let unnamed = Payment { extensions: None, ..payment(json!("")) };
        assert_eq!(unnamed.identifier().unwrap(), None);
    }

    #[test]
    fn malformed_header_is_rejected() {
        for wrong in ["", "e30", "e30=", "not base64", "eyJ4NDAyVmVyc2lvbiI6Mn0="] {
            assert!(from_header::<Payment>(wrong).is_err(), "{wrong}");
        }
    }
}
