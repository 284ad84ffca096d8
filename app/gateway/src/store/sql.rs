//! The seam between the store and its two databases: one text for both, values and rows that
//! either takes.
//!
//! Parameters are `$1`, `$2` and so on: SQLite reads them as PostgreSQL does. What the two do
//! not share is said where it differs, by a `match` on [`Pool`] or [`Connection`].

use sqlx::{
    AssertSqlSafe, Connection as _, Database, Decode, PgConnection, PgPool, Postgres, Row as _,
    SqlSafeStr, SqlStr, Sqlite, SqliteConnection, SqlitePool, Type, postgres::PgRow,
    sqlite::SqliteRow,
};

/// Connections to read with.
#[derive(Clone, Debug)]
pub enum Pool {
    /// To a file.
    Sqlite(SqlitePool),
    /// To a server.
    Postgres(PgPool),
}

/// The connection to write with.
#[derive(Debug)]
pub enum Connection {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

/// A row of either.
pub enum Row {
    /// Of a file.
    Sqlite(SqliteRow),
    /// Of a server.
    Postgres(PgRow),
}

/// What both hold alike: 64-bit integers, bytes and text, or NULL for one of them.
#[derive(Clone, Copy, Debug)]
pub enum Value<'q> {
    /// An INTEGER.
    Integer(Option<i64>),
    /// A BLOB.
    Bytes(Option<&'q [u8]>),
    /// A TEXT.
    Text(&'q str),
}

/// A statement with its values.
pub struct Query<'q> {
    text: SqlStr,
    values: Vec<Value<'q>>,
}

/// A statement. Its text is written here in the house, never by whoever asks.
pub fn query<'q>(text: impl SqlSafeStr) -> Query<'q> {
    Query { text: text.into_sql_str(), values: Vec::new() }
}

/// As [`query`], of a text that was put together from parts of ours.
pub fn query_of<'q>(text: String) -> Query<'q> {
    query(AssertSqlSafe(text))
}

/// The same fold for either database: their arguments share no type.
macro_rules! bound {
    ($database:ty, $query:expr) => {{
        let Query { text, values } = $query;
        let query = sqlx::query::<$database>(text);
        values.into_iter().fold(query, |query, value| match value {
            Value::Integer(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
        })
    }};
}

impl<'q> Query<'q> {
    /// Gives the next parameter its value.
    pub fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// All rows.
    pub async fn all(self, pool: &Pool) -> Result<Vec<Row>, sqlx::Error> {
        match pool {
            Pool::Sqlite(pool) => {
                let rows = bound!(Sqlite, self).fetch_all(pool).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Pool::Postgres(pool) => {
                let rows = bound!(Postgres, self).fetch_all(pool).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// All rows, read where is written.
    pub async fn all_of(self, connection: &mut Connection) -> Result<Vec<Row>, sqlx::Error> {
        match connection {
            Connection::Sqlite(connection) => {
                let rows = bound!(Sqlite, self).fetch_all(connection).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Connection::Postgres(connection) => {
                let rows = bound!(Postgres, self).fetch_all(connection).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The one row, if there is one.
    pub async fn optional(self, pool: &Pool) -> Result<Option<Row>, sqlx::Error> {
        Ok(match pool {
            Pool::Sqlite(pool) => bound!(Sqlite, self).fetch_optional(pool).await?.map(Row::Sqlite),
            Pool::Postgres(pool) => {
                bound!(Postgres, self).fetch_optional(pool).await?.map(Row::Postgres)
            }
        })
    }

    /// The one row.
    pub async fn one(self, pool: &Pool) -> Result<Row, sqlx::Error> {
        self.optional(pool).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs it; returns how many rows it has changed.
    pub async fn execute(self, to: &mut Connection) -> Result<u64, sqlx::Error> {
        Ok(match to {
            Connection::Sqlite(to) => bound!(Sqlite, self).execute(to).await?.rows_affected(),
            Connection::Postgres(to) => bound!(Postgres, self).execute(to).await?.rows_affected(),
        })
    }

    /// Runs it on any connection of a pool.
    pub async fn execute_on(self, pool: &Pool) -> Result<u64, sqlx::Error> {
        Ok(match pool {
            Pool::Sqlite(pool) => bound!(Sqlite, self).execute(pool).await?.rows_affected(),
            Pool::Postgres(pool) => bound!(Postgres, self).execute(pool).await?.rows_affected(),
        })
    }
}

/// A type that both databases' columns can be read as.
pub trait Column: ReadFrom<Sqlite> + ReadFrom<Postgres> {}
impl<T: ReadFrom<Sqlite> + ReadFrom<Postgres>> Column for T {}

/// A type that a database's columns can be read as.
pub trait ReadFrom<D: Database>: for<'r> Decode<'r, D> + Type<D> {}
impl<D: Database, T: for<'r> Decode<'r, D> + Type<D>> ReadFrom<D> for T {}

impl Row {
    /// A column's value.
    pub fn get<T: Column>(&self, column: &str) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

impl Pool {
    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Connection {
    /// Closes it.
    pub async fn close(self) {
        // Whatever goes wrong now, what was written is written.
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl<'q> From<&'q [u8]> for Value<'q> {
    fn from(value: &'q [u8]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl<'q> From<Option<&'q [u8]>> for Value<'q> {
    fn from(value: Option<&'q [u8]>) -> Self {
        Self::Bytes(value)
    }
}

impl<'q> From<&'q str> for Value<'q> {
    fn from(value: &'q str) -> Self {
        Self::Text(value)
    }
}
