/// Time of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds. They jump when a cluster resumes after a halt.
    pub unix_seconds: i64,
    /// Slot. Slots stand still while a cluster is halted.
    pub slot: u64,
}

impl Moment {
    /// Returns the moment at `unix_seconds` of a cluster that never halts: all slots of earlier
    /// grace periods have passed.
    pub const fn running(unix_seconds: i64) -> Self {
        Self { unix_seconds, slot: u64::MAX }
    }
}
