use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use motif_sdk::gateway::wire::ScopeWord;
use parking_lot::{Mutex, RwLock};

use super::{ApiKey, DigestKey, KeyError, KeyId, StoredKey, Token};

/// All API keys in memory.
#[derive(Debug)]
pub struct Keyring {
    /// Key of the tokens' digests.
    digest_key: DigestKey,
    keys: RwLock<HashMap<KeyId, Arc<ApiKey>>>,
    /// Time of the newest refresh for an unknown key.
    refreshed_at: Mutex<Option<Instant>>,
}

/// Minimum time between two refreshes for unknown keys.
const REFRESH_EVERY: Duration = Duration::from_secs(1);

/// Caller of a request: the holder of an API key, or an anonymous client.
#[derive(Clone, Debug, Default)]
pub struct Caller(pub Option<Arc<ApiKey>>);

impl Keyring {
    /// Creates a keyring from stored keys.
    pub fn new(digest_key: DigestKey, stored: Vec<StoredKey>) -> Self {
        let keys = stored.into_iter().map(|stored| (stored.id, Arc::new(ApiKey::new(stored))));
        Self { digest_key, keys: RwLock::new(keys.collect()), refreshed_at: Mutex::new(None) }
    }

    /// Returns the digest that is stored for a token.
    pub fn digest(&self, token: &Token) -> [u8; 32] {
        *token.digest(self.digest_key.as_bytes()).as_bytes()
    }

    /// Returns the valid key of a token.
    ///
    /// # Errors
    /// [`KeyError::Unauthorized`], whatever the reason.
    pub fn find(&self, token: &str, now: i64) -> Result<Arc<ApiKey>, KeyError> {
        let token: Token = token.parse().map_err(|_| KeyError::Unauthorized)?;
        let keys = self.keys.read();
        let key = keys.get(&token.id).ok_or(KeyError::Unauthorized)?;
        let digest = token.digest(self.digest_key.as_bytes());
        if key.verify(digest, now) { Ok(key.clone()) } else { Err(KeyError::Unauthorized) }
    }

    /// Returns whether the token names a known key, valid or not.
    pub fn knows(&self, token: &str) -> bool {
        let keys = self.keys.read();
        token.parse::<Token>().is_ok_and(|token| keys.contains_key(&token.id))
    }

    /// Returns whether an unknown key may trigger a refresh now, and starts the next interval if
    /// so.
    pub fn may_refresh(&self) -> bool {
        let mut refreshed_at = self.refreshed_at.lock();
        let may = refreshed_at.is_none_or(|at| at.elapsed() >= REFRESH_EVERY);
        if may {
            *refreshed_at = Some(Instant::now());
        }
        may
    }

    /// Adds and updates keys from the store, which other processes may have changed.
    pub fn refresh(&self, stored: Vec<StoredKey>) {
        let mut keys = self.keys.write();
        for stored in stored {
            match keys.get(&stored.id) {
                Some(key) => key.refresh(&stored),
                None => drop(keys.insert(stored.id, Arc::new(ApiKey::new(stored)))),
            }
        }
    }

    /// Adds a new key.
    pub fn add(&self, stored: StoredKey) -> Arc<ApiKey> {
        let key = Arc::new(ApiKey::new(stored));
        self.keys.write().insert(key.id(), key.clone());
        key
    }

    /// Revokes a key from `now` on.
    ///
    /// # Errors
    /// [`KeyError::NotFound`].
    pub fn revoke(&self, id: KeyId, now: i64) -> Result<Arc<ApiKey>, KeyError> {
        let keys = self.keys.read();
        let key = keys.get(&id).ok_or(KeyError::NotFound(id))?;
        key.revoke(now);
        Ok(key.clone())
    }

    /// Returns all keys, oldest first.
    pub fn all(&self) -> Vec<Arc<ApiKey>> {
        let mut all: Vec<_> = self.keys.read().values().cloned().collect();
        all.sort_by_key(|key| (key.facts().created_at, key.id()));
        all
    }
}

impl Caller {
    /// Checks that the caller has a scope. Anonymous callers pass unless keys are required.
    ///
    /// # Errors
    /// [`KeyError::Unauthorized`], [`KeyError::MissingScope`].
    pub fn allow(&self, scope: ScopeWord, is_key_required: bool) -> Result<(), KeyError> {
        match &self.0 {
            Some(key) => key.allow(scope),
            None if is_key_required => Err(KeyError::Unauthorized),
            None => Ok(()),
        }
    }
}
