//! One SQL text for SQLite and PostgreSQL, with values and rows of either.
//!
//! Parameters are `$1`, `$2` and so on, which SQLite accepts as PostgreSQL does. Texts that differ
//! are selected by a `match` on [`Pool`] or [`Connection`].

use sqlx::{
    AssertSqlSafe, Connection as _, Database, Decode, PgConnection, PgPool, Postgres, Row as _,
    SqlSafeStr, SqlStr, Sqlite, SqliteConnection, SqlitePool, Type, postgres::PgRow,
    sqlite::SqliteRow,
};

use crate::error::StoreError;

/// Connections for reading.
#[derive(Clone, Debug)]
pub enum Pool {
    /// To a SQLite file.
    Sqlite(SqlitePool),
    /// To a PostgreSQL server.
    Postgres(PgPool),
}

/// Connection for writing.
#[derive(Debug)]
pub enum Connection {
    /// To a SQLite file.
    Sqlite(SqliteConnection),
    /// To a PostgreSQL server.
    Postgres(PgConnection),
}

/// Transaction on a connection of a pool. It is rolled back when it is dropped.
pub enum Transaction {
    /// On a SQLite file.
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    /// On a PostgreSQL server.
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Row of either database.
pub enum Row {
    /// Of SQLite.
    Sqlite(SqliteRow),
    /// Of PostgreSQL.
    Postgres(PgRow),
}

/// Value of a parameter. `None` is NULL.
#[derive(Clone, Copy, Debug)]
pub enum Value<'q> {
    /// INTEGER or BIGINT.
    Integer(Option<i64>),
    /// BLOB or BYTEA.
    Bytes(Option<&'q [u8]>),
    /// TEXT.
    Text(Option<&'q str>),
}

/// SQL statement with its parameters.
pub struct Query<'q> {
    text: SqlStr,
    values: Vec<Value<'q>>,
}

/// Creates a query. Its text is a constant, never user input.
pub fn query<'q>(text: impl SqlSafeStr) -> Query<'q> {
    Query { text: text.into_sql_str(), values: Vec::new() }
}

/// Creates a query of a text that is composed of constants, never of user input.
pub fn query_of<'q>(text: String) -> Query<'q> {
    query(AssertSqlSafe(text))
}

/// Binds the values for either database, whose argument types differ.
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
    /// Binds the next parameter.
    pub fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Returns all rows.
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

    /// Returns all rows, read by the connection for writing.
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

    /// Returns the first row, or `None` if there is no row.
    pub async fn optional(self, pool: &Pool) -> Result<Option<Row>, sqlx::Error> {
        Ok(match pool {
            Pool::Sqlite(pool) => bound!(Sqlite, self).fetch_optional(pool).await?.map(Row::Sqlite),
            Pool::Postgres(pool) => {
                bound!(Postgres, self).fetch_optional(pool).await?.map(Row::Postgres)
            }
        })
    }

    /// Returns the first row.
    pub async fn one(self, pool: &Pool) -> Result<Row, sqlx::Error> {
        self.optional(pool).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Executes the statement; returns the number of rows changed.
    pub async fn execute(self, to: &mut Connection) -> Result<u64, sqlx::Error> {
        Ok(match to {
            Connection::Sqlite(to) => bound!(Sqlite, self).execute(to).await?.rows_affected(),
            Connection::Postgres(to) => bound!(Postgres, self).execute(to).await?.rows_affected(),
        })
    }

    /// Returns all rows that the transaction sees.
    pub async fn all_in(self, transaction: &mut Transaction) -> Result<Vec<Row>, sqlx::Error> {
        match transaction {
            Transaction::Sqlite(transaction) => {
                let rows = bound!(Sqlite, self).fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Transaction::Postgres(transaction) => {
                let rows = bound!(Postgres, self).fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Executes the statement in the transaction; returns the number of rows changed.
    pub async fn execute_in(self, to: &mut Transaction) -> Result<u64, sqlx::Error> {
        Ok(match to {
            Transaction::Sqlite(to) => {
                bound!(Sqlite, self).execute(&mut **to).await?.rows_affected()
            }
            Transaction::Postgres(to) => {
                bound!(Postgres, self).execute(&mut **to).await?.rows_affected()
            }
        })
    }

    /// Executes the statement on a connection of the pool; returns the number of rows changed.
    pub async fn execute_on(self, pool: &Pool) -> Result<u64, sqlx::Error> {
        Ok(match pool {
            Pool::Sqlite(pool) => bound!(Sqlite, self).execute(pool).await?.rows_affected(),
            Pool::Postgres(pool) => bound!(Postgres, self).execute(pool).await?.rows_affected(),
        })
    }
}

/// Type that columns of both databases decode to.
pub trait Column: ReadFrom<Sqlite> + ReadFrom<Postgres> {}
impl<T: ReadFrom<Sqlite> + ReadFrom<Postgres>> Column for T {}

/// Type that columns of a database decode to.
pub trait ReadFrom<D: Database>: for<'r> Decode<'r, D> + Type<D> {}
impl<D: Database, T: for<'r> Decode<'r, D> + Type<D>> ReadFrom<D> for T {}

impl Row {
    /// Returns a column's value.
    pub fn get<T: Column>(&self, column: &str) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// Returns a column of exactly `N` bytes.
    pub fn bytes<const N: usize>(&self, column: &str) -> Result<[u8; N], StoreError> {
        self.bytes_or_null(column)?.ok_or_else(|| StoreError::Corrupt(format!("{column} is NULL")))
    }

    /// Returns a column of exactly `N` bytes, or `None` if it is NULL.
    pub fn bytes_or_null<const N: usize>(
        &self,
        column: &str,
    ) -> Result<Option<[u8; N]>, StoreError> {
        let bytes: Option<Vec<u8>> = self.get(column)?;
        let array = |bytes: Vec<u8>| {
            <[u8; N]>::try_from(bytes).map_err(|bytes| {
                let length = bytes.len();
                StoreError::Corrupt(format!("{column} has {length} bytes instead of {N}"))
            })
        };
        bytes.map(array).transpose()
    }

    /// Returns an integer column in the range of `T`.
    pub fn integer<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let value: i64 = self.get(column)?;
        T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{column} is {value}")))
    }

    /// Returns an integer column in the range of `T`, or `None` if it is NULL.
    pub fn integer_or_null<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>, StoreError> {
        let value: Option<i64> = self.get(column)?;
        let read = |value| {
            T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{column} is {value}")))
        };
        value.map(read).transpose()
    }
}

/// Converts to a column's integer. Writes above 2^63 - 1 are refused before (`Change::check_range`);
/// as a bound of a query it has no other effect than the value itself.
pub fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Transaction {
    /// Commits.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }
}

impl Pool {
    /// Begins a transaction that writes.
    pub async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
        })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Connection {
    /// Closes the connection.
    pub async fn close(self) {
        // An error here does not affect what was committed.
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
        Self::Text(Some(value))
    }
}

impl<'q> From<Option<&'q str>> for Value<'q> {
    fn from(value: Option<&'q str>) -> Self {
        Self::Text(value)
    }
}
