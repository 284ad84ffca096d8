//! Administration of API keys.

use std::sync::Arc;

use motif_sdk::{
    gateway::wire::{ApiKeyFacts, CreatedApiKey, NewApiKey},
    text::first_hidden,
};

use crate::{
    admission::Admission,
    cluster::Cluster,
    error::GatewayError,
    keys::{Caller, KeyError, KeyId, Keyring, StoredKey, Token},
    store::{Change, Store, StoreError},
};

const MAX_NAME_CHARACTERS: usize = 100;
const MAX_CHANNELS: usize = 256;

/// Creates, revokes and verifies API keys.
pub struct ApiKeys {
    pub(crate) keyring: Keyring,
    pub(crate) store: Store,
    pub(crate) admission: Arc<Admission>,
    pub(crate) cluster: Arc<Cluster>,
}

impl ApiKeys {
    /// Returns all API keys, oldest first.
    pub fn list(&self) -> Vec<ApiKeyFacts> {
        self.keyring.all().iter().map(|key| key.facts()).collect()
    }

    /// Creates an API key. The key is on disk before its token is returned; the token is
    /// returned once.
    ///
    /// # Errors
    /// [`KeyError::Invalid`], [`GatewayError::StoreFailed`].
    pub async fn create(&self, key: NewApiKey) -> Result<CreatedApiKey, GatewayError> {
        let name = key.name;
        let is_visible = first_hidden(&name).is_none();
        if !(1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()) || !is_visible {
            return Err(KeyError::Invalid("a name has 1 to 100 visible characters").into());
        }
        if key.scopes.is_empty() {
            return Err(KeyError::Invalid("a key has at least one scope").into());
        }
        if key.channels.len() > MAX_CHANNELS {
            return Err(KeyError::Invalid("a key has at most 256 channels").into());
        }
        let budget = key.budget.map(|amount| amount.0);
        if budget.is_some_and(|budget| i64::try_from(budget).is_err()) {
            return Err(KeyError::Invalid("a budget is at most 2^63 - 1 base units").into());
        }
        let token = Token::random();
        let stored = StoredKey {
            id: token.id,
            name,
            token_digest: self.keyring.digest(&token),
            scopes: key.scopes.into_iter().collect(),
            channels: key.channels.iter().map(|channel| channel.0).collect(),
            budget,
            spent: 0,
            created_at: self.cluster.now(),
            expires_at: key.expires_at,
            revoked_at: None,
        };
        self.store.writer().write(Change::KeyCreated(Box::new(stored.clone()))).await?;
        let key = self.keyring.add(stored);
        tracing::info!(key = %token.id, "API key created");
        Ok(CreatedApiKey { token: token.reveal(), key: key.facts() })
    }

    /// Revokes an API key at once. Idempotent.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`GatewayError::StoreFailed`].
    pub async fn revoke(&self, id: KeyId) -> Result<ApiKeyFacts, GatewayError> {
        if self.store.leases().is_some() {
            self.refresh().await?; // another process may have created it
        }
        let revoked_at = self.cluster.now();
        let key = self.keyring.revoke(id, revoked_at)?;
        self.store.writer().write(Change::KeyRevoked { id, revoked_at }).await?;
        tracing::info!(key = %id, "API key revoked");
        Ok(key.facts())
    }

    /// Returns the caller with a token's API key.
    ///
    /// On a shared store an unknown key is looked up in the store, at most once a second, so
    /// that invented keys do not load the store.
    ///
    /// # Errors
    /// [`KeyError::Unauthorized`], [`GatewayError::RateLimited`], [`GatewayError::StoreFailed`].
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Caller, GatewayError> {
        let is_shared = self.store.leases().is_some();
        if !self.keyring.knows(token) && is_shared && self.keyring.may_refresh() {
            self.refresh().await?;
        }
        let key = self.keyring.find(token, self.cluster.now())?;
        self.admission.key(key.id())?;
        Ok(Caller(Some(key)))
    }

    /// Updates the keyring from the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        self.keyring.refresh(self.store.queries().api_keys().await?);
        Ok(())
    }
}
