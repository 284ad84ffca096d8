use motif_interface::voucher::StatementFull;
use motif_wire::{Problem, ProblemType};
use serde::de::DeserializeOwned;

/// Error returned when a payment is refused, or an answer is not acceptable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PayerError {
    /// Error returned when the gateway refuses a payment.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Error returned when a refusal does not tell whether the payment was charged, by this attempt or an
    /// earlier one.
    #[error("{0}; the payment may have been made")]
    OutcomeUnknown(Box<Problem>),
    /// Error returned when the gateway's answer is false or cannot be parsed.
    #[error("the gateway's answer is not acceptable: {0}")]
    Untrusted(String),
    /// Error returned when a budget does not cover a payment. Nothing was signed.
    #[error("spending would rise to {total} base units, above the budget of {budget}")]
    OverBudget {
        /// Spending with the payment, base units.
        total: u64,
        /// Budget, base units.
        budget: u64,
    },
    /// Error returned when the price of a license's unit exceeds the policy's maximum.
    #[error("license {license} costs {price} base units a unit: expected at most {max}")]
    PriceTooHigh {
        /// Index of the license.
        license: u16,
        /// Price of a unit, base units.
        price: u64,
        /// Maximum price of a unit, base units.
        max: u64,
    },
    /// Error returned when the channel has no license of an index.
    #[error("the channel has no license {0}")]
    LicenseNotFound(u16),
    /// Error returned when a license's caps or dates do not allow a use.
    #[error("license {license} does not allow this: {reason}")]
    LicenseRefuses {
        /// Index of the license.
        license: u16,
        /// Message of the program.
        reason: String,
    },
    /// Error returned when the statement cannot hold another license.
    #[error(transparent)]
    StatementFull(#[from] StatementFull),
    /// Error returned when an amount exceeds `u64::MAX`.
    #[error("an amount exceeds 2^64 - 1 base units")]
    Overflow,
}

impl PayerError {
    /// Returns the type of the gateway's refusal; `None` if this version does not know it.
    pub fn problem_type(&self) -> Option<ProblemType> {
        match self {
            Self::Refused(problem) | Self::OutcomeUnknown(problem) => problem.problem_type(),
            _ => None,
        }
    }
}

/// Returns whether a problem proves that the request was not charged.
pub fn is_definite(problem: &Problem) -> bool {
    let is_clear = problem.status < 500 && problem.status != 408;
    is_clear || problem.problem_type().is_some_and(ProblemType::is_uncharged)
}

/// Returns whether the gateway may soon accept the request that it answered so: another process takes over
/// the channel, or a rate limit is reached.
pub fn is_transient(status: u16, body: &[u8]) -> bool {
    use ProblemType as T;
    if (200..300).contains(&status) {
        return false;
    }
    let problem: Option<Problem> = motif_json::from_slice(body).ok();
    let problem_type = problem.and_then(|problem| problem.problem_type());
    matches!(problem_type, Some(T::ChannelHeldElsewhere | T::ChannelMoving | T::RateLimited))
}

/// Returns whether a gateway refuses a batch with this type after it has looked for an earlier attempt
/// only. The others are answered before, and prove nothing about earlier attempts.
pub(crate) fn follows_look_up(problem_type: ProblemType) -> bool {
    use ProblemType as T;
    matches!(
        problem_type,
        T::ChannelClosing
            | T::ChannelStopped
            | T::VoucherKeyRotating
            | T::VoucherExpiresTooSoon
            | T::StatementClosed
            | T::StatementAhead
            | T::StatementFull
            | T::StatementMismatch
            | T::WrongPrice
            | T::PriceTooLow
            | T::VoucherNotNewer
            | T::AmountTooLarge
            | T::NoUnits
            | T::UnknownLicense
            | T::UnitCap
            | T::DailyCap
            | T::RevenueCap
            | T::LicenseExpired
            | T::Underfunded
            | T::ChannelBudget
            | T::KeyBudget
            | T::BatchItems
            | T::UnknownHold
            | T::HoldMismatch
            | T::HoldEnded
            | T::HoldExceeded
            | T::HoldCaptured
            | T::IdempotencyKeyReused
    )
}

pub(crate) fn untrusted(what: impl Into<String>) -> PayerError {
    PayerError::Untrusted(what.into())
}

/// Error returned when a state file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJournal {
    /// Error returned when a record has an unknown format.
    #[error("a record of the payer's state cannot be read: {0}")]
    Malformed(String),
    /// Error returned when a record before the last one is damaged.
    #[error("a record of the payer's state is damaged")]
    Damaged,
    /// Error returned when the state does not begin with a snapshot.
    #[error("the payer's state does not begin with a snapshot")]
    NoSnapshot,
    /// Error returned when a newer version wrote the state.
    #[error("the payer's state has version {0}, which a newer program wrote")]
    NewerVersion(u32),
    /// Error returned when the state is of another channel, or of an earlier incarnation.
    #[error("the payer's state is of channel {0}, opened in slot {1}")]
    OtherChannel(String, u64),
    /// Error returned when the chain or the records contradict the state.
    #[error("the payer's state does not fit: {0}")]
    Contradicted(String),
}

pub(crate) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, InvalidJournal> {
    motif_json::from_slice(json).map_err(|error| InvalidJournal::Malformed(error.to_string()))
}
