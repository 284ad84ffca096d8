use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

/// Text that is never shown by `Debug`, errors or logs. Zeroized on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// Error returned when a secret is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret is too short: expected at least {} bytes, such as from `openssl rand -hex 32`",
    Secret::MIN_BYTES
)]
pub struct WeakSecret;

impl Secret {
    /// Minimum length in bytes.
    pub const MIN_BYTES: usize = 32;

    /// Returns whether `given` is the secret. Digests are compared in constant time, so the
    /// duration reveals neither content nor length.
    pub fn is(&self, given: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(given.as_bytes())
    }
}

impl FromStr for Secret {
    type Err = WeakSecret;

    /// Trims white space: files end with a line feed.
    fn from_str(text: &str) -> Result<Self, WeakSecret> {
        let text = text.trim();
        if text.len() < Self::MIN_BYTES {
            return Err(WeakSecret);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secret_is_rejected() {
        for weak in ["", "short", &"x".repeat(31), &format!("{}  \n", "x".repeat(31))] {
            assert_eq!(weak.parse::<Secret>().err(), Some(WeakSecret));
        }
    }

    #[test]
    fn secret_matches_whole_text_only() {
        let text = "0123456789abcdef0123456789abcdef";
        let secret: Secret = format!("{text}\n").parse().unwrap();
        assert!(secret.is(text));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.to_uppercase()] {
            assert!(!secret.is(wrong));
        }
    }

    #[test]
    fn debug_hides_secret() {
        let secret: Secret = "canary-canary-canary-canary-canary".parse().unwrap();
        assert!(!format!("{secret:?} {secret:#?}").contains("canary"));
    }
}
