use std::time::Duration;

use motif_sdk::client::PriorityFee;

/// Settlement policy: when a channel settles, and how much may be unsettled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlePolicy {
    /// Settles when the open statement's prices reach this amount, base units; `None` to disable.
    pub at_amount: Option<u64>,
    /// Minimum unsettled amount that is worth a transaction, base units; `None` if every amount is.
    pub min_amount: Option<u64>,
    /// Minimum balance of the fee payer, lamports; 0 to ignore it.
    pub min_lamports: u64,
    /// Settles when the open statement's first generation is this old, seconds.
    pub at_age_seconds: u32,
    /// Settles at this number of receipts, which also bounds memory.
    pub at_receipts: u32,
    /// Interval of the settlement worker's rounds.
    pub look_every: Duration,
    /// Maximum unsettled amount of one channel, base units, fees included; `None` if unlimited.
    pub max_exposure: Option<u64>,
    /// Maximum age of a channel's last on-chain read before requests are rejected, seconds: the
    /// payer may have started to close it.
    pub max_blind_seconds: u32,
    /// Priority fee of the gateway's transactions.
    pub priority_fee: PriorityFee,
    /// Maximum priority fees of a day, lamports. Above it, settlements pay the policy's lowest price.
    pub daily_fee_cap: u64,
}

impl SettlePolicy {
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let looks = !self.look_every.is_zero();
        check(looks, "settle.look_every_seconds", "must be above zero");
        check(self.at_receipts > 0, "settle.at_receipts", "must be above zero");
        let some = self.max_exposure != Some(0) && self.at_amount != Some(0);
        check(some, "settle.max_exposure", "must be above zero, like settle.at_amount");
        let blind = u64::from(self.max_blind_seconds) > self.look_every.as_secs();
        check(blind, "settle.max_blind_seconds", "must be more than settle.look_every_seconds");
        if let (Some(least), Some(at)) = (self.min_amount, self.at_amount) {
            check(least <= at, "settle.min_amount", "must be at most settle.at_amount");
        }
        // A channel settles at half of its maximum.
        if let (Some(least), Some(most)) = (self.min_amount, self.max_exposure) {
            check(
                least <= most / 2,
                "settle.min_amount",
                "must be at most half settle.max_exposure",
            );
        }
        if let PriorityFee::Percentile { floor, cap, .. } = self.priority_fee {
            let what = "must be at most settle.priority_fee_cap";
            check(floor <= cap, "settle.priority_fee_floor", what);
        }
        if let (Some(most), Some(at)) = (self.max_exposure, self.at_amount) {
            check(at <= most, "settle.at_amount", "must be at most settle.max_exposure");
        }
    }
}

impl Default for SettlePolicy {
    /// Settles every hour or at half a million receipts; allows 15 minutes without the chain; pays the
    /// median of recent priority fees, at most 0.1 SOL a day.
    fn default() -> Self {
        Self {
            at_amount: None,
            min_amount: None,
            min_lamports: 5_000_000,
            at_age_seconds: 3_600,
            at_receipts: 500_000,
            look_every: Duration::from_secs(5),
            max_exposure: None,
            max_blind_seconds: 900,
            priority_fee: PriorityFee::default(),
            daily_fee_cap: 100_000_000,
        }
    }
}
