use super::{ProblemType, wire::Problem};
use crate::voucher::StatementFull;

/// Errors of calls to a gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Error returned when the gateway refuses a request. Nothing changed.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Error returned when no attempt is answered. The gateway may have served the request:
    /// repeating it with the same idempotency key is safe.
    #[error("the gateway at {url} did not answer: {}", innermost(source))]
    Unreachable {
        /// URL of the gateway or the model server.
        url: String,
        /// Error of the last attempt.
        source: reqwest::Error,
    },
    /// Error returned when the model server behind a paywall refuses a request. Nothing was
    /// charged.
    #[error("the server refused the request with status {status}: {text}")]
    ServerRefused {
        /// HTTP status.
        status: u16,
        /// Beginning of the body.
        text: String,
    },
    /// Error returned when the gateway's answer is false or cannot be parsed.
    #[error("the gateway's answer is not acceptable: {0}")]
    Untrusted(String),
    /// Error returned when the session's budget does not cover a generation. Nothing was signed.
    #[error("spending would rise to {total} base units, above the session's budget of {budget}")]
    OverBudget {
        /// Spending of the session with the generation, base units.
        total: u64,
        /// Budget of the session, base units.
        budget: u64,
    },
    /// Error returned while an earlier generation is unanswered: see
    /// [`super::PayerSession::resume`].
    #[error("an earlier generation is unanswered; resume it first")]
    Unanswered,
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
    Signer(#[from] solana_signer::SignerError),
    /// Error returned when an amount exceeds `u64::MAX`.
    #[error("an amount exceeds 2^64 - 1 base units")]
    Overflow,
}

impl GatewayError {
    /// Whether the error proves that the last request was not charged.
    pub fn is_definite(&self) -> bool {
        match self {
            Self::Refused(problem) => {
                let is_clear = problem.status < 500 && problem.status != 408;
                is_clear || problem.problem_type().is_some_and(ProblemType::is_uncharged)
            }
            Self::ServerRefused { status, .. } => *status < 500,
            Self::Unreachable { .. } | Self::Untrusted(_) | Self::Unanswered => false,
            Self::OverBudget { .. }
            | Self::LicenseNotFound(_)
            | Self::LicenseRefuses { .. }
            | Self::StatementFull(_)
            | Self::Signer(_)
            | Self::Overflow => true,
        }
    }

    /// Returns the slug of the gateway's refusal.
    pub fn slug(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.slug),
            _ => None,
        }
    }

    /// Returns the type of the gateway's refusal; `None` if this version does not know it.
    pub fn problem_type(&self) -> Option<ProblemType> {
        match self {
            Self::Refused(problem) => problem.problem_type(),
            _ => None,
        }
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
