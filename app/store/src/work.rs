use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use crate::{
    change::Change,
    command::{Command, WriteResult},
};

/// Changes of one or several frames that are in the journal and not in the tables.
#[derive(Debug, Default)]
pub struct Unapplied {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Number of the last of the frames.
    pub through: u64,
}

/// Progress of journal and tables.
#[derive(Debug)]
pub struct Progress {
    /// Number of the last durable frame.
    pub written: AtomicU64,
    /// Number of the last frame in the tables.
    pub applied: AtomicU64,
}

/// Work for the task that writes the tables of a file.
pub enum Work {
    /// Apply what the journal has.
    Apply(Unapplied),
    /// Commit what the journal does not take, and reply to it.
    Commit(Vec<Command>),
    /// Reply when the work before this is done.
    CatchUp(oneshot::Sender<WriteResult>),
}

impl Progress {
    /// Creates the progress of tables that have every frame through `number`.
    pub fn at(number: u64) -> Self {
        Self { written: number.into(), applied: number.into() }
    }

    /// Returns whether every durable frame is in the tables.
    pub fn is_caught_up(&self) -> bool {
        self.applied.load(Ordering::Acquire) >= self.written.load(Ordering::Acquire)
    }
}
