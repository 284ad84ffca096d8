use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout_at},
};

use crate::problem::PayerError;

/// Places of a channel's requests at paywalls, which limit its unpaid answers (`paywall.unpaid`). The limit
/// is not announced: each refusal takes one place away, and paid answers add places again.
///
/// A target has at most half of the places while another one has or waits for one. The last free place is
/// for a target that has none, so that a target that does not answer leaves others a place.
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
    /// Places taken by each target; none is zero.
    taken: BTreeMap<Arc<str>, usize>,
    waiting: VecDeque<Waiting>,
}

/// Request that waits for a place.
struct Waiting {
    target: Arc<str>,
    granted: oneshot::Sender<Place>,
}

/// Place of one request, free again when it is dropped.
pub struct Place {
    places: Arc<Places>,
    target: Arc<str>,
}

/// Default of a gateway's limit.
const FIRST_PLACES: usize = 8;
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
            waiting: VecDeque::new(),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Waits for a place for a target; first come, first served among the targets that may have one.
    ///
    /// # Errors
    /// [`PayerError::TooManyUnpaid`] at the deadline.
    pub async fn take(
        self: &Arc<Self>,
        target: &str,
        deadline: Instant,
    ) -> Result<Place, PayerError> {
        let (granted, place) = oneshot::channel();
        self.state().waiting.push_back(Waiting { target: target.into(), granted });
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
                *state.taken.entry(waiting.target.clone()).or_default() += 1;
                granted.push(waiting);
            }
        }
        for Waiting { target, granted } in granted {
            // A request that is gone returns the place at once.
            let _ = granted.send(Place { places: self.clone(), target });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the index of the first waiting request that may have a place.
    fn next(&self) -> Option<usize> {
        self.waiting.iter().position(|waiting| self.may_take(&waiting.target))
    }

    fn may_take(&self, target: &str) -> bool {
        let free = self.limit.saturating_sub(self.taken.values().sum());
        let own = self.taken.get(target).copied().unwrap_or(0);
        if own == 0 {
            return free > 0;
        }
        let mut others = self.taken.keys().chain(self.waiting.iter().map(|one| &one.target));
        let is_alone = others.all(|other| &**other == target);
        free > 1 && (is_alone || own < self.limit / 2)
    }
}

impl Place {
    /// Notes that the answer was paid for.
    pub fn note_paid(&self) {
        {
            let mut state = self.places.state();
            if state.may_take(&self.target) {
                return;
            }
            state.paid += 1;
            if state.paid < if state.is_limited { PAID_BEFORE_TRIAL } else { 1 } {
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
            if let Some(taken) = state.taken.get_mut(&self.target) {
                *taken = taken.saturating_sub(1);
                if *taken == 0 {
                    state.taken.remove(&self.target);
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
        places.take(target, Instant::now() + Duration::from_millis(20)).await
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
    async fn silent_target_leaves_a_place() {
        let places = Places::new();
        let mut silent = take_all(&places, SHOP).await;
        assert_eq!(silent.len(), FIRST_PLACES - 1);
        let other = take(&places, OTHER).await.unwrap();
        // Freed places are for the other target, up to the half.
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.take(SHOP, Instant::now() + Duration::from_secs(5)).await }
        });
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
