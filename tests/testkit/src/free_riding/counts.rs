use std::ops::AddAssign;

use serde::Serialize;

/// What was done, and what came of it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Requests sent, retries and what must be refused included.
    pub requests: u64,
    /// Of them, meant to be served without paying.
    pub forged: u64,
    /// Answers that were dropped before they were read.
    pub dropped: u64,
    /// Requests that were sent again under their key.
    pub retried: u64,
    /// Restarts of gateways.
    pub restarts: u64,
    /// Transactions that settle.
    pub settlements: u64,
    /// Of them, those that payers asked for.
    pub settled_for_payers: u64,
    /// Channels closed at the end.
    pub closed_channels: u64,
    /// Holds that were placed and given up many times at once.
    pub races: u64,
    /// Works that were withdrawn while their channel was idle.
    pub withdrawals: u64,
    /// Generations that were served.
    pub generations: u64,
    /// Units that were served.
    pub units_served: u64,
    /// Units the chain was paid for.
    pub units_settled: u64,
    /// Served and not paid for, or paid for and not served.
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
        self.withdrawals += other.withdrawals;
        self.generations += other.generations;
        self.units_served += other.units_served;
        self.units_settled += other.units_settled;
        self.units_leaked += other.units_leaked;
        self.base_units_settled += other.base_units_settled;
    }
}
