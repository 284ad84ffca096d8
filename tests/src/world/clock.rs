use solana_clock::Clock;

use super::World;

impl World {
    /// Returns the chain's time, unix seconds.
    pub fn now(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Sets the clock, forward or back.
    pub fn set_time(&mut self, unix_seconds: i64) {
        let clock = self.svm.get_sysvar::<Clock>();
        self.svm.set_sysvar(&Clock { unix_timestamp: unix_seconds, ..clock });
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
