use std::str::FromStr;

use rand::RngCore;

use super::KeyId;

/// What proves an API key: `motif_`, the key's id, and 256 random bits, in hexadecimal digits.
pub struct Token {
    /// The key it is for.
    pub id: KeyId,
    secret: [u8; 32],
}

/// Not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct NotAToken;

impl Token {
    const PREFIX: &str = "motif_";

    /// A token nobody else has.
    pub fn random() -> Self {
        let (mut id, mut secret) = ([0; 8], [0; 32]);
        let mut random = rand::rng();
        random.fill_bytes(&mut id);
        random.fill_bytes(&mut secret);
        Self { id: KeyId(id), secret }
    }

    /// The token as its holder sends it. There is no other way to show it.
    pub fn reveal(&self) -> String {
        format!("{}{}_{}", Self::PREFIX, self.id, blake3::Hash::from_bytes(self.secret))
    }

    /// What the store keeps of it.
    pub fn digest(&self, key: &[u8; 32]) -> blake3::Hash {
        blake3::keyed_hash(key, &self.secret)
    }
}

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let rest = text.strip_prefix(Self::PREFIX).ok_or(NotAToken)?;
        let (id, secret) = rest.split_once('_').ok_or(NotAToken)?;
        let secret = blake3::Hash::from_hex(secret).map_err(|_| NotAToken)?;
        Ok(Self { id: id.parse().map_err(|_| NotAToken)?, secret: *secret.as_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_shown() {
        let token = Token::random();
        let read: Token = token.reveal().parse().unwrap();
        assert_eq!((read.id, read.digest(&[1; 32])), (token.id, token.digest(&[1; 32])));
        assert_ne!(token.digest(&[1; 32]), token.digest(&[2; 32]));
        assert_ne!(token.reveal(), Token::random().reveal());
    }

    #[test]
    fn anything_else_is_none() {
        let good = Token::random().reveal();
        for wrong in
            ["", "motif_", "motif__", &good[1..], &good[..good.len() - 1], &format!("{good}0")]
        {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }
}
