use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use borsh::BorshSerialize;
use ed25519_dalek::SigningKey;
use tokio::sync::{mpsc, oneshot};

use super::{Frame, Journal, Progress, Record, Unapplied};
use crate::store::{
    Change, Moment, Moments, StoreError,
    applying::Work,
    signing::sign,
    writer::{Failure, Job, Waiting},
};

/// The most changes that are taken from the queue at once.
const GROUP: usize = 1_024;
/// Bytes of records after which a frame ends: bounds how long the first of them waits.
const FRAME: usize = 1 << 20;
/// How many generations the tables get at once where there are so many.
const BATCH: usize = 8_192;
/// How long they may wait for others.
const LINGER: Duration = Duration::from_millis(500);
/// How many may wait while the tables are busy; then payers wait, too.
const MOST: usize = 4 * BATCH;

/// The thread that keeps the journal: it signs whatever has queued up meanwhile, takes it into
/// one frame, answers all of it when that is on disk, and hands it on to the tables.
///
/// What is not the journal's goes to the tables in its turn: after everything before it, and
/// before anything behind it is durable.
pub struct Keeper {
    journal: Journal,
    /// Signs receipts.
    operator: SigningKey,
    frame: Frame,
    /// Whoever waits for the frame.
    waiting: Vec<Waiting>,
    /// Durable, and not handed on.
    unapplied: Unapplied,
    /// The last frame that is handed on.
    handed_on: u64,
    /// How many generations wait for that, and since when.
    count: usize,
    since: Instant,
    tables: mpsc::Sender<Work>,
    progress: Arc<Progress>,
    failure: Failure,
    moments: Arc<dyn Moments>,
}

impl Keeper {
    /// A keeper of a journal that has nothing the tables have not.
    pub fn new(
        journal: Journal,
        operator: SigningKey,
        tables: mpsc::Sender<Work>,
        failure: Failure,
        moments: Arc<dyn Moments>,
    ) -> (Self, Arc<Progress>) {
        let number = journal.number - 1;
        let progress = Arc::new(Progress::at(number));
        let keeper = Self {
            journal,
            operator,
            frame: Frame::default(),
            waiting: Vec::with_capacity(GROUP),
            unapplied: Unapplied { changes: Vec::new(), through: number },
            handed_on: number,
            count: 0,
            since: Instant::now(),
            tables,
            progress: progress.clone(),
            failure,
            moments,
        };
        (keeper, progress)
    }

