use std::{
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::RngCore;
use sqlx::{
    ConnectOptions, Row, SqliteConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    query,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    error::StoreError,
    failpoint::{Failpoints, NoFailpoints},
    journal::{Journal, OpenedJournal, Seal},
    lease_guard::LeaseGuard,
    leases::Leases,
    migrations::{migrate_file, migrate_server},
    replay::replay,
    reporting,
    server_session::{CONNECT_TIMEOUT, ServerSession},
    sign::ReceiptSigner,
    sql::{Connection, Pool},
    store::Store,
    table_writer::TableWriter,
    writer::Writer,
};

/// Maximum time that a connection to a file waits for the one that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Page cache of the connection that writes, as SQLite's `cache_size`: 32 MiB. A batch of the journal
/// touches more pages than the default cache holds.
const WRITER_CACHE: &str = "-32768";
/// Page size of a new file in bytes. Generations are appended in batches of thousands, so that large
/// pages are written fewer times. An existing file keeps its page size.
const PAGE_SIZE: u32 = 16_384;
/// Maximum numbers of connections that read.
const FILE_READERS: u32 = 4;
const SERVER_READERS: u32 = 8;
/// Maximum number of connections for events: payments and settlements never wait for them.
const TELLERS: u32 = 3;
/// Default duration of a lease.
const LEASE_DURATION: Duration = Duration::from_secs(10);

/// Opens a [`Store`].
///
/// Required is the signer of receipts; the rest has defaults.
pub struct StoreOptions {
    signer: ReceiptSigner,
    failpoints: Arc<dyn Failpoints>,
    url: String,
    lease_duration: Duration,
    skip_frames: Vec<u64>,
}

impl StoreOptions {
    /// Creates options. `signer` signs receipts.
    pub fn new(signer: impl Into<ReceiptSigner>) -> Self {
        Self {
            signer: signer.into(),
            failpoints: Arc::new(NoFailpoints),
            url: String::new(),
            lease_duration: LEASE_DURATION,
            skip_frames: Vec::new(),
        }
    }

    /// Sets the URL where clients reach this process, which other processes on the server name to
    /// them. Default: empty.
    pub fn url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// Sets the time after which a lease expires unless it is renewed. Default: 10 seconds.
    pub fn lease_duration(mut self, duration: Duration) -> Self {
        self.lease_duration = duration;
        self
    }

    /// Sets the frames of the journal that are dropped if they cannot be written into the tables.
    /// Default: none.
    pub fn skip_frames(mut self, numbers: &[u64]) -> Self {
        self.skip_frames = numbers.to_vec();
        self
    }

    /// Sets the failpoint hook. Default: [`NoFailpoints`].
    pub fn failpoints(mut self, failpoints: Arc<dyn Failpoints>) -> Self {
        self.failpoints = failpoints;
        self
    }

    /// Opens a store in a file, which is created for this user if it does not exist. Applies what only
    /// the journal has. Lock and journal are beside the file that a symbolic link names.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::InUse`] if another process has the file open,
    /// [`StoreError::JournalMissing`] and [`StoreError::ForeignJournal`] if the store was not shut down
    /// and its journal is not beside it, and [`StoreError::BadFrame`] if a frame of the journal cannot
    /// be written into the tables.
    pub async fn open_file(self, path: &Path) -> Result<Store, StoreError> {
        let path = &create_private(path)?;
        let lock = lock(path).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .page_size(PAGE_SIZE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let readers = SqlitePoolOptions::new().max_connections(FILE_READERS);
        let readers = readers.connect_with(options.clone()).await?;
        migrate_file(&readers).await?;
        let reporters = reporting::connect_file(options.clone()).await?;
        let tellers = SqlitePoolOptions::new().max_connections(TELLERS);
        let tellers = Pool::Sqlite(tellers.connect_with(options.clone()).await?);
        let mut connection = options.pragma("cache_size", WRITER_CACHE).connect().await?;
        let (applied, seal, is_clean) = read_journal_row(&mut connection).await?;
        let opened = Journal::open(path, applied, seal, is_clean, &self.skip_frames)?;
        let OpenedJournal { journal, unapplied, is_torn } = opened;
        let (frames, changes) =
            (unapplied.len(), unapplied.iter().map(|frame| frame.changes.len()).sum::<usize>());
        // From here on the journal may have what the tables lack.
        query("UPDATE journal SET clean = 0").execute(&mut connection).await?;
        let connection = Connection::Sqlite(connection);
        let mut tables = TableWriter::new(connection, None, self.failpoints.clone());
        replay(&mut tables, unapplied, &self.skip_frames).await?;
        tracing::info!(applied, frames, changes, is_torn, is_clean, "the journal was replayed");
        if is_torn {
            tracing::warn!(frames, "a torn frame at the journal's end was ignored");
        }
        let writer = Writer::to_file(tables, journal, self.signer, self.failpoints)?;
        Ok(Store::new(Pool::Sqlite(readers), reporters, tellers, writer, None, Some(lock)))
    }

    /// Opens a store on a PostgreSQL server, creating its tables if they do not exist.
    ///
    /// # Errors
    /// [`StoreError`]; its text may contain parts of `database_url`, which
    /// [`StoreError::map_text`] can remove.
    pub async fn open_server(self, database_url: &str) -> Result<Store, StoreError> {
        let options = PgConnectOptions::from_str(database_url)?.application_name("motif-gateway");
        let mut holder = [0; 16];
        rand::rng().fill_bytes(&mut holder);
        // Connects once before the pool does, which would retry if the server is unreachable.
        let (connection, session) = ServerSession::connect(options, holder, &self.url).await?;
        let readers =
            PgPoolOptions::new().max_connections(SERVER_READERS).acquire_timeout(CONNECT_TIMEOUT);
        let readers = readers.connect_with(session.readers()).await?;
        migrate_server(&readers).await?;
        let reporters = reporting::connect_server(session.readers()).await?;
        let tellers = PgPoolOptions::new().max_connections(TELLERS);
        let tellers = tellers.acquire_timeout(CONNECT_TIMEOUT).connect_lazy_with(session.readers());
        let tellers = Pool::Postgres(tellers);
        let leases = Leases::new(readers.clone(), holder, &self.url, self.lease_duration);
        let connection = Connection::Postgres(connection);
        let server = Some((session, LeaseGuard::new(holder)));
        let tables = TableWriter::new(connection, server, self.failpoints);
        let writer = Writer::to_server(tables, self.signer);
        Ok(Store::new(Pool::Postgres(readers), reporters, tellers, writer, Some(leases), None))
    }
}

/// Returns the number of the last frame in the tables, the seal, which is created when the store is
/// first opened, and whether the tables have everything that was acknowledged.
async fn read_journal_row(
    connection: &mut SqliteConnection,
) -> Result<(u64, Seal, bool), StoreError> {
    let mut new_seal = [0; 32];
    rand::rng().fill_bytes(&mut new_seal);
    let create = query("UPDATE journal SET seal = $1 WHERE seal IS NULL").bind(&new_seal[..]);
    create.execute(&mut *connection).await?;
    let row = query("SELECT applied, seal, clean FROM journal").fetch_one(connection).await?;
    let (applied, seal): (i64, Vec<u8>) = (row.try_get("applied")?, row.try_get("seal")?);
    let is_clean = row.try_get::<i64, _>("clean")? == 1;
    let corrupt = || StoreError::Corrupt("row of the table journal is malformed".into());
    let applied = u64::try_from(applied).map_err(|_| corrupt())?;
    Ok((applied, Seal::new(seal.try_into().map_err(|_| corrupt())?), is_clean))
}

/// Creates a file for this user alone, unless it exists. Returns its path without symbolic links, which
/// two processes share however each names the file.
fn create_private(path: &Path) -> Result<PathBuf, StoreError> {
    let created = private().open(path).and_then(|_| fs::canonicalize(path));
    created.map_err(|error| StoreError::Failed(error.to_string()))
}

/// Returns options that create a file for this user alone. Existing contents and modes are kept.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Pause between two attempts at a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Time for which a lock is waited for: the last holder may be about to end, or a process that it
/// starts may have the file until it runs.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// Locks a file against other processes. The system releases the lock when the process ends.
async fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |error: std::io::Error| StoreError::Failed(error.to_string());
    let file = private().open(name).map_err(failed)?;
    let give_up = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() >= give_up => {
                return Err(StoreError::InUse);
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}
