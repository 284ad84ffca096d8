//! API keys: who besides a channel's own signatures may use the gateway, for what, up to how much.
//!
//! A token is shown once. The store keeps a keyed digest of it, under a key derived from the
//! operator's: whoever reads the store can neither use a token nor try one out.

mod api_key;
mod keyring;
mod token;

pub use api_key::ApiKey;
pub use keyring::{Caller, Keyring};
pub use motif_store::{KeyId, Scopes, StoredKey};
pub use token::Token;
