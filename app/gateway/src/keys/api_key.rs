use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use motif_sdk::gateway::wire::{Amount, ApiKeyFacts, ScopeWord};
use parking_lot::Mutex;

use super::KeyError;

/// Public identifier of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

/// Set of scopes of an API key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

/// API key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Identifier in requests and reports.
    pub id: KeyId,
    /// Display name.
    pub name: String,
    /// Keyed digest of the token.
    pub token_digest: [u8; 32],
    /// Granted scopes.
    pub scopes: Scopes,
    /// Lifetime budget, base units; `None` if it is unlimited.
    pub budget: Option<u64>,
    /// Amount spent, base units.
    pub spent: u64,
    /// Creation time, unix seconds.
    pub created_at: i64,
    /// Last unix second in which the key is valid; `None` if it does not expire.
    pub expires_at: Option<i64>,
    /// Unix second from which the key is revoked.
    pub revoked_at: Option<i64>,
}

/// API key in memory.
#[derive(Debug)]
pub struct ApiKey {
    stored: StoredKey,
    spent: Mutex<Spent>,
    /// `i64::MAX` if the key is not revoked.
    revoked_at: AtomicI64,
}

/// Amounts spent by a key, base units.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    /// Stored.
    stored: u64,
    /// Reserved, not stored yet.
    pending: u64,
}

/// Reserved part of a key's budget; returned to the budget on drop unless it is kept.
#[derive(Debug)]
#[must_use = "the reservation is released on drop"]
pub struct BudgetReservation {
    key: Arc<ApiKey>,
    amount: u64,
}

impl Scopes {
    /// Returns whether `scope` is granted; `admin` implies every scope.
    pub fn allow(self, scope: ScopeWord) -> bool {
        self.0 & (Self::bit(scope) | Self::bit(ScopeWord::Admin)) != 0
    }

    /// Returns the bits that a database column holds.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Creates scopes from the bits of a database column.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    fn bit(scope: ScopeWord) -> u8 {
        match scope {
            ScopeWord::Meter => 1,
            ScopeWord::Read => 2,
            ScopeWord::Admin => 4,
        }
    }

    fn words(self) -> Vec<ScopeWord> {
        let holds = |scope: &ScopeWord| self.0 & Self::bit(*scope) != 0;
        ScopeWord::ALL.into_iter().filter(holds).collect()
    }
}

impl FromIterator<ScopeWord> for Scopes {
    fn from_iter<T: IntoIterator<Item = ScopeWord>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | Self::bit(scope)))
    }
}

impl ApiKey {
    /// Creates a key from its stored form.
    pub fn new(stored: StoredKey) -> Self {
        let spent = Mutex::new(Spent { stored: stored.spent, pending: 0 });
        let revoked_at = AtomicI64::new(stored.revoked_at.unwrap_or(i64::MAX));
        Self { stored, spent, revoked_at }
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
        self.spent.lock().stored = stored.spent;
        if let Some(revoked_at) = stored.revoked_at {
            self.revoke(revoked_at);
        }
    }

    /// Reserves a part of the key's budget.
    ///
    /// # Errors
    /// [`KeyError::BudgetExceeded`]; nothing is reserved then.
    pub fn reserve(self: &Arc<Self>, amount: u64) -> Result<BudgetReservation, KeyError> {
        let budget = self.stored.budget.unwrap_or(u64::MAX);
        let mut spent = self.spent.lock();
        let left = budget.saturating_sub(spent.total());
        if amount > left {
            return Err(KeyError::BudgetExceeded { needed: amount, left });
        }
        spent.pending += amount; // it fits into the budget
        drop(spent);
        Ok(BudgetReservation { key: self.clone(), amount })
    }

    /// Returns the key's public facts.
    pub fn facts(&self) -> ApiKeyFacts {
        let revoked_at = self.revoked_at.load(Ordering::Acquire);
        ApiKeyFacts {
            key: self.stored.id.to_string(),
            name: self.stored.name.clone(),
            scopes: self.stored.scopes.words(),
            budget: self.stored.budget.map(Amount),
            spent: Amount(self.spent.lock().total()),
            created_at: self.stored.created_at,
            expires_at: self.stored.expires_at,
            revoked_at: Some(revoked_at).filter(|at| *at != i64::MAX),
        }
    }
}

impl Spent {
    fn total(self) -> u64 {
        self.stored.saturating_add(self.pending)
    }
}

impl BudgetReservation {
    /// Spends the reservation. Call it once the spending is stored.
    pub fn keep(self) {
        let mut spent = self.key.spent.lock();
        spent.stored = spent.stored.saturating_add(self.amount);
    }
}

impl Drop for BudgetReservation {
    fn drop(&mut self) {
        self.key.spent.lock().pending -= self.amount; // added by `ApiKey::reserve`
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Error returned when a text is not an API key identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid API key identifier: expected 16 hexadecimal digits")]
pub struct ParseKeyIdError;

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, ParseKeyIdError> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(|number| Self(number.to_be_bytes())).ok_or(ParseKeyIdError)
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
    fn unused_reservation_returns_to_budget() {
        let key = key(Some(30));
        let first = key.reserve(15).unwrap();
        assert!(key.reserve(6).is_err());
        drop(first);
        key.reserve(20).unwrap().keep();
        let refused = key.reserve(1).unwrap_err();
        assert!(matches!(refused, KeyError::BudgetExceeded { needed: 1, left: 0 }), "{refused}");
        assert_eq!(key.facts().spent.0, 30);
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

    #[test]
    fn key_id_roundtrips() {
        let id = KeyId([0, 1, 2, 3, 4, 5, 6, 255]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("+00102030405060f".parse::<KeyId>().is_err());
    }
}
