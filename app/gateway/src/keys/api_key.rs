use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use motif_sdk::gateway::wire::{Amount, ApiKeyFacts, ScopeWord};
use motif_store::{BudgetReservation, KeyBudget, KeyId, StoredKey};

use crate::problem::ApiError;

/// An API key that is in use.
#[derive(Debug)]
pub struct ApiKey {
    stored: StoredKey,
    budget: Arc<KeyBudget>,
    /// `i64::MAX` while it is good.
    revoked_at: AtomicI64,
}

impl ApiKey {
    /// A key as the store has it.
    pub fn new(stored: StoredKey) -> Self {
        let budget = KeyBudget::new(stored.budget, stored.spent);
        let revoked_at = AtomicI64::new(stored.revoked_at.unwrap_or(i64::MAX));
        Self { stored, budget, revoked_at }
    }

    /// Its name towards the gateway.
    pub fn id(&self) -> KeyId {
        self.stored.id
    }

    /// Whether it may do this.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`].
    pub fn allow(&self, scope: ScopeWord) -> Result<(), ApiError> {
        if self.stored.scopes.allow(scope) { Ok(()) } else { Err(ApiError::Forbidden(scope)) }
    }

    /// Whether this is its token's digest (compared in constant time) and it is good now.
    pub(super) fn is_proved_by(&self, digest: blake3::Hash, now: i64) -> bool {
        let proved = blake3::Hash::from_bytes(self.stored.token_digest) == digest;
        let ended = self.stored.expires_at.is_some_and(|expires_at| now > expires_at);
        proved && !ended && now < self.revoked_at.load(Ordering::Acquire)
    }

    pub(super) fn revoke(&self, now: i64) {
        self.revoked_at.fetch_min(now, Ordering::AcqRel);
    }

    /// Takes over what the store says, other processes' doings with it.
    pub(super) fn refresh(&self, stored: &StoredKey) {
        self.budget.refresh(stored.spent);
        if let Some(revoked_at) = stored.revoked_at {
            self.revoke(revoked_at);
        }
    }

    /// Reserves a part of its budget.
    ///
    /// # Errors
    /// [`ApiError::KeyBudget`]; nothing is reserved.
    pub fn reserve(&self, amount: u64) -> Result<BudgetReservation, ApiError> {
        Ok(self.budget.reserve(amount)?)
    }

    /// What may be said of it.
    pub fn facts(&self) -> ApiKeyFacts {
        let revoked_at = self.revoked_at.load(Ordering::Acquire);
        ApiKeyFacts {
            key: self.stored.id.to_string(),
            name: self.stored.name.clone(),
            scopes: self.stored.scopes.words(),
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

    fn key(budget: Option<u64>) -> Arc<ApiKey> {
        Arc::new(ApiKey::new(StoredKey {
            id: KeyId([1; 8]),
            name: "a platform".into(),
            token_digest: [2; 32],
            scopes: [ScopeWord::Meter].into_iter().collect(),
            budget,
            spent: 10,
            created_at: 0,
            expires_at: Some(100),
            revoked_at: None,
        }))
    }

    #[test]
    fn exceeded_budget_is_refused() {
        let key = key(Some(30));
        let reserved = key.reserve(15).unwrap();
        let refused = key.reserve(6).unwrap_err();
        assert!(matches!(refused, ApiError::KeyBudget { needed: 6, left: 5 }), "{refused}");
        assert_eq!(key.facts().spent.0, 25);
        drop(reserved);
        assert_eq!(key.facts().spent.0, 10);
    }

    #[test]
    fn what_other_processes_did_counts_beside_what_is_under_way() {
        let key = key(Some(30));
        let under_way = key.reserve(5).unwrap();
        let elsewhere = StoredKey { spent: 20, revoked_at: Some(50), ..key.stored.clone() };
        key.refresh(&elsewhere);
        assert!(key.reserve(6).is_err());
        drop(under_way);
        assert!(key.reserve(10).is_ok());
        assert!(!key.is_proved_by(blake3::Hash::from_bytes([2; 32]), 50));
    }

    #[test]
    fn a_key_is_good_for_its_scopes_until_it_ends_or_is_revoked() {
        let key = key(None);
        assert!(key.allow(ScopeWord::Meter).is_ok());
        assert!(key.allow(ScopeWord::Read).is_err());
        assert!(key.allow(ScopeWord::Admin).is_err());
        let (right, wrong) = (blake3::Hash::from_bytes([2; 32]), blake3::Hash::from_bytes([3; 32]));
        assert!(key.is_proved_by(right, 100) && !key.is_proved_by(wrong, 100));
        assert!(!key.is_proved_by(right, 101));
        key.revoke(50);
        assert!(key.is_proved_by(right, 49) && !key.is_proved_by(right, 50));
    }
}
