use std::path::PathBuf;

use motif_signer::SignError;

/// Error returned by the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the file open.
    #[error("the store is in use by another gateway")]
    InUse,
    /// The PostgreSQL server acknowledges commits that are not on its disk.
    #[error("the server runs with `{0} = off`: acknowledged writes could be lost")]
    NotDurable(&'static str),
    /// The PostgreSQL server is a replica, which takes no writes.
    #[error("the server is a replica: connect to the primary")]
    Replica,
    /// A file of the journal does not exist, although the tables lack what only the journal has.
    #[error(
        "the journal `{0}` is missing: it holds the newest acknowledged generations of a store that was \
         not shut down. Put it back beside the store"
    )]
    JournalMissing(PathBuf),
    /// A file of the journal belongs to another store.
    #[error("the journal `{0}` belongs to another store: put the store's own journal beside it")]
    ForeignJournal(PathBuf),
    /// A value exceeds the range of the tables. Nothing was written.
    #[error("{0} exceeds 2^63 - 1")]
    OutOfRange(&'static str),
    /// A write failed. All later writes fail too, because it is unknown what is on disk; the gateway
    /// must be restarted.
    #[error("the store has failed and must be reopened: {0}")]
    Failed(String),
    /// A read failed.
    #[error("the store could not be read: {0}")]
    Read(String),
    /// A read on behalf of a client took too long, or too many were in progress.
    #[error("the read takes too long, or too many reads are in progress")]
    Busy,
    /// Stored data is invalid.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// A frame of the journal prevents the store from opening.
    #[error(
        "frame {number} of the journal {fault}; it holds {contents}. `--skip-frame {number}` starts \
         the gateway without it and drops what it holds"
    )]
    BadFrame {
        /// Number of the frame.
        number: u64,
        /// What is wrong with it.
        fault: String,
        /// Description of its changes.
        contents: String,
    },
    /// Another process took the channel's lease. Nothing was written.
    #[error("the channel's lease was taken by another gateway process")]
    LeaseLost,
    /// A receipt was not signed. Nothing was written; the channel is read again from the store.
    #[error("the receipt was not signed: {0}")]
    Unsigned(SignError),
    /// Other processes spent the API key's budget. Nothing was written.
    #[error("the API key's budget is exceeded: {needed} base units needed, {left} left")]
    KeyBudget {
        /// Base units.
        needed: u64,
        /// Base units.
        left: u64,
    },
}

impl StoreError {
    /// Error of a store that was closed.
    pub(crate) fn closed() -> Self {
        Self::Failed("the store is closed".into())
    }

    /// Replaces the error's text by `edit(text)`, such as to remove the server's password.
    pub fn map_text(self, edit: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Failed(text) => Self::Failed(edit(&text)),
            Self::Read(text) => Self::Read(edit(&text)),
            Self::Corrupt(text) => Self::Corrupt(edit(&text)),
            Self::InUse
            | Self::NotDurable(_)
            | Self::Busy
            | Self::Replica
            | Self::JournalMissing(_)
            | Self::ForeignJournal(_)
            | Self::OutOfRange(_)
            | Self::BadFrame { .. }
            | Self::LeaseLost
            | Self::Unsigned(_)
            | Self::KeyBudget { .. } => self,
        }
    }
}

/// Codes of interrupted queries: of SQLite and PostgreSQL.
const INTERRUPTED: [&str; 2] = ["9", "57014"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let is_late = matches!(error, sqlx::Error::PoolTimedOut)
            || code.is_some_and(|code| INTERRUPTED.contains(&&*code));
        match error {
            _ if is_late => Self::Busy,
            // The value in the tables has another type.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt(error.to_string())
            }
            error => Self::Read(error.to_string()),
        }
    }
}
