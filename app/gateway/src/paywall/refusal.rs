use motif_sdk::gateway::{
    ProblemType,
    wire::{Due, PaymentRequired, PriceTag},
};

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
    /// Returns the type of the problem document.
    pub(crate) fn problem_type(&self) -> ProblemType {
        use ProblemType as Type;
        match self {
            Self::Unpaid(_) => Type::PaymentRequired,
            Self::Due(_) => Type::PaymentDue,
            Self::Malformed(_) => Type::PaymentMalformed,
            Self::OtherLicense { .. } => Type::OtherLicense,
            Self::HoldUnits { .. } => Type::HoldUnits,
            Self::HoldTooShort(_) => Type::HoldTooShort,
            Self::Running => Type::AnswerRunning,
            Self::Gone => Type::AnswerGone,
            Self::StreamBegun => Type::StreamBegun,
            Self::UnknownAnswer => Type::UnknownAnswer,
            Self::TooManyUnpaid(_) => Type::TooManyUnpaid,
            Self::Full => Type::PaywallFull,
            Self::UpstreamFailed(_) => Type::UpstreamFailed,
            Self::UpstreamTimeout(_) => Type::UpstreamTimeout,
            Self::AnswerTooLarge(_) => Type::AnswerTooLarge,
            Self::UnitsMissing => Type::UnitsMissing,
            Self::UnitsAboveHeld { .. } => Type::UnitsAboveHeld,
            Self::Stopping => Type::Stopping,
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
