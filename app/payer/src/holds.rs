use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use motif_sdk::Pubkey;

use crate::{callers::Caller, clock::now, problem::PayerError};

/// Holds of callers that are neither captured nor released. They bind a channel's deposit, which all callers
/// share.
#[derive(Default)]
pub struct Holds(Mutex<OpenHolds>);

#[derive(Default)]
struct OpenHolds {
    by_name: HashMap<HoldName, OpenHold>,
    /// Number of holds that were requested.
    requested: u64,
}

/// Name of a hold, or a number before the gateway has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum HoldName {
    Placed([u8; 32]),
    Requested(u64),
}

struct OpenHold {
    channel: Pubkey,
    caller: Caller,
    /// Maximum cost, base units.
    cost: u64,
    /// Last unix second in which it can be captured.
    expires_at: i64,
}

/// Hold that is requested; forgotten when it is dropped.
pub struct RequestedHold {
    holds: Arc<Holds>,
    name: HoldName,
}

impl Holds {
    /// Adds a hold, unless the caller's holds on the channel then cost more than `max` base units.
    ///
    /// # Errors
    /// [`PayerError::DepositUsedUp`].
    pub fn request(
        self: &Arc<Self>,
        channel: Pubkey,
        caller: &Caller,
        (cost, expires_at): (u64, i64),
        max: u64,
    ) -> Result<RequestedHold, PayerError> {
        let mut open = self.open();
        open.by_name.retain(|_, hold| hold.expires_at >= now());
        let all = open.by_name.values();
        let own = all.filter(|hold| hold.channel == channel && hold.caller == *caller);
        let held = own.map(|hold| hold.cost).fold(0, u64::saturating_add);
        if held.saturating_add(cost) > max {
            let (available, needed) = (max.saturating_sub(held), cost);
            let reason = "the caller's unpaid holds bind its half of the deposit";
            return Err(PayerError::DepositUsedUp { available, needed, reason });
        }
        open.requested += 1;
        let name = HoldName::Requested(open.requested);
        open.by_name.insert(name, OpenHold { channel, caller: caller.clone(), cost, expires_at });
        Ok(RequestedHold { holds: self.clone(), name })
    }

    /// Forgets a hold that was captured or released.
    pub fn end(&self, hold: &[u8; 32]) {
        self.open().by_name.remove(&HoldName::Placed(*hold));
    }

    fn open(&self) -> MutexGuard<'_, OpenHolds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestedHold {
    /// Keeps the hold, which the gateway has placed.
    pub fn place(self, hold: [u8; 32]) {
        let mut open = self.holds.open();
        if let Some(requested) = open.by_name.remove(&self.name) {
            open.by_name.insert(HoldName::Placed(hold), requested);
        }
    }
}

impl Drop for RequestedHold {
    fn drop(&mut self) {
        self.holds.open().by_name.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_of_caller_are_limited() {
        let holds = Arc::new(Holds::default());
        let (channel, expires_at) = (Pubkey::new_from_array([1; 32]), now() + 60);
        let (one, other) = (Caller::from("one"), Caller::from("other"));
        let request = |caller, cost| holds.request(channel, caller, (cost, expires_at), 100);
        request(&one, 60).unwrap().place([1; 32]);
        let over = request(&one, 41).err();
        assert!(matches!(over, Some(PayerError::DepositUsedUp { available: 40, .. })));
        assert!(request(&other, 100).is_ok(), "each caller has its own share");
        drop(request(&one, 40).unwrap());
        assert!(request(&one, 40).is_ok(), "a refused hold binds nothing");
        holds.end(&[1; 32]);
        assert!(request(&one, 100).is_ok());
        holds.request(channel, &one, (100, now() - 1), 100).unwrap().place([2; 32]);
        assert!(request(&one, 100).is_ok(), "an expired hold binds nothing");
    }
}
