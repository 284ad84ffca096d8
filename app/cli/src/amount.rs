//! Token amounts and ratios, as commands accept and print them.

use std::{fmt, str::FromStr};

use motif_sdk::{
    gateway::wire::{Unit, Use},
    terms::{Amount, Denomination, amount::AmountError},
};
use serde::{Serialize, Serializer};

pub use motif_sdk::terms::{
    amount::grouped,
    share::{parse_percent, percent},
};

/// Amount on the command line: whole tokens such as `0.25`, or base units such as `250000u`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountArg(Amount);

impl AmountArg {
    /// Returns the amount in base units of a currency with this many decimals.
    ///
    /// # Errors
    /// [`AmountError`] if the amount is finer than the currency, or too large.
    pub fn base_units(&self, decimals: u8) -> Result<u64, AmountError> {
        self.0.base_units(Some(decimals))
    }

    /// Returns the amount as terms documents hold it.
    pub fn to_amount(&self) -> Amount {
        self.0.clone()
    }

    /// Parses an amount above zero.
    ///
    /// # Errors
    /// A message for clap.
    pub fn parse_positive(text: &str) -> Result<Self, String> {
        let amount = Self::from_str(text)?;
        match amount.0.base_units(None) {
            Ok(0) => Err("expected more than 0".to_owned()),
            _ => Ok(amount),
        }
    }
}

impl FromStr for AmountArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let invalid = || {
            "expected whole tokens such as 5 or 0.001, or base units such as 5000000u".to_owned()
        };
        if text.ends_with('u') {
            return parse_base_units(text).map(|amount| Self(Amount::BaseUnits(amount)));
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(invalid());
        }
        Ok(Self(Amount::Decimal(text.to_owned())))
    }
}

/// Parses base units with their suffix, `5000000u`, for amounts that no single currency applies to.
///
/// # Errors
/// A message for clap.
pub fn parse_base_units(text: &str) -> Result<u64, String> {
    let digits = text.strip_suffix('u').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let amount = digits.and_then(|digits| digits.parse().ok());
    amount.ok_or_else(|| {
        format!("expected base units such as 5000000u, at most {}u", grouped(u64::MAX))
    })
}

/// Priced use on the command line: `generate=0.001/generation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsePriceArg {
    pub licensed_use: Use,
    pub price: AmountArg,
    pub unit: Unit,
}

impl FromStr for UsePriceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "expected USE=PRICE/UNIT such as generate=0.001/generation".to_owned();
        let (licensed_use, rest) = text.split_once('=').ok_or_else(invalid)?;
        let (price, unit) = rest.split_once('/').ok_or_else(invalid)?;
        Ok(Self {
            licensed_use: licensed_use.parse().map_err(|error| format!("{error}"))?,
            price: price.parse()?,
            unit: unit.parse().map_err(|error| format!("{error}"))?,
        })
    }
}

/// How amounts of a currency are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// `$5.00`, for a dollar with this many decimals.
    Dollars(u8),
    /// `5 tokens`, for any other mint with this many decimals.
    Tokens(u8),
    /// `5,000,000 base units`, for a mint that does not exist.
    BaseUnits,
}

impl Scale {
    /// Returns an amount to print.
    pub fn money(self, base_units: u64) -> Money {
        Money { base_units, scale: self }
    }
}

/// Amount of a currency: base units in JSON, whole tokens in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    pub base_units: u64,
    scale: Scale,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.base_units)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = |decimals| {
            let denomination = Denomination { name: String::new(), decimals, iso_4217: None };
            denomination.decimal(self.base_units)
        };
        match self.scale {
            Scale::Dollars(decimals) => {
                let text = decimal(decimals);
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                write!(formatter, "${}.{fraction:0<2}", grouped_digits(whole))
            }
            Scale::Tokens(decimals) => {
                let text = decimal(decimals);
                match text.split_once('.') {
                    Some((whole, fraction)) => {
                        write!(formatter, "{}.{fraction} tokens", grouped_digits(whole))
                    }
                    None => write!(formatter, "{} tokens", grouped_digits(&text)),
                }
            }
            Scale::BaseUnits => write!(formatter, "{} base units", grouped(self.base_units)),
        }
    }
}

/// Returns digits with the thousands set apart.
fn grouped_digits(digits: &str) -> String {
    // A whole number of tokens is at most the base units, so it fits.
    digits.parse().map_or_else(|_| digits.to_owned(), grouped)
}

/// Returns parts per billion as percent: `20%`, `12.3456789%`.
pub fn percent_of_ppb(share_ppb: u32) -> String {
    let (whole, rest) = (share_ppb / 10_000_000, share_ppb % 10_000_000);
    if rest == 0 {
        return format!("{whole}%");
    }
    let decimals = format!("{rest:07}");
    format!("{whole}.{}%", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use motif_sdk::licensing::{Unit, Use};

    use super::*;

    fn base_units(text: &str) -> u64 {
        text.parse::<AmountArg>().unwrap().base_units(6).unwrap()
    }

    #[test]
    fn whole_tokens_become_base_units() {
        let read = ["5", "0.001", "1.50", "5000000u", "0", "7u"].map(base_units);
        assert_eq!(read, [5_000_000, 1_000, 1_500_000, 5_000_000, 0, 7]);
        assert!("0.0000001".parse::<AmountArg>().unwrap().base_units(6).is_err());
    }

    #[test]
    fn malformed_amounts_are_rejected() {
        for text in
            ["", "u", ".5", "5.", "-1", "-1u", "1e3", "1,000", "1.5u", "18446744073709551616u"]
        {
            assert!(text.parse::<AmountArg>().is_err(), "{text}");
        }
        for text in ["0", "0.0", "0u"] {
            assert!(AmountArg::parse_positive(text).is_err(), "{text}");
        }
        assert!(parse_base_units("5000000").is_err(), "the suffix is required");
    }

    #[test]
    fn priced_use_is_parsed() {
        let train: UsePriceArg = "fine-tune=5/training-run".parse().unwrap();
        let (licensed_use, unit) = (train.licensed_use, train.unit);
        assert_eq!((licensed_use, unit), (Use::FineTune, Unit::TrainingRun));
        assert_eq!(train.price.base_units(6), Ok(5_000_000));
        for text in ["generate", "generate=1", "generate=/second", "fly=1/second", "play=1/mile"] {
            assert!(text.parse::<UsePriceArg>().is_err(), "{text}");
        }
    }

    #[test]
    fn dollars_print_every_base_unit() {
        let shown = [0, 1, 10, 1_000_000, 1_500_000, 2_000_000_001]
            .map(|amount| Scale::Dollars(6).money(amount).to_string());
        assert_eq!(shown, ["$0.00", "$0.000001", "$0.00001", "$1.00", "$1.50", "$2,000.000001"]);
        assert_eq!(Scale::Tokens(9).money(1_500_000_000).to_string(), "1.5 tokens");
        assert_eq!(Scale::Tokens(0).money(5_000).to_string(), "5,000 tokens");
        assert_eq!(Scale::BaseUnits.money(5_000).to_string(), "5,000 base units");
    }

    #[test]
    fn parts_per_billion_print_every_digit() {
        let shown = [0, 1, 200_000_000, 123_456_789, 1_000_000_000].map(percent_of_ppb);
        assert_eq!(shown, ["0%", "0.0000001%", "20%", "12.3456789%", "100%"]);
    }
}
