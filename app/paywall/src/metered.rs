use axum::http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::Value;

use crate::error::PaywallError;

/// Source of an answer's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Source of the count.
    pub by: Meter,
    /// Count per unit; a started unit is a whole one.
    pub per: u32,
    /// Handling of an answer whose count is missing or zero.
    pub missing: Missing,
}

/// Source of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meter {
    /// Constant number of units.
    Fixed(u32),
    /// Response header.
    Header(HeaderName),
    /// Field of the answer's JSON, as an RFC 6901 pointer.
    Json(String),
    /// Count of the body, taken by the gateway.
    Count(Counted),
}

/// Countable item of a body.
///
/// Transfer chunks are not countable, since proxies may cut them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Bytes.
    Bytes,
    /// Lines, including a last one without a line feed.
    Lines,
    /// Server-sent events, each ended by an empty line.
    Events,
}

/// Handling of an answer whose count is missing or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The answer is discarded and not charged.
    Refuse,
    /// The answer uses all held units.
    Held,
    /// The answer uses this number of units.
    Units(u32),
}

impl Metered {
    /// Returns the units of a whole answer, at most those held.
    ///
    /// # Errors
    /// [`PaywallError::UnitsMissing`], [`PaywallError::UnitsAboveHeld`].
    pub fn units(&self, headers: &HeaderMap, body: &[u8], held: u32) -> Result<u32, PaywallError> {
        let count = match &self.by {
            Meter::Fixed(units) => Some(u64::from(*units)),
            Meter::Header(name) => {
                let mut values = headers.get_all(name).iter();
                // A repeated header is ambiguous and therefore no count.
                let value = values.next().filter(|_| values.next().is_none());
                value.and_then(|value| count_of(value.to_str().ok()?))
            }
            Meter::Json(pointer) => {
                let json: Option<Value> = serde_json::from_slice(body).ok();
                json.as_ref().and_then(|json| json.pointer(pointer)).and_then(count_of_json)
            }
            Meter::Count(counted) => Some(counted.count(body)),
        };
        let units = match count.filter(|count| *count > 0) {
            Some(count) => self.units_of(count),
            None => match self.missing {
                Missing::Refuse => return Err(PaywallError::UnitsMissing),
                Missing::Held => u64::from(held),
                Missing::Units(units) => u64::from(units),
            },
        };
        match u32::try_from(units) {
            Ok(units) if units <= held => Ok(units),
            _ => Err(PaywallError::UnitsAboveHeld { reported: units, held }),
        }
    }

    /// Returns the units of a count, rounded up.
    pub fn units_of(&self, count: u64) -> u64 {
        match self.by {
            Meter::Fixed(_) => count,
            _ => count.div_ceil(u64::from(self.per)),
        }
    }

    /// Returns the number of units if it is constant.
    pub fn fixed(&self) -> Option<u32> {
        match self.by {
            Meter::Fixed(units) => Some(units),
            _ => None,
        }
    }
}

impl Counted {
    /// Counts the items of a body, including an unfinished last one.
    pub fn count(self, body: &[u8]) -> u64 {
        if self == Self::Bytes {
            return body.len() as u64;
        }
        let ended = (0..body.len()).filter(|place| self.ends(body, *place)).count();
        let is_started = body.len().checked_sub(1).is_some_and(|last| !self.ends(body, last));
        (ended + usize::from(is_started)) as u64
    }

    /// Returns whether an item ends with the byte at `place`.
    pub fn ends(self, body: &[u8], place: usize) -> bool {
        let before = &body[..place];
        match self {
            Self::Bytes => true,
            Self::Lines => body[place] == b'\n',
            Self::Events => {
                body[place] == b'\n' && (before.ends_with(b"\n") || before.ends_with(b"\n\r"))
            }
        }
    }
}

fn count_of_json(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => count_of(&number.to_string()),
        Value::String(text) => count_of(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Parses a count, such as seconds with a fraction, which is rounded up.
fn count_of(text: &str) -> Option<u64> {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let count: f64 = text.parse().ok().filter(|_| plain)?;
    (count < MAX_EXACT).then(|| count.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metered(by: Meter, per: u32) -> Metered {
        Metered { by, per, missing: Missing::Refuse }
    }

    fn by_header(value: &str) -> Result<u32, PaywallError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-units", value.parse().unwrap());
        metered(Meter::Header("x-units".parse().unwrap()), 1).units(&headers, b"", 10)
    }

    #[test]
    fn header_count_is_validated() {
        assert_eq!(by_header("3").unwrap(), 3);
        assert_eq!(by_header(" 2.1 ").unwrap(), 3, "rounded up");
        for wrong in ["", "0", "-1", "+1", "1e1", "NaN", "inf", "three", "1,2", "0x2"] {
            assert!(matches!(by_header(wrong), Err(PaywallError::UnitsMissing)), "{wrong}");
        }
        for lie in ["11", "4294967296", "18446744073709551615"] {
            assert!(matches!(by_header(lie), Err(PaywallError::UnitsAboveHeld { .. })), "{lie}");
        }
    }

    #[test]
    fn repeated_header_is_no_count() {
        let mut headers = HeaderMap::new();
        headers.append("x-units", "1".parse().unwrap());
        headers.append("x-units", "2".parse().unwrap());
        let metered = metered(Meter::Header("x-units".parse().unwrap()), 1);
        assert!(matches!(metered.units(&headers, b"", 9), Err(PaywallError::UnitsMissing)));
    }

    #[test]
    fn json_field_is_counted() {
        let metered = metered(Meter::Json("/usage/tokens".into()), 1_000);
        let units = |body: &str| metered.units(&HeaderMap::new(), body.as_bytes(), 5).ok();
        assert_eq!(units(r#"{"usage":{"tokens":2001}}"#), Some(3));
        assert_eq!(units(r#"{"usage":{"tokens":"2000"}}"#), Some(2));
        for wrong in ["", "{", "{}", r#"{"usage":{"tokens":null}}"#, r#"{"usage":{"tokens":-5}}"#] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn missing_count_follows_route() {
        let units = |missing| {
            let by = Meter::Header("x-units".parse().unwrap());
            Metered { by, per: 1, missing }.units(&HeaderMap::new(), b"", 7)
        };
        assert!(matches!(units(Missing::Refuse), Err(PaywallError::UnitsMissing)));
        assert_eq!(units(Missing::Held).unwrap(), 7);
        assert_eq!(units(Missing::Units(2)).unwrap(), 2);
    }

    #[test]
    fn unfinished_item_is_counted() {
        for (counted, body, count) in [
            (Counted::Bytes, &b"abcde"[..], 5),
            (Counted::Lines, b"a\nb\nc", 3),
            (Counted::Lines, b"a\nb\n", 2),
            (Counted::Lines, b"", 0),
            (Counted::Events, b"data: a\n\ndata: b\r\n\r\ndata: c", 3),
            (Counted::Events, b"data: a\n\n", 1),
            (Counted::Events, b"data: a\n", 1),
        ] {
            assert_eq!(counted.count(body), count, "{counted:?}");
        }
    }
}
