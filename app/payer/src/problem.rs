use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use motif_sdk::{
    Error, Pubkey,
    gateway::{
        GatewayError, ProblemType,
        wire::{Problem, Use},
    },
};
use strum::{EnumProperty, IntoStaticStr};

/// Error of the paying service. Each is a type of problem document (RFC 9457), whose slug is the
/// variant's name in kebab case.
#[derive(Debug, thiserror::Error, EnumProperty, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum PayerError {
    /// The request has no valid token.
    #[error("missing or unknown token: send `Authorization: Bearer TOKEN` or `x-api-key: TOKEN`")]
    #[strum(props(status = 401, title = "Unauthorized"))]
    Unauthorized,
    /// The `Host` header names another machine.
    #[error("the `Host` header must name this machine")]
    #[strum(props(status = 403, title = "Other host"))]
    OtherHost,
    /// The URL of the target cannot be fetched.
    #[error("invalid target: {0}")]
    #[strum(props(status = 400, title = "Invalid target"))]
    InvalidTarget(&'static str),
    /// The target is on a private or loopback network.
    #[error("the target is on a private network: allow it with `proxy.private_targets`")]
    #[strum(props(status = 403, title = "Forbidden target"))]
    ForbiddenTarget,
    /// The target did not answer.
    #[error("the target did not answer: {0}")]
    #[strum(props(status = 502, title = "The target did not answer"))]
    TargetUnreachable(String),
    /// The target redirects to another origin.
    #[error("the target redirects to another origin, which is not paid")]
    #[strum(props(status = 502, title = "Redirect to another origin"))]
    RedirectElsewhere,
    /// The target's price tag cannot be read.
    #[error("the target's price tag is invalid: {0}")]
    #[strum(props(status = 502, title = "Invalid price tag"))]
    InvalidPriceTag(String),
    /// The price is in another currency.
    #[error("the price is in currency {0}: expected {1}")]
    #[strum(props(status = 402, title = "Other currency"))]
    OtherCurrency(Pubkey, Pubkey),
    /// The work does not exist, or has no terms.
    #[error("work {0} does not exist, or has no terms")]
    #[strum(props(status = 402, title = "Unknown work"))]
    UnknownWork(Pubkey),
    /// No gateway of the operator is known.
    #[error("operator {operator} is not paid: {reason}")]
    #[strum(props(status = 402, title = "Unknown operator"))]
    UnknownOperator {
        /// Operator.
        operator: Pubkey,
        /// What to add.
        reason: &'static str,
    },
    /// A unit costs more than the policy allows.
    #[error("a unit costs {price} base units: expected at most {max} (`policy.max_unit_price`)")]
    #[strum(props(status = 402, title = "The price is too high"))]
    PriceTooHigh {
        /// Price of a unit, base units.
        price: u64,
        /// Maximum price, base units.
        max: u64,
    },
    /// The request may cost more than its own maximum.
    #[error("the request may cost {cost} base units: expected at most {max}")]
    #[strum(props(status = 402, title = "The request costs too much"))]
    CostTooHigh {
        /// Maximum cost, base units, fees included.
        cost: u64,
        /// Maximum of the request, base units.
        max: u64,
    },
    /// The policy does not allow to accept the terms.
    #[error("the terms of {work} are not accepted: {reason}")]
    #[strum(props(status = 402, title = "Terms not accepted"))]
    TermsNotAccepted {
        /// Work.
        work: Pubkey,
        /// Rule that they break.
        reason: String,
    },
    /// The terms do not license the use.
    #[error("the terms of {work} do not license {licensed_use}")]
    #[strum(props(status = 402, title = "The use is not licensed"))]
    UseNotLicensed {
        /// Work.
        work: Pubkey,
        /// Use.
        licensed_use: Use,
    },
    /// A budget does not cover the payment.
    #[error(
        "spending of this day may rise to {total} base units, above the budget of {budget} ({setting})"
    )]
    #[strum(props(status = 402, title = "The budget is used up"))]
    OverBudget {
        /// Spending with the payment, base units.
        total: u64,
        /// Budget, base units.
        budget: u64,
        /// Setting of the budget, with the caller.
        setting: String,
    },
    /// The budget of rent and fees does not cover a transaction.
    #[error(
        "rent and fees of this day may rise to {total} lamports, above the budget of {budget} \
         (`budget.lamports_per_day`)"
    )]
    #[strum(props(status = 402, title = "The SOL budget is used up"))]
    OverSolBudget {
        /// Rent and fees with the transaction, lamports.
        total: u64,
        /// Budget, lamports.
        budget: u64,
    },
    /// The deposit does not cover the payment and may not grow.
    #[error("{available} base units are available and {needed} are needed: {reason}")]
    #[strum(props(status = 402, title = "The deposit is used up"))]
    DepositUsedUp {
        /// Available amount, base units.
        available: u64,
        /// Needed amount, base units.
        needed: u64,
        /// Why it does not grow.
        reason: &'static str,
    },
    /// No channel with the operator can be opened.
    #[error("no channel with operator {operator}: {reason}")]
    #[strum(props(status = 402, title = "No channel"))]
    NoChannel {
        /// Operator.
        operator: Pubkey,
        /// Why none is opened.
        reason: &'static str,
    },
    /// The gateway refuses the payment.
    #[error("{}", without_url(.0))]
    #[strum(props(status = 502, title = "The gateway refuses the payment"))]
    Gateway(GatewayError),
    /// The gateway of a known channel does not respond.
    #[error(
        "the gateway of channel {channel} with operator {operator} does not respond: what was spent there \
         is unknown, and nothing is paid before it responds"
    )]
    #[strum(props(status = 503, title = "The gateway of a known channel does not respond"))]
    GatewayUnresponsive {
        /// Channel.
        channel: Pubkey,
        /// Operator.
        operator: Pubkey,
    },
    /// The outcome of the payment is unknown.
    #[error("{}; the payment is repeated before the next one, and is not made twice", without_url(.0))]
    #[strum(props(status = 502, title = "Unknown outcome"))]
    OutcomeUnknown(GatewayError),
    /// The cluster does not answer or refuses a transaction.
    #[error("{0}")]
    #[strum(props(status = 503, title = "The cluster does not serve"))]
    Chain(String),
    /// Another process has the state folder.
    #[error("the state {path} is in use by {holder}: give each process a folder of its own")]
    #[strum(props(status = 503, title = "The state is in use"))]
    StateLocked {
        /// Folder.
        path: String,
        /// Process that has it.
        holder: String,
    },
    /// Another process has the voucher key.
    #[error(
        "the voucher key {0} is in use by another process: give each process its own `--voucher-key`"
    )]
    #[strum(props(status = 503, title = "The voucher key is in use"))]
    VoucherKeyLocked(String),
    /// Another process pays from the channel. Nothing was charged.
    #[error(
        "another process pays from channel {0} with the same voucher key: stop one of them and restart the \
         other, and give each process its own `--state` or `--voucher-key`, which has it open a channel of its \
         own"
    )]
    #[strum(props(status = 409, title = "Another process pays from the channel"))]
    ChannelShared(Pubkey),
    /// A file of the state folder is not this service's.
    #[error("{path}: {reason}")]
    #[strum(props(status = 503, title = "The state is invalid"))]
    StateInvalid {
        /// File.
        path: String,
        /// Cause.
        reason: String,
    },
    /// A file of the state folder cannot be read or written.
    #[error("{path}: {reason}")]
    #[strum(props(status = 503, title = "The state has failed"))]
    StateFailed {
        /// File.
        path: String,
        /// Cause.
        reason: String,
    },
    /// The channel has as many unpaid answers as its gateway allows.
    #[error("too many requests of this channel are under way: repeat the request later")]
    #[strum(props(status = 429, title = "Too many unpaid answers"))]
    TooManyUnpaid,
    /// The client has left before anything was held for its request. Nobody receives this.
    #[error("the client has left before its request was paid for")]
    #[strum(props(status = 408, title = "The client has left"))]
    ClientLeft,
    /// The hold was captured before.
    #[error(
        "the hold was captured before: repeat a capture with its idempotency key to get its receipt"
    )]
    #[strum(props(status = 409, title = "The hold was captured"))]
    HoldCaptured,
    /// The idempotency key names a payment with another body.
    #[error("the idempotency key belongs to a request with another body")]
    #[strum(props(status = 409, title = "The idempotency key is in use"))]
    IdempotencyKeyReused,
    /// The idempotency key names a payment whose receipt this service does not have.
    #[error(
        "the payment of this idempotency key was made or may have been, and its receipt is not kept here"
    )]
    #[strum(props(status = 409, title = "The receipt is not kept"))]
    ReceiptNotFound,
    /// The idempotency key names a stream that ended early.
    #[error("the stream of this idempotency key ended early: its paid parts are complete")]
    #[strum(props(status = 409, title = "The stream ended early"))]
    StreamEnded,
    /// The request's body is too large.
    #[error("the body is too long: expected at most {0} bytes")]
    #[strum(props(status = 413, title = "The body is too large"))]
    BodyTooLarge(usize),
    /// A header has another value than expected.
    #[error("invalid header `{name}`: expected {expected}")]
    #[strum(props(status = 400, title = "Invalid header"))]
    InvalidHeader {
        /// Name of the header.
        name: String,
        /// Expected value.
        expected: &'static str,
    },
    /// The query of the URL has another value than expected.
    #[error("invalid query: {0}")]
    #[strum(props(status = 400, title = "Invalid query"))]
    InvalidQuery(String),
    /// The body is not the JSON that the URL takes.
    #[error("malformed JSON: {0}")]
    #[strum(props(status = 400, title = "Malformed JSON"))]
    MalformedJson(String),
    /// The URL does not exist.
    #[error("unknown URL: expected /<https URL> or a path of the interface")]
    #[strum(props(status = 404, title = "Not found"))]
    NotFound,
    /// The task of the payment ended early.
    #[error("internal error")]
    #[strum(props(status = 500, title = "Internal error"))]
    Internal,
}

