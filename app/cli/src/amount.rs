//! Amounts and ratios as people write and read them.

pub use motif_sdk::terms::{
    amount::grouped,
    share::{parse_percent, percent},
};

/// Base units of a 6-decimal dollar: `$1.234567`, with at least two decimals.
pub fn dollars(base_units: u64) -> String {
    let (whole, rest) = (base_units / 1_000_000, base_units % 1_000_000);
    let decimals = format!("{rest:06}");
    let shown = decimals.trim_end_matches('0').len().max(2);
    format!("${}.{}", grouped(whole), &decimals[..shown])
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
