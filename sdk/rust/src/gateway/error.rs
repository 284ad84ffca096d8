use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use motif_payer::InvalidJournal;
use solana_signer::SignerError;

use super::{ProblemType, wire::Problem};
use crate::voucher::StatementFull;

/// Errors of calls to a gateway.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GatewayError {
    /// Error returned when the gateway refuses a request. Nothing changed.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Error returned when a refusal does not tell whether the payment was charged: repeats of it were
    /// refused after an attempt without an answer, or the gateway has failed. See [`super::Payer::resume`].
    #[error("{0}; the payment may have been made")]
    OutcomeUnknown(Box<Problem>),
    /// Error returned when no attempt is answered. The gateway may have served the request:
    /// repeating it with the same idempotency key is safe.
    #[error("the gateway at {url} did not answer: {}", innermost(source))]
    Unreachable {
        /// URL of the gateway or the model server.
        url: String,
        /// Error of the last attempt.
        source: Arc<reqwest::Error>,
    },
    /// Error returned when the model server behind a paywall refuses a request. Nothing was
    /// charged.
    #[error("the server refused the request with status {status}: {text}")]
    ServerRefused {
        /// HTTP status.
        status: u16,
        /// Beginning of the body.
        text: String,
        /// Content type of the body.
        kind: String,
        /// Body.
        body: Arc<[u8]>,
    },
    /// Error returned when the gateway's answer is false or cannot be parsed.
    #[error("the gateway's answer is not acceptable: {0}")]
    Untrusted(String),
    /// Error returned when a budget of the payer does not cover a payment. Nothing was signed.
    #[error("spending would rise to {total} base units, above the budget of {budget}")]
    OverBudget {
        /// Spending with the payment, base units.
        total: u64,
        /// Budget, base units.
        budget: u64,
    },
    /// Error returned when the price of a license's unit exceeds the payer's maximum. Nothing was
    /// signed.
    #[error("license {license} costs {price} base units a unit: expected at most {max}")]
    PriceTooHigh {
        /// Index of the license.
        license: u16,
        /// Price of a unit, base units.
        price: u64,
        /// Maximum price of a unit, base units.
        max: u64,
    },
    /// Error returned while an earlier payment is unanswered: see [`super::Payer::resume`].
    #[error("an earlier payment is unanswered; resume it first")]
    Unanswered,
    /// Error returned when another process has the payer's state file.
    #[error("the payer's state {} is in use by {holder}; expected one process a channel", path.display())]
    StateLocked {
        /// Path of the file.
        path: PathBuf,
        /// Process that has it.
        holder: String,
    },
    /// Error returned when the payer's state file cannot be read or written. Nothing more is signed or sent
    /// then; a signed payment that may be in the file is sent by the next process.
    #[error("the payer's state {}: {source}", path.display())]
    StateFailed {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: Arc<io::Error>,
    },
    /// Error returned when the payer's state file is not a state of this channel.
    #[error("the payer's state {}: {source}", path.display())]
    StateInvalid {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: InvalidJournal,
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
    /// Error returned when the signer does not sign.
    #[error("cannot sign")]
    Signer(#[source] Arc<SignerError>),
    /// Error returned when an amount exceeds `u64::MAX`.
    #[error("an amount exceeds 2^64 - 1 base units")]
    Overflow,
}

impl GatewayError {
    /// Whether the error proves that the last request was not charged.
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Refused(problem) => motif_payer::is_definite(problem),
            Self::ServerRefused { status, .. } => *status < 500,
            Self::OutcomeUnknown(_)
            | Self::Unreachable { .. }
            | Self::Untrusted(_)
            | Self::Unanswered
            | Self::StateFailed { .. } => false,
            Self::OverBudget { .. }
            | Self::PriceTooHigh { .. }
            | Self::StateLocked { .. }
            | Self::StateInvalid { .. }
            | Self::LicenseNotFound(_)
            | Self::LicenseRefuses { .. }
            | Self::StatementFull(_)
            | Self::Signer(_)
            | Self::Overflow => true,
        }
    }

    pub(super) fn unreachable(url: &str, source: reqwest::Error) -> Self {
        Self::Unreachable { url: url.to_owned(), source: Arc::new(source) }
    }

    pub(super) fn state_failed(path: &Path, source: io::Error) -> Self {
        Self::StateFailed { path: path.to_owned(), source: Arc::new(source) }
    }

    pub(super) fn state_invalid(path: Option<&Path>, source: InvalidJournal) -> Self {
        Self::StateInvalid { path: path.unwrap_or(Path::new("")).to_owned(), source }
    }

    /// Returns the error of a request whose payment was made before.
    pub(super) fn after_payment(self) -> Self {
        match self {
            Self::Refused(problem) => Self::OutcomeUnknown(problem),
            Self::ServerRefused { status, text, .. } => {
                Self::Untrusted(format!("a paid answer was refused with status {status}: {text}"))
            }
            other => other,
        }
    }

    /// Returns the slug of the gateway's refusal.
    pub fn slug(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) | Self::OutcomeUnknown(problem) => Some(&problem.slug),
            _ => None,
        }
    }

    /// Returns the type of the gateway's refusal; `None` if this version does not know it.
    pub fn problem_type(&self) -> Option<ProblemType> {
        match self {
            Self::Refused(problem) | Self::OutcomeUnknown(problem) => problem.problem_type(),
            _ => None,
        }
    }
}

impl From<SignerError> for GatewayError {
    fn from(error: SignerError) -> Self {
        Self::Signer(Arc::new(error))
    }
}

/// Returns the innermost cause of reqwest's "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
pub(super) fn untrusted(what: &str) -> GatewayError {
    GatewayError::Untrusted(what.to_owned())
}
