//! Times and durations, as commands accept and print them.

use motif_sdk::terms::Instant;

const SECONDS_PER_DAY: u32 = 86_400;

/// Returns Unix seconds as UTC: `2027-01-01 00:00:00 UTC`.
pub fn utc(at: i64) -> String {
    Instant(at).to_string()
}

/// Returns Unix seconds as UTC, or `none`.
pub fn utc_or(at: Option<i64>, none: &str) -> String {
    at.map_or(none.to_owned(), utc)
}

/// Returns a duration in days if they are whole, else in seconds.
pub fn duration(seconds: u32) -> String {
    match (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY) {
        (1, 0) => "1 day".to_owned(),
        (days, 0) => format!("{days} days"),
        _ => format!("{seconds} seconds"),
    }
}

/// Parses `2027-01-01T00:00:00Z` or Unix seconds.
///
/// # Errors
/// A message for clap.
pub fn parse_time(text: &str) -> Result<i64, String> {
    let invalid = |_| "expected UTC such as 2027-01-01T00:00:00Z, or Unix seconds".to_owned();
    text.parse().or_else(|_| Instant::parse(text).map(|instant| instant.0).map_err(invalid))
}

/// Parses a duration above zero with its unit, such as `12h`, in seconds.
///
/// # Errors
/// A message for clap.
#[cfg(feature = "localnet")]
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let invalid = || "expected a duration such as 90s, 15m, 12h or 14d".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => u64::from(SECONDS_PER_DAY),
        _ => return Err(invalid()),
    };
    let count = text[..text.len() - 1].parse::<u32>().ok().filter(|count| *count > 0);
    count.map(|count| u64::from(count) * unit).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "localnet")]
    #[test]
    fn duration_is_parsed_with_its_unit() {
        let parsed = ["90s", "15m", "12h", "14d"].map(|text| parse_duration(text).unwrap());
        assert_eq!(parsed, [90, 900, 43_200, 1_209_600]);
        for wrong in ["", "h", "12", "0h", "-1h", "1.5h", "12 h", "4294967296d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn whole_days_are_counted_in_days() {
        let shown = [86_400, 2_592_000, 90_000].map(duration);
        assert_eq!(shown, ["1 day", "30 days", "90000 seconds"]);
    }

    #[test]
    fn utc_and_unix_seconds_are_parsed() {
        assert_eq!(utc(1_798_761_600), "2027-01-01 00:00:00 UTC");
        assert_eq!(utc(i64::MAX), format!("unix second {}", i64::MAX));
        assert_eq!(parse_time("2027-01-01T00:00:00Z"), Ok(1_798_761_600));
        assert_eq!(parse_time("1798761600"), Ok(1_798_761_600));
        for wrong in ["", "tomorrow", "2027-01-01", "2027-13-01T00:00:00Z"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
