use std::time::{Duration, Instant};

use sqlx::{
    SqliteConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::{
    error::StoreError, lookup::Lookup, queries::Queries, reports::Reports, sql::Pool,
    tables::Tables, work_usage::WorkUsage,
};

/// Maximum number of connections for reports.
const CONNECTIONS: u32 = 2;
/// Maximum time of one query.
const QUERY_TIME: Duration = Duration::from_secs(10);
/// Maximum wait for a free connection.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Number of SQLite's virtual machine instructions between two checks of a query's time.
const INSTRUCTIONS: i32 = 10_000;

/// Reads on behalf of clients, on connections of their own: payments and settlements never wait for
/// them. A query that takes too long is interrupted with [`StoreError::Busy`].
#[derive(Clone, Debug)]
pub struct Reporting {
    tables: Tables,
    queries: Queries,
    lookup: Lookup,
    reports: Reports,
    works: WorkUsage,
}

impl Reporting {
    pub(crate) fn new(tables: Tables) -> Self {
        Self {
            queries: Queries::new(tables.clone()),
            lookup: Lookup::new(tables.clone()),
            reports: Reports::new(tables.clone()),
            works: WorkUsage::new(tables.clone()),
            tables,
        }
    }

    /// Returns queries of channels.
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// Returns the lookup of generations.
    pub fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    /// Returns sums over generations.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Returns usage of works.
    pub fn works(&self) -> &WorkUsage {
        &self.works
    }

    pub(crate) async fn close(&self) {
        self.tables.close().await;
    }
}

/// Connects to a file. A query takes at most `query_time`.
async fn connect(options: SqliteConnectOptions, query_time: Duration) -> Result<Pool, StoreError> {
    // A pool gives a connection out for one query.
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(MAX_WAIT)
        .after_connect(move |connection, _| Box::pin(limit_time(connection, query_time)))
        .before_acquire(move |connection, _| {
            Box::pin(async move { limit_time(connection, query_time).await.map(|()| true) })
        });
    Ok(Pool::Sqlite(pool.connect_with(options).await?))
}

/// Connects to a file.
pub async fn connect_file(options: SqliteConnectOptions) -> Result<Pool, StoreError> {
    connect(options, QUERY_TIME).await
}

/// Connects to a server.
pub async fn connect_server(options: PgConnectOptions) -> Result<Pool, StoreError> {
    let milliseconds = QUERY_TIME.as_millis().to_string();
    let options = options.options([("statement_timeout", milliseconds)]);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(MAX_WAIT);
    Ok(Pool::Postgres(pool.connect_with(options).await?))
}

/// Interrupts the connection's query after this time from now.
async fn limit_time(
    connection: &mut SqliteConnection,
    query_time: Duration,
) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + query_time;
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(INSTRUCTIONS, move || Instant::now() < deadline);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::query;

    #[tokio::test]
    async fn endless_report_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reports.sqlite");
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let pool = connect(options, Duration::from_millis(50)).await.unwrap();
        let endless = "WITH RECURSIVE numbers (number) AS \
            (SELECT 1 UNION ALL SELECT number + 1 FROM numbers) SELECT COUNT(*) FROM numbers";
        for _ in 0..3 {
            let interrupted = StoreError::from(query(endless).all(&pool).await.err().unwrap());
            assert!(matches!(interrupted, StoreError::Busy), "{interrupted}");
            // The next query on the connection has its own time.
            assert_eq!(query("SELECT 1").all(&pool).await.unwrap().len(), 1);
        }
    }
}
