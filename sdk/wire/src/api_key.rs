use serde::{Deserialize, Serialize};

use super::{Address, Amount, ScopeWord};

/// Request to create an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Owner or purpose; 1 to 100 visible characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// Granted scopes.
    pub scopes: Vec<ScopeWord>,
    /// Channels whose receipts and usage the key may read with the scope `read`; at most 256.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 256))]
    pub channels: Vec<Address>,
    /// Maximum total spending, fees included; `null` for no limit.
    #[serde(default)]
    pub budget: Option<Amount>,
    /// Last unix second of validity; `null` for no expiry.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyFacts {
    /// Name of the key: 16 hexadecimal digits.
    pub key: String,
    /// Owner or purpose.
    pub name: String,
    /// Granted scopes.
    pub scopes: Vec<ScopeWord>,
    /// Channels whose receipts and usage the key may read.
    #[serde(default)]
    pub channels: Vec<Address>,
    /// Maximum total spending, fees included; `null` for no limit.
    pub budget: Option<Amount>,
    /// Spending so far, fees included.
    pub spent: Amount,
    /// Unix second of creation.
    pub created_at: i64,
    /// Last unix second of validity; `null` for no expiry.
    pub expires_at: Option<i64>,
    /// Unix second of revocation; `null` while the key is valid.
    pub revoked_at: Option<i64>,
}

/// New API key. The token is returned once and not stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// Value for `Authorization: Bearer ...`.
    pub token: String,
    /// API key.
    pub key: ApiKeyFacts,
}

/// All API keys, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyList {
    /// API keys.
    pub keys: Vec<ApiKeyFacts>,
}

/// Maximum spending of a channel through this gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChannelBudget {
    /// Prices and fees since the channel opened, settled or not; `null` for the whole deposit.
    pub budget: Option<Amount>,
}

impl std::fmt::Debug for CreatedApiKey {
    /// Without the token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CreatedApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}
