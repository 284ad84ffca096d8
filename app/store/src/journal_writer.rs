use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use borsh::BorshSerialize;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use crate::{
    change::Change,
    command::{Command, Message},
    error::StoreError,
    failpoint::{Failpoint, Failpoints},
    failure::Failure,
    journal::{Frame, Journal, Record},
    sign::{ReceiptSigner, UnsignedLeases},
    work::{Progress, Unapplied, Work},
};

/// Maximum number of changes taken from the queue at once.
const GROUP: usize = 1_024;
/// Length at which a frame ends, in bytes. It bounds the wait of the frame's first change.
const FRAME: usize = 1 << 20;
/// Generations that are handed to the tables at once, if there are as many.
const BATCH: usize = 8_192;
/// Maximum time that fewer generations wait for others.
const LINGER: Duration = Duration::from_millis(500);
/// Generations that wait while the tables are busy. With more, the queue waits too.
const MAX_BACKLOG: usize = 4 * BATCH;

/// Thread that writes the journal: it signs what has queued up, writes it in one frame, replies once
/// the frame is durable, and hands the changes to the tables.
///
/// Changes that the journal does not take go to the tables in their turn: after everything before
/// them, and before anything after them is durable.
pub struct JournalWriter {
    journal: Journal,
    /// Signs receipts.
    signer: ReceiptSigner,
    /// Runtime on which a signer in another process is waited for.
    runtime: Handle,
    unsigned: UnsignedLeases,
    frame: Frame,
    /// Changes in the frame.
    waiting: Vec<Command>,
    /// Durable changes that are not handed to the tables.
    unapplied: Unapplied,
    /// Number of the last frame that was handed to the tables.
    handed_over: u64,
    /// Number of generations to be handed over, and the time of the first of them.
    backlog: usize,
    since: Instant,
    tables: mpsc::Sender<Work>,
    progress: Arc<Progress>,
    failure: Failure,
    failpoints: Arc<dyn Failpoints>,
}

impl JournalWriter {
    /// Creates the writer of a journal whose frames are all in the tables, in a runtime.
    pub fn new(
        journal: Journal,
        signer: ReceiptSigner,
        tables: mpsc::Sender<Work>,
        failure: Failure,
        failpoints: Arc<dyn Failpoints>,
    ) -> (Self, Arc<Progress>) {
        let number = journal.next_number() - 1;
        let progress = Arc::new(Progress::at(number));
        let writer = Self {
            journal,
            signer,
            runtime: Handle::current(),
            unsigned: UnsignedLeases::default(),
            frame: Frame::default(),
            waiting: Vec::with_capacity(GROUP),
            unapplied: Unapplied { changes: Vec::new(), through: number },
            handed_over: number,
            backlog: 0,
            since: Instant::now(),
            tables,
            progress: progress.clone(),
            failure,
            failpoints,
        };
        (writer, progress)
    }

