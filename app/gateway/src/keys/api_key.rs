use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use motif_sdk::gateway::wire::{Amount, ApiKeyFacts, ScopeWord};

use crate::problem::ApiError;

/// Names an API key; no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

/// What an API key may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

/// An API key as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name towards the gateway.
    pub id: KeyId,
    /// Its name towards people.
    pub name: String,
    /// Keyed digest of its token.
    pub token_digest: [u8; 32],
    /// What it may do.
    pub scopes: Scopes,
    /// The most it may ever spend, base units.
    pub budget: Option<u64>,
    /// What it has spent, base units.
    pub spent: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Last unix second in which it is good.
    pub expires_at: Option<i64>,
    /// Unix seconds from which it is not good any more.
    pub revoked_at: Option<i64>,
}

/// An API key that is in use.
#[derive(Debug)]
pub struct ApiKey {
    stored: StoredKey,
    spent: Mutex<Spent>,
    /// `i64::MAX` while it is good.
    revoked_at: AtomicI64,
}

/// What a key has spent, base units.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    /// As the store has it.
    stored: u64,
    /// On its way there.
    pending: u64,
}

/// Part of a key's budget that is set aside; returned unless it is kept.
#[derive(Debug)]
#[must_use = "what is not kept is returned"]
pub struct SetAside {
    key: Arc<ApiKey>,
    amount: u64,
}

impl Scopes {
    /// Whether these are among them; an admin may everything.
    pub fn allow(self, scope: ScopeWord) -> bool {
        self.0 & (Self::bit(scope) | Self::bit(ScopeWord::Admin)) != 0
    }

    /// As a column holds them.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// As a column holds them.
    pub fn of_bits(bits: u8) -> Self {
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
    /// A key as the store has it.
    pub fn new(stored: StoredKey) -> Self {
        let spent = Mutex::new(Spent { stored: stored.spent, pending: 0 });
        let revoked_at = AtomicI64::new(stored.revoked_at.unwrap_or(i64::MAX));
        Self { stored, spent, revoked_at }
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
        self.spent().stored = stored.spent;
        if let Some(revoked_at) = stored.revoked_at {
            self.revoke(revoked_at);
        }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a part of its budget aside, or refuses and changes nothing.
    ///
    /// # Errors
    /// [`ApiError::KeyBudget`].
    pub fn set_aside(self: &Arc<Self>, amount: u64) -> Result<SetAside, ApiError> {
        let budget = self.stored.budget.unwrap_or(u64::MAX);
        let mut spent = self.spent();
        let left = budget.saturating_sub(spent.total());
        if amount > left {
            return Err(ApiError::KeyBudget { needed: amount, left });
        }
        spent.pending += amount; // it fits into the budget
        drop(spent);
        Ok(SetAside { key: self.clone(), amount })
    }

    /// What may be said of it.
    pub fn facts(&self) -> ApiKeyFacts {
        let revoked_at = self.revoked_at.load(Ordering::Acquire);
        ApiKeyFacts {
            key: self.stored.id.to_string(),
            name: self.stored.name.clone(),
            scopes: self.stored.scopes.words(),
            budget: self.stored.budget.map(Amount),
            spent: Amount(self.spent().total()),
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

impl SetAside {
    /// It was spent, and the store knows.
    pub fn keep(self) {
        let mut spent = self.key.spent();
        spent.stored = spent.stored.saturating_add(self.amount);
    }
}

impl Drop for SetAside {
    fn drop(&mut self) {
        self.key.spent().pending -= self.amount; // it was added when this was made
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Not the name of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 16 hexadecimal digits")]
pub struct NotAKeyId;

impl FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(|number| Self(number.to_be_bytes())).ok_or(NotAKeyId)
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
    fn a_budget_is_never_exceeded_and_what_is_not_spent_returns() {
        let key = key(Some(30));
        let first = key.set_aside(15).unwrap();
        assert!(key.set_aside(6).is_err());
        drop(first);
        key.set_aside(20).unwrap().keep();
        let refused = key.set_aside(1).unwrap_err();
        assert!(matches!(refused, ApiError::KeyBudget { needed: 1, left: 0 }), "{refused}");
        assert_eq!(key.facts().spent.0, 30);
    }

    #[test]
    fn what_other_processes_did_counts_beside_what_is_under_way() {
        let key = key(Some(30));
        let under_way = key.set_aside(5).unwrap();
        let elsewhere = StoredKey { spent: 20, revoked_at: Some(50), ..key.stored.clone() };
        key.refresh(&elsewhere);
        assert!(key.set_aside(6).is_err());
        drop(under_way);
        assert!(key.set_aside(10).is_ok());
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

    #[test]
    fn names_are_read_as_they_are_shown() {
        let id = KeyId([0, 1, 2, 3, 4, 5, 6, 255]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("+00102030405060f".parse::<KeyId>().is_err());
    }
}
