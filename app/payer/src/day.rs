use std::{fmt, str::FromStr};

use jiff::civil::Date;

/// UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

/// Error returned when a text is not a date such as 2026-11-30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-11-30")]
pub struct InvalidDay;

impl Day {
    /// Returns the day of a unix second.
    pub fn of(second: i64) -> Self {
        Self(second.div_euclid(86_400))
    }

    /// Returns the number of days since 1970.
    pub fn number(self) -> i64 {
        self.0
    }

    /// Returns this day and those after it up to another one.
    pub fn to(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }

    fn date(self) -> Option<Date> {
        let since = jiff::Span::new().try_days(self.0).ok()?;
        EPOCH.checked_add(since).ok()
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => date.fmt(formatter),
            None => self.0.fmt(formatter),
        }
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let date: Date = text.parse().map_err(|_| InvalidDay)?;
        let since = date.since(EPOCH).map_err(|_| InvalidDay)?;
        Ok(Self(since.get_days().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_is_written_as_a_date() {
        assert_eq!(Day::of(1_795_996_800).to_string(), "2026-11-30");
        assert_eq!("2026-11-30".parse(), Ok(Day::of(1_795_996_800 + 86_399)));
        assert_eq!("../../x".parse::<Day>(), Err(InvalidDay));
    }
}