    /// Keeps it until told to stop, or until nobody can queue anything any more.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            let first = match self.count {
                0 => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                _ => jobs.recv_timeout(LINGER.saturating_sub(self.since.elapsed())),
            };
            match first {
                Ok(job) => group.push(job),
                Err(RecvTimeoutError::Timeout) => {
                    self.offer();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            group.extend(jobs.try_iter().take(GROUP - 1));
            if self.keep(&mut group) {
                break;
            }
        }
        self.hand_on();
    }

    /// Does what was queued, in its order; returns whether it was told to stop.
    fn keep(&mut self, group: &mut Vec<Job>) -> bool {
        sign(group, &self.operator);
        let (mut others, mut is_stopping) = (Vec::new(), false);
        for job in group.drain(..) {
            match job {
                Job::Write(waiting) if is_ours(&waiting.order.change) => {
                    self.send(&mut others);
                    self.put(waiting);
                }
                Job::Write(waiting) => {
                    self.commit();
                    others.push(waiting);
                }
                Job::CatchUp(answer) => {
                    self.commit();
                    self.send(&mut others);
                    self.hand_on();
                    // Dropped by tables that are closed, which is an answer, too.
                    let _ = self.tables.blocking_send(Work::CaughtUp(answer));
                }
                Job::Probe(answer) => {
                    self.commit();
                    self.send(&mut others);
                    let outcome = self.make_durable();
                    self.frame.clear();
                    self.count += 1;
                    let outcome = outcome.inspect_err(|error| self.failure.set(error.clone()));
                    drop(answer.send(outcome.map(|()| Vec::new())));
                }
                Job::Stop => is_stopping = true,
            }
        }
        self.commit();
        self.send(&mut others);
        if self.count >= MOST {
            self.hand_on();
        } else if self.count >= BATCH || (self.count > 0 && self.since.elapsed() >= LINGER) {
            self.offer();
        }
        is_stopping
    }

    fn put(&mut self, waiting: Waiting) {
        if let Some(record) = Record::of(&waiting.order.change)
            && let Err(error) = record.serialize(self.frame.records())
        {
            self.failure.set(StoreError::Failed(error.to_string()));
        }
        self.waiting.push(waiting);
        if self.frame.length() >= FRAME {
            self.commit();
        }
    }

    /// Makes the frame durable and answers whoever waits for it.
    fn commit(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        // What was queued before whoever waits only for its turn is durable by now.
        let outcome = match self.failure.get() {
            Some(error) => Err(error),
            None if self.frame.is_empty() => Ok(()),
            None => self.make_durable(),
        };
        if let Err(error) = &outcome {
            self.failure.set(error.clone());
        }
        self.frame.clear();
        for waiting in self.waiting.drain(..) {
            let change = waiting.answer(outcome.clone());
            if outcome.is_ok() && !matches!(change, Change::Nothing) {
                self.count += change.generations().len().max(1);
                self.unapplied.changes.push(change);
            }
        }
    }

    fn make_durable(&mut self) -> Result<(), StoreError> {
        if let Some(error) = self.failure.get() {
            return Err(error);
        }
        self.moments.pass(Moment::Beginning);
        while !self.journal.has_place(&self.frame, self.progress.applied.load(Ordering::Acquire)) {
            self.wait_for_tables()?;
        }
        self.moments.pass(Moment::Begun);
        let written = self.journal.append(&mut self.frame, &*self.moments);
        let number =
            written.map_err(|error| StoreError::Failed(format!("the journal: {error}")))?;
        self.progress.written.store(number, Ordering::Release);
        if self.unapplied.through == self.handed_on {
            self.since = Instant::now();
        }
        self.unapplied.through = number;
        self.moments.pass(Moment::Committed);
        Ok(())
    }

    /// Has the tables do what is not the journal's, and waits until they have.
    fn send(&mut self, others: &mut Vec<Waiting>) {
        if others.is_empty() {
            return;
        }
        self.hand_on();
        let _ = self.tables.blocking_send(Work::Group(std::mem::take(others)));
        if let Err(error) = self.wait_for_tables() {
            self.failure.set(error);
        }
    }

    /// Waits until the tables have everything that was handed on, and hands on the rest.
    fn wait_for_tables(&mut self) -> Result<(), StoreError> {
        self.hand_on();
        let (answer, answered) = oneshot::channel();
        let _ = self.tables.blocking_send(Work::CaughtUp(answer));
        answered.blocking_recv().unwrap_or_else(|_| Err(StoreError::closed()))
    }

    /// Hands on what is durable, and waits while the tables are busy.
    fn hand_on(&mut self) {
        if let Some(batch) = self.batch() {
            // Tables that are closed get it when the store is opened again.
            let _ = self.tables.blocking_send(Work::Batch(batch));
        }
    }

    /// Hands on what is durable, unless the tables are busy.
    fn offer(&mut self) {
        if self.tables.capacity() > 0 {
            self.hand_on();
        }
        self.since = Instant::now();
    }

    fn batch(&mut self) -> Option<Unapplied> {
        self.count = 0;
        let Unapplied { changes, through } = &mut self.unapplied;
        let batch = Unapplied { changes: std::mem::take(changes), through: *through };
        let is_more = batch.through > std::mem::replace(&mut self.handed_on, batch.through);
        is_more.then_some(batch)
    }
}

/// Whether a change is made durable here; nothing at all needs only its turn.
fn is_ours(change: &Change) -> bool {
    matches!(
        change,
        Change::Generations { .. }
            | Change::HoldPlaced { .. }
            | Change::HoldReleased { .. }
            | Change::Nothing
    )
}
