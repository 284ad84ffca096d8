use motif_sdk::gateway::{
    ProblemType,
    wire::{Due, PaymentRequired, PriceTag},
};

/// Error returned when the paywall returns no answer. Nothing was charged.
#[derive(Debug, thiserror::Error)]
pub enum PaywallRefusal {
    /// The request has no payment.
    #[error("payment required: send a `motif-payment` header as described in `payment`")]
    Unpaid(Box<PriceTag>),
    /// The answer is ready and unpaid.
    #[error("payment due: send a voucher for the answer as described in `payment`")]
    Due(Box<Due>),
    /// The payment header is malformed.
    #[error("invalid `motif-payment`: {0}")]
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
    /// The stream was started before.
    #[error("the stream was started before; its paid parts remain available")]
    StreamBegun,
    /// No answer has this identifier.
    #[error("answer not found")]
    UnknownAnswer,
    /// The channel has too many unpaid answers.
    #[error("the channel has {0} unpaid answers; pay for them first")]
    TooManyUnpaid(u32),
    /// The paywall is at capacity.
    #[error("the paywall is at capacity; retry later")]
    Full,
    /// The model server failed.
    #[error("the model server failed: {0}; nothing was charged")]
    UpstreamFailed(String),
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

    /// Returns the payment that the refusal requires.
    pub(crate) fn payment(&self) -> Option<PaymentRequired> {
        match self {
            Self::Unpaid(price_tag) => Some(PaymentRequired::PriceTag(price_tag.clone())),
            Self::Due(due) => Some(PaymentRequired::Due(due.clone())),
            _ => None,
        }
    }

    /// Returns whether a retry may succeed soon.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Running | Self::TooManyUnpaid(_) | Self::Full | Self::Stopping)
    }
}
