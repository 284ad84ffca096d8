use std::{
    hash::{BuildHasher, Hash, RandomState},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::config::Rate;

/// Rate limiter for any number of identities in fixed memory.
///
/// It is a table of sets of eight slots. A new identity in a full set replaces the identity with
/// the least use and inherits that use, so inventing identities neither grows the table nor
/// earns a new burst.
#[derive(Debug)]
pub struct RateLimiter {
    /// Nanoseconds per unit and the burst in nanoseconds; `None` if there is no limit.
    pace: Option<(u64, u64)>,
    sets: Box<[Mutex<[Slot; WAYS]>]>,
    /// Keyed at random, so that clients cannot choose a set.
    hasher: RandomState,
    began: Instant,
}

const WAYS: usize = 8;

/// Use of one identity.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Identifies the identity; zero if the slot is free.
    tag: u64,
    /// Nanoseconds since the table began at which the burst is full again.
    full_at: u64,
}

impl RateLimiter {
    /// Creates a limiter that tracks this number of identities separately.
    pub fn new(rate: Rate, identities: usize) -> Self {
        let sets = if rate.count == 0 { 1 } else { identities.div_ceil(WAYS) };
        let pace = rate.interval().map(|interval| {
            let interval = nanos(interval).max(1);
            (interval, interval.saturating_mul(u64::from(rate.burst)))
        });
        Self {
            pace,
            sets: (0..sets).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            began: Instant::now(),
        }
    }

    /// Takes `count` units of an identity, all or none.
    ///
    /// # Errors
    /// The time until `count` is available. A count above the burst is never available.
    pub fn take(&self, identity: &impl Hash, count: u32) -> Result<(), Duration> {
        self.take_at(identity, count, nanos(self.began.elapsed()))
    }

    fn take_at(&self, identity: &impl Hash, count: u32, now: u64) -> Result<(), Duration> {
        let Some((interval, burst)) = self.pace else { return Ok(()) };
        let hash = self.hasher.hash_one(identity);
        let sets = self.sets.len() as u64;
        // The low bits choose the set, all bits identify the identity.
        let set = &self.sets[(hash % sets) as usize];
        let tag = hash | 1 << 63;
        let mut slots = set.lock();
        let own = slots.iter().position(|slot| slot.tag == tag);
        let least = || (0..WAYS).min_by_key(|index| slots[*index].full_at).unwrap_or(0);
        let index = own.unwrap_or_else(least);
        let full_at = slots[index].full_at.max(now);
        let full_at = full_at.saturating_add(interval.saturating_mul(u64::from(count)));
        let ahead = full_at - now;
        if ahead > burst {
            return Err(Duration::from_nanos(ahead - burst));
        }
        slots[index] = Slot { tag, full_at };
        Ok(())
    }

    /// Returns the size of the table in bytes.
    pub fn size(&self) -> usize {
        self.sets.len() * size_of::<Mutex<[Slot; WAYS]>>()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn burst_is_followed_by_rate() {
        let limiter = RateLimiter::new(Rate::per_second(2, 3), 64);
        for _ in 0..3 {
            assert_eq!(limiter.take_at(&"a", 1, 0), Ok(()));
        }
        assert_eq!(limiter.take_at(&"a", 1, 0), Err(Duration::from_millis(500)));
        assert_eq!(limiter.take_at(&"b", 1, 0), Ok(()), "another identity");
        assert_eq!(limiter.take_at(&"a", 1, SECOND / 2), Ok(()));
        assert!(limiter.take_at(&"a", 1, SECOND / 2).is_err());
        assert_eq!(limiter.take_at(&"a", 3, 10 * SECOND), Ok(()), "the burst is full again");
        assert!(limiter.take_at(&"a", 4, 100 * SECOND).is_err(), "more than a burst");
    }

    #[test]
    fn zero_rate_is_unlimited() {
        let limiter = RateLimiter::new(Rate::per_second(0, 0), 64);
        assert!((0..100_000).all(|_| limiter.take_at(&"a", 1_000, 0).is_ok()));
    }

    #[test]
    fn million_identities_share_fixed_memory() {
        const BURST: u32 = 5;
        let limiter = RateLimiter::new(Rate::per_second(1, BURST), 4_096);
        let size = limiter.size();
        assert!(size <= 4_096 * 24, "{size} bytes");
        while limiter.take_at(&"noisy", 1, 0).is_ok() {}
        let admitted = (0..1_000_000_u32).filter(|it| limiter.take_at(it, 1, 0).is_ok());
        let admitted = admitted.count();
        assert!(admitted <= 4_096 * BURST as usize, "{admitted}");
        assert!(limiter.take_at(&"noisy", 1, 0).is_err());
        assert_eq!(limiter.size(), size);
    }
}
