use std::{ops::RangeInclusive, time::Duration};

/// Conditions on a [`super::ClusterDouble`]. The default is a cluster at rest.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// Least real time of a slot, which is 400 ms on the cluster.
    pub slot: Duration,
    /// Unix seconds at the first slot.
    pub begins_at: i64,
    /// Price of room in the block of a slot, micro-lamports per compute unit.
    pub price: fn(u64) -> u64,
    /// Maximum number of settlements in a block.
    pub room: usize,
    /// Slots from a submission to the first block that may contain it.
    pub delay: RangeInclusive<u64>,
    /// Slots for which leaders remember a transaction that they did not include.
    pub memory: u64,
    /// Share of submissions that reach no leader, percent.
    pub dropped: u32,
    /// Share of slots without a block, percent.
    pub skipped: u32,
    /// Share of requests that nodes refuse, percent.
    pub limited: u32,
    /// Slots between two outages of ten slots, in which nodes refuse every request; 0 for none.
    pub limited_every: u64,
    /// Share of reads at a node that is behind, percent.
    pub lagging: u32,
    /// Slots for which a node returns the same blockhash.
    pub blockhash_age: u64,
    /// Slots between two forks that take blocks back; 0 for none.
    pub fork_every: u64,
    /// Number of blocks that a fork takes back. A block is confirmed after two.
    pub fork_depth: RangeInclusive<u64>,
    /// Seed of all chances.
    pub seed: u64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            slot: Duration::from_millis(4),
            begins_at: 1_800_000_000,
            price: |_| 0,
            room: 1_000,
            delay: 1..=1,
            memory: 1_000,
            dropped: 0,
            skipped: 0,
            limited: 0,
            limited_every: 0,
            lagging: 0,
            blockhash_age: 1,
            fork_every: 0,
            fork_depth: 1..=1,
            seed: 1,
        }
    }
}
