use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{callers::Caller, problem::PayerError};

/// Places of a channel's requests at paywalls, which limit its unpaid answers (`paywall.unpaid`). The limit
/// is not announced: each refusal takes one place away, and paid answers add places again.
///
/// A target has at most half of the places while another one has or waits for one, and so has a caller. Targets
/// that nothing was bought from have together at most half while another target waits. The last free place is for
/// a target that has none. So a target that does not answer, or a slow stream of a caller, leaves others a place.
pub struct Places {
    state: Mutex<State>,
}

struct State {
    /// Number of places.
    limit: usize,
    /// Number of answers that were paid for while their target could have no other place, since `limit`
    /// changed.
    paid: usize,
    /// Whether a request was refused.
    is_limited: bool,
    /// Places taken by target and caller; none is zero.
    taken: BTreeMap<(Arc<str>, Caller), usize>,
    /// Targets that something was bought from.
    known: BTreeSet<Arc<str>>,
    waiting: VecDeque<Waiting>,
}

/// Request that waits for a place.
struct Waiting {
    target: Arc<str>,
    caller: Caller,
    granted: oneshot::Sender<Place>,
}

/// Place of one request, free again when it is dropped.
pub struct Place {
    places: Arc<Places>,
    target: Arc<str>,
    caller: Caller,
}

/// Default of a gateway's limit.
const FIRST_PLACES: usize = 8;
/// Number of paid answers after which a place of the first ones is tried again, once a request was refused:
/// abandoned requests may have caused it.
const PAID_BEFORE_RETURN: usize = 8;
/// Number of paid answers after which another place is tried, once a request was refused.
const PAID_BEFORE_TRIAL: usize = 64;
/// Pause of a refused request that had the only place.
const PAUSE: Duration = Duration::from_millis(500);

