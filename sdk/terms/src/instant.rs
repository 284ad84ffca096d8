use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::value::Datetime;

const EXPECTED: &str =
    "an instant with its offset such as 2027-01-01T00:00:00Z, or unix seconds such as 1798761600";

/// Unix seconds, written as an RFC 3339 date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub i64);

impl Instant {
    /// Parses an RFC 3339 date and time.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no instant; write {EXPECTED}");
        let timestamp: Timestamp = text.parse().map_err(|_| wrong())?;
        if timestamp.subsec_nanosecond() != 0 {
            return Err(format!("`{text}` is finer than a second; write whole seconds"));
        }
        Ok(Self(timestamp.as_second()))
    }

    /// Formats as RFC 3339 in UTC; returns `None` outside the years 0 to 9999.
    pub fn rfc_3339(&self) -> Option<String> {
        let text = Timestamp::from_second(self.0).ok()?.to_string();
        // Years before 0 have a minus sign and six digits.
        (!text.starts_with('-')).then_some(text)
    }
}

/// Formats as `2027-01-01 00:00:00 UTC`.
impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rfc_3339() {
            Some(text) => {
                write!(formatter, "{} UTC", text.replace('T', " ").trim_end_matches('Z'))
            }
            None => write!(formatter, "unix second {}", self.0),
        }
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.rfc_3339().and_then(|text| text.parse::<Datetime>().ok()) {
            Some(datetime) => datetime.serialize(serializer),
            None => serializer.serialize_i64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InstantVisitor)
    }
}

struct InstantVisitor;

impl<'de> de::Visitor<'de> for InstantVisitor {
    type Value = Instant;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED)
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Instant, E> {
        Ok(Instant(seconds))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
        Instant::parse(text).map_err(E::custom)
    }

    /// toml deserializes a date and time as a map.
    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Instant, A::Error> {
        let datetime = Datetime::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Instant::parse(&datetime.to_string()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Dated {
        at: Instant,
    }

    fn read(value: &str) -> Result<i64, String> {
        let read = toml::from_str::<Dated>(&format!("at = {value}"));
        read.map(|dated| dated.at.0).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn instant_parses_from_every_form() {
        assert_eq!(read("2027-01-01T00:00:00Z"), Ok(1_798_761_600));
        assert_eq!(read("2027-01-01 02:00:00+02:00"), Ok(1_798_761_600));
        assert_eq!(read("\"2027-01-01T00:00:00Z\""), Ok(1_798_761_600));
        assert_eq!(read("1798761600"), Ok(1_798_761_600));
    }

    #[test]
    fn date_without_offset_is_rejected() {
        for wrong in ["2027-01-01", "2027-01-01T00:00:00", "\"tomorrow\"", "00:00:00"] {
            assert!(read(wrong).unwrap_err().contains("is no instant; write"), "{wrong}");
        }
        assert!(read("2027-01-01T00:00:00.5Z").unwrap_err().contains("whole seconds"));
        assert!(read("1.5").unwrap_err().contains("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn instant_round_trips() {
        for seconds in [i64::MIN, -62_167_219_201, -1, 0, 1_798_761_600, 253_402_300_799, i64::MAX]
        {
            let written = toml::to_string(&Dated { at: Instant(seconds) }).unwrap();
            assert_eq!(toml::from_str(&written), Ok(Dated { at: Instant(seconds) }), "{written}");
        }
        let at = toml::to_string(&Dated { at: Instant(1_798_761_600) }).unwrap();
        assert_eq!(at, "at = 2027-01-01T00:00:00Z\n");
        assert_eq!(Instant(1_798_761_600).to_string(), "2027-01-01 00:00:00 UTC");
        assert_eq!(Instant(i64::MAX).to_string(), format!("unix second {}", i64::MAX));
    }
}
