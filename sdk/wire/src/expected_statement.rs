use serde::{Deserialize, Serialize};

use super::{Amount, StatementEntry};

/// Open statement at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExpectedStatement {
    /// Number of the statement.
    pub statement: u64,
    /// Total of the newest voucher; with `wrong-price`, the total that this generation requires.
    pub cumulative: Amount,
    /// Units used, by license.
    pub entries: Vec<StatementEntry>,
}
