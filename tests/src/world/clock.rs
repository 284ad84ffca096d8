use solana_clock::Clock;

use super::World;

impl World {
    /// Returns the chain's time, unix seconds.
    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the clock, forward or back. Two slots pass in each second.
    pub fn set_time(&mut self, unix_seconds: i64) {
        let clock = self.svm.get_sysvar::<Clock>();
        let seconds = unix_seconds.saturating_sub(clock.unix_timestamp);
        let slots = u64::try_from(seconds).unwrap_or(0).saturating_mul(2).min(1 << 40);
        let slot = clock.slot.saturating_add(slots);
        self.svm.set_sysvar(&Clock { unix_timestamp: unix_seconds, slot, ..clock });
    }

    /// Halts the cluster for seconds: its clock jumps, its slots do not.
    pub fn halt(&mut self, seconds: i64) {
        let clock = self.svm.get_sysvar::<Clock>();
        let unix_timestamp = clock.unix_timestamp + seconds;
        self.svm.set_sysvar(&Clock { unix_timestamp, ..clock });
    }

    /// Advances the clock by seconds.
    pub fn pass(&mut self, seconds: i64) {
        self.set_time(self.now() + seconds);
    }

    /// Advances to the next slot.
    pub fn next_slot(&mut self) {
        let slot = self.svm.get_sysvar::<Clock>().slot;
        self.set_slot(slot + 1);
    }

    /// Advances to a slot.
    pub fn set_slot(&mut self, slot: u64) {
        let clock = self.svm.get_sysvar::<Clock>();
        self.svm.set_sysvar(&Clock { slot, ..clock });
    }
}
