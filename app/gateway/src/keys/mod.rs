//! API keys: scopes, budgets and tokens.
//!
//! A token is shown once. The store keeps a keyed digest of it, under a [`DigestKey`] outside the
//! store, so a copy of the store neither reveals nor verifies tokens.

mod api_key;
mod digest_key;
mod keyring;
mod token;

use motif_sdk::gateway::wire::ScopeWord;

pub use api_key::ApiKey;
pub use digest_key::{DigestKey, DigestKeyError};
pub use keyring::{Caller, Keyring};
use motif_store::BudgetExceeded;
pub use motif_store::{KeyId, Scopes, StoredKey};
pub use token::Token;

/// Error returned when an API key is missing, invalid or insufficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Error returned when the API key is missing, unknown, expired or revoked.
    #[error("missing or invalid API key: expected `authorization: Bearer ...`")]
    Unauthorized,
    /// Error returned when the API key lacks a scope.
    #[error("this API key does not have the scope `{0}`")]
    MissingScope(ScopeWord),
    /// Error returned when the API key's budget is exceeded.
    #[error("this costs {needed} base units; the API key's budget has {left} left")]
    BudgetExceeded {
        /// Base units.
        needed: u64,
        /// Base units.
        left: u64,
    },
    /// Error returned when no API key has this identifier.
    #[error("unknown API key `{0}`")]
    NotFound(KeyId),
    /// Error returned when a new API key's properties are invalid.
    #[error("{0}")]
    Invalid(&'static str),
}

impl From<BudgetExceeded> for KeyError {
    fn from(error: BudgetExceeded) -> Self {
        Self::BudgetExceeded { needed: error.needed, left: error.left }
    }
}
