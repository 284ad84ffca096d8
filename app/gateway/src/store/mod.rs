//! What survives a kill: SQLite with a write-ahead log, synchronised at every commit, or a
//! PostgreSQL server that several gateways may share.
//!
//! One task writes. It takes whatever has queued up meanwhile into one transaction, and
//! answers all of it when that is on disk (`writer`). In front of a file's tables there is a
//! journal: generations are durable there first (`journal`), and in the tables before anybody
//! reads those. Reads go beside it. On a shared server each channel is one process's at a time
//! (`leases`).

mod applying;
mod books;
mod change;
mod evidence;
mod finding;
mod generations;
mod holds;
mod journal;
mod keys;
mod leases;
mod migrating;
mod moment;
mod opening;
mod outputs;
mod processes;
mod proof;
mod reading;
mod restoring;
mod row;
mod runs;
mod signing;
mod sql;
mod usage;
mod writer;

use std::{fs::File, sync::Arc};

pub use books::{Books, ReceiptSums, StatementBook};
pub use change::{Change, Outcome, SettledStatement, StoredTransaction};
pub use holds::StoredHold;
pub use leases::{Held, Lease, Leases};
pub use moment::{Moment, Moments, NoMoments};
pub use opening::Process;
pub use proof::ProofError;
pub use restoring::RestoredChannel;
pub use row::{ChannelId, Generation};
pub use usage::UsageAsked;
pub use writer::{Issued, Written};

use crate::keys::BudgetReservation;
use sql::Pool;
use writer::{Order, Writer};

/// Why the store cannot do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has this store open.
    #[error("another gateway has this store open")]
    InUse,
    /// The server would acknowledge what is not on its disk.
    #[error("the server runs with `{0} = off`: it would lose what it has acknowledged")]
    NotDurable(&'static str),
    /// A write failed. Nothing more is written until the gateway is started again, because
    /// what is on disk is not known any more.
    #[error("the store has failed and takes no more: {0}")]
    Failed(String),
    /// A read failed.
    #[error("the store cannot be read: {0}")]
    Reading(String),
    /// What was read is not what the gateway writes.
    #[error("the store holds something else than was written: {0}")]
    Corrupt(String),
    /// The channel is not this process's any more: nothing was written.
    #[error("another gateway process has taken the channel over")]
    LeaseLost,
    /// Other processes have spent what was left of an API key's budget: nothing was written.
    #[error("the API key's budget has {left} base units left of {needed}")]
    KeyBudget {
        /// Base units.
        needed: u64,
        /// Base units.
        left: u64,
    },
}

impl StoreError {
    fn closed() -> Self {
        Self::Failed("the store is closed".into())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Reading(error.to_string())
    }
}

/// The gateway's durable memory; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    readers: Pool,
    writer: Writer,
    leases: Option<Arc<Leases>>,
    /// Held while a file is open. The system lets go of it when the process ends, however it
    /// ends.
    _lock: Option<Arc<File>>,
}

impl Store {
    /// Queues a change that is about no channel; it is written after all that were queued
    /// before it. The answer comes when it is on disk.
    pub fn write(&self, change: Change) -> Written {
        self.writer.write(Order { change, lease: None, set_aside: None })
    }

    /// As [`Store::write`], for a channel: nothing is written once the lease is lost.
    pub fn write_by(&self, lease: Lease, change: Change) -> Written {
        self.writer.write(Order { change, lease: Some(lease), set_aside: None })
    }

    /// As [`Store::write_by`], for generations, whose receipts are signed with others that are
    /// written at the same time; what was set aside of a key's budget is spent with them.
    pub fn spend(
        &self,
        lease: Lease,
        change: Change,
        set_aside: Option<BudgetReservation>,
    ) -> Issued {
        self.writer.issue(Order { change, lease: Some(lease), set_aside })
    }

    /// Waits until everything queued so far is on disk.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write(Change::Nothing).await
    }

    /// Writes to the disk, to see whether it takes anything.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.writer.probe().await
    }

    /// What to read generations, holds and budgets from: tables that have everything that was
    /// acknowledged.
    async fn tables(&self) -> Result<&Pool, StoreError> {
        self.writer.caught_up().await?;
        Ok(&self.readers)
    }

    /// What the store has failed of, if it has: nothing is written any more.
    pub fn failure(&self) -> Option<StoreError> {
        self.writer.failure()
    }

    /// Which channels are this process's, where it shares the store with others.
    pub fn leases(&self) -> Option<&Leases> {
        self.leases.as_deref()
    }

    /// Writes what is queued, lets go of all channels and closes the store.
    pub async fn close(&self) {
        self.writer.stop().await;
        if let Some(leases) = &self.leases {
            leases.release().await;
        }
        self.readers.close().await;
    }
}
