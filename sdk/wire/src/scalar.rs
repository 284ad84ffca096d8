use std::{fmt, marker::PhantomData, str::FromStr};

use five8::BASE58_ENCODED_32_MAX_LEN;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use solana_pubkey::Pubkey;

/// Error returned when a text cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct ParseScalarError(pub(super) &'static str);

/// Public key, base58.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[1-9A-HJ-NP-Za-km-z]{32,44}$", example = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w"))]
pub struct Address(pub Pubkey);

/// Base units of a mint, as a string of decimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9]{1,20}$", example = "1000000"))]
pub struct Amount(pub u64);

/// SHA-256 digest, 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-fA-F]{64}$"))]
pub struct Digest(pub [u8; 32]);

/// Ed25519 signature, 128 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-fA-F]{128}$"))]
pub struct SignatureHex(pub [u8; 64]);

impl Address {
    fn with_text<T>(&self, what: impl FnOnce(&str) -> T) -> T {
        let mut digits = [0; BASE58_ENCODED_32_MAX_LEN];
        let length = five8::encode_32(self.0.as_array(), &mut digits);
        what(text(&digits[..usize::from(length)]))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| formatter.write_str(text))
    }
}

impl FromStr for Address {
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        let mut bytes = [0; 32];
        let read = five8::decode_32(text, &mut bytes);
        read.map_err(|_| ParseScalarError("a base58 public key"))?;
        Ok(Self(Pubkey::new_from_array(bytes)))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Amount {
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        let refuse = || ParseScalarError("base units as a string of decimal digits");
        // `u64` would also read a plus sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = text.parse().ok().filter(|_| digits);
        amount.map(Self).ok_or_else(refuse)
    }
}

impl Digest {
    fn with_text<T>(&self, what: impl FnOnce(&str) -> T) -> T {
        what(hex::const_encode::<32, false>(&self.0).as_str())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| formatter.write_str(text))
    }
}

impl FromStr for Digest {
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        read_digits(text).map(Self).ok_or(ParseScalarError("64 hexadecimal digits"))
    }
}

impl SignatureHex {
    fn with_text<T>(&self, what: impl FnOnce(&str) -> T) -> T {
        what(hex::const_encode::<64, false>(&self.0).as_str())
    }
}

impl fmt::Display for SignatureHex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| formatter.write_str(text))
    }
}

impl FromStr for SignatureHex {
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        read_digits(text).map(Self).ok_or(ParseScalarError("128 hexadecimal digits"))
    }
}

/// Parses exactly two hexadecimal digits per byte, without a prefix.
fn read_digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The library accepts a prefix, which leaves too few digits.
    let has_length = text.len() == 2 * N;
    has_length.then(|| hex::decode_to_array(text).ok()).flatten()
}

/// Digits are ASCII.
fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

/// Deserializes a text, borrowed or owned, with `FromStr`.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = ParseScalarError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Implements `Serialize` with the displayed text, without a formatter.
macro_rules! written_as_text {
    ($($scalar:ty),*) => {$(
        impl Serialize for $scalar {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.with_text(|text| serializer.serialize_str(text))
            }
        }
    )*};
}

/// Implements `Deserialize` with `FromStr`.
macro_rules! read_as_text {
    ($($scalar:ty),*) => {$(
        impl<'de> Deserialize<'de> for $scalar {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )*};
}

written_as_text!(Address, Digest, SignatureHex);
read_as_text!(Address, Amount, Digest, SignatureHex);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_amount_round_trips() {
        let text = serde_json::to_string(&Amount(u64::MAX)).unwrap();
        assert_eq!(text, "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), Amount(u64::MAX));
    }

    #[test]
    fn amount_takes_digits_only() {
        for wrong in ["", "-1", "+1", " 1", "1.0", "1e3", "18446744073709551616"] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Amount>("1").is_err());
    }

    #[test]
    fn digest_and_key_lengths_are_exact() {
        assert!("00".repeat(32).parse::<Digest>().is_ok());
        assert!("00".repeat(31).parse::<Digest>().is_err());
        assert!("00".repeat(63).parse::<SignatureHex>().is_err());
        for prefix in ["0x", "0X"] {
            let (same_length, longer) = ("00".repeat(31), "00".repeat(32));
            assert!(format!("{prefix}{same_length}").parse::<Digest>().is_err());
            assert!(format!("{prefix}{longer}").parse::<Digest>().is_err());
        }
        assert!("zz".repeat(32).parse::<Digest>().is_err());
        assert_eq!("aB".repeat(32).parse(), Ok(Digest([0xab; 32])));
        assert!("0OIl".parse::<Address>().is_err());
        for key in [[0; 32], [1; 32], [0xff; 32]].map(Pubkey::new_from_array) {
            assert_eq!(Address(key).to_string(), key.to_string());
            assert_eq!(key.to_string().parse(), Ok(Address(key)));
        }
        for length in [0, 31, 33] {
            assert!("1".repeat(length).parse::<Address>().is_err());
        }
        let (digest, signature) = (Digest([0xab; 32]), SignatureHex([0x0f; 64]));
        assert_eq!(digest.to_string(), "ab".repeat(32));
        assert_eq!(serde_json::to_string(&signature).unwrap(), format!("\"{signature}\""));
        assert_eq!(signature.to_string(), "0f".repeat(64));
    }
}
