use axum::http::StatusCode;
use motif_sdk::gateway::wire::{Due, PaymentRequired, PriceTag};

/// Why a paywall hands nothing over. Nothing was charged.
#[derive(Debug, thiserror::Error)]
pub enum PaywallRefusal {
    /// Nobody pays.
    #[error("this costs something: pay with a `motif-payment` header, as `payment` says")]
    Unpaid(Box<PriceTag>),
    /// The answer is ready.
    #[error("the answer is ready: pay for it with a voucher, as `payment` says")]
    Due(Box<Due>),
    /// The header is not what it should be.
    #[error("`motif-payment`: {0}")]
    Malformed(String),
    /// The license is for something else.
    #[error("license {license} of the channel is not for the work and the use of this route")]
    OtherLicense {
        /// Its index.
        license: u16,
    },
    /// Room for too few or too many units.
    #[error("room has to be kept for {least} to {most} units here, not {given}")]
    HoldUnits {
        /// Units.
        given: u32,
        /// Units.
        least: u32,
        /// Units.
        most: u32,
    },
    /// Room for too short a time.
    #[error("room has to be kept for {0} seconds here")]
    HoldTooShort(u32),
    /// The same request is being answered.
    #[error("this request is being answered; ask again")]
    Running,
    /// It was paid for, and is not kept any more.
    #[error("this was paid for, and is not kept any more")]
    Gone,
    /// A stream is not begun twice.
    #[error("this stream has begun before; its parts that were paid for are kept")]
    StreamBegun,
    /// No such answer.
    #[error("no answer of this name waits here")]
    UnknownAnswer,
    /// Too many answers that nobody has paid for.
    #[error("{0} answers for this channel are not paid for yet; pay for them first")]
    TooManyUnpaid(u32),
    /// No room for more.
    #[error("there is no room for another answer now; ask again")]
    Full,
    /// The server behind failed.
    #[error("the server behind this failed: {0}; nothing was charged")]
    UpstreamFailed(String),
    /// The server behind took too long.
    #[error("the server behind this took longer than {0} seconds; nothing was charged")]
    UpstreamTimeout(u64),
    /// The server behind answered too much.
    #[error("the server behind this answered more than {0} bytes; nothing was charged")]
    AnswerTooLarge(usize),
    /// The server behind did not say how many units it used.
    #[error("the server behind this did not say how many units it used; nothing was charged")]
    UnitsMissing,
    /// The server behind says that it used more than it might.
    #[error("the server behind this says {said} units, and {held} were held; nothing was charged")]
    UnitsAboveHeld {
        /// Units.
        said: u64,
        /// Units.
        held: u32,
    },
    /// The gateway stops.
    #[error("the gateway is stopping; ask again")]
    Stopping,
}

impl PaywallRefusal {
    /// Status, slug and title.
    pub(crate) fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as Status;
        match self {
            Self::Unpaid(_) => (Status::PAYMENT_REQUIRED, "payment-required", "Payment required"),
            Self::Due(_) => (Status::PAYMENT_REQUIRED, "payment-due", "The answer is to be paid"),
            Self::Malformed(_) => (Status::BAD_REQUEST, "payment-malformed", "Malformed payment"),
            Self::OtherLicense { .. } => {
                (Status::UNPROCESSABLE_ENTITY, "other-license", "A license for something else")
            }
            Self::HoldUnits { .. } => {
                (Status::UNPROCESSABLE_ENTITY, "hold-units", "Room for too few or too many units")
            }
            Self::HoldTooShort(_) => {
                (Status::UNPROCESSABLE_ENTITY, "hold-too-short", "The hold is too short")
            }
            Self::Running => (Status::CONFLICT, "answer-running", "Being answered"),
            Self::Gone => (Status::GONE, "answer-gone", "Not kept any more"),
            Self::StreamBegun => (Status::CONFLICT, "stream-begun", "The stream has begun"),
            Self::UnknownAnswer => (Status::NOT_FOUND, "unknown-answer", "Unknown answer"),
            Self::TooManyUnpaid(_) => {
                (Status::TOO_MANY_REQUESTS, "too-many-unpaid", "Too many unpaid answers")
            }
            Self::Full => (Status::SERVICE_UNAVAILABLE, "paywall-full", "No room"),
            Self::UpstreamFailed(_) => {
                (Status::BAD_GATEWAY, "upstream-failed", "The server behind failed")
            }
            Self::UpstreamTimeout(_) => {
                (Status::GATEWAY_TIMEOUT, "upstream-timeout", "The server behind is too slow")
            }
            Self::AnswerTooLarge(_) => {
                (Status::BAD_GATEWAY, "answer-too-large", "The answer is too large")
            }
            Self::UnitsMissing => (Status::BAD_GATEWAY, "units-missing", "Units are missing"),
            Self::UnitsAboveHeld { .. } => {
                (Status::BAD_GATEWAY, "units-above-held", "More units than were held")
            }
            Self::Stopping => (Status::SERVICE_UNAVAILABLE, "stopping", "The gateway is stopping"),
        }
    }

    /// What it asks for.
    pub(crate) fn payment(&self) -> Option<PaymentRequired> {
        match self {
            Self::Unpaid(price_tag) => Some(PaymentRequired::PriceTag(price_tag.clone())),
            Self::Due(due) => Some(PaymentRequired::Due(due.clone())),
            _ => None,
        }
    }

    /// Whether asking again in a moment may help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Running | Self::TooManyUnpaid(_) | Self::Full | Self::Stopping)
    }
}
