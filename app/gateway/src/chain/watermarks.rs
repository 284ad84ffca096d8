use std::sync::atomic::{AtomicU64, Ordering};

use solana_commitment_config::CommitmentLevel;

/// Highest slots of responses, by commitment. Slots of two commitments are never compared: a node's
/// confirmed slot is behind its processed one.
#[derive(Debug, Default)]
pub(super) struct Watermarks {
    confirmed: AtomicU64,
    finalized: AtomicU64,
}

impl Watermarks {
    /// Returns the highest slot. A processed slot is not recorded: the highest confirmed slot is its
    /// lower bound.
    pub fn highest(&self, commitment: CommitmentLevel) -> u64 {
        match commitment {
            CommitmentLevel::Finalized => self.finalized.load(Ordering::Relaxed),
            CommitmentLevel::Confirmed | CommitmentLevel::Processed => {
                self.confirmed.load(Ordering::Relaxed)
            }
        }
    }

    /// Records a confirmed slot. Returns whether no response was newer.
    pub fn record_confirmed(&self, slot: u64) -> bool {
        self.confirmed.fetch_max(slot, Ordering::Relaxed) <= slot
    }

    /// Records a finalized slot, which every up-to-date node has confirmed.
    pub fn record_finalized(&self, slot: u64) {
        self.finalized.fetch_max(slot, Ordering::Relaxed);
        self.confirmed.fetch_max(slot, Ordering::Relaxed);
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
}
