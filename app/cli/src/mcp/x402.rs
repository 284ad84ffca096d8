//! x402 over MCP, where the client pays: a request to a paywall as a tool call.
//!
//! Follows the MCP transport of x402 v2: a tool that is not paid for answers with an error whose
//! structured content is the `PaymentRequired` of the HTTP header `payment-required`. The client calls it
//! again with `_meta["x402/payment"]`, which becomes `payment-signature`. The settlement of
//! `payment-response` comes back as `_meta["x402/payment-response"]`.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
    redirect::Policy,
};
use serde_json::Value;

use crate::error::CliError;

/// Member of a call's `_meta` with the client's payment.
pub const PAYMENT: &str = "x402/payment";
/// Member of a result's `_meta` with the settlement.
pub const PAYMENT_RESPONSE: &str = "x402/payment-response";

/// Time limit of an answer, which includes the landing of its payment.
const ANSWER_WITHIN: Duration = Duration::from_secs(240);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Maximum size of an answer.
const MAX_BYTES: usize = 64 << 20;
/// Maximum length of a refusal's text in an error.
const MAX_TEXT: usize = 300;

/// Outcome of a request to a paywall.
pub enum Exchange {
    /// Nothing was paid: the x402 `PaymentRequired`.
    Required(Value),
    /// The answer.
    Answered(Answer),
}

/// Answer of a paywall.
pub struct Answer {
    pub media_type: String,
    pub body: Vec<u8>,
    /// Settlement of the payment, if there was one.
    pub settlement: Option<Value>,
}

/// Posts a JSON body to a paywall, with the client's payment if there is one.
///
/// # Errors
/// [`CliError::PaywallRefused`]: with status 503 the outcome of a payment is unknown, and the same
/// payment may be sent again.
pub async fn exchange(
    url: &str,
    body: Vec<u8>,
    payment: Option<&Value>,
) -> Result<Exchange, CliError> {
    let builder =
        motif_sdk::http::client_builder().redirect(Policy::none()).connect_timeout(CONNECT_WITHIN);
    let http = builder.timeout(ANSWER_WITHIN).build().map_err(unanswered)?;
    let mut request = http.post(url).header(CONTENT_TYPE, "application/json").body(body);
    if let Some(payment) = payment {
        let payment = without_nulls(payment.clone()).to_string();
        request = request.header("payment-signature", BASE64_STANDARD.encode(payment));
    }
    let response = request.send().await.map_err(unanswered)?;
    let (status, headers) = (response.status(), response.headers().clone());
    if status == StatusCode::PAYMENT_REQUIRED
        && let Some(required) = decoded(&headers, "payment-required")
    {
        return Ok(Exchange::Required(required));
    }
    let body = read(response).await?;
    if !status.is_success() {
        let text = String::from_utf8_lossy(&body).chars().take(MAX_TEXT).collect();
        return Err(CliError::PaywallRefused { status: status.as_u16(), text });
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Ok(Exchange::Answered(Answer {
        media_type: media_type.unwrap_or("application/octet-stream").to_owned(),
        body,
        settlement: decoded(&headers, "payment-response"),
    }))
}

/// Removes members that are `null`, as stock HTTP clients do: some MCP clients send absent members so.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, CliError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > MAX_BYTES {
            let text = format!("the answer has more than {MAX_BYTES} bytes");
            return Err(CliError::PaywallRefused { status: response.status().as_u16(), text });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the JSON of a header in standard base64.
fn decoded(headers: &HeaderMap, name: &str) -> Option<Value> {
    let bytes = BASE64_STANDARD.decode(headers.get(name)?.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn unanswered(error: reqwest::Error) -> CliError {
    // The URL is left out: it can hold a secret.
    let error = error.without_url();
    CliError::PaywallRefused { status: 0, text: format!("no answer: {error}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_members_are_not_sent() {
        let payment = json!({ "a": null, "b": [{ "c": null, "d": 1 }], "e": { "f": null } });
        assert_eq!(without_nulls(payment), json!({ "b": [{ "d": 1 }], "e": {} }));
    }
}
