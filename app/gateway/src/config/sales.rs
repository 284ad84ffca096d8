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
    /// Time for which `/x402/settle` waits for the end of a payment, seconds.
    pub facilitator_seconds: u32,
}

impl SalesConfig {
    /// Default of [`SalesConfig::daily_lamports`]: 10,000 sales.
    pub const DAILY_LAMPORTS: u64 = 100_000_000;

    /// Default of [`SalesConfig::facilitator_seconds`]: stock sellers wait 90 seconds.
    pub const FACILITATOR_SECONDS: u32 = 80;

    /// Creates a configuration with the defaults of [`SaleConfig::new`],
    /// [`SalesConfig::DAILY_LAMPORTS`] and [`SalesConfig::FACILITATOR_SECONDS`].
    pub fn new(public_url: &str) -> Self {
        let paywall = SaleConfig::new(public_url);
        Self {
            paywall,
            fee_bps: None,
            daily_lamports: Self::DAILY_LAMPORTS,
            facilitator_seconds: Self::FACILITATOR_SECONDS,
        }
    }

    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let url = &self.paywall.public_url;
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        check(is_url, "sales.public_url", "must begin with http:// or https://");
        let waits = (1..=600).contains(&self.paywall.settle_seconds);
        check(waits, "sales.settle_seconds", "must be 1 to 600");
        let waits = (1..=Self::FACILITATOR_SECONDS).contains(&self.facilitator_seconds);
        check(waits, "sales.facilitator_seconds", "must be 1 to 80: stock sellers wait 90");
    }
}
