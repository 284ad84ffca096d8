use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use motif_sdk::{Pubkey, receipt::SignedReceipt};
use tokio::sync::oneshot;

use super::PaywallRefusal;
use crate::ledger::HoldId;

/// What is being made, and which parts of streams wait to be paid for. Bounded.
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
    answers: HashMap<HoldId, Pubkey>,
    streams: HashMap<HoldId, Pubkey>,
    pending: HashMap<HoldId, oneshot::Sender<SignedReceipt>>,
}

/// A place among what runs; free again when dropped.
#[derive(Debug)]
pub struct Slot {
    in_flight: InFlight,
    id: HoldId,
    is_stream: bool,
}

/// A part that waits to be paid for, until this is dropped.
#[derive(Debug)]
pub struct PendingPayment {
    in_flight: InFlight,
    id: HoldId,
    /// Its receipt, once it is paid for.
    pub paid: oneshot::Receiver<SignedReceipt>,
}

impl InFlight {
    /// Nothing runs yet.
    pub fn new(max_answers: usize, max_streams: usize) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { max_answers, max_streams, state }))
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`PaywallRefusal::Running`] when it has one, [`PaywallRefusal::Full`] when all are taken.
    pub fn begin(
        &self,
        id: HoldId,
        channel: Pubkey,
        is_stream: bool,
    ) -> Result<Slot, PaywallRefusal> {
        let mut state = self.state();
        if state.answers.contains_key(&id) || state.streams.contains_key(&id) {
            return Err(PaywallRefusal::Running);
        }
        let (max, slots) = match is_stream {
            true => (self.0.max_streams, &mut state.streams),
            false => (self.0.max_answers, &mut state.answers),
        };
        if slots.len() >= max {
            return Err(PaywallRefusal::Full);
        }
        slots.insert(id, channel);
        Ok(Slot { in_flight: self.clone(), id, is_stream })
    }

    /// How many are running for a channel.
    pub fn count(&self, channel: &Pubkey) -> usize {
        let state = self.state();
        let all = state.answers.values().chain(state.streams.values());
        all.filter(|other| *other == channel).count()
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.state().streams.len()
    }

    /// Waits for a part to be paid for.
    pub fn await_payment(&self, id: HoldId) -> PendingPayment {
        let (sender, paid) = oneshot::channel();
        self.state().pending.insert(id, sender);
        PendingPayment { in_flight: self.clone(), id, paid }
    }

    /// Whether a stream waits for this to be paid for.
    pub fn is_awaited(&self, id: &HoldId) -> bool {
        self.state().pending.contains_key(id)
    }

    /// Tells the stream that waits for this, if one does.
    pub fn complete(&self, id: &HoldId, receipt: SignedReceipt) {
        if let Some(pending) = self.state().pending.remove(id) {
            // A stream that is gone finds the receipt in the spool.
            let _ = pending.send(receipt);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
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