impl PayerError {
    /// Reason of a refusal if the wallet has too few tokens.
    pub const WALLET_IS_EMPTY: &str = "the wallet has too few tokens";

    /// Returns the slug of the problem type.
    pub fn slug(&self) -> &'static str {
        let of_gateway = match self {
            Self::Gateway(GatewayError::Refused(problem)) => problem.problem_type(),
            _ => None,
        };
        of_gateway.map_or_else(|| self.into(), ProblemType::slug)
    }

    /// Returns the problem document. A gateway's own is passed on.
    pub fn problem(&self) -> Problem {
        if let Self::Gateway(GatewayError::Refused(problem)) = self {
            return (**problem).clone();
        }
        let status = self.get_int("status").and_then(|status| u16::try_from(status).ok());
        let title = match self {
            Self::Gateway(GatewayError::Unreachable { .. }) => "The gateway does not answer",
            _ => self.get_str("title").unwrap_or_default(),
        };
        Problem {
            slug: self.slug().to_owned(),
            title: title.to_owned(),
            status: status.unwrap_or(500),
            detail: self.to_string(),
            expected: None,
            payment: None,
            holder: None,
            items: Vec::new(),
        }
    }

    /// Returns the error of a header.
    pub(crate) fn header(name: impl ToString, expected: &'static str) -> Self {
        Self::InvalidHeader { name: name.to_string(), expected }
    }

    /// Returns the error of a damaged state file.
    pub(crate) fn damaged(path: &std::path::Path, reason: impl ToString) -> Self {
        Self::StateInvalid { path: path.display().to_string(), reason: reason.to_string() }
    }

    /// Returns the error of a state file.
    pub(crate) fn state(path: &std::path::Path, reason: impl ToString) -> Self {
        Self::StateFailed { path: path.display().to_string(), reason: reason.to_string() }
    }
}

