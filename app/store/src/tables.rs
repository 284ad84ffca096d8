use crate::{damaged_rows::DamagedRows, error::StoreError, sql::Pool, writer::Writer};

/// Read access to the tables.
#[derive(Clone, Debug)]
pub struct Tables {
    pool: Pool,
    writer: Writer,
    damaged: DamagedRows,
}

impl Tables {
    /// Creates read access to the tables that `writer` writes. Rows that were changed since they were written
    /// are added to `damaged`.
    pub fn new(pool: Pool, writer: Writer, damaged: DamagedRows) -> Self {
        Self { pool, writer, damaged }
    }

    /// Notes a damaged row, if it is the reason of an error.
    pub fn noted<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        self.damaged.noted(read)
    }

    /// Waits until everything acknowledged is in the tables; needed before generations, holds and
    /// budgets are read.
    ///
    /// # Errors
    /// [`StoreError::Failed`]
    pub async fn caught_up(&self) -> Result<&Pool, StoreError> {
        self.writer.catch_up().await?;
        Ok(&self.pool)
    }

    /// Returns the tables as they are. They lack what only the journal has.
    pub fn current(&self) -> &Pool {
        &self.pool
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
