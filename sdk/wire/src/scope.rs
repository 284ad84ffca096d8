use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ParseScalarError;

/// Scope of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ScopeWord {
    /// Pay for generations.
    Meter,
    /// Read channels, receipts and reports.
    Read,
    /// All of the operator's rights.
    Admin,
}

impl ScopeWord {
    /// All scopes.
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
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        let found = Self::ALL.into_iter().find(|scope| scope.to_string() == text);
        found.ok_or(ParseScalarError("meter, read or admin"))
    }
}
