//! Why the gateway refuses, as RFC 9457 problem documents.

use std::time::Duration;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use motif_sdk::{
    Pubkey,
    gateway::wire::{ExpectedStatement, PaymentRequired, Problem, ScopeWord},
};

use crate::{
    chain::ChainError,
    keys::KeyId,
    ledger::{LicenseLimit, Refusal},
    paywall::PaywallRefusal,
    store::{BudgetExceeded, ProofError, StoreError},
};

/// Everything a request can be refused for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No work there.
    #[error("no work `{0}`")]
    UnknownWork(Pubkey),
    /// The work offers nothing.
    #[error("work `{0}` has published no terms")]
    NoTerms(Pubkey),
    /// The work's terms do not license this use.
    #[error("the latest terms of work `{work}` do not license `{licensed_use}`")]
    UseNotLicensed {
        /// The work.
        work: Pubkey,
        /// What was asked for.
        licensed_use: String,
    },
    /// No channel there, or none this gateway serves.
    #[error("no channel `{0}` here; ask for it with POST /v1/channels")]
    UnknownChannel(Pubkey),
    /// Another process of this gateway has the channel.
    #[error("another process has channel `{channel}`: ask at {url}")]
    HeldElsewhere {
        /// The channel.
        channel: Pubkey,
        /// Where that process is found.
        url: String,
    },
    /// The channel changes hands just now.
    #[error("the channel is being taken over; ask again")]
    ChannelMoving,
    /// The channel names another operator.
    #[error("the channel's operator is `{theirs}`, and this gateway is `{ours}`")]
    WrongOperator {
        /// The channel's.
        theirs: Pubkey,
        /// This gateway's.
        ours: Pubkey,
    },
    /// The channel pays this operator too little.
    #[error("the channel gives its operator {given} basis points, and must give {least}")]
    FeeTooLow {
        /// The channel's.
        given: u16,
        /// This gateway's.
        least: u16,
    },
    /// The channel leaves too little time to settle.
    #[error("the channel's grace period is {given} seconds, and must be {least}")]
    GraceTooShort {
        /// The channel's.
        given: u32,
        /// This gateway's.
        least: u32,
    },
    /// The gateway does not take this currency.
    #[error("this gateway serves no channels in mint `{0}`")]
    MintNotServed(Pubkey),
    /// More than the store can count.
    #[error("the channel holds {0} base units; this gateway serves at most 2^63 - 1")]
    DepositTooLarge(u64),
    /// The voucher names another channel, cluster or incarnation.
    #[error("the voucher is for another channel, cluster or incarnation of this channel")]
    VoucherOtherChannel,
    /// The voucher key did not sign this.
    #[error("the voucher is not signed by the channel's voucher key")]
    VoucherSignature,
    /// The ledger does not take the generation.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// What the ledger has.
        expected: Option<ExpectedStatement>,
    },
    /// A generation without a key.
    #[error("name the generation in an `Idempotency-Key` header")]
    IdempotencyKeyMissing,
    /// A generation with a key that is none.
    #[error("an idempotency key has 8 to 128 visible ASCII characters")]
    IdempotencyKeyInvalid,
    /// The key names another generation.
    #[error("this idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// No receipt of this digest.
    #[error("no receipt of this digest")]
    UnknownReceipt,
    /// No proof yet.
    #[error("the receipt's statement has not settled yet; ask again when it has")]
    ReceiptNotSettled,
    /// No proof ever.
    #[error("this gateway lacks a part of the channel's record, so it cannot prove the receipt")]
    ReceiptUnprovable,
    /// A batch of no or too many generations.
    #[error("a batch has 1 to 100 generations, not {0}")]
    BatchSize(usize),
    /// No hold of this name on the channel.
    #[error("no such hold on this channel")]
    UnknownHold,
    /// The hold was for another request.
    #[error("room was held for another request")]
    HoldMismatch,
    /// What was captured is paid.
    #[error("the hold was captured: its generation is paid for")]
    HoldCaptured,
    /// A hold for too long.
    #[error("a hold lasts {0} seconds at most")]
    HoldTooLong(i64),
    /// The chain has said nothing of the channel for too long.
    #[error("the cluster has said nothing of this channel for {0} seconds; ask again later")]
    ChannelUnseen(u64),
    /// Nothing was used since the last settlement.
    #[error("nothing was used since the last settlement")]
    NothingToSettle,
    /// The payer has not started closing.
    #[error("the payer has not started closing this channel on chain")]
    ChannelNotClosing,
    /// The chain refuses the settlement.
    #[error("the chain refuses to settle: {0}")]
    SettlementRefused(String),
    /// Not seen to land in time; it is still being followed.
    #[error("the settlement was sent and has not landed yet; ask again")]
    SettlementUnconfirmed,
    /// No API key, or none that is good.
    #[error("name yourself with a good API key: `authorization: Bearer ...`")]
    Unauthorized,
    /// The API key is for something else.
    #[error("this API key does not have the scope `{0}`")]
    Forbidden(ScopeWord),
    /// No such API key.
    #[error("no API key `{0}`")]
    UnknownKey(KeyId),
    /// An API key cannot be made like this.
    #[error("{0}")]
    InvalidKey(&'static str),
    /// The API key's budget does not cover this.
    #[error("this costs {needed} base units, and the API key's budget has {left} left")]
    KeyBudget {
        /// Base units.
        needed: u64,
        /// Base units.
        left: u64,
    },
    /// Too often.
    #[error("too many requests (limit: {by}); wait {} seconds", wait_seconds(*wait))]
    RateLimited {
        /// Whose allowance is used up.
        by: &'static str,
        /// Until it has enough again.
        wait: Duration,
    },
    /// Neither the payer nor its voucher key has signed the request.
    #[error("the request is not signed by the channel's payer or its voucher key")]
    NotByPayer,
    /// The request was signed long ago, or will be.
    #[error("the request was issued at {issued_at}, and it is {now} here; sign it anew")]
    RequestStale {
        /// Unix seconds.
        issued_at: i64,
        /// Unix seconds.
        now: i64,
    },
    /// A body in another encoding than its own.
    #[error("send the body as it is, without `content-encoding`")]
    EncodedBody,
    /// The content cannot be decoded, and nothing is registered as exactly this.
    #[error("nothing is registered as exactly this, and it cannot be compared: {0}")]
    ContentUnreadable(String),
    /// Decoding the content had to be stopped, and nothing is registered as exactly this.
    #[error(
        "nothing is registered as exactly this, and it cannot be compared: decoding it takes \
         more memory or time than is safe"
    )]
    ContentTooCostly,
    /// More fingerprints than are looked for at once.
    #[error("{0} fingerprints are too many to look for at once; send 64 at most")]
    TooManyFingerprints(usize),
    /// Too much content is being taken in.
    #[error("too much content is being looked at; ask again, or send fingerprints alone")]
    RecognitionBusy,
    /// Works have not been read from the chain yet.
    #[error("the works on chain have not been read yet; ask again")]
    RecognitionNotReady,
    /// The settlement worker has stopped.
    #[error("the settlement worker has made no progress for {0} seconds")]
    WorkerStalled(u64),
    /// The body is not the JSON that is asked for.
    #[error("{0}")]
    MalformedJson(String),
    /// The body is not declared to be JSON.
    #[error("send `content-type: application/json`")]
    UnsupportedMediaType,
    /// The body is too long.
    #[error("the body is longer than {0} bytes")]
    BodyTooLarge(usize),
    /// A part of the path is not what it should be.
    #[error("`{0}` in the path: {1}")]
    InvalidPath(String, String),
    /// The query is not what it should be.
    #[error("{0}")]
    InvalidQuery(String),
    /// The URL exists, for other methods.
    #[error("this URL does not take this method")]
    MethodNotAllowed,
    /// No such URL.
    #[error("no such URL; see /openapi.json")]
    NotFound,
    /// The request took too long.
    #[error("the request was not finished in time")]
    Timeout,
    /// The node does not answer.
    #[error("the cluster cannot be reached now; ask again")]
    ChainUnreachable(#[source] ChainError),
    /// The store does not answer.
    #[error("the gateway cannot store anything now")]
    StoreFailed(#[source] StoreError),
    /// A paywall hands nothing over.
    #[error(transparent)]
    Paywall(#[from] PaywallRefusal),
    /// Our bug.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// An allowance is used up.
    pub fn limited(by: &'static str, wait: Duration) -> Self {
        Self::RateLimited { by, wait }
    }

    /// A ledger's refusal that needs no picture of the statement.
    pub fn refused(refusal: Refusal) -> Self {
        Self::Refused { refusal, expected: None }
    }

    /// Whether the channel is, or may be, another process's by now.
    pub(crate) fn is_moved(&self) -> bool {
        matches!(self, Self::HeldElsewhere { .. } | Self::ChannelMoving)
    }

    /// What clients may match on, and figures and traces name.
    pub fn slug(&self) -> &'static str {
        self.kind().1
    }

    /// Status, slug and title. No `_` arm: each new error must choose.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as Status;
        match self {
            Self::UnknownWork(_) => (Status::NOT_FOUND, "unknown-work", "Unknown work"),
            Self::NoTerms(_) => (Status::NOT_FOUND, "no-terms", "The work has no terms"),
            Self::UseNotLicensed { .. } => {
                (Status::NOT_FOUND, "use-not-licensed", "The terms do not license this use")
            }
            Self::UnknownChannel(_) => (Status::NOT_FOUND, "unknown-channel", "Unknown channel"),
            Self::HeldElsewhere { .. } => (
                Status::MISDIRECTED_REQUEST,
                "channel-held-elsewhere",
                "Another process has the channel",
            ),
            Self::ChannelMoving => {
                (Status::SERVICE_UNAVAILABLE, "channel-moving", "The channel is being taken over")
            }
            Self::WrongOperator { .. } => {
                (Status::UNPROCESSABLE_ENTITY, "wrong-operator", "Another operator's channel")
            }
            Self::FeeTooLow { .. } => {
                (Status::UNPROCESSABLE_ENTITY, "fee-too-low", "The operator's fee is too low")
            }
            Self::GraceTooShort { .. } => {
                (Status::UNPROCESSABLE_ENTITY, "grace-too-short", "The grace period is too short")
            }
            Self::MintNotServed(_) => {
                (Status::UNPROCESSABLE_ENTITY, "mint-not-served", "Mint not served")
            }
            Self::DepositTooLarge(_) => {
                (Status::UNPROCESSABLE_ENTITY, "deposit-too-large", "The deposit is too large")
            }
            Self::VoucherOtherChannel => (
                Status::UNPROCESSABLE_ENTITY,
                "voucher-other-channel",
                "The voucher is for another channel",
            ),
            Self::VoucherSignature => {
                (Status::UNPROCESSABLE_ENTITY, "voucher-signature", "Wrong voucher signature")
            }
            Self::Refused { refusal, .. } => Self::refusal_kind(refusal),
            Self::IdempotencyKeyMissing => {
                (Status::BAD_REQUEST, "idempotency-key-missing", "Idempotency key missing")
            }
            Self::IdempotencyKeyInvalid => {
                (Status::BAD_REQUEST, "idempotency-key-invalid", "Idempotency key invalid")
            }
            Self::IdempotencyKeyReused => {
                (Status::CONFLICT, "idempotency-key-reused", "Idempotency key reused")
            }
            Self::UnknownReceipt => (Status::NOT_FOUND, "unknown-receipt", "Unknown receipt"),
            Self::ReceiptNotSettled => {
                (Status::CONFLICT, "receipt-not-settled", "The receipt has not settled")
            }
            Self::ReceiptUnprovable => {
                (Status::CONFLICT, "receipt-unprovable", "The receipt cannot be proved here")
            }
            Self::BatchSize(_) => {
                (Status::UNPROCESSABLE_ENTITY, "batch-size", "No batch of this size")
            }
            Self::UnknownHold => (Status::NOT_FOUND, "unknown-hold", "Unknown hold"),
            Self::HoldMismatch => (Status::CONFLICT, "hold-mismatch", "Held for another request"),
            Self::HoldCaptured => (Status::CONFLICT, "hold-captured", "The hold was captured"),
            Self::HoldTooLong(_) => {
                (Status::UNPROCESSABLE_ENTITY, "hold-too-long", "The hold is too long")
            }
            Self::ChannelUnseen(_) => {
                (Status::SERVICE_UNAVAILABLE, "channel-unseen", "The channel cannot be seen")
            }
            Self::NothingToSettle => {
                (Status::CONFLICT, "nothing-to-settle", "There is nothing to settle")
            }
            Self::ChannelNotClosing => {
                (Status::CONFLICT, "channel-not-closing", "The channel is not closing")
            }
            Self::SettlementRefused(_) => {
                (Status::BAD_GATEWAY, "settlement-refused", "The chain refused to settle")
            }
            Self::SettlementUnconfirmed => {
                (Status::GATEWAY_TIMEOUT, "settlement-unconfirmed", "Not settled yet")
            }
            Self::Unauthorized => (Status::UNAUTHORIZED, "unauthorized", "Unauthorized"),
            Self::Forbidden(_) => (Status::FORBIDDEN, "forbidden", "Forbidden"),
            Self::UnknownKey(_) => (Status::NOT_FOUND, "unknown-key", "Unknown API key"),
            Self::InvalidKey(_) => (Status::UNPROCESSABLE_ENTITY, "invalid-key", "Invalid API key"),
            Self::KeyBudget { .. } => {
                (Status::PAYMENT_REQUIRED, "key-budget", "The API key's budget is used up")
            }
            Self::RateLimited { .. } => {
                (Status::TOO_MANY_REQUESTS, "rate-limited", "Too many requests")
            }
            Self::NotByPayer => (Status::FORBIDDEN, "not-by-payer", "Not asked by the payer"),
            Self::RequestStale { .. } => {
                (Status::FORBIDDEN, "request-stale", "The request is too old or too new")
            }
            Self::EncodedBody => {
                (Status::UNSUPPORTED_MEDIA_TYPE, "encoded-body", "The body is encoded")
            }
            Self::ContentUnreadable(_) => {
                (Status::UNPROCESSABLE_ENTITY, "content-unreadable", "The content is unreadable")
            }
            Self::ContentTooCostly => {
                (Status::UNPROCESSABLE_ENTITY, "content-too-costly", "Decoding costs too much")
            }
            Self::TooManyFingerprints(_) => {
                (Status::UNPROCESSABLE_ENTITY, "too-many-fingerprints", "Too many fingerprints")
            }
            Self::RecognitionBusy => {
                (Status::SERVICE_UNAVAILABLE, "recognition-busy", "Too much to look at")
            }
            Self::RecognitionNotReady => {
                (Status::SERVICE_UNAVAILABLE, "recognition-not-ready", "Works are being read")
            }
            Self::WorkerStalled(_) => {
                (Status::SERVICE_UNAVAILABLE, "worker-stalled", "Settlement has stopped")
            }
            Self::MalformedJson(_) => (Status::BAD_REQUEST, "malformed-json", "Malformed JSON"),
            Self::UnsupportedMediaType => {
                (Status::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be JSON")
            }
            Self::BodyTooLarge(_) => {
                (Status::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
            }
            Self::InvalidPath(..) => (Status::BAD_REQUEST, "invalid-path", "Invalid path"),
            Self::InvalidQuery(_) => (Status::BAD_REQUEST, "invalid-query", "Invalid query"),
            Self::MethodNotAllowed => {
                (Status::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::NotFound => (Status::NOT_FOUND, "not-found", "Not found"),
            Self::Timeout => (Status::REQUEST_TIMEOUT, "timeout", "Timeout"),
            Self::ChainUnreachable(_) => {
                (Status::SERVICE_UNAVAILABLE, "chain-unreachable", "The cluster is unreachable")
            }
            Self::StoreFailed(_) => {
                (Status::SERVICE_UNAVAILABLE, "store-failed", "The store has failed")
            }
            Self::Paywall(refusal) => refusal.kind(),
            Self::Internal(_) => (Status::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    fn refusal_kind(refusal: &Refusal) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as Status;
        match refusal {
            Refusal::ChannelClosing => {
                (Status::CONFLICT, "channel-closing", "The channel is closing")
            }
            Refusal::VoucherKeyRotating { .. } => {
                (Status::CONFLICT, "voucher-key-rotating", "The channel's voucher key is changing")
            }
            Refusal::StatementClosed => {
                (Status::CONFLICT, "statement-closed", "The statement is closed")
            }
            Refusal::StatementAhead { .. } => {
                (Status::CONFLICT, "statement-ahead", "The statement has not begun")
            }
            Refusal::NoUnits => (Status::UNPROCESSABLE_ENTITY, "no-units", "No units"),
            Refusal::LicenseNotFound(_) => {
                (Status::NOT_FOUND, "unknown-license", "Unknown license")
            }
            Refusal::StatementFull => (Status::CONFLICT, "statement-full", "The statement is full"),
            Refusal::LicenseLimit { limit, .. } => match limit {
                LicenseLimit::Units => (Status::CONFLICT, "unit-cap", "Unit cap reached"),
                LicenseLimit::Daily => (Status::CONFLICT, "daily-cap", "Daily cap reached"),
                LicenseLimit::Revenue => (Status::CONFLICT, "revenue-cap", "Revenue cap reached"),
                LicenseLimit::Expired => {
                    (Status::CONFLICT, "license-expired", "The license has expired")
                }
            },
            Refusal::LicenseEnding { .. } => {
                (Status::CONFLICT, "license-expired", "The license has expired")
            }
            Refusal::WrongPrice { .. } => (Status::CONFLICT, "wrong-price", "Wrong price"),
            Refusal::NotNewer { .. } => {
                (Status::CONFLICT, "voucher-not-newer", "The voucher is not newer")
            }
            Refusal::StatementMismatch => {
                (Status::CONFLICT, "statement-mismatch", "The voucher is for other units")
            }
            Refusal::Underfunded { .. } => {
                (Status::PAYMENT_REQUIRED, "underfunded", "The channel is underfunded")
            }
            Refusal::OverBudget { .. } => {
                (Status::PAYMENT_REQUIRED, "channel-budget", "The channel's budget is used up")
            }
            Refusal::UnknownHold => (Status::CONFLICT, "hold-ended", "The hold has ended"),
            Refusal::HoldExceeded { .. } => {
                (Status::CONFLICT, "hold-exceeded", "More than was held")
            }
            Refusal::HoldsFull => (Status::CONFLICT, "holds-full", "Too many holds"),
            Refusal::SettlementDue { .. } => {
                (Status::SERVICE_UNAVAILABLE, "settlement-due", "Something must settle first")
            }
            Refusal::Exposed { .. } => {
                (Status::SERVICE_UNAVAILABLE, "exposed", "Too much waits for settlement")
            }
            Refusal::ExpiresTooSoon { .. } => (
                Status::UNPROCESSABLE_ENTITY,
                "voucher-expires-too-soon",
                "The voucher expires too soon",
            ),
            Refusal::AmountTooLarge => {
                (Status::UNPROCESSABLE_ENTITY, "amount-too-large", "Amount too large")
            }
        }
    }

    /// The document that is answered.
    pub fn problem(&self) -> Problem {
        let (status, slug, title) = self.kind();
        let expected = match self {
            Self::Refused { expected, .. } => expected.clone(),
            _ => None,
        };
        let holder = match self {
            Self::HeldElsewhere { url, .. } => Some(url.clone()),
            _ => None,
        };
        Problem {
            slug: slug.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            expected,
            payment: match self {
                Self::Paywall(refusal) => refusal.payment(),
                _ => None,
            },
            holder,
        }
    }

    /// Logs what must not leave the house.
    fn log(&self) {
        match self {
            Self::Internal(cause) => tracing::error!(%cause, "internal error"),
            Self::ChainUnreachable(cause) => tracing::warn!(%cause, "cluster unreachable"),
            Self::StoreFailed(cause) => tracing::error!(%cause, "store failed"),
            _ => {}
        }
    }
}

impl From<ChainError> for ApiError {
    fn from(error: ChainError) -> Self {
        Self::ChainUnreachable(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::ChannelMoving,
            StoreError::KeyBudget { needed, left } => Self::KeyBudget { needed, left },
            error => Self::StoreFailed(error),
        }
    }
}

impl From<BudgetExceeded> for ApiError {
    fn from(BudgetExceeded { needed, left }: BudgetExceeded) -> Self {
        Self::KeyBudget { needed, left }
    }
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::ReceiptNotFound => Self::UnknownReceipt,
            ProofError::NotSettled => Self::ReceiptNotSettled,
            ProofError::StatementNotFound => Self::ReceiptUnprovable,
            ProofError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let (status, slug, _) = self.kind();
        let problem = self.problem();
        let payment = problem.payment.as_ref().map(PaymentRequired::to_header);
        let mut response = axum::Json(problem).into_response();
        *response.status_mut() = status;
        response.extensions_mut().insert(Slug(slug));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(payment) = payment.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(PaymentRequired::HEADER, payment);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        match self {
            Self::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::RateLimited { wait, .. } => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait_seconds(wait)));
            }
            Self::Paywall(refusal) if refusal.is_passing() => {
                headers.insert(RETRY_AFTER, HeaderValue::from(1));
            }
            _ => {}
        }
        response
    }
}

/// What an answer refused, for whoever counts.
#[derive(Clone, Copy, Debug)]
pub struct Slug(pub &'static str);

/// Whole seconds, so that waiting them is enough.
fn wait_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
