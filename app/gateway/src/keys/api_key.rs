use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, Amount, ApiKeyFacts, ScopeWord},
};
use motif_store::{BudgetReservation, KeyBudget, KeyId, StoredKey};

use super::KeyError;

/// API key in memory.
#[derive(Debug)]
pub struct ApiKey {
    stored: StoredKey,
    budget: Arc<KeyBudget>,
    /// `i64::MAX` if the key is not revoked.
    revoked_at: AtomicI64,
}

impl ApiKey {
    /// Creates a key from its stored form.
    pub fn new(stored: StoredKey) -> Self {
        let budget = KeyBudget::new(stored.budget, stored.spent);
        let revoked_at = AtomicI64::new(stored.revoked_at.unwrap_or(i64::MAX));
        Self { stored, budget, revoked_at }
    }

    /// Returns the key's identifier.
    pub fn id(&self) -> KeyId {
        self.stored.id
    }

    /// Checks that the key has a scope.
    ///
    /// # Errors
    /// [`KeyError::MissingScope`].
    pub fn allow(&self, scope: ScopeWord) -> Result<(), KeyError> {
        if self.stored.scopes.allow(scope) { Ok(()) } else { Err(KeyError::MissingScope(scope)) }
    }

    /// Returns whether the key may read a channel's state, receipts and usage.
    pub fn may_read(&self, channel: &Pubkey) -> bool {
        self.stored.channels.contains(channel) || self.stored.scopes.allow(ScopeWord::Admin)
    }

    /// Returns whether `digest` is the token's digest (compared in constant time) and the key is
    /// valid at `now`.
    pub(super) fn verify(&self, digest: blake3::Hash, now: i64) -> bool {
        let matches = blake3::Hash::from_bytes(self.stored.token_digest) == digest;
        let expired = self.stored.expires_at.is_some_and(|expires_at| now > expires_at);
        matches && !expired && now < self.revoked_at.load(Ordering::Acquire)
    }

    pub(super) fn revoke(&self, now: i64) {
        self.revoked_at.fetch_min(now, Ordering::AcqRel);
    }

    /// Updates the key from its stored form, which other processes may have changed.
    pub(super) fn refresh(&self, stored: &StoredKey) {
        self.budget.refresh(stored.spent);
        if let Some(revoked_at) = stored.revoked_at {
            self.revoke(revoked_at);
        }
    }

    /// Reserves a part of the key's budget.
    ///
    /// # Errors
    /// [`KeyError::BudgetExceeded`]; nothing is reserved then.
    pub fn reserve(&self, amount: u64) -> Result<BudgetReservation, KeyError> {
        Ok(self.budget.reserve(amount)?)
    }

    /// Returns the key's public facts.
    pub fn facts(&self) -> ApiKeyFacts {
        let revoked_at = self.revoked_at.load(Ordering::Acquire);
        ApiKeyFacts {
            key: self.stored.id.to_string(),
            name: self.stored.name.clone(),
            scopes: self.stored.scopes.words(),
            channels: self.stored.channels.iter().copied().map(Address).collect(),
            budget: self.stored.budget.map(Amount),
            spent: Amount(self.budget.spent()),
            created_at: self.stored.created_at,
            expires_at: self.stored.expires_at,
            revoked_at: Some(revoked_at).filter(|at| *at != i64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(budget: Option<u64>) -> ApiKey {
        ApiKey::new(StoredKey {
            id: KeyId([1; 8]),
            name: "a platform".into(),
            token_digest: [2; 32],
            scopes: [ScopeWord::Meter].into_iter().collect(),
            channels: vec![Pubkey::new_from_array([3; 32])],
            budget,
            spent: 10,
            created_at: 0,
            expires_at: Some(100),
            revoked_at: None,
        })
    }

    #[test]
    fn exceeded_budget_is_rejected() {
        let key = key(Some(30));
        let reserved = key.reserve(15).unwrap();
        let exceeded = KeyError::BudgetExceeded { needed: 6, left: 5 };
        assert_eq!(key.reserve(6).unwrap_err(), exceeded);
        assert_eq!(key.facts().spent.0, 25);
        drop(reserved);
        assert_eq!(key.facts().spent.0, 10);
    }

    #[test]
    fn refresh_keeps_pending_reservations() {
        let key = key(Some(30));
        let pending = key.reserve(5).unwrap();
        let elsewhere = StoredKey { spent: 20, revoked_at: Some(50), ..key.stored.clone() };
        key.refresh(&elsewhere);
        assert!(key.reserve(6).is_err());
        drop(pending);
        assert!(key.reserve(10).is_ok());
        assert!(!key.verify(blake3::Hash::from_bytes([2; 32]), 50));
    }

    #[test]
    fn key_reads_its_channels_only() {
        let key = key(None);
        assert!(key.may_read(&Pubkey::new_from_array([3; 32])));
        assert!(!key.may_read(&Pubkey::new_from_array([4; 32])));
    }

    #[test]
    fn key_is_valid_until_expiry_or_revocation() {
        let key = key(None);
        assert!(key.allow(ScopeWord::Meter).is_ok());
        assert!(key.allow(ScopeWord::Read).is_err());
        assert!(key.allow(ScopeWord::Admin).is_err());
        let (right, wrong) = (blake3::Hash::from_bytes([2; 32]), blake3::Hash::from_bytes([3; 32]));
        assert!(key.verify(right, 100) && !key.verify(wrong, 100));
        assert!(!key.verify(right, 101));
        key.revoke(50);
        assert!(key.verify(right, 49) && !key.verify(right, 50));
    }
}
