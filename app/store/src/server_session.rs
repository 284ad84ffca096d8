use std::time::Duration;

use sqlx::{
    ConnectOptions, Connection as _, PgConnection, Row,
    postgres::{PgConnectOptions, PgRow},
    query,
};
use tokio::time::{Instant, sleep, timeout};

use crate::error::StoreError;

/// Maximum time to connect to a server.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time to reconnect. Afterwards the store has failed.
const RECONNECT_WITHIN: Duration = Duration::from_secs(60);
/// Pause between two attempts to reconnect.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);
/// Settings of every session. The server ends a session whose client is gone within a minute, which
/// also keeps idle connections open across address translation.
const SESSION: [(&str, &str); 5] = [
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("idle_in_transaction_session_timeout", "30000"),
    // Compiling a query takes longer than any of these queries.
    ("jit", "off"),
];
/// Maximum time of a query that reads, milliseconds. The session that writes has none: a canceled
/// commit does not wait for the replicas.
const STATEMENT_TIMEOUT: (&str, &str) = ("statement_timeout", "60000");

/// Session in which a process writes the tables of a server. It is opened again after it is lost.
pub struct ServerSession {
    options: PgConnectOptions,
    holder: [u8; 16],
    url: String,
    /// `None` if the server does not tell.
    server: Option<ServerIdentity>,
    /// Process of the server, and the time of its start.
    backend: (i32, String),
    /// Number of the last group of changes that was committed.
    pub written: i64,
}

/// A server and how often a replica of it has taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ServerIdentity {
    system: i64,
    timeline: i64,
}

impl ServerSession {
    /// Connects the process `holder`, which clients reach at `url`.
    ///
    /// # Errors
    /// [`StoreError::NotDurable`], [`StoreError::Replica`], [`StoreError::Read`].
    pub async fn connect(
        options: PgConnectOptions,
        holder: [u8; 16],
        url: &str,
    ) -> Result<(PgConnection, Self), StoreError> {
        let options = options.options(SESSION);
        let (connection, server, backend) = open(&options).await?;
        let url = url.to_owned();
        Ok((connection, Self { options, holder, url, server, backend, written: 0 }))
    }

    /// Returns the options of sessions that read.
    pub fn readers(&self) -> PgConnectOptions {
        self.options.clone().options([STATEMENT_TIMEOUT])
    }

    /// Writes the number of the group that this transaction commits. The row is the first that the
    /// transaction locks, as in every transaction that takes leases.
    pub async fn number_group(&self, to: &mut PgConnection) -> Result<(), sqlx::Error> {
        query(
            "INSERT INTO processes (holder, url, seen_until, written) VALUES ($1, $2, 0, $3) \
             ON CONFLICT (holder) DO UPDATE SET written = excluded.written",
        )
        .bind(&self.holder[..])
        .bind(&self.url[..])
        .bind(self.written + 1)
        .execute(to)
        .await
        .map(drop)
    }

    /// Connects again, and ends the lost session at the server. Returns whether the group after
    /// [`ServerSession::written`] was committed.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the server does not answer in time, lacks commits that it has
    /// acknowledged, or is another server.
    pub async fn reconnect(&mut self) -> Result<(PgConnection, bool), StoreError> {
        let deadline = Instant::now() + RECONNECT_WITHIN;
        loop {
            let error = match timeout(CONNECT_TIMEOUT, self.try_reconnect()).await {
                Ok(Ok(reconnected)) => return Ok(reconnected),
                Ok(Err(error @ (StoreError::Failed(_) | StoreError::NotDurable(_)))) => {
                    return Err(error);
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            if Instant::now() >= deadline {
                return Err(StoreError::Failed(format!("cannot reconnect: {error}")));
            }
            sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn try_reconnect(&mut self) -> Result<(PgConnection, bool), StoreError> {
        let (mut connection, server, backend) = open(&self.options).await?;
        if let (Some(before), Some(now)) = (self.server, server) {
            if now.system != before.system {
                return Err(StoreError::Failed("the server was replaced by another one".into()));
            }
            if now.timeline < before.timeline {
                let text = "the server is behind the one that was connected before";
                return Err(StoreError::Failed(text.into()));
            }
        }
        let end = query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid = $1 AND backend_start::text = $2",
        );
        // Without permission the lost session ends by its own timeouts.
        let _ = end.bind(self.backend.0).bind(&self.backend.1).execute(&mut connection).await;
        // Waits for the lost transaction, which has locked the row. The commit of this update makes
        // everything before it durable, at the replicas as well.
        let row =
            query("UPDATE processes SET written = written WHERE holder = $1 RETURNING written");
        let row = row.bind(&self.holder[..]).fetch_optional(&mut connection).await?;
        let written: i64 = match row {
            Some(row) => row.try_get("written")?,
            None => 0,
        };
        let is_committed = match written.checked_sub(self.written) {
            Some(0) => false,
            Some(1) => true,
            _ => {
                let text = format!(
                    "the server has lost commits: it has {written} of this process, expected {}",
                    self.written
                );
                return Err(StoreError::Failed(text));
            }
        };
        (self.server, self.backend) = (server.or(self.server), backend);
        Ok((connection, is_committed))
    }
}

/// Opens a session of durable commits.
async fn open(
    options: &PgConnectOptions,
) -> Result<(PgConnection, Option<ServerIdentity>, (i32, String)), StoreError> {
    let mut connection = options.connect().await?;
    let row = query(
        "SELECT pg_is_in_recovery() AS is_replica, current_setting('fsync') AS fsync, \
         current_setting('synchronous_commit') AS synchronous_commit",
    );
    let row = row.fetch_one(&mut connection).await?;
    if row.try_get("is_replica")? {
        return Err(StoreError::Replica);
    }
    require_durable_commits(&row, &mut connection).await?;
    let row = query(
        "SELECT pid, backend_start::text AS started FROM pg_stat_activity \
         WHERE pid = pg_backend_pid()",
    );
    let row = row.fetch_one(&mut connection).await?;
    let backend = (row.try_get("pid")?, row.try_get("started")?);
    let server = identify(&mut connection).await;
    if let Err(error) = &server {
        tracing::warn!(%error, "the server's identity is unknown: another one is not recognized");
    }
    Ok((connection, server.ok(), backend))
}

/// Returns the identity of a server. A role may lack the permission to read it.
async fn identify(connection: &mut PgConnection) -> Result<ServerIdentity, sqlx::Error> {
    let row = query(
        "SELECT system_identifier AS system, \
         ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint AS timeline \
         FROM pg_control_system()",
    );
    let row = row.fetch_one(connection).await?;
    Ok(ServerIdentity { system: row.try_get("system")?, timeline: row.try_get("timeline")? })
}

/// Makes the session's commits durable, whatever the defaults of its role or database.
///
/// # Errors
/// [`StoreError::NotDurable`] if the server never syncs.
async fn require_durable_commits(
    settings: &PgRow,
    connection: &mut PgConnection,
) -> Result<(), StoreError> {
    let (fsync, synchronous): (String, String) =
        (settings.try_get("fsync")?, settings.try_get("synchronous_commit")?);
    if fsync == "off" {
        return Err(StoreError::NotDurable("fsync"));
    }
    // `remote_apply` is stricter than `on`.
    if synchronous != "remote_apply" {
        query("SET synchronous_commit = on").execute(connection).await?;
    }
    Ok(())
}

/// Checks that an idle session is open, which also keeps it open.
pub async fn ping(connection: &mut PgConnection) -> bool {
    timeout(CONNECT_TIMEOUT, connection.ping()).await.is_ok_and(|answered| answered.is_ok())
}
