use super::{
    Outcome, Store, StoreError, StoredTransaction,
    finding::Name,
    row::{self, ChannelId, Generation, integer},
    sql::{query, query_of},
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
        // What the chain says of a known one is recorded with what has settled by it, by
        // whoever writes it.
        query(
            "INSERT INTO channels (address, opened_slot, account) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&address[..])
        .bind(integer(opened_slot))
        .bind(account)
        .execute_on(&self.readers)
        .await?;
        let row = query("SELECT id FROM channels WHERE address = $1 AND opened_slot = $2")
            .bind(&address[..])
            .bind(integer(opened_slot))
            .one(&self.readers)
            .await?;
        Ok(ChannelId(row.get("id")?))
    }

    /// The number of an address's newest incarnation, if it has any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_channel(
        &self,
        address: &[u8; 32],
    ) -> Result<Option<ChannelId>, StoreError> {
        let row =
            query("SELECT id FROM channels WHERE address = $1 ORDER BY opened_slot DESC LIMIT 1");
        let row = row.bind(&address[..]).optional(&self.readers).await?;
        row.map(|row| Ok(ChannelId(row.get("id")?))).transpose()
    }

    /// The numbers of all channels. Of an address that was opened again only the newest
    /// incarnation lives.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_channels(&self) -> Result<Vec<ChannelId>, StoreError> {
        let rows = query(
            "SELECT id FROM channels AS one WHERE opened_slot = \
             (SELECT MAX(opened_slot) FROM channels AS other WHERE other.address = one.address) \
             ORDER BY id",
        );
        let rows = rows.all(&self.readers).await?;
        rows.iter().map(|row| Ok(ChannelId(row.get("id")?))).collect()
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
        let name = Name::Key { channel_id, statement, key: idempotency_key };
        self.found(&name, u32::MAX).await
    }

    /// The generation whose receipt has this digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_receipt(&self, digest: &[u8; 32]) -> Result<Option<Generation>, StoreError> {
        Ok(self.found(&Name::Receipt(digest), 1).await?.pop())
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
             WHERE channel_id = $1 AND statement = $2 AND position >= $3 \
             ORDER BY position LIMIT $4",
            Generation::COLUMNS
        );
        let rows = query_of(sql)
            .bind(channel_id.0)
            .bind(integer(statement))
            .bind(i64::from(offset))
            .bind(i64::from(limit))
            .all(self.tables().await?)
            .await?;
        rows.iter().map(Generation::read).collect()
    }

    /// How many generations a statement has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self, channel_id: ChannelId, statement: u64) -> Result<u32, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS receipts FROM generations WHERE channel_id = $1 AND statement = $2",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .one(self.tables().await?)
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
            "SELECT substr(evidence, 2, 32) AS receipt_digest, amount FROM generations \
             WHERE channel_id = $1 AND statement = $2 ORDER BY position",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .all(self.tables().await?)
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
             FROM transactions WHERE channel_id = $1 AND statement = $2",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .all(&self.readers)
        .await?;
        let read = |row| {
            let transaction = StoredTransaction {
                channel_id,
                statement,
                signature: row::bytes(row, "signature")?,
                bytes: row.get("bytes")?,
                last_valid_height: row::unsigned(row, "last_valid_height")?,
                receipts_root: row::bytes(row, "receipts_root")?,
            };
            let word: String = row.get("outcome")?;
            let all = [Outcome::Pending, Outcome::Landed, Outcome::Refused, Outcome::Expired];
            let outcome = all.into_iter().find(|outcome| outcome.word() == word);
            let outcome = outcome.ok_or_else(|| StoreError::Corrupt(format!("outcome {word}")))?;
            Ok((transaction, outcome))
        };
        rows.iter().map(read).collect()
    }
}
