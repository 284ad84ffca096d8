use std::time::Duration;

/// When the settlement worker settles a channel, and how much may wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlePolicy {
    /// Once the open statement's prices reach this many base units; `None` for no such limit.
    pub at_amount: Option<u64>,
    /// Once the open statement's first generation is this old.
    pub at_age_seconds: u32,
    /// Once the open statement has this many receipts; bounds memory, too.
    pub at_receipts: u32,
    /// How often the worker looks, at channels and at the chain.
    pub look_every: Duration,
    /// The most base units that may wait for settlement on one channel, fees included; nothing
    /// is taken beyond that. `None` for no such limit.
    pub max_exposure: Option<u64>,
    /// For how long a channel is served that could not be looked at on chain: its payer may
    /// have started closing it.
    pub max_blind_seconds: u32,
}

impl SettlePolicy {
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &str, &str)) {
        let looks = !self.look_every.is_zero();
        check(looks, "settle.look_every_seconds", "must be above zero");
        check(self.at_receipts > 0, "settle.at_receipts", "must be above zero");
        let some = self.max_exposure != Some(0) && self.at_amount != Some(0);
        check(some, "settle.max_exposure", "must be above zero, as settle.at_amount");
        let blind = u64::from(self.max_blind_seconds) > self.look_every.as_secs();
        check(blind, "settle.max_blind_seconds", "must be more than settle.look_every_seconds");
        if let (Some(most), Some(at)) = (self.max_exposure, self.at_amount) {
            check(at <= most, "settle.at_amount", "must be settle.max_exposure at most");
        }
    }
}

impl Default for SettlePolicy {
    /// Every hour, and at half a million receipts; a quarter of an hour without the chain.
    fn default() -> Self {
        Self {
            at_amount: None,
            at_age_seconds: 3_600,
            at_receipts: 500_000,
            look_every: Duration::from_secs(5),
            max_exposure: None,
            max_blind_seconds: 900,
        }
    }
}