/// Returns the text of an error without a URL, whose query may have secrets.
fn without_url(error: &GatewayError) -> String {
    match error {
        GatewayError::Unreachable { .. } => "the gateway or the target did not answer".to_owned(),
        other => other.to_string(),
    }
}

impl From<GatewayError> for PayerError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::OverBudget { total, budget } => {
                let setting = "`budget.per_day`, or one of the caller".to_owned();
                Self::OverBudget { total, budget, setting }
            }
            GatewayError::PriceTooHigh { price, max, .. } => Self::PriceTooHigh { price, max },
            GatewayError::Unreachable { .. }
            | GatewayError::Untrusted(_)
            | GatewayError::OutcomeUnknown(_)
            | GatewayError::Unanswered => Self::OutcomeUnknown(error),
            GatewayError::StateFailed { path, source } => Self::state(&path, source),
            GatewayError::StateInvalid { path, source } => {
                Self::StateInvalid { path: path.display().to_string(), reason: source.to_string() }
            }
            GatewayError::StateLocked { path, holder } => {
                Self::StateLocked { path: path.display().to_string(), holder }
            }
            _ => Self::Gateway(error),
        }
    }
}

impl From<Error> for PayerError {
    fn from(error: Error) -> Self {
        match error {
            Error::File { path, source } => Self::state(&path, source),
            // Errors of the transport may show the node's URL, which may have a key.
            Error::Transport(_) => Self::Chain("the cluster does not answer".to_owned()),
            other => Self::Chain(other.to_string()),
        }
    }
}