    /// Runs until it is told to stop or all handles of the queue are dropped.
    pub fn run(mut self, queue: &Receiver<Message>) {
        let mut group = Vec::with_capacity(GROUP);
        loop {
            let first = match self.backlog {
                0 => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                _ => queue.recv_timeout(LINGER.saturating_sub(self.since.elapsed())),
            };
            match first {
                Ok(message) => group.push(message),
                Err(RecvTimeoutError::Timeout) => {
                    self.try_hand_over();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            group.extend(queue.try_iter().take(GROUP - 1));
            if self.process(&mut group) {
                break;
            }
        }
        self.hand_over();
    }

    /// Processes a group in its order; returns whether it was told to stop.
    fn process(&mut self, group: &mut Vec<Message>) -> bool {
        if let Err(error) = self.signer.sign_blocking(group, &self.runtime) {
            self.unsigned.end(group, &error);
        }
        let (mut others, mut refused, mut is_stopping) = (Vec::new(), Vec::new(), false);
        for message in group.drain(..) {
            match message {
                Message::Write(command) => {
                    if let Some(error) = self.unsigned.refusal(&command) {
                        refused.push((command, error));
                    } else if is_journalled(&command.change) {
                        self.commit_in_tables(&mut others);
                        self.append(command);
                    } else {
                        self.commit();
                        others.push(command);
                    }
                }
                Message::CatchUp(reply) => {
                    self.commit();
                    self.commit_in_tables(&mut others);
                    self.hand_over();
                    // Closed tables drop the reply, which is an error to the caller.
                    let _ = self.tables.blocking_send(Work::CatchUp(reply));
                }
                Message::Probe(reply) => {
                    self.commit();
                    self.commit_in_tables(&mut others);
                    let result = self.make_durable();
                    self.frame.clear();
                    self.backlog += 1;
                    let result = result.inspect_err(|error| self.failure.set(error.clone()));
                    drop(reply.send(result.map(|()| Vec::new())));
                }
                Message::Stop => is_stopping = true,
            }
        }
        self.commit();
        self.commit_in_tables(&mut others);
        // Last: a channel is read again once everything before the refused change is durable.
        for (command, error) in refused {
            command.reply(Err(error));
        }
        if self.backlog >= MAX_BACKLOG {
            self.hand_over();
        } else if self.backlog >= BATCH || (self.backlog > 0 && self.since.elapsed() >= LINGER) {
            self.try_hand_over();
        }
        is_stopping
    }

    fn append(&mut self, command: Command) {
        if let Some(record) = Record::new(&command.change)
            && let Err(error) = record.serialize(self.frame.records())
        {
            self.failure.set(StoreError::Failed(error.to_string()));
        }
        self.waiting.push(command);
        if self.frame.length() >= FRAME {
            self.commit();
        }
    }

    /// Makes the frame durable and replies to its changes.
    fn commit(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let result = match self.failure.get() {
            Some(error) => Err(error),
            // Barriers only: everything before them is durable.
            None if self.frame.is_empty() => Ok(()),
            None => self.make_durable(),
        };
        if let Err(error) = &result {
            self.failure.set(error.clone());
        }
        self.frame.clear();
        for command in self.waiting.drain(..) {
            let change = command.reply(result.clone());
            if result.is_ok() && !matches!(change, Change::Barrier) {
                self.backlog += change.generations().len().max(1);
                self.unapplied.changes.push(change);
            }
        }
    }

    fn make_durable(&mut self) -> Result<(), StoreError> {
        if let Some(error) = self.failure.get() {
            return Err(error);
        }
        self.failpoints.hit(Failpoint::Beginning);
        while !self.journal.has_room(&self.frame, self.progress.applied.load(Ordering::Acquire)) {
            self.wait_for_tables()?;
        }
        self.failpoints.hit(Failpoint::Begun);
        let written = self.journal.append(&mut self.frame, &*self.failpoints);
        let number = written.map_err(|error| StoreError::Failed(format!("journal: {error}")))?;
        self.progress.written.store(number, Ordering::Release);
        if self.unapplied.through == self.handed_over {
            self.since = Instant::now();
        }
        self.unapplied.through = number;
        self.failpoints.hit(Failpoint::Committed);
        Ok(())
    }

    /// Commits changes that the journal does not take in the tables, and waits for that.
    fn commit_in_tables(&mut self, others: &mut Vec<Command>) {
        if others.is_empty() {
            return;
        }
        self.hand_over();
        let _ = self.tables.blocking_send(Work::Commit(std::mem::take(others)));
        if let Err(error) = self.wait_for_tables() {
            self.failure.set(error);
        }
    }

    /// Hands everything over and waits until the tables have it.
    fn wait_for_tables(&mut self) -> Result<(), StoreError> {
        self.hand_over();
        let (reply, result) = oneshot::channel();
        let _ = self.tables.blocking_send(Work::CatchUp(reply));
        result.blocking_recv().unwrap_or_else(|_| Err(StoreError::closed()))
    }

    /// Hands durable changes to the tables; waits while the tables are busy.
    fn hand_over(&mut self) {
        if let Some(batch) = self.take_batch() {
            // Closed tables get the batch when the store is opened again.
            let _ = self.tables.blocking_send(Work::Apply(batch));
        }
    }

    /// Hands durable changes to the tables, unless the tables are busy.
    fn try_hand_over(&mut self) {
        if self.tables.capacity() > 0 {
            self.hand_over();
        }
        self.since = Instant::now();
    }

    fn take_batch(&mut self) -> Option<Unapplied> {
        self.backlog = 0;
        let Unapplied { changes, through } = &mut self.unapplied;
        let batch = Unapplied { changes: std::mem::take(changes), through: *through };
        let has_frames = batch.through > std::mem::replace(&mut self.handed_over, batch.through);
        has_frames.then_some(batch)
    }
}

/// Returns whether the journal makes a change durable. A barrier waits for its turn only.
fn is_journalled(change: &Change) -> bool {
    matches!(
        change,
        Change::Generations { .. }
            | Change::HoldPlaced { .. }
            | Change::HoldReleased { .. }
            | Change::Barrier
    )
}
