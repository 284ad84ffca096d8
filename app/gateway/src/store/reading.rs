use sqlx::{AssertSqlSafe, Row, query};

use super::{
    Outcome, Store, StoreError, StoredTransaction,
    row::{self, ChannelId, Generation, integer},
};

impl Store {
    /// The number of a channel, which is given one if it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn channel_id(
        &self,
        address: &[u8; 32],
        opened_slot: u64,
        account: &[u8],
    ) -> Result<ChannelId, StoreError> {
        let row = query(
            "INSERT INTO channels (address, opened_slot, account) VALUES (?, ?, ?) \
             ON CONFLICT DO UPDATE SET account = excluded.account RETURNING id",
        )
        .bind(&address[..])
        .bind(integer(opened_slot))
        .bind(account)
        .fetch_one(&self.readers)
        .await?;
        Ok(ChannelId(row.try_get("id")?))
    }

    /// The generations that were paid under a key in a statement, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn named(
        &self,
        channel_id: ChannelId,
        statement: u64,
        idempotency_key: &str,
    ) -> Result<Vec<Generation>, StoreError> {
        let sql = format!(
            "SELECT {} FROM generations JOIN channels ON channels.id = channel_id \
             WHERE channel_id = ? AND statement = ? AND idempotency_key = ? ORDER BY part",
            Generation::COLUMNS
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(channel_id.0)
            .bind(integer(statement))
            .bind(idempotency_key)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(Generation::read).collect()
    }

    /// The generation whose receipt has this digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_receipt(&self, digest: &[u8; 32]) -> Result<Option<Generation>, StoreError> {
        let sql = format!(
            "SELECT {} FROM generations JOIN channels ON channels.id = channel_id \
             WHERE receipt_digest = ?",
            Generation::COLUMNS
        );
        let row = query(AssertSqlSafe(sql));
        let row = row.bind(&digest[..]).fetch_optional(&self.readers).await?;
        row.as_ref().map(Generation::read).transpose()
    }

    /// A statement's generations, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn generations(
        &self,
        channel_id: ChannelId,
        statement: u64,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Generation>, StoreError> {
        let sql = format!(
            "SELECT {} FROM generations JOIN channels ON channels.id = channel_id \
             WHERE channel_id = ? AND statement = ? AND position >= ? \
             ORDER BY position LIMIT ?",
            Generation::COLUMNS
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(channel_id.0)
            .bind(integer(statement))
            .bind(i64::from(offset))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(Generation::read).collect()
    }

    /// How many generations a statement has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self, channel_id: ChannelId, statement: u64) -> Result<u32, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS receipts FROM generations WHERE channel_id = ? AND statement = ?",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .fetch_one(&self.readers)
        .await?;
        row::small(&row, "receipts")
    }

    /// Digest and amount of a statement's receipts, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn receipt_leaves(
        &self,
        channel_id: ChannelId,
        statement: u64,
    ) -> Result<Vec<([u8; 32], u64)>, StoreError> {
        let rows = query(
            "SELECT receipt_digest, amount FROM generations \
             WHERE channel_id = ? AND statement = ? ORDER BY position",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .fetch_all(&self.readers)
        .await?;
        let leaf = |row| Ok((row::bytes(row, "receipt_digest")?, row::unsigned(row, "amount")?));
        rows.iter().map(leaf).collect()
    }

    /// Settlement transactions for a statement, in any order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn transactions(
        &self,
        channel_id: ChannelId,
        statement: u64,
    ) -> Result<Vec<(StoredTransaction, Outcome)>, StoreError> {
        let rows = query(
            "SELECT signature, bytes, last_valid_height, receipts_root, outcome \
             FROM transactions WHERE channel_id = ? AND statement = ?",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .fetch_all(&self.readers)
        .await?;
        let read = |row| {
            let transaction = StoredTransaction {
                channel_id,
                statement,
                signature: row::bytes(row, "signature")?,
                bytes: row.try_get("bytes")?,
                last_valid_height: row::unsigned(row, "last_valid_height")?,
                receipts_root: row::bytes(row, "receipts_root")?,
            };
            let word: String = row.try_get("outcome")?;
            let all = [Outcome::Pending, Outcome::Landed, Outcome::Refused, Outcome::Expired];
            let outcome = all.into_iter().find(|outcome| outcome.word() == word);
            let outcome = outcome.ok_or_else(|| StoreError::Corrupt(format!("outcome {word}")))?;
            Ok((transaction, outcome))
        };
        rows.iter().map(read).collect()
    }
}
