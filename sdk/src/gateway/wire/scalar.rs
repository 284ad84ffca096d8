use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use solana_pubkey::Pubkey;

/// A text that is not what its field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct NotWritten(pub(super) &'static str);

/// A public key, base58.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[1-9A-HJ-NP-Za-km-z]{32,44}$", example = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w"))]
pub struct Address(pub Pubkey);

/// Base units of a mint, as a string of decimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9]{1,20}$", example = "1000000"))]
pub struct Amount(pub u64);

/// A SHA-256, 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-fA-F]{64}$"))]
pub struct Digest(pub [u8; 32]);

/// An Ed25519 signature, 128 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-fA-F]{128}$"))]
pub struct SignatureHex(pub [u8; 64]);

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Address {
    type Err = NotWritten;

    fn from_str(text: &str) -> Result<Self, NotWritten> {
        text.parse().map(Self).map_err(|_| NotWritten("a base58 public key"))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Amount {
    type Err = NotWritten;

    fn from_str(text: &str) -> Result<Self, NotWritten> {
        let refuse = || NotWritten("base units as a string of decimal digits");
        // `u64` would also read a plus sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = text.parse().ok().filter(|_| digits);
        amount.map(Self).ok_or_else(refuse)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(digits(&self.0, &mut [0; 64]))
    }
}

impl FromStr for Digest {
    type Err = NotWritten;

    fn from_str(text: &str) -> Result<Self, NotWritten> {
        let mut bytes = [0; 32];
        let read = hex::decode_to_slice(text, &mut bytes);
        read.map(|()| Self(bytes)).map_err(|_| NotWritten("64 hexadecimal digits"))
    }
}

impl fmt::Display for SignatureHex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(digits(&self.0, &mut [0; 128]))
    }
}

impl FromStr for SignatureHex {
    type Err = NotWritten;

    fn from_str(text: &str) -> Result<Self, NotWritten> {
        let mut bytes = [0; 64];
        let read = hex::decode_to_slice(text, &mut bytes);
        read.map(|()| Self(bytes)).map_err(|_| NotWritten("128 hexadecimal digits"))
    }
}

/// Hexadecimal digits, in memory that is exactly long enough for them.
fn digits<'a>(bytes: &[u8], memory: &'a mut [u8]) -> &'a str {
    let written = hex::encode_to_slice(bytes, &mut *memory);
    written.ok().and_then(|()| std::str::from_utf8(memory).ok()).unwrap_or_default()
}

/// Reads a text as it is parsed, wherever it lies.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = NotWritten>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Written in JSON as they are displayed, and read as they are parsed.
macro_rules! as_text {
    ($($scalar:ty),*) => {$(
        impl Serialize for $scalar {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $scalar {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )*};
}

as_text!(Address, Amount, Digest, SignatureHex);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_amount_loses_no_unit() {
        let text = serde_json::to_string(&Amount(u64::MAX)).unwrap();
        assert_eq!(text, "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), Amount(u64::MAX));
    }

    #[test]
    fn nothing_but_digits_is_an_amount() {
        for wrong in ["", "-1", "+1", " 1", "1.0", "1e3", "18446744073709551616"] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Amount>("1").is_err());
    }

    #[test]
    fn digests_and_keys_have_exactly_their_length() {
        assert!("00".repeat(32).parse::<Digest>().is_ok());
        assert!("00".repeat(31).parse::<Digest>().is_err());
        assert!("00".repeat(63).parse::<SignatureHex>().is_err());
        assert!("0OIl".parse::<Address>().is_err());
        let (digest, signature) = (Digest([0xab; 32]), SignatureHex([0x0f; 64]));
        assert_eq!(digest.to_string(), "ab".repeat(32));
        assert_eq!(serde_json::to_string(&signature).unwrap(), format!("\"{signature}\""));
        assert_eq!(signature.to_string(), "0f".repeat(64));
    }
}
