//! Parsing and formatting of shares.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use motif_interface::bps::WHOLE_BPS;

/// Basis points, written as `"20%"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percent(pub u16);

/// Formats basis points as percent: `20%`, `33.33%`.
pub fn percent(share_bps: u16) -> String {
    let (whole, rest) = (share_bps / 100, share_bps % 100);
    if rest == 0 {
        return format!("{whole}%");
    }
    let decimals = format!("{rest:02}");
    format!("{whole}.{}%", decimals.trim_end_matches('0'))
}

/// Parses `20%` or `33.33%`; returns basis points.
///
/// # Errors
/// A description of what is wrong and what was expected.
pub fn parse_percent(text: &str) -> Result<u16, String> {
    let wrong = || format!("invalid share `{text}`: expected for example 50% or 33.33%");
    let number = text.strip_suffix('%').ok_or_else(wrong)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let plain = |part: &str| part.chars().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 2 || !plain(whole) || !plain(decimals) {
        return Err(wrong());
    }
    let digits = format!("{whole}{decimals:0<2}");
    let share_bps = digits.parse::<u16>().map_err(|_| wrong())?;
    if share_bps > WHOLE_BPS { Err(wrong()) } else { Ok(share_bps) }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&percent(self.0))
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PercentVisitor)
    }
}

struct PercentVisitor;

impl de::Visitor<'_> for PercentVisitor {
    type Value = Percent;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a share in quotes such as \"20%\" or \"33.33%\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Percent, E> {
        parse_percent(text).map(Percent).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_round_trips() {
        for share_bps in [0, 1, 50, 1_000, 3_333, 9_999, 10_000] {
            assert_eq!(parse_percent(&percent(share_bps)), Ok(share_bps));
        }
    }

    #[test]
    fn invalid_percent_is_rejected() {
        for text in ["50", "%", "-1%", "100.01%", "1.234%", "a%", "1e2%", ".5%"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }
}
