use super::wire::Problem;
use crate::{Error, voucher::StatementFull};

/// Why a gateway's service was not had.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The gateway refused, and nothing changed.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The gateway gave no answer, not even to retries. It may have served the request:
    /// repeating it with the same idempotency key is safe.
    #[error("the gateway at {url} gave no answer: {reason}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server behind a paywall refused the request; nothing was charged.
    #[error("the server refused with status {status}: {text}")]
    ServerRefused {
        /// Its HTTP status.
        status: u16,
        /// The beginning of what it says.
        text: String,
    },
    /// The gateway answered something that is not true, or not JSON of its interface.
    #[error("the gateway's answer is not acceptable: {0}")]
    Untrusted(String),
    /// The session's budget does not allow this; nothing was signed.
    #[error("this would raise the session's spending to {total}, above its budget of {budget}")]
    OverBudget {
        /// What the session would have spent, base units.
        total: u64,
        /// What it may spend, base units.
        budget: u64,
    },
    /// An earlier generation has no answer yet: see [`super::PayerSession::resume`].
    #[error("an earlier generation has no answer yet; resume it first")]
    Unanswered,
    /// The channel has no license of this index.
    #[error("the channel has no license {0}")]
    LicenseNotFound(u16),
    /// The license's own caps or dates refuse this use.
    #[error("license {license} does not allow this: {reason}")]
    LicenseRefuses {
        /// Its index.
        license: u16,
        /// In the program's words.
        reason: String,
    },
    /// The statement can state no more.
    #[error(transparent)]
    StatementFull(#[from] StatementFull),
    /// An amount exceeds what 64 bits hold.
    #[error("an amount exceeds 2^64 - 1 base units")]
    Overflow,
}

impl GatewayError {
    /// Whether it says for sure that nothing was paid for with what was asked last.
    pub fn is_definite(&self) -> bool {
        const CHARGED_NOTHING: [&str; 7] = [
            "upstream-failed",
            "upstream-timeout",
            "answer-too-large",
            "units-missing",
            "units-above-held",
            "paywall-full",
            "stopping",
        ];
        match self {
            Self::Refused(problem) => {
                let is_clear = problem.status < 500 && problem.status != 408;
                is_clear || CHARGED_NOTHING.contains(&problem.slug.as_str())
            }
            Self::ServerRefused { status, .. } => *status < 500,
            Self::Unreachable { .. } | Self::Untrusted(_) | Self::Unanswered => false,
            Self::OverBudget { .. }
            | Self::LicenseNotFound(_)
            | Self::LicenseRefuses { .. }
            | Self::StatementFull(_)
            | Self::Overflow => true,
        }
    }

    /// The slug of the gateway's refusal, if it is one.
    pub fn slug(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => Some(&problem.slug),
            _ => None,
        }
    }
}

impl From<GatewayError> for Error {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error.to_string())
    }
}
