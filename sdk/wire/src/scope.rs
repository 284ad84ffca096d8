use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::NotWritten;

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ScopeWord {
    /// Pay for generations, and what belongs to it.
    Meter,
    /// Look at channels, receipts and reports.
    Read,
    /// Whatever the operator may.
    Admin,
}

impl ScopeWord {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Meter, Self::Read, Self::Admin];
}

impl fmt::Display for ScopeWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Meter => "meter",
            Self::Read => "read",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for ScopeWord {
    type Err = NotWritten;

    fn from_str(text: &str) -> Result<Self, NotWritten> {
        let found = Self::ALL.into_iter().find(|scope| scope.to_string() == text);
        found.ok_or(NotWritten("meter, read or admin"))
    }
}
