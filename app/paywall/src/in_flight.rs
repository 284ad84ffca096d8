use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use motif_sdk::{Pubkey, receipt::SignedReceipt};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{engine::AnswerId, error::PaywallError};

/// Requests to the model server and stream parts that await payment, both bounded.
#[derive(Clone, Debug)]
pub struct InFlight(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max_answers: usize,
    max_streams: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: HashMap<AnswerId, Place>,
    streams: HashMap<AnswerId, Place>,
    pending: HashMap<AnswerId, oneshot::Sender<SignedReceipt>>,
}

/// Place of a request to the model server.
#[derive(Debug)]
struct Place {
    channel: Pubkey,
    /// Cancelled when the request's hold is released.
    released: CancellationToken,
}

/// Permit for one request to the model server, released on drop.
#[derive(Debug)]
pub struct Slot {
    in_flight: InFlight,
    id: AnswerId,
    is_stream: bool,
    released: CancellationToken,
}

/// Registration of a stream part that awaits payment, removed on drop.
#[derive(Debug)]
pub struct PendingPayment {
    in_flight: InFlight,
    id: AnswerId,
    /// Receives the receipt when the part is paid.
    pub paid: oneshot::Receiver<SignedReceipt>,
}

/// Share of the places, as a fraction, that a channel has when more than half are taken; at least one.
const SHARES: usize = 16;

impl InFlight {
    /// Creates an empty registry with these limits.
    pub fn new(max_answers: usize, max_streams: usize) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { max_answers, max_streams, state }))
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// [`PaywallError::Running`] if `id` has a slot, [`PaywallError::Full`] if all are taken, or
    /// most of them and the channel has its share.
    pub fn begin(
        &self,
        id: AnswerId,
        channel: Pubkey,
        is_stream: bool,
    ) -> Result<Slot, PaywallError> {
        let mut state = self.state();
        if state.answers.contains_key(&id) || state.streams.contains_key(&id) {
            return Err(PaywallError::Running);
        }
        let (max, slots) = match is_stream {
            true => (self.0.max_streams, &mut state.streams),
            false => (self.0.max_answers, &mut state.answers),
        };
        let own = slots.values().filter(|other| other.channel == channel).count();
        // The second half of the places is for channels below their share.
        let has_share = own < (max / SHARES).max(1);
        if slots.len() >= max || (slots.len() >= max.div_ceil(2) && !has_share) {
            return Err(PaywallError::Full);
        }
        let released = CancellationToken::new();
        slots.insert(id, Place { channel, released: released.clone() });
        Ok(Slot { in_flight: self.clone(), id, is_stream, released })
    }

    /// Frees the place of a request whose hold is released, and stops the request.
    pub fn release(&self, id: &AnswerId) {
        let mut state = self.state();
        let place = state.answers.remove(id).or_else(|| state.streams.remove(id));
        if let Some(place) = place {
            place.released.cancel();
        }
    }

    /// Returns the number of a channel's slots.
    pub fn count(&self, channel: &Pubkey) -> usize {
        let state = self.state();
        let all = state.answers.values().chain(state.streams.values());
        all.filter(|other| other.channel == *channel).count()
    }

    /// Returns the number of open streams.
    pub fn streams(&self) -> usize {
        self.state().streams.len()
    }

    /// Registers a part that awaits payment.
    pub fn await_payment(&self, id: AnswerId) -> PendingPayment {
        let (sender, paid) = oneshot::channel();
        self.state().pending.insert(id, sender);
        PendingPayment { in_flight: self.clone(), id, paid }
    }

    /// Returns whether a stream awaits payment for this part.
    pub fn is_awaited(&self, id: &AnswerId) -> bool {
        self.state().pending.contains_key(id)
    }

    /// Sends the receipt to the stream that awaits this payment, if there is one.
    pub fn complete(&self, id: &AnswerId, receipt: SignedReceipt) {
        if let Some(pending) = self.state().pending.remove(id) {
            // A stream that is gone finds the receipt in the spool.
            let _ = pending.send(receipt);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Waits until the request's hold is released.
    pub async fn released(&self) {
        self.released.cancelled().await;
    }

    /// Returns whether the request's hold is released.
    pub fn is_released(&self) -> bool {
        self.released.is_cancelled()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.is_released() {
            return; // its place is free, or another request's
        }
        let mut state = self.in_flight.state();
        match self.is_stream {
            true => state.streams.remove(&self.id),
            false => state.answers.remove(&self.id),
        };
    }
}

impl Drop for PendingPayment {
    fn drop(&mut self) {
        self.in_flight.state().pending.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_hold_frees_its_place_once() {
        let in_flight = InFlight::new(1, 1);
        let begin = || in_flight.begin([1; 32], Pubkey::default(), false);
        let first = begin().unwrap();
        assert!(matches!(begin(), Err(PaywallError::Running)));
        in_flight.release(&[1; 32]);
        assert!(first.is_released());
        let second = begin().unwrap();
        drop(first);
        assert_eq!(in_flight.count(&Pubkey::default()), 1, "the second one's");
        in_flight.release(&[2; 32]);
        assert!(!second.is_released());
    }

    #[test]
    fn channel_cannot_take_all_places() {
        let in_flight = InFlight::new(32, 1);
        let mut taken = 0;
        let mut take = |channel: u8| {
            taken += 1;
            in_flight.begin([taken; 32], Pubkey::new_from_array([channel; 32]), false)
        };
        let mut slots: Vec<_> = std::iter::from_fn(|| take(1).ok()).collect();
        assert_eq!(slots.len(), 16, "half of the places");
        for channel in 2..10 {
            slots.extend([take(channel).unwrap(), take(channel).unwrap()]);
            assert!(take(channel).is_err(), "it has its share");
        }
        assert!(take(10).is_err(), "all are taken");
    }
}
