use serde::{Deserialize, Serialize};

use super::{Amount, ScopeWord};

/// An API key to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Whose it is, or what for; 1 to 100 characters, none of them invisible.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ScopeWord>,
    /// The most it may ever spend, fees included; `null` for no such limit.
    #[serde(default)]
    pub budget: Option<Amount>,
    /// Last unix second in which it is good; `null` for no end.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// An API key, without what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyFacts {
    /// Names it: 16 hexadecimal digits.
    pub key: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ScopeWord>,
    /// The most it may ever spend, fees included; `null` for no such limit.
    pub budget: Option<Amount>,
    /// What it has spent, fees included.
    pub spent: Amount,
    /// Unix seconds.
    pub created_at: i64,
    /// Last unix second in which it is good; `null` for no end.
    pub expires_at: Option<i64>,
    /// Unix seconds from which it is not good any more; `null` while it is.
    pub revoked_at: Option<i64>,
}

/// A new API key. Its token is shown this once and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// Goes into `Authorization: Bearer ...`.
    pub token: String,
    /// The key.
    pub key: ApiKeyFacts,
}

/// All API keys, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyList {
    /// The keys.
    pub keys: Vec<ApiKeyFacts>,
}

/// The most a channel may be used for at this gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChannelBudget {
    /// Prices and fees since the channel opened, settled or not; `null` for its whole deposit.
    pub budget: Option<Amount>,
}

impl std::fmt::Debug for CreatedApiKey {
    /// Without the token.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CreatedApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}
