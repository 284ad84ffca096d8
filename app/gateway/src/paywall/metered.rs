use axum::http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::Value;

use super::PaywallRefusal;

/// Where the units of an answer come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// What is counted, and by whom.
    pub by: Meter,
    /// How many of it make a unit; what is begun counts.
    pub per: u32,
    /// What becomes of an answer whose count is missing, or zero.
    pub missing: Missing,
}

/// What is counted, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meter {
    /// So many units, always.
    Fixed(u32),
    /// A header of the answer says it.
    Header(HeaderName),
    /// A field of the answer's JSON says it; this is its RFC 6901 pointer.
    Json(String),
    /// The gateway counts the body itself.
    Count(Counted),
}

/// What can be counted in a body.
///
/// Chunks of the transfer are none of it: whatever stands between may cut them anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Bytes.
    Bytes,
    /// Lines; a last one without a line feed is one, too.
    Lines,
    /// Server-sent events: what empty lines end.
    Events,
}

/// What becomes of an answer whose count is missing, or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is discarded, and not charged.
    Refuse,
    /// It uses everything that was held for it.
    Held,
    /// It uses so many units.
    Units(u32),
}

impl Metered {
    /// The units of a whole answer, if they are no more than were held.
    ///
    /// # Errors
    /// [`PaywallRefusal::UnitsMissing`], [`PaywallRefusal::UnitsAboveHeld`].
    pub fn units(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        held: u32,
    ) -> Result<u32, PaywallRefusal> {
        let count = match &self.by {
            Meter::Fixed(units) => Some(u64::from(*units)),
            Meter::Header(name) => {
                let mut values = headers.get_all(name).iter();
                // Two values are no count: which of them would be right?
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
                Missing::Refuse => return Err(PaywallRefusal::UnitsMissing),
                Missing::Held => u64::from(held),
                Missing::Units(units) => u64::from(units),
            },
        };
        match u32::try_from(units) {
            Ok(units) if units <= held => Ok(units),
            _ => Err(PaywallRefusal::UnitsAboveHeld { said: units, held }),
        }
    }

    /// The units of so many of what is counted; what is begun counts.
    pub fn units_of(&self, count: u64) -> u64 {
        match self.by {
            Meter::Fixed(_) => count,
            _ => count.div_ceil(u64::from(self.per)),
        }
    }

    /// The number of units, where it is known before.
    pub fn fixed(&self) -> Option<u32> {
        match self.by {
            Meter::Fixed(units) => Some(units),
            _ => None,
        }
    }
}

impl Counted {
    /// How many there are.
    pub fn count(self, body: &[u8]) -> u64 {
        if self == Self::Bytes {
            return body.len() as u64;
        }
        let ended = (0..body.len()).filter(|place| self.ends(body, *place)).count();
        let is_begun = body.len().checked_sub(1).is_some_and(|last| !self.ends(body, last));
        (ended + usize::from(is_begun)) as u64
    }

    /// Whether one ends with the byte at this place.
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

/// A count as servers write it: seconds come with fractions, and a begun one counts.
fn count_of(text: &str) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let count: f64 = text.parse().ok().filter(|_| plain)?;
    (count < EXACT).then(|| count.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metered(by: Meter, per: u32) -> Metered {
        Metered { by, per, missing: Missing::Refuse }
    }

    fn by_header(value: &str) -> Result<u32, PaywallRefusal> {
        let mut headers = HeaderMap::new();
        headers.insert("x-units", value.parse().unwrap());
        metered(Meter::Header("x-units".parse().unwrap()), 1).units(&headers, b"", 10)
    }

    #[test]
    fn a_header_says_the_units_and_nothing_else_is_taken_for_them() {
        assert_eq!(by_header("3").unwrap(), 3);
        assert_eq!(by_header(" 2.1 ").unwrap(), 3, "what is begun counts");
        for wrong in ["", "0", "-1", "+1", "1e1", "NaN", "inf", "three", "1,2", "0x2"] {
            assert!(matches!(by_header(wrong), Err(PaywallRefusal::UnitsMissing)), "{wrong}");
        }
        for lie in ["11", "4294967296", "18446744073709551615"] {
            assert!(matches!(by_header(lie), Err(PaywallRefusal::UnitsAboveHeld { .. })), "{lie}");
        }
    }

    #[test]
    fn two_headers_are_no_count() {
        let mut headers = HeaderMap::new();
        headers.append("x-units", "1".parse().unwrap());
        headers.append("x-units", "2".parse().unwrap());
        let metered = metered(Meter::Header("x-units".parse().unwrap()), 1);
        assert!(matches!(metered.units(&headers, b"", 9), Err(PaywallRefusal::UnitsMissing)));
    }

    #[test]
    fn a_field_of_json_says_the_units() {
        let metered = metered(Meter::Json("/usage/tokens".into()), 1_000);
        let units = |body: &str| metered.units(&HeaderMap::new(), body.as_bytes(), 5).ok();
        assert_eq!(units(r#"{"usage":{"tokens":2001}}"#), Some(3));
        assert_eq!(units(r#"{"usage":{"tokens":"2000"}}"#), Some(2));
        for wrong in ["", "{", "{}", r#"{"usage":{"tokens":null}}"#, r#"{"usage":{"tokens":-5}}"#] {
            assert_eq!(units(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_missing_count_is_what_the_route_says() {
        let units = |missing| {
            let by = Meter::Header("x-units".parse().unwrap());
            Metered { by, per: 1, missing }.units(&HeaderMap::new(), b"", 7)
        };
        assert!(matches!(units(Missing::Refuse), Err(PaywallRefusal::UnitsMissing)));
        assert_eq!(units(Missing::Held).unwrap(), 7);
        assert_eq!(units(Missing::Units(2)).unwrap(), 2);
    }

    #[test]
    fn bodies_are_counted_and_what_is_begun_counts() {
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
