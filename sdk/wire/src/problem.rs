use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Amount, PaymentRequired, ProblemType, StatementEntry};

/// Why a request was refused: an RFC 9457 problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A stable slug, to match on.
    #[serde(rename = "type")]
    pub slug: String,
    /// What kind of problem this is.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here, and what would be right.
    pub detail: String,
    /// What the gateway holds for this channel; check it against your own totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedStatement>,
    /// What a paywall asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentRequired>,
    /// Where the channel is served instead, with `channel-held-elsewhere`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// The open statement as the gateway has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpectedStatement {
    /// Its number.
    pub statement: u64,
    /// The total of the newest voucher; with `wrong-price` the total this generation needs.
    pub cumulative: Amount,
    /// Units used so far.
    pub entries: Vec<StatementEntry>,
}

impl Problem {
    /// Returns the type of the problem; `None` if this version does not know its slug.
    pub fn problem_type(&self) -> Option<ProblemType> {
        self.slug.parse().ok()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.detail, self.slug, self.status)
    }
}
