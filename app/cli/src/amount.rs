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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_show_every_base_unit_and_no_more() {
        let shown = [0, 1, 10, 1_000_000, 1_500_000, 2_000_000_001].map(dollars);
        assert_eq!(shown, ["$0.00", "$0.000001", "$0.00001", "$1.00", "$1.50", "$2,000.000001"]);
    }
}
