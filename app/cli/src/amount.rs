//! Amounts and ratios as people write and read them.

const WHOLE_BPS: u16 = 10_000;

/// Base units with thousands set apart: `1,234,567`.
pub fn grouped(amount: u64) -> String {
    let digits = amount.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Base units of a 6-decimal dollar: `$1.234567`, with at least two decimals.
pub fn dollars(base_units: u64) -> String {
    let (whole, rest) = (base_units / 1_000_000, base_units % 1_000_000);
    let decimals = format!("{rest:06}");
    let shown = decimals.trim_end_matches('0').len().max(2);
    format!("${}.{}", grouped(whole), &decimals[..shown])
}

/// Basis points as percent: `20%`, `33.33%`.
pub fn percent(share_bps: u16) -> String {
    let (whole, rest) = (share_bps / 100, share_bps % 100);
    if rest == 0 {
        return format!("{whole}%");
    }
    let decimals = format!("{rest:02}");
    format!("{whole}.{}%", decimals.trim_end_matches('0'))
}

/// Parts per billion as percent: `20%`, `12.3456789%`.
pub fn percent_of_ppb(share_ppb: u32) -> String {
    let (whole, rest) = (share_ppb / 10_000_000, share_ppb % 10_000_000);
    if rest == 0 {
        return format!("{whole}%");
    }
    let decimals = format!("{rest:07}");
    format!("{whole}.{}%", decimals.trim_end_matches('0'))
}

/// Reads `20%` or `33.33%` as basis points.
///
/// # Errors
/// What is wrong with it, for clap.
pub fn parse_percent(text: &str) -> Result<u16, String> {
    let wrong = || format!("`{text}` is no share; write for example 50% or 33.33%");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_in_thousands() {
        let shown = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn dollars_show_every_base_unit_and_no_more() {
        let shown = [0, 1, 10, 1_000_000, 1_500_000, 2_000_000_001].map(dollars);
        assert_eq!(shown, ["$0.00", "$0.000001", "$0.00001", "$1.00", "$1.50", "$2,000.000001"]);
    }

    #[test]
    fn parts_per_billion_show_every_digit_and_no_more() {
        let shown = [0, 1, 200_000_000, 123_456_789, 1_000_000_000].map(percent_of_ppb);
        assert_eq!(shown, ["0%", "0.0000001%", "20%", "12.3456789%", "100%"]);
    }

    #[test]
    fn percents_survive_being_read_back() {
        for share_bps in [0, 1, 50, 1_000, 3_333, 9_999, 10_000] {
            assert_eq!(parse_percent(&percent(share_bps)), Ok(share_bps));
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["50", "%", "-1%", "100.01%", "1.234%", "a%", "1e2%", ".5%"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }
}
