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
pub struct Running(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most_answers: usize,
    most_streams: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: HashMap<HoldId, Pubkey>,
    streams: HashMap<HoldId, Pubkey>,
    waiting: HashMap<HoldId, oneshot::Sender<SignedReceipt>>,
}

/// A place among what runs; free again when dropped.
#[derive(Debug)]
pub struct Place {
    running: Running,
    id: HoldId,
    is_stream: bool,
}

/// A part that waits to be paid for, until this is dropped.
#[derive(Debug)]
pub struct Waiting {
    running: Running,
    id: HoldId,
    /// Its receipt, once it is paid for.
    pub paid: oneshot::Receiver<SignedReceipt>,
}

impl Running {
    /// Nothing runs yet.
    pub fn new(most_answers: usize, most_streams: usize) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { most_answers, most_streams, state }))
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
    ) -> Result<Place, PaywallRefusal> {
        let mut state = self.state();
        if state.answers.contains_key(&id) || state.streams.contains_key(&id) {
            return Err(PaywallRefusal::Running);
        }
        let (most, places) = match is_stream {
            true => (self.0.most_streams, &mut state.streams),
            false => (self.0.most_answers, &mut state.answers),
        };
        if places.len() >= most {
            return Err(PaywallRefusal::Full);
        }
        places.insert(id, channel);
        Ok(Place { running: self.clone(), id, is_stream })
    }

    /// How many are running for a channel.
    pub fn of(&self, channel: &Pubkey) -> usize {
        let state = self.state();
        let all = state.answers.values().chain(state.streams.values());
        all.filter(|other| *other == channel).count()
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.state().streams.len()
    }

    /// Waits for a part to be paid for.
    pub fn wait(&self, id: HoldId) -> Waiting {
        let (sender, paid) = oneshot::channel();
        self.state().waiting.insert(id, sender);
        Waiting { running: self.clone(), id, paid }
    }

    /// Whether a stream waits for this to be paid for.
    pub fn is_awaited(&self, id: &HoldId) -> bool {
        self.state().waiting.contains_key(id)
    }

    /// Tells the stream that waits for this, if one does.
    pub fn paid(&self, id: &HoldId, receipt: SignedReceipt) {
        if let Some(waiting) = self.state().waiting.remove(id) {
            // Whoever has stopped waiting finds it kept.
            let _ = waiting.send(receipt);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.running.state();
        match self.is_stream {
            true => state.streams.remove(&self.id),
            false => state.answers.remove(&self.id),
        };
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.running.state().waiting.remove(&self.id);
    }
}
