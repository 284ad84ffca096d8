use std::str::FromStr;

use rand::RngCore;

use super::KeyId;

/// Bearer token of an API key: `motif_`, the key's id and 256 random bits, in hexadecimal.
pub struct Token {
    /// Identifier of the key.
    pub id: KeyId,
    secret: [u8; 32],
}

/// Error returned when a text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid token")]
pub struct ParseTokenError;

impl Token {
    const PREFIX: &str = "motif_";

    /// Creates a random token.
    pub fn random() -> Self {
        let (mut id, mut secret) = ([0; 8], [0; 32]);
        let mut random = rand::rng();
        random.fill_bytes(&mut id);
        random.fill_bytes(&mut secret);
        Self { id: KeyId(id), secret }
    }

    /// Returns the token's text. `Token` has neither `Debug` nor `Display`.
    pub fn reveal(&self) -> String {
        format!("{}{}_{}", Self::PREFIX, self.id, blake3::Hash::from_bytes(self.secret))
    }

    /// Returns the keyed digest that is stored.
    pub fn digest(&self, key: &[u8; 32]) -> blake3::Hash {
        blake3::keyed_hash(key, &self.secret)
    }
}

impl FromStr for Token {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let rest = text.strip_prefix(Self::PREFIX).ok_or(ParseTokenError)?;
        let (id, secret) = rest.split_once('_').ok_or(ParseTokenError)?;
        let secret = blake3::Hash::from_hex(secret).map_err(|_| ParseTokenError)?;
        Ok(Self { id: id.parse().map_err(|_| ParseTokenError)?, secret: *secret.as_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_roundtrips() {
        let token = Token::random();
        let read: Token = token.reveal().parse().unwrap();
        assert_eq!((read.id, read.digest(&[1; 32])), (token.id, token.digest(&[1; 32])));
        assert_ne!(token.digest(&[1; 32]), token.digest(&[2; 32]));
        assert_ne!(token.reveal(), Token::random().reveal());
    }

    #[test]
    fn malformed_token_is_rejected() {
        let good = Token::random().reveal();
        for wrong in
            ["", "motif_", "motif__", &good[1..], &good[..good.len() - 1], &format!("{good}0")]
        {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }
}
