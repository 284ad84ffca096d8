use super::{
    Generation, Store, StoreError,
    finding::Name,
    row::{self, integer},
    sql::query,
};

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
        let found = self.found(&Name::Output(output_digest), limit).await?;
        let mut generations = Vec::with_capacity(found.len());
        for generation in found {
            let has_settled = self.has_settled(&generation).await?;
            generations.push((generation, has_settled));
        }
        Ok(generations)
    }

    async fn has_settled(&self, generation: &Generation) -> Result<bool, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS settled FROM statements \
             WHERE channel_id = $1 AND number = $2 AND record_hash IS NOT NULL",
        )
        .bind(generation.channel_id.0)
        .bind(integer(generation.receipt.receipt.statement))
        .one(&self.readers)
        .await?;
        Ok(row::unsigned(&row, "settled")? > 0)
    }
}
