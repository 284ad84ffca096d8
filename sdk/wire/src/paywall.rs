use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Address, Amount, Digest, ExpectedStatement, PayerProof, Quote, ReceiptParts, VoucherParts,
};

/// What pays for a request to a model server behind a paywall; travels in the header
/// [`Payment::HEADER`] as base64url of its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Payment {
    /// Asks for an answer, and has room kept for its price.
    Ask(AskToPay),
    /// Pays for an answer that is ready, or for the next part of one that streams.
    Pay(PayForAnswer),
}

/// The first request for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskToPay {
    /// The channel that pays.
    pub channel: Address,
    /// Index of the license on the channel.
    pub license: u16,
    /// The most the answer may use; of one that streams, each of its parts.
    pub units: u32,
    /// Last unix second in which it can be paid for.
    pub expires_at: i64,
    /// Proves that the payer asks, over `motif_sdk::gateway::hold_details` with the request's
    /// digest, `motif_sdk::gateway::paid_request_digest`.
    pub proof: PayerProof,
    /// Pays for exactly `units`, where it is known before how many there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherParts>,
}

/// What pays for an answer that is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PayForAnswer {
    /// The channel that pays.
    pub channel: Address,
    /// Names the answer, or the part of one.
    pub answer: Digest,
    /// Pays for everything so far and for this.
    pub voucher: VoucherParts,
}

/// What a request behind a paywall costs, and how it is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PriceTag {
    /// Who has to be the channel's operator.
    pub operator: Address,
    /// Names the cluster in vouchers.
    pub cluster: Digest,
    /// Work, use, unit, price and currency.
    pub quote: Quote,
    /// How many units there will be, where it is known before.
    pub fixed_units: Option<u32>,
    /// The most units of one request; of an answer that streams, of one of its parts.
    pub most_units: u32,
    /// Whether the answer streams, and each of its parts is paid for when it is ready.
    pub streams: bool,
    /// The least time room has to be kept for.
    pub hold_seconds: u32,
}

/// An answer, or a part of one, that is ready and not paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Due {
    /// Names it.
    pub answer: Digest,
    /// Counts the parts of an answer that streams from 0.
    pub part: u32,
    /// Index of the license on the channel.
    pub license: u16,
    /// What it has really used.
    pub units: u32,
    /// Price of these units now, without the operator's fee.
    pub price: Amount,
    /// SHA-256 of the request.
    pub request_digest: Digest,
    /// SHA-256 of the answer's body, or of the part.
    pub output_digest: Digest,
    /// Last unix second in which it can be paid for.
    pub expires_at: i64,
    /// The open statement, and the total that the voucher needs.
    pub expected: ExpectedStatement,
    /// Why the voucher that was sent does not pay for it: the slug of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What an answer with status 402 asks for; travels in the header [`PaymentRequired::HEADER`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PaymentRequired {
    /// Nothing was paid or held: this is what it costs.
    PriceTag(Box<PriceTag>),
    /// The answer is ready: this pays for it.
    Due(Box<Due>),
}

/// One event of an answer that streams. Its name is the event's, its content the event's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", content = "data", rename_all = "kebab-case")]
pub enum StreamEvent {
    /// The stream waits until this is paid for.
    Due(Box<Due>),
    /// A part that is paid for.
    Output(Box<StreamedPart>),
    /// Everything was delivered.
    End(StreamEnd),
    /// It ends before its end; what follows was not charged.
    Failed(StreamFailure),
}

/// A part of an answer that streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamedPart {
    /// Counts the parts from 0.
    pub part: u32,
    /// Its bytes, standard base64.
    pub body: String,
    /// Its receipt.
    pub receipt: ReceiptParts,
}

/// The sum of an answer that has streamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamEnd {
    /// How many parts it had.
    pub parts: u32,
    /// Units of all parts.
    pub units: u64,
    /// Bytes of all parts.
    pub bytes: u64,
    /// The receipt of the last part; `null` where there was none.
    pub last_receipt: Option<Digest>,
}

/// Why an answer that streams has ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StreamFailure {
    /// A stable slug, as of a problem.
    #[serde(rename = "type")]
    pub slug: String,
    /// What is wrong.
    pub detail: String,
}

/// Everything that can be paid for behind a paywall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidRoutes {
    /// In the order of the operator's file.
    pub routes: Vec<PaidRoute>,
}

/// One route behind a paywall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidRoute {
    /// The HTTP method.
    pub method: String,
    /// The path, with `{name}` for one segment and `{*name}` for all that follow.
    pub path: String,
    /// What it costs.
    pub price_tag: PriceTag,
}

/// What came in a header and is not what should be there.
#[derive(Debug, thiserror::Error)]
#[error("expected base64url of JSON: {0}")]
pub struct ParseHeaderError(String);

impl Payment {
    /// The header it travels in.
    pub const HEADER: &'static str = "motif-payment";

    /// As the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_header(text)
    }
}

impl PaymentRequired {
    /// The header it travels in.
    pub const HEADER: &'static str = "motif-payment-required";

    /// As the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_header(text)
    }
}

impl ReceiptParts {
    /// The header a receipt travels in, beside what was paid for.
    pub const HEADER: &'static str = "motif-receipt";

    /// As the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Reads the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_header(text)
    }
}

fn to_header(value: &impl Serialize) -> String {
    // These are structures of texts and numbers: writing them does not fail.
    BASE64URL.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn from_header<T: DeserializeOwned>(text: &str) -> Result<T, ParseHeaderError> {
    let json = BASE64URL.decode(text).map_err(|error| ParseHeaderError(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| ParseHeaderError(error.to_string()))
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
    fn a_payment_comes_out_of_its_header_as_it_went_in() {
        let header = ask().to_header();
        assert!(header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(Payment::from_header(&header).unwrap(), ask());
    }

    #[test]
    fn what_is_no_payment_is_not_read_as_one() {
        let mut unknown = serde_json::to_value(ask()).unwrap();
        unknown["surprise"] = true.into();
        let unknown = to_header(&unknown);
        for wrong in ["", "e30", "not base64", "eyJ", &unknown, &(ask().to_header() + "=")] {
            assert!(Payment::from_header(wrong).is_err(), "{wrong}");
        }
    }
}
