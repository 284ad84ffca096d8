//! Parsing and formatting of currency amounts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const BASE_UNITS: &str = " base units";
const EXPECTED: &str =
    "base units as a whole number such as 1000, or a decimal in quotes such as \"0.001\"";

/// Amount in a document of terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Base units: an integer in TOML.
    BaseUnits(u64),
    /// Decimal such as `"0.001"`, which needs the currency's decimals.
    Decimal(String),
}

/// Errors of converting an amount to base units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Error returned when the currency's decimals are unknown.
    #[error(
        "\"{0}\" needs the currency's decimals; say them, name a known currency, or give base units"
    )]
    DecimalsUnknown(String),
    /// Error returned when the amount has more decimals than the currency.
    #[error("\"{text}\" has more decimals than the currency, which has {decimals}")]
    TooFine {
        /// Amount as written.
        text: String,
        /// Decimals of the currency.
        decimals: u8,
    },
    /// Error returned when the amount exceeds `u64::MAX` base units.
    #[error("\"{0}\" is too much; at most {max} base units", max = u64::MAX)]
    TooLarge(String),
}

impl Amount {
    /// Converts the amount to base units of a currency with `decimals`.
    ///
    /// # Errors
    /// [`AmountError`].
    pub fn base_units(&self, decimals: Option<u8>) -> Result<u64, AmountError> {
        let text = match self {
            Self::BaseUnits(amount) => return Ok(*amount),
            Self::Decimal(text) => text,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        if whole.bytes().all(|digit| digit == b'0') && fraction.is_empty() {
            return Ok(0); // of any currency
        }
        let decimals = decimals.ok_or_else(|| AmountError::DecimalsUnknown(text.clone()))?;
        let width = usize::from(decimals);
        if fraction.len() > width {
            return Err(AmountError::TooFine { text: text.clone(), decimals });
        }
        let digits = format!("{whole}{fraction:0<width$}");
        digits.parse().map_err(|_| AmountError::TooLarge(text.clone()))
    }

    /// Creates the exact decimal of base units of a currency with `decimals`.
    pub fn decimal(amount: u128, decimals: u8) -> Self {
        Self::Decimal(decimal(amount, decimals))
    }

    /// Whether the conversion needs the currency's decimals.
    pub fn needs_decimals(&self) -> bool {
        matches!(self.base_units(None), Err(AmountError::DecimalsUnknown(_)))
    }

    fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if let Some(digits) = text.strip_suffix(BASE_UNITS) {
            return digits.parse().ok().filter(|_| plain(digits)).map(Self::BaseUnits);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        (plain(whole) && plain(fraction)).then(|| Self::Decimal(text.to_owned()))
    }
}

/// Formats base units with thousands separators: `1,234,567`.
pub fn grouped(amount: u64) -> String {
    group(&amount.to_string())
}

/// Formats an amount without trailing zeros: `1234.5`.
pub(super) fn decimal(amount: u128, decimals: u8) -> String {
    let width = usize::from(decimals);
    let digits = format!("{amount:0>width$}", width = width + 1);
    let (whole, fraction) = digits.split_at(digits.len() - width);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// Adds thousands separators before the decimal point.
pub(super) fn group(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = String::with_capacity(digits.len() + whole.len() / 3);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if fraction.is_empty() { text } else { format!("{text}.{fraction}") }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // TOML integers are at most 2^63 - 1.
            Self::BaseUnits(amount) => match i64::try_from(*amount) {
                Ok(amount) => serializer.serialize_i64(amount),
                Err(_) => serializer.collect_str(&format_args!("{amount}{BASE_UNITS}")),
            },
            Self::Decimal(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl de::Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED)
    }

    fn visit_i64<E: de::Error>(self, amount: i64) -> Result<Amount, E> {
        let amount = u64::try_from(amount);
        let amount = amount.map_err(|_| E::custom("an amount is not negative; write 0 or more"))?;
        Ok(Amount::BaseUnits(amount))
    }

    fn visit_u64<E: de::Error>(self, amount: u64) -> Result<Amount, E> {
        Ok(Amount::BaseUnits(amount))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        Amount::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_units(text: &str, decimals: u8) -> Result<u64, AmountError> {
        Amount::parse(text).unwrap().base_units(Some(decimals))
    }

    #[test]
    fn decimal_parses_to_exact_base_units() {
        assert_eq!(base_units("0.001", 6), Ok(1_000));
        assert_eq!(base_units("12", 6), Ok(12_000_000));
        assert_eq!(base_units("1.50", 1), Ok(15));
        assert_eq!(base_units("7.0", 0), Ok(7));
        assert_eq!(base_units("18446744073709.551615", 6), Ok(u64::MAX));
        assert_eq!(base_units("1000 base units", 6), Ok(1_000));
    }

    #[test]
    fn amount_with_excess_decimals_is_rejected() {
        let too_fine = AmountError::TooFine { text: "0.0000001".to_owned(), decimals: 6 };
        assert_eq!(base_units("0.0000001", 6), Err(too_fine));
        let much = "18446744073709.551616";
        assert_eq!(base_units(much, 6), Err(AmountError::TooLarge(much.to_owned())));
        assert!(matches!(base_units("1", 255), Err(AmountError::TooLarge(_))));
        let unknown = Amount::parse("1").unwrap().base_units(None);
        assert_eq!(unknown, Err(AmountError::DecimalsUnknown("1".to_owned())));
        assert_eq!(Amount::parse("0.0").unwrap().base_units(None), Ok(0));
    }

    #[test]
    fn invalid_amount_is_rejected() {
        for text in ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,000", " 1", "x base units"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_keep_significant_digits() {
        assert_eq!([0, 1, 1_000_000].map(|amount| decimal(amount, 6)), ["0", "0.000001", "1"]);
        assert_eq!(decimal(1_234_500_000, 6), "1234.5");
        assert_eq!(decimal(15, 0), "15");
        let shown = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(group("1234567.89"), "1,234,567.89");
    }
}
