use std::{fmt, str::FromStr};

/// Idempotency key of a generation: repeated requests are paid once.
///
/// 8 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub(crate) Box<str>);

/// Error returned when a key is not 8 to 128 visible ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid idempotency key: expected {min} to {max} visible ASCII characters", min = IdempotencyKey::MIN_BYTES, max = IdempotencyKey::MAX_BYTES)]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Name of the header.
    pub const HEADER: &'static str = "idempotency-key";
    /// Minimum length, bytes.
    pub const MIN_BYTES: usize = 8;
    /// Maximum length, bytes.
    pub const MAX_BYTES: usize = 128;

    /// Returns the text of the key.
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
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let fits = (Self::MIN_BYTES..=Self::MAX_BYTES).contains(&text.len());
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && visible { Ok(Self(text.into())) } else { Err(InvalidIdempotencyKey) }
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
            assert_eq!(wrong.parse::<IdempotencyKey>(), Err(InvalidIdempotencyKey), "{wrong}");
        }
    }
}
