use std::error::Error as StdError;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use motif_sdk::gateway::{
    ProblemType,
    wire::{Due, PaymentRequired, Problem},
};

use crate::{engine::EngineError, sale::Refusal, spool::SpoolError};

/// Error returned when a paywall returns no answer. Nothing was charged, unless the payment
/// engine says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum PaywallError {
    /// The answer is ready and unpaid.
    #[error("payment due: send a voucher for the answer as described in `payment`")]
    Due(Box<Due>),
    /// The payment header is malformed.
    #[error("invalid payment: {0}")]
    Malformed(String),
    /// The license is for another work or use.
    #[error("license {license} of the channel does not match the work and use of the route")]
    OtherLicense {
        /// Index of the license.
        license: u16,
    },
    /// The hold has too few or too many units.
    #[error("invalid hold of {given} units: expected {min} to {max}")]
    HoldUnits {
        /// Units of the hold.
        given: u32,
        /// Minimum units.
        min: u32,
        /// Maximum units.
        max: u32,
    },
    /// The hold expires too early.
    #[error("the hold expires too early: expected at least {0} seconds")]
    HoldTooShort(u32),
    /// The same request is in progress.
    #[error("the request is in progress; retry later")]
    Running,
    /// The answer was paid for and is no longer stored.
    #[error("the answer was paid for and is no longer stored")]
    Gone,
    /// The stored answer was changed on disk.
    #[error("the stored answer is damaged and is withheld: request it again")]
    Damaged,
    /// The stream was started before.
    #[error("the stream was started before; its paid parts remain available")]
    StreamBegun,
    /// No answer has this identifier.
    #[error("answer not found")]
    UnknownAnswer,
    /// The channel or the wallet has too many unpaid answers.
    #[error("there are {0} unpaid answers; pay for them first")]
    TooManyUnpaid(u32),
    /// The paywall is at capacity.
    #[error("the paywall is at capacity; retry later")]
    Full,
    /// The disk of stored answers is full.
    #[error("the paywall's disk has no room for the answer; retry when the operator has made room")]
    DiskFull,
    /// The model server failed.
    #[error("the model server failed: {0}; nothing was charged")]
    UpstreamFailed(String),
    /// The model server has no capacity now; with its `retry-after`.
    #[error("the model server has no capacity now; nothing was charged")]
    UpstreamBusy(HeaderValue),
    /// The model server exceeded its time limit.
    #[error("the model server took longer than {0} seconds; nothing was charged")]
    UpstreamTimeout(u64),
    /// The model server's answer is too large.
    #[error("the model server's answer exceeds {0} bytes; nothing was charged")]
    AnswerTooLarge(usize),
    /// The model server reported no units.
    #[error("the model server reported no units; nothing was charged")]
    UnitsMissing,
    /// The model server reported more units than held.
    #[error(
        "the model server reported {reported} units, but {held} were held; nothing was charged"
    )]
    UnitsAboveHeld {
        /// Reported units.
        reported: u64,
        /// Held units.
        held: u32,
    },
    /// The gateway is stopping.
    #[error("the gateway is stopping; retry later")]
    Stopping,
    /// The path is no route.
    #[error("unknown URL: see /openapi.json")]
    NotFound,
    /// The route does not support the method.
    #[error("this URL does not support this method")]
    MethodNotAllowed,
    /// Servers may resolve the path to another one.
    #[error(
        "invalid path `{0}`: expected no empty segments, no parameters, no encoded delimiters, and the case and the slash at the end as the route states them"
    )]
    InvalidPath(String),
    /// The request was not received in time.
    #[error("the request was not finished in time")]
    Timeout,
    /// The request's body is too long.
    #[error("the body is too long: expected at most {0} bytes")]
    BodyTooLarge(usize),
    /// The request has no idempotency key.
    #[error("missing idempotency key: expected an `Idempotency-Key` header")]
    IdempotencyKeyMissing,
    /// The idempotency key is invalid.
    #[error("invalid idempotency key: expected 8 to 128 visible ASCII characters")]
    IdempotencyKeyInvalid,
    /// The answer belongs to another request.
    #[error("the hold is for another request")]
    HoldMismatch,
    /// The hold of the answer was captured for something else.
    #[error("the hold was captured with other units or another output than the answer's")]
    HoldCaptured,
    /// The hold of the answer was released or has expired.
    #[error("unknown hold: it was captured, released or has expired")]
    HoldEnded,
    /// The channel's voucher key did not sign the voucher.
    #[error("invalid voucher signature: expected the channel's voucher key")]
    VoucherSignature,
    /// The request has payments in more than one header.
    #[error("the request has more than one payment: expected one of its headers")]
    TwoPayments,
    /// A payment without a channel does not buy the answer.
    #[error("the payment was refused: {}; nothing was charged", .0.what)]
    SaleRefused(Refusal),
    /// A payment without a channel was made for another request.
    #[error("the payment was made for another request")]
    PaymentForAnotherRequest,
    /// A payment without a channel was sent, and its outcome is not known.
    #[error(
        "the payment was sent and is not confirmed yet: repeat the same request with the same payment"
    )]
    PaymentUnsettled,
    /// Several payments of the wallet without a channel have failed; with the seconds until the next one is
    /// accepted.
    #[error("several payments of this wallet have failed; retry in {0} seconds")]
    WalletFailing(i64),
    /// Another process has the answer, at this URL.
    #[error("another process of this gateway has the answer: {0}")]
    AnswerElsewhere(String),
    /// The answer is paid for and could not be made.
    #[error(
        "the answer is paid for and could not be made: repeat the same request with the same \
         payment; nothing is charged again"
    )]
    AnswerOwed(#[source] Box<PaywallError>),
    /// The payment engine rejected the request.
    #[error("{0}")]
    Engine(Box<dyn EngineError>),
    /// The paywall has a bug, or its folder of answers failed.
    #[error("internal error")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

impl PaywallError {
    /// Wraps an error that indicates a bug or a failed disk.
    pub(crate) fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// Returns the type of the problem document.
    pub fn problem_type(&self) -> ProblemType {
        use ProblemType as Type;
        match self {
            Self::Due(_) => Type::PaymentDue,
            Self::Malformed(_) => Type::PaymentMalformed,
            Self::OtherLicense { .. } => Type::OtherLicense,
            Self::HoldUnits { .. } => Type::HoldUnits,
            Self::HoldTooShort(_) => Type::HoldTooShort,
            Self::Running => Type::AnswerRunning,
            Self::Gone | Self::Damaged => Type::AnswerGone,
            Self::StreamBegun => Type::StreamBegun,
            Self::UnknownAnswer => Type::UnknownAnswer,
            Self::TooManyUnpaid(_) => Type::TooManyUnpaid,
            Self::Full | Self::DiskFull => Type::PaywallFull,
            Self::UpstreamFailed(_) | Self::UpstreamBusy(_) => Type::UpstreamFailed,
            Self::UpstreamTimeout(_) => Type::UpstreamTimeout,
            Self::AnswerTooLarge(_) => Type::AnswerTooLarge,
            Self::UnitsMissing => Type::UnitsMissing,
            Self::UnitsAboveHeld { .. } => Type::UnitsAboveHeld,
            Self::Stopping => Type::Stopping,
            Self::NotFound => Type::NotFound,
            Self::MethodNotAllowed => Type::MethodNotAllowed,
            Self::InvalidPath(_) => Type::InvalidPath,
            Self::Timeout => Type::Timeout,
            Self::BodyTooLarge(_) => Type::BodyTooLarge,
            Self::IdempotencyKeyMissing => Type::IdempotencyKeyMissing,
            Self::IdempotencyKeyInvalid => Type::IdempotencyKeyInvalid,
            Self::HoldMismatch => Type::HoldMismatch,
            Self::HoldCaptured => Type::HoldCaptured,
            Self::HoldEnded => Type::HoldEnded,
            Self::VoucherSignature => Type::VoucherSignature,
            Self::TwoPayments => Type::TwoPayments,
            Self::SaleRefused(_) => Type::SaleRefused,
            Self::PaymentForAnotherRequest => Type::PaymentForAnotherRequest,
            Self::PaymentUnsettled => Type::PaymentUnsettled,
            Self::WalletFailing(_) => Type::RateLimited,
            Self::AnswerElsewhere(_) => Type::AnswerElsewhere,
            Self::AnswerOwed(_) => Type::AnswerOwed,
            Self::Engine(error) => error.problem_type(),
            Self::Internal(_) => Type::Internal,
        }
    }

    /// Returns the problem document.
    pub fn problem(&self) -> Problem {
        if let Self::Engine(error) = self {
            return error.problem();
        }
        let problem_type = self.problem_type();
        Problem {
            slug: problem_type.slug().to_owned(),
            title: problem_type.title().to_owned(),
            status: problem_type.status(),
            detail: self.to_string(),
            expected: None,
            payment: self.payment(),
            holder: match self {
                Self::AnswerElsewhere(holder) => Some(holder.clone()),
                _ => None,
            },
            items: Vec::new(),
        }
    }

    /// Returns whether another process serves the channel, or may serve it by now.
    pub(crate) fn is_moved(&self) -> bool {
        matches!(
            self.problem_type(),
            ProblemType::ChannelHeldElsewhere | ProblemType::ChannelMoving
        )
    }

    /// Returns the payment that the error requires.
    fn payment(&self) -> Option<PaymentRequired> {
        match self {
            Self::Due(due) => Some(PaymentRequired::Due(due.clone())),
            _ => None,
        }
    }

    /// Returns whether a retry may succeed soon.
    fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Running
                | Self::TooManyUnpaid(_)
                | Self::Full
                | Self::DiskFull
                | Self::Stopping
                | Self::PaymentUnsettled
                | Self::AnswerOwed(_)
        )
    }
}

