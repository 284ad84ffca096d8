use std::{fmt, str::FromStr};

use rand::RngCore;

/// Names one generation towards the gateway: however often it is sent, it is paid once.
///
/// 8 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

/// Not 8 to 128 visible ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has {min} to {max} visible ASCII characters", min = IdempotencyKey::MIN_BYTES, max = IdempotencyKey::MAX_BYTES)]
pub struct NotAKey;

impl IdempotencyKey {
    /// The header it travels in.
    pub const HEADER: &'static str = "idempotency-key";
    /// The shortest key.
    pub const MIN_BYTES: usize = 8;
    /// The longest key.
    pub const MAX_BYTES: usize = 128;

    /// A key nobody else has: 128 random bits.
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        rand::rng().fill_bytes(&mut bytes);
        Self(hex::encode(bytes).into())
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for IdempotencyKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let fits = (Self::MIN_BYTES..=Self::MAX_BYTES).contains(&text.len());
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && visible { Ok(Self(text.into())) } else { Err(NotAKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_characters_and_length_are_checked() {
        assert!("12345678".parse::<IdempotencyKey>().is_ok());
        assert!("x".repeat(128).parse::<IdempotencyKey>().is_ok());
        for wrong in ["1234567", "with space", "tab\tinside", "ümlaut-key", &"x".repeat(129)] {
            assert_eq!(wrong.parse::<IdempotencyKey>(), Err(NotAKey), "{wrong}");
        }
    }

    #[test]
    fn random_keys_are_valid_and_distinct() {
        let (one, other) = (IdempotencyKey::random(), IdempotencyKey::random());
        assert_ne!(one, other);
        assert_eq!(one.as_str().parse(), Ok(one));
    }
}
