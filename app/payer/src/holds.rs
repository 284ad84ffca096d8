use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{callers::Caller, clock::now, problem::PayerError};

/// Payments under way and open holds of a channel, which bind its deposit at their maximum. Earlier ones come
/// first: a payment waits while the deposit covers it only without them.
#[derive(Default)]
pub struct Holds {
    open: Mutex<OpenHolds>,
    /// Notified when a hold ends.
    ended: Notify,
}

#[derive(Default)]
struct OpenHolds {
    by_name: HashMap<HoldName, OpenHold>,
    /// Number of holds that were requested.
    requested: u64,
}

/// Name of a hold, or its number before the gateway has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum HoldName {
    Placed([u8; 32]),
    Requested(u64),
}

struct OpenHold {
    number: u64,
    caller: Caller,
    /// Maximum cost, base units.
    cost: u64,
    /// Last unix second in which it can be captured.
    expires_at: i64,
}

/// Hold that is requested; ends when it is dropped.
pub struct RequestedHold {
    holds: Arc<Holds>,
    number: u64,
    /// Maximum cost, base units.
    cost: u64,
}

/// Pause after which expired holds are looked for.
const RECHECK: Duration = Duration::from_secs(1);

impl Holds {
    /// Adds a hold that ends after a unix second, unless the caller's holds then cost more than `share` base
    /// units.
    ///
    /// # Errors
    /// [`PayerError::DepositUsedUp`].
    pub fn request(
        self: &Arc<Self>,
        caller: &Caller,
        (cost, expires_at): (u64, i64),
        share: u64,
    ) -> Result<RequestedHold, PayerError> {
        let mut open = self.open();
        open.by_name.retain(|_, hold| hold.expires_at >= now());
        let own = open.by_name.values().filter(|hold| hold.caller == *caller);
        let held = own.map(|hold| hold.cost).fold(0, u64::saturating_add);
        if held.saturating_add(cost) > share {
            let (available, needed) = (share.saturating_sub(held), cost);
            let reason = "the caller's unpaid holds bind its half of the deposit";
            return Err(PayerError::DepositUsedUp { available, needed, reason });
        }
        open.requested += 1;
        let number = open.requested;
        let hold = OpenHold { number, caller: caller.clone(), cost, expires_at };
        open.by_name.insert(HoldName::Requested(number), hold);
        Ok(RequestedHold { holds: self.clone(), number, cost })
    }

    /// Returns the maximum cost of all holds, base units.
    pub fn bound(&self) -> u64 {
        self.open().cost(|_| true)
    }

    /// Forgets a hold that was captured or released.
    pub fn end(&self, hold: &[u8; 32]) {
        self.remove(&HoldName::Placed(*hold));
    }

    fn remove(&self, name: &HoldName) {
        if self.open().by_name.remove(name).is_some() {
            self.ended.notify_waiters();
        }
    }

    fn open(&self) -> MutexGuard<'_, OpenHolds> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenHolds {
    fn cost(&self, is_meant: impl Fn(&OpenHold) -> bool) -> u64 {
        let holds = self.by_name.values().filter(|hold| hold.expires_at >= now() && is_meant(hold));
        holds.map(|hold| hold.cost).fold(0, u64::saturating_add)
    }
}

impl RequestedHold {
    /// Returns what a channel must have available for this hold beside the earlier ones, base units.
    pub fn needed(&self) -> u64 {
        let earlier = self.holds.open().cost(|hold| hold.number < self.number);
        earlier.saturating_add(self.cost)
    }

    /// Waits until less is needed. Returns whether it is before the deadline; `false` at once if no earlier payment
    /// is under way. Holds of callers may last long, and are not waited for.
    pub async fn less(&self, needed: u64, deadline: Instant) -> bool {
        loop {
            let ended = self.holds.ended.notified();
            tokio::pin!(ended);
            // From here on, so that no end is missed.
            ended.as_mut().enable();
            if self.needed() < needed {
                return true;
            }
            if !self.is_behind() || Instant::now() >= deadline {
                return false;
            }
            let _ = timeout_at(deadline.min(Instant::now() + RECHECK), ended).await;
        }
    }

    /// Whether an earlier payment is under way.
    fn is_behind(&self) -> bool {
        let open = self.holds.open();
        let mut requested = open.by_name.iter();
        requested
            .any(|(name, hold)| matches!(name, HoldName::Requested(_)) && hold.number < self.number)
    }

    /// Keeps the hold, which the gateway has placed.
    pub fn place(self, hold: [u8; 32]) {
        let mut open = self.holds.open();
        if let Some(requested) = open.by_name.remove(&HoldName::Requested(self.number)) {
            open.by_name.insert(HoldName::Placed(hold), requested);
        }
    }
}

impl Drop for RequestedHold {
    fn drop(&mut self) {
        self.holds.remove(&HoldName::Requested(self.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_of_caller_are_limited() {
        let (holds, expires_at) = (Arc::new(Holds::default()), now() + 60);
        let (one, other) = (Caller::from("one"), Caller::from("other"));
        let request = |caller, cost| holds.request(caller, (cost, expires_at), 100);
        request(&one, 60).unwrap().place([1; 32]);
        let over = request(&one, 41).err();
        assert!(matches!(over, Some(PayerError::DepositUsedUp { available: 40, .. })));
        assert!(request(&other, 100).is_ok(), "each caller has its own share");
        drop(request(&one, 40).unwrap());
        assert!(request(&one, 40).is_ok(), "a refused hold binds nothing");
        holds.end(&[1; 32]);
        assert!(request(&one, 100).is_ok());
        holds.request(&one, (100, now() - 1), 100).unwrap().place([2; 32]);
        assert!(request(&one, 100).is_ok(), "an expired hold binds nothing");
        assert_eq!(holds.bound(), 0);
    }

    #[tokio::test]
    async fn later_hold_waits_for_earlier() {
        let (holds, expires_at) = (Arc::new(Holds::default()), now() + 60);
        let caller = Caller::from("one");
        let request = |cost| holds.request(&caller, (cost, expires_at), u64::MAX).unwrap();
        let (first, second) = (request(60), request(50));
        assert_eq!((first.needed(), second.needed(), holds.bound()), (60, 110, 110));
        let soon = || Instant::now() + Duration::from_millis(20);
        assert!(!first.less(60, soon()).await, "nothing is before it");
        assert!(!second.less(110, soon()).await);
        let late = || Instant::now() + Duration::from_secs(30);
        let (is_less, ()) = tokio::join!(second.less(110, late()), async { drop(first) });
        assert!(is_less);
        assert_eq!(second.needed(), 50);
        request(60).place([1; 32]);
        let third = request(40);
        assert_eq!(third.needed(), 150);
        drop(second);
        assert!(!third.less(100, late()).await, "a placed hold is not waited for");
        holds.end(&[1; 32]);
        assert_eq!(third.needed(), 40);
    }
}
