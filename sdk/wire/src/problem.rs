use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ExpectedStatement, ItemProblem, PaymentRequired, ProblemType};

/// RFC 9457 problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable identifier of the problem type: see `motif_sdk::gateway::ProblemType`.
    #[serde(rename = "type")]
    pub slug: String,
    /// Title of the problem type.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Description of the problem and of the expected value.
    pub detail: String,
    /// Open statement of the channel at the gateway; compare it with your own totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedStatement>,
    /// Payment that a paywall requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentRequired>,
    /// URL of the process that serves the channel, with `channel-held-elsewhere`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Items that are refused, in order, with `batch-items`; the others can be paid without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub items: Vec<ItemProblem>,
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
