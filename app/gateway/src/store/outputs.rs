use sqlx::{AssertSqlSafe, Row, query};

use super::{Generation, Store, StoreError};

impl Store {
    /// Generations whose output has this digest, earliest first, and whether each has settled.
    ///
    /// # Errors
    /// [`StoreError::Reading`].
    pub async fn by_output(
        &self,
        output_digest: &[u8; 32],
        limit: u32,
    ) -> Result<Vec<(Generation, bool)>, StoreError> {
        let sql = format!(
            "SELECT {}, EXISTS (SELECT 1 FROM statements \
                 WHERE statements.channel_id = generations.channel_id \
                 AND statements.number = generations.statement \
                 AND statements.record_hash IS NOT NULL) AS settled \
             FROM generations JOIN channels ON channels.id = channel_id \
             WHERE output_digest = ? ORDER BY issued_at, channel_id, statement, position LIMIT ?",
            Generation::COLUMNS
        );
        let rows = query(AssertSqlSafe(sql)).bind(&output_digest[..]).bind(i64::from(limit));
        let rows = rows.fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((Generation::read(row)?, row.try_get("settled")?))).collect()
    }
}
