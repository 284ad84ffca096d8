use std::{fmt, str::FromStr};

use motif_interface::Pubkey;
use motif_wire::ScopeWord;

/// Public identifier of an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

/// Scopes of an API key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

/// API key in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Public identifier.
    pub id: KeyId,
    /// Name given by the operator.
    pub name: String,
    /// Keyed digest of the token.
    pub token_digest: [u8; 32],
    /// Scopes granted.
    pub scopes: Scopes,
    /// Channels whose receipts and usage the key may read.
    pub channels: Vec<Pubkey>,
    /// Maximum the key may ever spend, base units; `None` for no maximum.
    pub budget: Option<u64>,
    /// Amount spent, base units.
    pub spent: u64,
    /// Unix seconds.
    pub created_at: i64,
    /// Last unix second in which the key is valid.
    pub expires_at: Option<i64>,
    /// Unix second from which the key is not valid.
    pub revoked_at: Option<i64>,
}

/// Error returned when a text is not an API key's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 16 hexadecimal digits")]
pub struct ParseKeyIdError;

impl Scopes {
    /// Returns whether `scope` is granted; `admin` implies every scope.
    pub fn allow(self, scope: ScopeWord) -> bool {
        self.0 & (Self::bit(scope) | Self::bit(ScopeWord::Admin)) != 0
    }

    /// Returns the granted scopes.
    pub fn words(self) -> Vec<ScopeWord> {
        let is_granted = |scope: &ScopeWord| self.0 & Self::bit(*scope) != 0;
        ScopeWord::ALL.into_iter().filter(is_granted).collect()
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    fn bit(scope: ScopeWord) -> u8 {
        match scope {
            ScopeWord::Meter => 1,
            ScopeWord::Read => 2,
            ScopeWord::Admin => 4,
        }
    }
}

impl FromIterator<ScopeWord> for Scopes {
    fn from_iter<T: IntoIterator<Item = ScopeWord>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | Self::bit(scope)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, ParseKeyIdError> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex);
        number.map(|number| Self(number.to_be_bytes())).ok_or(ParseKeyIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_id_round_trips_as_text() {
        let id = KeyId([0, 1, 2, 3, 4, 5, 6, 255]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("+00102030405060f".parse::<KeyId>().is_err());
    }
}
