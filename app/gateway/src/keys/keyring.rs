use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use motif_sdk::gateway::wire::ScopeWord;
use solana_keypair::Keypair;

use super::{ApiKey, KeyId, StoredKey, Token};
use crate::problem::ApiError;

/// All API keys.
#[derive(Debug)]
pub struct Keyring {
    /// Keys the digests of tokens.
    digest_key: [u8; 32],
    keys: RwLock<HashMap<KeyId, Arc<ApiKey>>>,
    /// When an unknown key was last looked for in the store.
    looked_at: Mutex<Option<Instant>>,
}

/// Between two looks for unknown keys.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who asks: the holder of an API key, or anybody.
#[derive(Clone, Debug, Default)]
pub struct Caller(pub Option<Arc<ApiKey>>);

impl Keyring {
    /// The keys as the store has them.
    pub fn new(operator: &Keypair, stored: Vec<StoredKey>) -> Self {
        let context = "motif gateway 2026-11 digests of API tokens";
        let keys = stored.into_iter().map(|stored| (stored.id, Arc::new(ApiKey::new(stored))));
        Self {
            digest_key: blake3::derive_key(context, operator.secret_bytes()),
            keys: RwLock::new(keys.collect()),
            looked_at: Mutex::new(None),
        }
    }

    /// What the store keeps of a token.
    pub fn digest(&self, token: &Token) -> [u8; 32] {
        *token.digest(&self.digest_key).as_bytes()
    }

    /// The key whose token this is.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`], whatever is wrong with it.
    pub fn find(&self, token: &str, now: i64) -> Result<Arc<ApiKey>, ApiError> {
        let token: Token = token.parse().map_err(|_| ApiError::Unauthorized)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&token.id).ok_or(ApiError::Unauthorized)?;
        let digest = token.digest(&self.digest_key);
        if key.is_proved_by(digest, now) { Ok(key.clone()) } else { Err(ApiError::Unauthorized) }
    }

    /// Whether the key that a token names is known here, good or not.
    pub fn knows(&self, token: &str) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        token.parse::<Token>().is_ok_and(|token| keys.contains_key(&token.id))
    }

    /// Whether it is time to look for an unknown key in the store; if so, it is not again soon.
    pub fn may_look(&self) -> bool {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may = looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if may {
            *looked_at = Some(Instant::now());
        }
        may
    }

    /// Takes over what the store says: keys that other processes have made or revoked, and
    /// what was spent there.
    pub fn refresh(&self, stored: Vec<StoredKey>) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        for stored in stored {
            match keys.get(&stored.id) {
                Some(key) => key.refresh(&stored),
                None => drop(keys.insert(stored.id, Arc::new(ApiKey::new(stored)))),
            }
        }
    }

    /// Takes a new key into use.
    pub fn add(&self, stored: StoredKey) -> Arc<ApiKey> {
        let key = Arc::new(ApiKey::new(stored));
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.id(), key.clone());
        key
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// [`ApiError::UnknownKey`].
    pub fn revoke(&self, id: KeyId, now: i64) -> Result<Arc<ApiKey>, ApiError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&id).ok_or(ApiError::UnknownKey(id))?;
        key.revoke(now);
        Ok(key.clone())
    }

    /// All keys, oldest first.
    pub fn all(&self) -> Vec<Arc<ApiKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = keys.values().cloned().collect();
        all.sort_by_key(|key| (key.facts().created_at, key.id()));
        all
    }
}

impl Caller {
    /// Whether whoever asks may do this. Where keys are not required, anybody may pay and look.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`], [`ApiError::Forbidden`].
    pub fn allow(&self, scope: ScopeWord, is_required: bool) -> Result<(), ApiError> {
        match &self.0 {
            Some(key) => key.allow(scope),
            None if is_required => Err(ApiError::Unauthorized),
            None => Ok(()),
        }
    }
}
