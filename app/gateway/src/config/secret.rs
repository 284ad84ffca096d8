use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

/// A text that is never shown: not by `Debug`, not in errors, not in logs. Wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// Too short to be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has {} bytes at least; `openssl rand -hex 32` makes one", Secret::MIN_BYTES)]
pub struct WeakSecret;

impl Secret {
    /// The shortest secret.
    pub const MIN_BYTES: usize = 32;

    /// Whether `given` is the secret. How long this takes does not tell how much of it is
    /// right, nor how long it is: digests are compared, in constant time.
    pub fn is(&self, given: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(given.as_bytes())
    }
}

impl FromStr for Secret {
    type Err = WeakSecret;

    /// Surrounding space is not part of it: files end with a line feed.
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
    fn a_short_or_empty_secret_is_none() {
        for weak in ["", "short", &"x".repeat(31), &format!("{}  \n", "x".repeat(31))] {
            assert_eq!(weak.parse::<Secret>().err(), Some(WeakSecret));
        }
    }

    #[test]
    fn only_the_whole_secret_is_the_secret() {
        let text = "0123456789abcdef0123456789abcdef";
        let secret: Secret = format!("{text}\n").parse().unwrap();
        assert!(secret.is(text));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.to_uppercase()] {
            assert!(!secret.is(wrong));
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret: Secret = "canary-canary-canary-canary-canary".parse().unwrap();
        assert!(!format!("{secret:?} {secret:#?}").contains("canary"));
    }
}
