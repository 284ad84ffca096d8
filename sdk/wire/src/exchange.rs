use serde::{Deserialize, Serialize};

/// How a client of a paywall paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PaymentForm {
    /// Without a payment.
    None,
    /// A hold on a channel, for an answer that is to be made.
    Hold,
    /// A voucher of a channel.
    Voucher,
    /// x402, of any version.
    X402,
    /// MPP.
    Mpp,
    /// A wallet that signed in for what it has bought.
    SignIn,
}

/// Request at a paywall and its response. It has no header, query or body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exchange {
    /// Number, ascending.
    pub number: u64,
    /// Unix second of the request.
    pub at: i64,
    /// Method.
    pub method: String,
    /// Path, at most 200 characters.
    pub path: String,
    /// How the client paid.
    pub payment: PaymentForm,
    /// Milliseconds after which the model server had responded; absent if it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_after: Option<u64>,
    /// Status of the response.
    pub status: u16,
    /// Type of the problem, if the response is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether the response has a receipt.
    pub has_receipt: bool,
    /// Milliseconds after which the response began.
    pub after: u64,
}

/// Newest exchanges of a process, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExchangeList {
    /// The exchanges, at most 200.
    pub exchanges: Vec<Exchange>,
}
