use super::{Generation, Store, StoreError, sql::query_of};

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
            "SELECT {}, (SELECT COUNT(*) FROM statements \
                 WHERE statements.channel_id = generations.channel_id \
                 AND statements.number = generations.statement \
                 AND statements.record_hash IS NOT NULL) AS settled \
             FROM generations JOIN channels ON channels.id = channel_id \
             WHERE output_digest = $1 ORDER BY issued_at, channel_id, statement, position \
             LIMIT $2",
            Generation::COLUMNS
        );
        let rows = query_of(sql).bind(&output_digest[..]).bind(i64::from(limit));
        let rows = rows.all(self.tables().await?).await?;
        let read = rows.iter().map(|row| {
            let settled: i64 = row.get("settled")?;
            Ok((Generation::read(row)?, settled > 0))
        });
        read.collect()
    }
}