impl Places {
    pub fn new() -> Arc<Self> {
        let state = State {
            limit: FIRST_PLACES,
            paid: 0,
            is_limited: false,
            taken: BTreeMap::new(),
            known: BTreeSet::new(),
            waiting: VecDeque::new(),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Waits for a place for a target and a caller; first come, first served among those that may have one.
    ///
    /// # Errors
    /// [`PayerError::TooManyUnpaid`] at the deadline.
    pub async fn take(
        self: &Arc<Self>,
        (target, caller): (&str, &Caller),
        deadline: Instant,
    ) -> Result<Place, PayerError> {
        let (granted, place) = oneshot::channel();
        let waiting = Waiting { target: target.into(), caller: caller.clone(), granted };
        self.state().waiting.push_back(waiting);
        self.grant();
        let place = timeout_at(deadline, place).await;
        let place = place.map_err(|_| PayerError::TooManyUnpaid)?;
        // Only a request that is gone is removed without a place.
        place.map_err(|_| PayerError::Internal)
    }

    /// Gives free places to waiting requests.
    fn grant(self: &Arc<Self>) {
        let mut granted = Vec::new();
        {
            let mut state = self.state();
            state.waiting.retain(|waiting| !waiting.granted.is_closed());
            while let Some(next) = state.next() {
                let Some(waiting) = state.waiting.remove(next) else { break };
                let of = (waiting.target.clone(), waiting.caller.clone());
                *state.taken.entry(of).or_default() += 1;
                granted.push(waiting);
            }
        }
        for Waiting { target, caller, granted } in granted {
            // A request that is gone returns the place at once.
            let _ = granted.send(Place { places: self.clone(), target, caller });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the index of the first waiting request that may have a place.
    fn next(&self) -> Option<usize> {
        self.waiting.iter().position(|one| self.may_take(&one.target, &one.caller))
    }

    fn may_take(&self, target: &str, caller: &Caller) -> bool {
        let taken = |is_meant: &dyn Fn(&str, &Caller) -> bool| -> usize {
            let meant = self.taken.iter().filter(|((target, caller), _)| is_meant(target, caller));
            meant.map(|(_, count)| count).sum()
        };
        let waits = |is_meant: &dyn Fn(&Waiting) -> bool| self.waiting.iter().any(is_meant);
        let half = (self.limit / 2).max(1);
        let free = self.limit.saturating_sub(taken(&|_, _| true));
        let own = taken(&|of, _| of == target);
        // Others have places, or wait for one.
        let others = taken(&|of, _| of != target) > 0 || waits(&|one| &*one.target != target);
        let other_callers = taken(&|_, of| of != caller) > 0 || waits(&|one| one.caller != *caller);
        let is_new = |target: &str| !self.known.contains(target);
        let new_ones = taken(&|of, _| is_new(of));
        free > usize::from(own > 0)
            && (own == 0 || !others || own < half)
            && (!other_callers || taken(&|_, of| of == caller) < half)
            && (!is_new(target) || !waits(&|one| !is_new(&one.target)) || new_ones < half)
    }
}

impl Place {
    /// Notes that the answer was paid for.
    pub fn note_paid(&self) {
        {
            let mut state = self.places.state();
            state.known.insert(self.target.clone());
            if state.may_take(&self.target, &self.caller) {
                return;
            }
            state.paid += 1;
            let trial = match state.is_limited {
                false => 1,
                true if state.limit < FIRST_PLACES => PAID_BEFORE_RETURN,
                true => PAID_BEFORE_TRIAL,
            };
            if state.paid < trial {
                return;
            }
            (state.limit, state.paid) = (state.limit + 1, 0);
        }
        self.places.grant();
    }

    /// Gives the place up after a refusal, at the latest at the deadline. The last place stays.
    pub async fn give_up(self, deadline: Instant) {
        let is_last = {
            let mut state = self.places.state();
            (state.is_limited, state.paid) = (true, 0);
            let is_last = state.limit <= 1;
            state.limit = state.limit.saturating_sub(1).max(1);
            is_last
        };
        if is_last {
            // Other requests of the channel are not this service's.
            sleep_until(deadline.min(Instant::now() + PAUSE)).await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.places.state();
            let of = (self.target.clone(), self.caller.clone());
            if let Some(taken) = state.taken.get_mut(&of) {
                *taken = taken.saturating_sub(1);
                if *taken == 0 {
                    state.taken.remove(&of);
                }
            }
        }
        self.places.grant();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "https://shop.example";
    const OTHER: &str = "https://other.example";

    async fn take(places: &Arc<Places>, target: &str) -> Result<Place, PayerError> {
        let of = (target, &Caller::from("one"));
        places.take(of, Instant::now() + Duration::from_millis(20)).await
    }

    /// Waits for a place in a task.
    fn wait_for(
        places: &Arc<Places>,
        target: &str,
        caller: &str,
    ) -> tokio::task::JoinHandle<Result<Place, PayerError>> {
        let (places, target, caller) = (places.clone(), target.to_owned(), Caller::from(caller));
        tokio::spawn(async move {
            places.take((&target, &caller), Instant::now() + Duration::from_secs(5)).await
        })
    }

    /// Takes places for a target until it has to wait.
    async fn take_all(places: &Arc<Places>, target: &str) -> Vec<Place> {
        let mut taken = Vec::new();
        while let Ok(place) = take(places, target).await {
            taken.push(place);
        }
        taken
    }

    #[tokio::test]
    async fn refusals_lower_places_to_one() {
        let places = Places::new();
        let mut taken = take_all(&places, SHOP).await;
        taken.push(take(&places, OTHER).await.unwrap());
        assert_eq!(taken.len(), FIRST_PLACES);
        let ninth = take(&places, "https://third.example").await.err();
        assert!(matches!(ninth, Some(PayerError::TooManyUnpaid)));
        for place in taken {
            place.give_up(Instant::now()).await;
        }
        let last = take(&places, SHOP).await.unwrap();
        assert!(take(&places, OTHER).await.is_err());
        last.give_up(Instant::now()).await;
        assert!(take(&places, SHOP).await.is_ok());
    }

    #[tokio::test]
    async fn paid_answers_add_places() {
        let places = Places::new();
        let first = take(&places, SHOP).await.unwrap();
        first.note_paid();
        assert_eq!(places.state().limit, FIRST_PLACES, "others are free");
        let _rest = take_all(&places, SHOP).await;
        first.note_paid();
        assert_eq!(places.state().limit, FIRST_PLACES + 1);
        take(&places, SHOP).await.unwrap().give_up(Instant::now()).await;
        assert!(take(&places, SHOP).await.is_err());
        for _ in 0..PAID_BEFORE_TRIAL {
            first.note_paid();
        }
        assert!(take(&places, SHOP).await.is_ok());
    }

    #[tokio::test]
    async fn lost_places_come_back_soon() {
        let places = Places::new();
        for _ in 0..3 {
            take(&places, SHOP).await.unwrap().give_up(Instant::now()).await;
        }
        assert_eq!(places.state().limit, FIRST_PLACES - 3);
        let taken = take_all(&places, SHOP).await;
        for _ in 0..3 * PAID_BEFORE_RETURN {
            taken[0].note_paid();
        }
        assert!(places.state().limit > FIRST_PLACES - 3);
    }

    #[tokio::test]
    async fn new_targets_leave_known_ones_half() {
        let places = Places::new();
        take(&places, SHOP).await.unwrap().note_paid();
        let mut hanging = Vec::new();
        let hosts: Vec<_> = (0..12).map(|host| format!("https://{host}.example")).collect();
        // Without the known target all places are theirs.
        for host in &hosts {
            hanging.extend(take(&places, host).await);
        }
        assert_eq!(hanging.len(), FIRST_PLACES);
        let own = {
            let next = wait_for(&places, SHOP, "one");
            tokio::task::yield_now().await;
            hanging.truncate(FIRST_PLACES - 1);
            next.await.unwrap().unwrap()
        };
        // One that nothing was bought from waits longer, and lets the known target pass.
        let stranger = wait_for(&places, &hosts[11], "one");
        tokio::task::yield_now().await;
        let next = wait_for(&places, SHOP, "one");
        tokio::task::yield_now().await;
        hanging.truncate(FIRST_PLACES - 3);
        assert!(next.await.unwrap().is_ok());
        assert!(stranger.await.unwrap().is_ok(), "the last free place is for it");
        drop(own);
    }

    #[tokio::test]
    async fn caller_leaves_others_half() {
        let places = Places::new();
        let mut slow = take_all(&places, SHOP).await;
        let again = wait_for(&places, SHOP, "one");
        tokio::task::yield_now().await;
        let other = wait_for(&places, SHOP, "two");
        tokio::task::yield_now().await;
        slow.pop();
        let _other = other.await.unwrap().unwrap();
        assert!(!again.is_finished(), "the caller has more than half");
    }

    #[tokio::test]
    async fn silent_target_leaves_a_place() {
        let places = Places::new();
        let mut silent = take_all(&places, SHOP).await;
        assert_eq!(silent.len(), FIRST_PLACES - 1);
        let other = take(&places, OTHER).await.unwrap();
        // Freed places are for the other target, up to the half.
        let waiting = wait_for(&places, SHOP, "one");
        tokio::task::yield_now().await;
        silent.truncate(FIRST_PLACES / 2);
        let others = take_all(&places, OTHER).await;
        assert_eq!(others.len() + 1, FIRST_PLACES / 2 - 1);
        assert!(!waiting.is_finished());
        drop((other, others));
        assert!(waiting.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn departed_request_leaves_the_queue() {
        let places = Places::new();
        let _taken = take_all(&places, SHOP).await;
        let other = take(&places, OTHER).await.unwrap();
        assert!(take(&places, OTHER).await.is_err());
        drop(other);
        assert_eq!(places.state().taken.values().sum::<usize>(), FIRST_PLACES - 1);
    }
}
