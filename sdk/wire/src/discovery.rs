use serde::{Deserialize, Serialize};

use super::Address;

/// Entry points of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Discovery {
    /// Key of the operator.
    pub operator: Address,
    /// Licensing program.
    pub licensing_program: Address,
    /// Payments program.
    pub payments_program: Address,
    /// URL of works and their latest terms: JSON, in pages, with filters.
    pub works: String,
    /// URL of content authentication: `POST` content or its fingerprints.
    pub authenticate: String,
    /// URL of the terms as Really Simple Licensing 1.0.
    pub rsl: String,
    /// URL of the OpenAPI document.
    pub openapi: String,
}