impl From<SpoolError> for PaywallError {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Full => Self::Full,
            SpoolError::DiskFull => Self::DiskFull,
            SpoolError::Busy => Self::Running,
            SpoolError::Damaged => Self::Damaged,
            error @ (SpoolError::Taken | SpoolError::Disk(_)) => Self::internal(error),
        }
    }
}

impl From<Box<dyn EngineError>> for PaywallError {
    fn from(error: Box<dyn EngineError>) -> Self {
        Self::Engine(error)
    }
}

impl IntoResponse for PaywallError {
    /// Returns the problem document. Its [`ProblemType`] is among the response's extensions.
    fn into_response(self) -> Response {
        if let Self::Engine(error) = self {
            return error.into_response();
        }
        match &self {
            Self::Internal(cause) => tracing::error!(%cause, "internal error"),
            Self::DiskFull => tracing::error!("the disk of stored answers is full"),
            _ => {}
        }
        if let Self::AnswerOwed(cause) = &self {
            tracing::error!(%cause, "a paid answer could not be made");
        }
        let (problem_type, problem, is_passing) =
            (self.problem_type(), self.problem(), self.is_passing());
        let status = StatusCode::from_u16(problem.status);
        let payment = problem.payment.as_ref().map(PaymentRequired::to_header);
        let retry_after = match self {
            Self::UpstreamBusy(after) => Some(after),
            Self::WalletFailing(seconds) => Some(HeaderValue::from(seconds)),
            _ => is_passing.then(|| HeaderValue::from_static("1")),
        };
        let mut response = axum::Json(problem).into_response();
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(problem_type);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(payment) = payment.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(PaymentRequired::HEADER, payment);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if let Some(after) = retry_after {
            headers.insert(RETRY_AFTER, after);
        }
        response
    }
}
