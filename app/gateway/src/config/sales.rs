use motif_paywall::SaleConfig;

/// Sales without a channel, by x402 and MPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalesConfig {
    /// What the paywall offers.
    pub paywall: SaleConfig,
    /// Operator's fee on top of the works' prices, basis points; `None` for that of channels.
    pub fee_bps: Option<u16>,
    /// Maximum fees that are paid for buyers in a day, lamports; 0 for no limit.
    pub daily_lamports: u64,
}

impl SalesConfig {
    /// Default of [`SalesConfig::daily_lamports`]: 10,000 sales.
    pub const DAILY_LAMPORTS: u64 = 100_000_000;

    /// Creates a configuration with the defaults of [`SaleConfig::new`] and
    /// [`SalesConfig::DAILY_LAMPORTS`].
    pub fn new(public_url: &str) -> Self {
        let paywall = SaleConfig::new(public_url);
        Self { paywall, fee_bps: None, daily_lamports: Self::DAILY_LAMPORTS }
    }

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let url = &self.paywall.public_url;
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        check(is_url, "sales.public_url", "must begin with http:// or https://");
        let waits = (1..=600).contains(&self.paywall.settle_seconds);
        check(waits, "sales.settle_seconds", "must be 1 to 600");
    }
}
