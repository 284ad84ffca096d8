use std::{
    fs::{File, TryLockError},
    path::Path,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use ed25519_dalek::SigningKey;
use rand::RngCore;
use sqlx::{
    ConnectOptions, PgConnection, Row, SqliteConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    query,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Leases, Moments, Store, StoreError,
    journal::{Journal, Seal},
    migrating, runs,
    sql::{Connection, Pool},
    writer::{Scribe, Writer},
};
use crate::config::{DatabaseUrl, StorePlace};

/// How long a connection waits for one that writes.
const BUSY: Duration = Duration::from_secs(10);
/// What the connection that writes keeps of the tables, as SQLite counts it: 32 MiB. A batch of the
/// journal touches more pages than fit into what it would have.
const WRITING_CACHE: &str = "-32768";
/// Bytes of a page of a new file. Generations are written at the end of their table, some thousands
/// at once, so what costs is how many pages there are. A file that is there keeps its own.
const PAGE: u32 = 16_384;
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which process opens a store.
pub struct Process<'a> {
    /// Where clients find it.
    pub url: &'a str,
    /// How long its leases last when it does not renew them.
    pub lease: Duration,
    /// Is told what it does.
    pub moments: Arc<dyn Moments>,
    /// Signs receipts.
    pub operator: SigningKey,
}

impl Store {
    /// Opens the store, creates it where it is a file and there is none, and brings its tables
    /// up to date.
    ///
    /// # Errors
    /// [`StoreError`], without anything secret of a server's URL.
    pub async fn open(place: &StorePlace, process: Process<'_>) -> Result<Self, StoreError> {
        match place {
            StorePlace::File(path) => Self::open_file(path, process).await,
            StorePlace::Server(url) => {
                Self::open_server(url, process).await.map_err(|error| match error {
                    StoreError::Reading(text) => StoreError::Reading(url.scrub(&text)),
                    StoreError::Failed(text) => StoreError::Failed(url.scrub(&text)),
                    other => other,
                })
            }
        }
    }

    async fn open_file(path: &Path, process: Process<'_>) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let readers = SqlitePoolOptions::new().max_connections(4);
        let readers = readers.connect_with(options.clone()).await?;
        migrating::migrate_file(&readers).await?;
        let mut connection = options.pragma("cache_size", WRITING_CACHE).connect().await?;
        let (applied, seal) = journal_of(&mut connection).await?;
        let (journal, unapplied) = Journal::open(path, applied, seal)?;
        let mut connection = Connection::Sqlite(connection);
        runs::cover(&mut connection).await?;
        let mut scribe = Scribe::new(connection, None, process.moments);
        if unapplied.through > applied {
            scribe.apply(&unapplied).await?;
        }
        let writer = Writer::to_file(scribe, journal, process.operator)?;
        let (readers, lock) = (Pool::Sqlite(readers), Some(Arc::new(lock)));
        Ok(Self { readers, writer, leases: None, _lock: lock })
    }

    async fn open_server(url: &DatabaseUrl, process: Process<'_>) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url.whole())?.application_name("motif-gateway");
        // A pool would ask again and again where there is nobody.
        let mut connection = options.connect().await?;
        be_durable(&mut connection).await?;
        let readers = PgPoolOptions::new().max_connections(8).acquire_timeout(PATIENCE);
        let readers = readers.connect_with(options).await?;
        migrating::migrate_server(&readers).await?;
        let leases = Arc::new(Leases::new(readers.clone(), process.url, process.lease));
        let connection = Connection::Postgres(connection);
        let scribe = Scribe::new(connection, Some(leases.clone()), process.moments);
        let writer = Writer::to_server(scribe, process.operator);
        Ok(Self { readers: Pool::Postgres(readers), writer, leases: Some(leases), _lock: None })
    }
}

/// Has the server answer commits when they are on its disk, whatever its role or database says
/// otherwise; refuses a server that does not write to its disk at all.
async fn be_durable(connection: &mut PgConnection) -> Result<(), StoreError> {
    let row = query(
        "SELECT current_setting('fsync') AS fsync, \
         current_setting('synchronous_commit') AS synchronous_commit",
    );
    let row = row.fetch_one(&mut *connection).await?;
    let (fsync, synchronous): (String, String) =
        (row.try_get("fsync")?, row.try_get("synchronous_commit")?);
    if fsync == "off" {
        return Err(StoreError::NotDurable("fsync"));
    }
    // `remote_apply` waits for more than `on` does.
    if synchronous != "remote_apply" {
        query("SET synchronous_commit = on").execute(connection).await?;
    }
    Ok(())
}

/// How far the tables have the journal, and what its frames are sealed with: a key that the
/// store makes up when it is opened first.
async fn journal_of(connection: &mut SqliteConnection) -> Result<(u64, Seal), StoreError> {
    let mut fresh = [0; 32];
    rand::rng().fill_bytes(&mut fresh);
    let keep = query("UPDATE journal SET seal = $1 WHERE seal IS NULL").bind(&fresh[..]);
    keep.execute(&mut *connection).await?;
    let row = query("SELECT applied, seal FROM journal").fetch_one(connection).await?;
    let (applied, seal): (i64, Vec<u8>) = (row.try_get("applied")?, row.try_get("seal")?);
    let corrupt = || StoreError::Corrupt("how far the journal is".into());
    let applied = u64::try_from(applied).map_err(|_| corrupt())?;
    Ok((applied, Seal::new(seal.try_into().map_err(|_| corrupt())?)))
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
