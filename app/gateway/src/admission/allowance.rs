use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::config::Rate;

/// Who has how much of an allowance left, for any number of identities in fixed memory.
///
/// A table of sets of eight places. Whoever is new to a full set takes the place of the one who
/// used least, and with it what that one has used: so inventing identities neither grows the
/// table nor earns a new allowance.
#[derive(Debug)]
pub struct Allowances {
    /// Nanoseconds in which one more is earned, and how many of them a burst may be ahead;
    /// `None` without a limit.
    pace: Option<(u64, u64)>,
    sets: Box<[Mutex<[Place; WAYS]>]>,
    /// Keyed at random: nobody can choose who shares a set with whom.
    hasher: RandomState,
    began: Instant,
}

const WAYS: usize = 8;

/// One identity's use.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Names the identity; zero for nobody.
    tag: u64,
    /// Nanoseconds since the table began at which everything used is earned again.
    even_at: u64,
}

impl Allowances {
    /// Room for so many identities that do not share.
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

    /// Uses `count` of an identity's allowance, or says how long to wait and uses nothing.
    ///
    /// # Errors
    /// The time after which it would be allowed; what exceeds a whole burst never is.
    pub fn take(&self, who: &impl Hash, count: u32) -> Result<(), Duration> {
        self.take_at(who, count, nanos(self.began.elapsed()))
    }

    fn take_at(&self, who: &impl Hash, count: u32, now: u64) -> Result<(), Duration> {
        let Some((interval, burst)) = self.pace else { return Ok(()) };
        let hash = self.hasher.hash_one(who);
        let sets = self.sets.len() as u64;
        // The low bits choose the set, all of them name the identity.
        let set = &self.sets[(hash % sets) as usize];
        let tag = hash | 1 << 63;
        let mut places = set.lock().unwrap_or_else(PoisonError::into_inner);
        let own = places.iter().position(|place| place.tag == tag);
        let least = || (0..WAYS).min_by_key(|place| places[*place].even_at).unwrap_or(0);
        let place = own.unwrap_or_else(least);
        let even_at = places[place].even_at.max(now);
        let even_at = even_at.saturating_add(interval.saturating_mul(u64::from(count)));
        let ahead = even_at - now;
        if ahead > burst {
            return Err(Duration::from_nanos(ahead - burst));
        }
        places[place] = Place { tag, even_at };
        Ok(())
    }

    /// Bytes of the table.
    pub fn size(&self) -> usize {
        self.sets.len() * size_of::<Mutex<[Place; WAYS]>>()
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
    fn a_burst_is_allowed_and_then_the_rate() {
        let allowances = Allowances::new(Rate::per_second(2, 3), 64);
        for _ in 0..3 {
            assert_eq!(allowances.take_at(&"a", 1, 0), Ok(()));
        }
        assert_eq!(allowances.take_at(&"a", 1, 0), Err(Duration::from_millis(500)));
        assert_eq!(allowances.take_at(&"b", 1, 0), Ok(()), "another identity");
        assert_eq!(allowances.take_at(&"a", 1, SECOND / 2), Ok(()));
        assert!(allowances.take_at(&"a", 1, SECOND / 2).is_err());
        assert_eq!(allowances.take_at(&"a", 3, 10 * SECOND), Ok(()), "all of it is back");
        assert!(allowances.take_at(&"a", 4, 100 * SECOND).is_err(), "more than a burst");
    }

    #[test]
    fn no_rate_is_no_limit() {
        let allowances = Allowances::new(Rate::per_second(0, 0), 64);
        assert!((0..100_000).all(|_| allowances.take_at(&"a", 1_000, 0).is_ok()));
    }

    #[test]
    fn a_million_identities_fill_no_memory_and_earn_no_second_allowance() {
        const BURST: u32 = 5;
        let allowances = Allowances::new(Rate::per_second(1, BURST), 4_096);
        let size = allowances.size();
        assert!(size <= 4_096 * 24, "{size} bytes");
        while allowances.take_at(&"noisy", 1, 0).is_ok() {}
        let admitted = (0..1_000_000_u32).filter(|who| allowances.take_at(who, 1, 0).is_ok());
        let admitted = admitted.count();
        assert!(admitted <= 4_096 * BURST as usize, "{admitted}");
        assert!(allowances.take_at(&"noisy", 1, 0).is_err());
        assert_eq!(allowances.size(), size);
    }
}
