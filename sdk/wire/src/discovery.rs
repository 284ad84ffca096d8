use serde::{Deserialize, Serialize};

use super::Address;

/// What a gateway has for whoever looks for terms, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Discovery {
    /// Who runs it.
    pub operator: Address,
    /// Where works and terms are on chain.
    pub licensing_program: Address,
    /// Where channels and earnings are on chain.
    pub payments_program: Address,
    /// Works with their latest terms: JSON, by pages, with filters.
    pub works: String,
    /// Whose content is: `POST` it there, or its fingerprint.
    pub authenticate: String,
    /// The terms of works, as Really Simple Licensing 1.0.
    pub rsl: String,
    /// All of this interface.
    pub openapi: String,
}
