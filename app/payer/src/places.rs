use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

use crate::problem::PayerError;

/// Places of a channel's requests at paywalls, which limit its unpaid answers (`paywall.unpaid`). The limit
/// is not announced: each refusal takes one place away, and paid answers add places again.
pub struct Places {
    free: Arc<Semaphore>,
    found: Mutex<Found>,
}

/// What is known of the limit.
struct Found {
    places: usize,
    /// Number of answers that were paid for while no place was free, since the number of places changed.
    paid: usize,
    /// Whether a request was refused.
    is_limited: bool,
}

/// Place of one request, free again when it is dropped.
pub struct Place {
    places: Arc<Places>,
    permit: OwnedSemaphorePermit,
}

/// Default of a gateway's limit.
const FIRST_PLACES: usize = 8;
/// Number of paid answers after which another place is tried, once a request was refused.
const PAID_BEFORE_TRIAL: usize = 64;
/// Pause of a refused request that had the only place.
const PAUSE: Duration = Duration::from_millis(500);

impl Places {
    pub fn new() -> Arc<Self> {
        let found = Found { places: FIRST_PLACES, paid: 0, is_limited: false };
        let free = Arc::new(Semaphore::new(FIRST_PLACES));
        Arc::new(Self { free, found: Mutex::new(found) })
    }

    /// Waits for a place, first come, first served.
    ///
    /// # Errors
    /// [`PayerError::TooManyUnpaid`] at the deadline.
    pub async fn take(self: &Arc<Self>, deadline: Instant) -> Result<Place, PayerError> {
        let permit = timeout_at(deadline, self.free.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| PayerError::TooManyUnpaid)?;
        // The semaphore is never closed.
        let permit = permit.map_err(|_| PayerError::Internal)?;
        Ok(Place { places: self.clone(), permit })
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes that the answer was paid for.
    pub fn note_paid(&self) {
        let mut found = self.places.found();
        if self.places.free.available_permits() > 0 {
            return;
        }
        found.paid += 1;
        if found.paid >= if found.is_limited { PAID_BEFORE_TRIAL } else { 1 } {
            (found.places, found.paid) = (found.places + 1, 0);
            self.places.free.add_permits(1);
        }
    }

    /// Gives the place up after a refusal, at the latest at the deadline. The last place stays.
    pub async fn give_up(self, deadline: Instant) {
        let is_last = {
            let mut found = self.places.found();
            (found.is_limited, found.paid) = (true, 0);
            let is_last = found.places <= 1;
            found.places = found.places.saturating_sub(1).max(1);
            is_last
        };
        if is_last {
            // Other requests of the channel are not this service's.
            sleep_until(deadline.min(Instant::now() + PAUSE)).await;
        } else {
            self.permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(places: &Arc<Places>) -> Result<Place, PayerError> {
        places.take(Instant::now() + Duration::from_millis(20)).await
    }

    #[tokio::test]
    async fn refusals_lower_places_to_one() {
        let places = Places::new();
        let mut taken = Vec::new();
        for _ in 0..FIRST_PLACES {
            taken.push(take(&places).await.unwrap());
        }
        let ninth = take(&places).await.err();
        assert!(matches!(ninth, Some(PayerError::TooManyUnpaid)));
        for place in taken {
            place.give_up(Instant::now()).await;
        }
        let last = take(&places).await.unwrap();
        assert!(take(&places).await.is_err());
        last.give_up(Instant::now()).await;
        assert!(take(&places).await.is_ok());
    }

    #[tokio::test]
    async fn paid_answers_add_places() {
        let places = Places::new();
        let mut taken = Vec::new();
        for count in 0..FIRST_PLACES {
            taken.push(take(&places).await.unwrap());
            taken[0].note_paid();
            // Only if none is free.
            assert_eq!(
                places.found().places,
                FIRST_PLACES + usize::from(count + 1 == FIRST_PLACES)
            );
        }
        let ninth = take(&places).await.unwrap();
        ninth.give_up(Instant::now()).await;
        assert!(take(&places).await.is_err());
        for _ in 0..PAID_BEFORE_TRIAL {
            taken[0].note_paid();
        }
        assert!(take(&places).await.is_ok());
    }
}
