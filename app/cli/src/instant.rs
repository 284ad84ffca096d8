//! Instants as people write and read them.

use motif_sdk::terms::Instant;

const SECONDS_PER_DAY: u32 = 86_400;

/// Unix seconds in UTC: `2027-01-01 00:00:00 UTC`.
pub fn utc(at: i64) -> String {
    Instant(at).to_string()
}

/// An instant in UTC, or that there is none.
pub fn utc_or(at: Option<i64>, none: &str) -> String {
    at.map_or(none.to_owned(), utc)
}

/// How long something takes: in days, where they are whole.
pub fn duration(seconds: u32) -> String {
    match (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY) {
        (1, 0) => "1 day".to_owned(),
        (days, 0) => format!("{days} days"),
        _ => format!("{seconds} seconds"),
    }
}

/// Reads `2027-01-01T00:00:00Z`, or unix seconds.
///
/// # Errors
/// What is wrong with it, for clap.
pub fn parse_instant(text: &str) -> Result<i64, String> {
    text.parse().or_else(|_| Instant::parse(text).map(|instant| instant.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_days_are_counted_in_days() {
        let shown = [86_400, 2_592_000, 90_000].map(duration);
        assert_eq!(shown, ["1 day", "30 days", "90000 seconds"]);
    }

    #[test]
    fn an_instant_is_read_as_it_is_written() {
        assert_eq!(utc(1_798_761_600), "2027-01-01 00:00:00 UTC");
        assert_eq!(utc(i64::MAX), format!("unix second {}", i64::MAX));
        assert_eq!(parse_instant("2027-01-01T00:00:00Z"), Ok(1_798_761_600));
        assert_eq!(parse_instant("1798761600"), Ok(1_798_761_600));
        for wrong in ["", "tomorrow", "2027-01-01", "2027-13-01T00:00:00Z"] {
            assert!(parse_instant(wrong).is_err(), "{wrong}");
        }
    }
}
