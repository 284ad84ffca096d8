use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
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
        formatter.write_str(&hex::encode(self.0))
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
        formatter.write_str(&hex::encode(self.0))
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
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
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
    }
}
