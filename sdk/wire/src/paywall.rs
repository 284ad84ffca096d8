use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use motif_interface::voucher::SignedVoucher;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Address, Amount, Digest, ExpectedStatement, PayerProof, Quote, ReceiptParts, voucher};

/// Payment for a request to a model server behind a paywall. Sent as base64url of its JSON in the
/// header `motif-payment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Payment {
    /// Requests an answer, and holds its price.
    Ask(AskToPay),
    /// Pays for a ready answer, or for the next part of a stream.
    Pay(PayForAnswer),
}

/// First request for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskToPay {
    /// Channel that pays.
    pub channel: Address,
    /// Index of the license on the channel.
    pub license: u16,
    /// Maximum units of the answer, or of each part of a stream.
    pub units: u32,
    /// Last unix second in which the answer can be paid.
    pub expires_at: i64,
    /// Proof of the payer's request, over `motif_sdk::gateway::hold_details` with the request's
    /// digest, `motif_sdk::gateway::paid_request_digest`.
    pub proof: PayerProof,
    /// Voucher for exactly `units`, if their number is known in advance.
    #[serde(default, with = "voucher::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<voucher::VoucherParts>))]
    pub voucher: Option<SignedVoucher>,
}

/// Payment for a ready answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PayForAnswer {
    /// Channel that pays.
    pub channel: Address,
    /// Name of the answer, or of the part.
    pub answer: Digest,
    /// Voucher that covers all earlier generations and this one.
    #[serde(with = "voucher")]
    #[cfg_attr(feature = "openapi", schema(value_type = voucher::VoucherParts))]
    pub voucher: SignedVoucher,
}

/// Price and payment conditions of a request behind a paywall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceTag {
    /// Required operator of the channel.
    pub operator: Address,
    /// Cluster tag of vouchers.
    pub cluster: Digest,
    /// Work, use, unit, price and currency.
    pub quote: Quote,
    /// Number of units, if it is known in advance.
    #[serde(default)]
    pub fixed_units: Option<u32>,
    /// Maximum units of one request, or of one part of a stream.
    pub most_units: u32,
    /// Whether the answer is a stream whose parts are paid one by one.
    pub streams: bool,
    /// Minimum duration of the hold.
    pub hold_seconds: u32,
}

/// Answer, or part of one, that is ready and unpaid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Due {
    /// Name of the answer or part.
    pub answer: Digest,
    /// Number of the part of a stream, from 0.
    pub part: u32,
    /// Index of the license on the channel.
    pub license: u16,
    /// Units used.
    pub units: u32,
    /// Present price of these units, without the operator's fee.
    pub price: Amount,
    /// SHA-256 of the request.
    pub request_digest: Digest,
    /// SHA-256 of the answer's body, or of the part.
    pub output_digest: Digest,
    /// Last unix second in which the answer can be paid.
    pub expires_at: i64,
    /// Open statement, and the total that the voucher needs.
    pub expected: ExpectedStatement,
    /// Slug of the problem with the voucher that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Payment that status 402 requires. Sent in the header `motif-payment-required`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PaymentRequired {
    /// Nothing was paid or held: the price.
    PriceTag(Box<PriceTag>),
    /// The answer is ready: the payment that is due.
    Due(Box<Due>),
}

/// Server-sent event of a stream: the tag is the event's name, the content its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "kebab-case")]
pub enum StreamEvent {
    /// The stream waits for this payment.
    Due(Box<Due>),
    /// Paid part.
    Output(Box<StreamedPart>),
    /// End of the stream.
    End(StreamEnd),
    /// The stream failed; the rest was not charged.
    Failed(StreamFailure),
}

/// Part of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamedPart {
    /// Number of the part, from 0.
    pub part: u32,
    /// Bytes of the part, standard base64.
    pub body: String,
    /// Receipt of the part.
    pub receipt: ReceiptParts,
}

/// Totals of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamEnd {
    /// Number of parts.
    pub parts: u32,
    /// Units of all parts.
    pub units: u64,
    /// Bytes of all parts.
    pub bytes: u64,
    /// Digest of the last part's receipt; `null` without parts.
    #[serde(default)]
    pub last_receipt: Option<Digest>,
}

/// Failure of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamFailure {
    /// Slug of the problem type.
    #[serde(rename = "type")]
    pub slug: String,
    /// Description of the failure.
    pub detail: String,
}

/// Routes behind a paywall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidRoutes {
    /// Routes, in the order of the operator's file.
    pub routes: Vec<PaidRoute>,
}

/// Route behind a paywall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidRoute {
    /// HTTP method.
    pub method: String,
    /// Path, with `{name}` for one segment and `{*name}` for the rest.
    pub path: String,
    /// Price of the route.
    pub price_tag: PriceTag,
}

/// Error returned when a header cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("invalid header: expected base64url of JSON: {0}")]
pub struct ParseHeaderError(String);

impl Payment {
    /// Name of the header.
    pub const HEADER: &'static str = "motif-payment";

    /// Returns the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Parses the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_header(text)
    }
}

impl PaymentRequired {
    /// Name of the header.
    pub const HEADER: &'static str = "motif-payment-required";

    /// Returns the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Parses the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_answer(text)
    }
}

impl ReceiptParts {
    /// Name of the header that carries a paid answer's receipt.
    pub const HEADER: &'static str = "motif-receipt";

    /// Returns the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Parses the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_answer(text)
    }
}

pub(crate) fn to_header(value: &impl Serialize) -> String {
    // These are structures of texts and numbers: writing them does not fail.
    BASE64URL.encode(serde_json::to_vec(value).unwrap_or_default())
}

pub(crate) fn from_header<T: DeserializeOwned>(text: &str) -> Result<T, ParseHeaderError> {
    serde_json::from_slice(&decode(text)?).map_err(|error| ParseHeaderError(error.to_string()))
}

/// As [`from_header`], with little code, for headers that a payer reads: their types refuse no fields.
pub(crate) fn from_answer<T: DeserializeOwned>(text: &str) -> Result<T, ParseHeaderError> {
    motif_json::from_slice(&decode(text)?).map_err(|error| ParseHeaderError(error.to_string()))
}

fn decode(text: &str) -> Result<Vec<u8>, ParseHeaderError> {
    BASE64URL.decode(text).map_err(|error| ParseHeaderError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SignatureHex;

    fn ask() -> Payment {
        let signature = SignatureHex([3; 64]);
        let proof = PayerProof { signer: Address([1; 32].into()), issued_at: 5, signature };
        let channel = Address([2; 32].into());
        let (units, expires_at) = (4, 9);
        Payment::Ask(AskToPay { channel, license: 1, units, expires_at, proof, voucher: None })
    }

    #[test]
    fn payment_round_trips_through_header() {
        let header = ask().to_header();
        assert!(header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(Payment::from_header(&header).unwrap(), ask());
    }

    #[test]
    fn invalid_payment_is_rejected() {
        let mut unknown = serde_json::to_value(ask()).unwrap();
        unknown["surprise"] = true.into();
        let unknown = to_header(&unknown);
        for wrong in ["", "e30", "not base64", "eyJ", &unknown, &(ask().to_header() + "=")] {
            assert!(Payment::from_header(wrong).is_err(), "{wrong}");
        }
    }
}
