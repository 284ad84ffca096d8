use std::time::{Duration, Instant};

use parking_lot::Mutex;
use solana_commitment_config::CommitmentLevel;

/// Highest slots of responses, by commitment. Slots of two commitments are never compared: a node's
/// confirmed slot is behind its processed one.
///
/// Wrong responses do not outlive themselves. A slot that is further ahead than the cluster can have
/// moved counts only if three responses in a row are, and until a response continues from before. A
/// watermark that no response reaches any more is lowered if it is further ahead than a node can lag.
#[derive(Debug, Default)]
pub(super) struct Watermarks {
    confirmed: Mutex<Watermark>,
    finalized: Mutex<Watermark>,
}

#[derive(Debug, Default)]
struct Watermark {
    slot: u64,
    /// Time of the last response that reached the watermark.
    reached_at: Option<Instant>,
    /// Number of responses that reached the watermark since it began.
    responses: u64,
    /// Number of responses in a row that are too far ahead.
    ahead: u32,
    /// Slot and time of the watermark before a jump.
    before: Option<(u64, Instant)>,
}

impl Watermark {
    /// Slots that a cluster may be ahead of the last response, at once and in each second since. A slot
    /// takes 400 ms.
    const JUMP: u64 = 1_000;
    const SLOTS_A_SECOND: u64 = 10;
    /// Number of responses that make a jump count.
    const RESPONSES: u32 = 3;
    /// Slots that no node lags: eleven hours.
    const LAG: u64 = 100_000;
    /// Time for which a jump is doubted.
    const DOUBT: Duration = Duration::from_secs(600);
    /// Time for which no response reaches a wrong watermark.
    const UNREACHED: Duration = Duration::from_secs(60);

    /// Records the slot of a response. Returns whether the response counts.
    fn record(&mut self, slot: u64, now: Instant) -> bool {
        let since = self.reached_at.map(|at| now.saturating_duration_since(at));
        let follows = |slot: u64, (earlier, at): (u64, Instant)| {
            let seconds = now.saturating_duration_since(at).as_secs();
            let most = Self::JUMP + seconds.saturating_mul(Self::SLOTS_A_SECOND);
            slot.checked_sub(earlier).is_some_and(|ahead| ahead <= most)
        };
        let reached = self.reached_at.map(|at| (self.slot, at));
        let doubted = |(_, at): &(u64, Instant)| now.saturating_duration_since(*at) < Self::DOUBT;
        self.before = self.before.filter(doubted);
        if slot >= self.slot {
            let is_ahead = reached.is_some_and(|reached| !follows(slot, reached));
            self.ahead = if is_ahead { self.ahead + 1 } else { 0 };
            if is_ahead && self.ahead < Self::RESPONSES {
                return false;
            }
            let before = if is_ahead { reached } else { self.before };
            let responses = self.responses + 1;
            *self = Self { slot, reached_at: Some(now), responses, ahead: 0, before };
            return true;
        }
        self.ahead = 0;
        if self.before.is_some_and(|before| follows(slot, before)) {
            *self = Self { slot, reached_at: Some(now), responses: 2, ahead: 0, before: None };
            return true;
        }
        let is_unreached = since.is_some_and(|since| since >= Self::UNREACHED);
        let lag = if self.responses == 1 { Self::JUMP } else { Self::LAG };
        if is_unreached && self.slot - slot > lag {
            *self = Self { slot, reached_at: Some(now), responses: 1, ahead: 0, before: None };
            return true;
        }
        false
    }
}

impl Watermarks {
    /// Returns the highest slot. A processed slot is not recorded: the highest confirmed slot is its
    /// lower bound.
    pub fn highest(&self, commitment: CommitmentLevel) -> u64 {
        match commitment {
            CommitmentLevel::Finalized => self.finalized.lock().slot,
            CommitmentLevel::Confirmed | CommitmentLevel::Processed => self.confirmed.lock().slot,
        }
    }

    /// Returns the confirmed slot that a node must have reached. `None` while the watermark is in doubt,
    /// or if no response has reached it for a time: then the slots of responses tell whether it is wrong.
    pub fn min_context_slot(&self) -> Option<u64> {
        let confirmed = self.confirmed.lock();
        let reached_at = confirmed.reached_at.filter(|at| at.elapsed() < Watermark::UNREACHED);
        let is_doubted = confirmed.before.is_some_and(|(_, at)| at.elapsed() < Watermark::DOUBT);
        reached_at.filter(|_| !is_doubted).map(|_| confirmed.slot)
    }

    /// Records a confirmed slot. Returns whether the response counts: no earlier one was newer.
    pub fn record_confirmed(&self, slot: u64) -> bool {
        self.confirmed.lock().record(slot, Instant::now())
    }

    /// Records a finalized slot, which every up-to-date node has confirmed.
    pub fn record_finalized(&self, slot: u64) {
        let now = Instant::now();
        if self.finalized.lock().record(slot, now) {
            let mut confirmed = self.confirmed.lock();
            if slot > confirmed.slot {
                confirmed.record(slot, now);
            }
        }
    }

    /// Returns whether a node at this processed slot has every finalized block that was seen.
    pub fn has_finalized(&self, processed: u64) -> bool {
        processed >= self.highest(CommitmentLevel::Finalized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finalized_slot_raises_confirmed_watermark() {
        let seen = Watermarks::default();
        assert!(seen.record_confirmed(10));
        assert!(!seen.record_confirmed(9));
        assert_eq!(seen.highest(CommitmentLevel::Finalized), 0);
        seen.record_finalized(12);
        assert_eq!(seen.highest(CommitmentLevel::Confirmed), 12);
        assert!(seen.has_finalized(12) && !seen.has_finalized(11));
    }

    #[test]
    fn single_jump_is_ignored() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut seen = Watermark::default();
        assert!(seen.record(5_000, began));
        assert!(!seen.record(1_005_000, at(1)), "four days in a second");
        assert!(!seen.record(1_005_000, at(1)));
        assert!(seen.record(5_002, at(1)), "the cluster goes on");
        assert!(!seen.record(1_005_000, at(2)));
        assert_eq!(seen.slot, 5_002);
        // After an hour without a node, 9,000 slots are what is expected.
        assert!(seen.record(14_000, at(3_600)));
    }

    #[test]
    fn repeated_jump_counts() {
        let now = Instant::now();
        let mut seen = Watermark::default();
        let jumps = [5, 500_000, 500_001, 500_002].map(|slot| seen.record(slot, now));
        assert_eq!((jumps, seen.slot), ([true, false, false, true], 500_002));
        // Until a node continues from before.
        assert!(seen.record(500_003, now) && !seen.record(4, now) && seen.record(6, now));
        assert!(seen.record(7, now) && !seen.record(6, now));
    }

    #[test]
    fn wrong_watermark_is_lowered() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut seen = Watermark::default();
        // The first response is wrong.
        assert!(seen.record(9_000, began));
        assert!(!seen.record(5_000, at(59)));
        assert!(seen.record(5_001, at(60)) && seen.record(5_002, at(61)));
        // A node that lags is not believed, however long it is the only one.
        assert!(!seen.record(4_000, at(10_000)));
        assert_eq!(seen.slot, 5_002);
        // What was reached more than once is lowered only below the lag of any node.
        let reached_at = Some(began);
        let mut seen =
            Watermark { slot: 200_000, responses: 2, reached_at, ahead: 0, before: None };
        assert!(!seen.record(100_000, at(60)) && seen.record(99_999, at(60)));
    }
}
