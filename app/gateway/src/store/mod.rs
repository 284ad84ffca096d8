//! What survives a kill: SQLite with a write-ahead log, synchronised at every commit.
//!
//! One task writes. It takes whatever has queued up meanwhile into one transaction, and
//! answers all of it when that is on disk (`writer`). Reads go beside it.

mod books;
mod change;
mod generations;
mod holds;
mod keys;
mod outputs;
mod proof;
mod reading;
mod restoring;
mod row;
mod usage;
mod writer;

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use books::{Books, ReceiptSums, StatementBook};
pub use change::{Change, Outcome, SettledStatement, StoredTransaction};
pub use holds::StoredHold;
pub use proof::ProofError;
pub use restoring::RestoredChannel;
pub use row::{ChannelId, Generation};
pub use usage::UsageAsked;
use writer::Writer;
pub use writer::Written;

/// Why the store cannot do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has this store open.
    #[error("another gateway has this store open")]
    InUse,
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
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Reading(error.to_string())
    }
}

/// The gateway's durable memory; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    readers: SqlitePool,
    writer: Writer,
    /// Held while the store is open. The system lets go of it when the process ends, however
    /// it ends.
    _lock: Arc<File>,
}

const BUSY: Duration = Duration::from_secs(10);

impl Store {
    /// Opens the store at `path`, creates it where there is none, and brings its tables up to
    /// date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let readers = SqlitePoolOptions::new().max_connections(4);
        let readers = readers.connect_with(options.clone()).await?;
        let migrations = sqlx::migrate!("../../migrations/gateway").run(&readers).await;
        migrations.map_err(|error| StoreError::Failed(error.to_string()))?;
        let writer = Writer::start(&options).await?;
        Ok(Self { readers, writer, _lock: Arc::new(lock) })
    }

    /// Queues a change; it is written after all that were queued before it. The answer comes
    /// when it is on disk.
    pub fn write(&self, change: Change) -> Written {
        self.writer.write(change)
    }

    /// Waits until everything queued so far is on disk.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write(Change::Nothing).await
    }

    /// What the store has failed of, if it has: nothing is written any more.
    pub fn failure(&self) -> Option<StoreError> {
        self.writer.failure()
    }

    /// Writes what is queued and closes the files.
    pub async fn close(&self) {
        self.writer.stop().await;
        self.readers.close().await;
    }
}

/// Keeps a second gateway from writing beside the first.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let refuse = |error: std::io::Error| StoreError::Failed(error.to_string());
    let file = File::create(name).map_err(refuse)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(refuse(error)),
    }
}
