use std::ops::AddAssign;

use serde::Serialize;

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Number of requests, including retries and requests that must be rejected.
    pub requests: u64,
    /// Number of requests that try to avoid payment.
    pub forged: u64,
    /// Number of dropped responses.
    pub dropped: u64,
    /// Number of retries.
    pub retried: u64,
    /// Restarts of gateways.
    pub restarts: u64,
    /// Transactions that settle.
    pub settlements: u64,
    /// Number of settlements on payers' request.
    pub settled_for_payers: u64,
    /// Channels closed at the end.
    pub closed_channels: u64,
    /// Number of holds that were placed and released concurrently.
    pub races: u64,
    /// Number of vouchers that expire soon after the gateway's minimum.
    pub short: u64,
    /// Number of requests of strangers.
    pub anonymous: u64,
    /// Number of responses left unread.
    pub unread: u64,
    /// Number of works withdrawn while their channel was idle.
    pub withdrawals: u64,
    /// Generations that were served.
    pub generations: u64,
    /// Number of served units.
    pub units_served: u64,
    /// Number of settled units.
    pub units_settled: u64,
    /// Difference of served and settled units.
    pub units_leaked: u64,
    /// Base units the chain was paid.
    pub base_units_settled: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.forged += other.forged;
        self.dropped += other.dropped;
        self.retried += other.retried;
        self.restarts += other.restarts;
        self.settlements += other.settlements;
        self.settled_for_payers += other.settled_for_payers;
        self.closed_channels += other.closed_channels;
        self.races += other.races;
        self.short += other.short;
        self.anonymous += other.anonymous;
        self.unread += other.unread;
        self.withdrawals += other.withdrawals;
        self.generations += other.generations;
        self.units_served += other.units_served;
        self.units_settled += other.units_settled;
        self.units_leaked += other.units_leaked;
        self.base_units_settled += other.base_units_settled;
    }
}