impl IntoResponse for PayerError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status);
        let mut response = axum::Json(problem).into_response();
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if matches!(
            self,
            Self::OutcomeUnknown(_) | Self::StateFailed { .. } | Self::ChannelShared(_)
        ) {
            // OpenAI's clients repeat other answers of these statuses, with a new payment.
            headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        if matches!(self, Self::Unauthorized) {
            // Two lines: Chromium does not answer one with both.
            for way in ["Bearer", "Basic realm=\"motif payer\""] {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use motif_sdk::gateway::InvalidJournal;

    use super::*;

    #[test]
    fn problem_has_slug_and_status() {
        let setting = "`budget.per_day`".to_owned();
        let problem = PayerError::OverBudget { total: 2, budget: 1, setting }.problem();
        assert_eq!((problem.slug.as_str(), problem.status), ("over-budget", 402));
        assert_eq!(problem.title, "The budget is used up");
    }

    #[test]
    fn unauthorized_names_each_way_in_a_line() {
        let response = PayerError::Unauthorized.into_response();
        let ways = response.headers().get_all(header::WWW_AUTHENTICATE);
        let ways: Vec<_> = ways.iter().map(|way| way.to_str().unwrap()).collect();
        assert_eq!(ways, ["Bearer", "Basic realm=\"motif payer\""]);
    }

    #[test]
    fn slug_is_that_of_the_answer() {
        let text = r#"{"type":"underfunded","title":"t","status":402,"detail":"d"}"#;
        let refusal = Box::new(serde_json::from_str::<Problem>(text).unwrap());
        let error = PayerError::from(GatewayError::Refused(refusal));
        assert_eq!((error.slug(), error.problem().slug.as_str()), ("underfunded", "underfunded"));
    }

    #[test]
    fn state_and_unknown_outcome_are_named() {
        let path = std::path::PathBuf::from("a.state");
        let refusal = || {
            let text = r#"{"type":"rate-limited",
                "title":"t","status":429,"detail":"slow down"}"#;
            Box::new(serde_json::from_str::<Problem>(text).unwrap())
        };
        let full = Arc::new(io::Error::from(io::ErrorKind::StorageFull));
        let holder = "process 7".to_owned();
        for (error, slug, status, retry) in [
            (GatewayError::Unanswered, "outcome-unknown", 502, Some("false")),
            (GatewayError::OutcomeUnknown(refusal()), "outcome-unknown", 502, Some("false")),
            (
                GatewayError::StateFailed { path: path.clone(), source: full },
                "state-failed",
                503,
                Some("false"),
            ),
            (
                GatewayError::StateInvalid {
                    path: path.clone(),
                    source: InvalidJournal::NoSnapshot,
                },
                "state-invalid",
                503,
                None,
            ),
            (GatewayError::StateLocked { path: path.clone(), holder }, "state-locked", 503, None),
            (GatewayError::Refused(refusal()), "rate-limited", 429, None),
            (GatewayError::Overflow, "gateway", 502, None),
        ] {
            let error = PayerError::from(error);
            assert_eq!((error.problem().slug.as_str(), error.problem().status), (slug, status));
            let response = error.into_response();
            assert_eq!(response.status(), status, "{slug}");
            let sent =
                response.headers().get("x-should-retry").map(|value| value.to_str().unwrap());
            assert_eq!(sent, retry, "{slug}");
        }
    }
}
