use std::collections::BTreeMap;

use motif_interface::{Pubkey, channel::ChannelAccount};

use crate::{
    api_key::StoredKey,
    change::{Outcome, StoredTransaction},
    error::StoreError,
    generation::{ChannelId, Generation},
    hold::{Hold, HoldId, StoredHold},
    rows::{COLUMNS, read_generation, read_hold, read_key},
    sql::{Pool, Row, integer, query, query_of},
    tables::Tables,
};

/// Reads channels and what belongs to them, and API keys.
#[derive(Clone, Debug)]
pub struct Queries {
    tables: Tables,
}

/// A channel's row.
#[derive(Clone, Debug)]
pub struct RecordedChannel {
    /// Address of the channel.
    pub address: Pubkey,
    /// Its account when it was last recorded.
    pub account: ChannelAccount,
    /// BLAKE3 of the account's data.
    pub account_digest: [u8; 32],
    /// Maximum of prices and fees since it opened, base units; `None` for the whole deposit.
    pub budget: Option<u64>,
}

impl Queries {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// Returns the number of a channel; inserts the channel if it is new.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn register_channel(
        &self,
        address: &[u8; 32],
        opened_slot: u64,
        account: &[u8],
    ) -> Result<ChannelId, StoreError> {
        // The account of a known channel is updated by its writer, with the statements that have
        // settled.
        query(
            "INSERT INTO channels (address, opened_slot, account) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&address[..])
        .bind(integer(opened_slot))
        .bind(account)
        .execute_on(self.tables.current())
        .await?;
        let row = query("SELECT id FROM channels WHERE address = $1 AND opened_slot = $2")
            .bind(&address[..])
            .bind(integer(opened_slot))
            .one(self.tables.current())
            .await?;
        Ok(ChannelId(row.get("id")?))
    }

    /// Returns the newest incarnation of an address, or `None` if the address is unknown.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn newest_channel(
        &self,
        address: &[u8; 32],
    ) -> Result<Option<ChannelId>, StoreError> {
        let row =
            query("SELECT id FROM channels WHERE address = $1 ORDER BY opened_slot DESC LIMIT 1");
        let row = row.bind(&address[..]).optional(self.tables.current()).await?;
        row.map(|row| Ok(ChannelId(row.get("id")?))).transpose()
    }

    /// Returns the newest incarnation of every address.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn newest_channels(&self) -> Result<Vec<ChannelId>, StoreError> {
        let rows = query(
            "SELECT id FROM channels AS one WHERE opened_slot = \
             (SELECT MAX(opened_slot) FROM channels AS other WHERE other.address = one.address) \
             ORDER BY id",
        );
        let rows = rows.all(self.tables.current()).await?;
        rows.iter().map(|row| Ok(ChannelId(row.get("id")?))).collect()
    }

    /// Returns a channel as it was last recorded.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recorded(&self, id: ChannelId) -> Result<RecordedChannel, StoreError> {
        let row = query("SELECT address, account, budget FROM channels WHERE id = $1");
        let row = row.bind(id.0).one(self.tables.caught_up().await?).await?;
        let data: Vec<u8> = row.get("account")?;
        Ok(RecordedChannel {
            address: Pubkey::new_from_array(row.bytes("address")?),
            account: read_account(&row)?,
            account_digest: *blake3::hash(&data).as_bytes(),
            budget: row.integer_or_null("budget")?,
        })
    }

    /// Returns the address of a channel.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn address(&self, id: ChannelId) -> Result<Pubkey, StoreError> {
        let row = query("SELECT address FROM channels WHERE id = $1").bind(id.0);
        let row = row.one(self.tables.current()).await?;
        Ok(Pubkey::new_from_array(row.bytes("address")?))
    }

    /// Returns at most `limit` generations of a statement, in order, from position `offset` on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn generations(
        &self,
        channel_id: ChannelId,
        statement: u64,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Generation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM generations JOIN channels ON channels.id = channel_id \
             WHERE channel_id = $1 AND statement = $2 AND position >= $3 \
             ORDER BY position LIMIT $4"
        );
        let rows = query_of(sql)
            .bind(channel_id.0)
            .bind(integer(statement))
            .bind(i64::from(offset))
            .bind(i64::from(limit))
            .all(self.tables.caught_up().await?)
            .await?;
        rows.iter().map(read_generation).collect()
    }

    /// Returns at most `limit` generations of a work on a channel, in order, from a statement's position on.
    /// An address that several channels had one after the other stands for the last one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn generations_of_work(
        &self,
        work: &Pubkey,
        channel: &Pubkey,
        (statement, position): (u64, u32),
        limit: u32,
    ) -> Result<Vec<Generation>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM generations JOIN channels ON channels.id = channel_id \
             WHERE channel_id = (SELECT MAX(id) FROM channels WHERE address = $1) \
             AND (statement, position) >= ($2, $3) AND work = $4 \
             ORDER BY statement, position LIMIT $5"
        );
        let rows = query_of(sql)
            .bind(&channel.as_array()[..])
            .bind(integer(statement))
            .bind(i64::from(position))
            .bind(&work.as_array()[..])
            .bind(i64::from(limit))
            .all(self.tables.caught_up().await?)
            .await?;
        rows.iter().map(read_generation).collect()
    }

    /// Returns the number of generations of a statement.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn count(&self, channel_id: ChannelId, statement: u64) -> Result<u32, StoreError> {
        let row = query(
            "SELECT COUNT(*) AS receipts FROM generations WHERE channel_id = $1 AND statement = $2",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .one(self.tables.caught_up().await?)
        .await?;
        row.integer("receipts")
    }

    /// Returns digest and amount of a statement's receipts, in order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn receipt_leaves(
        &self,
        channel_id: ChannelId,
        statement: u64,
    ) -> Result<Vec<([u8; 32], u64)>, StoreError> {
        receipt_leaves(channel_id, statement, self.tables.caught_up().await?).await
    }

    /// Returns the settlement transactions of a statement, in no particular order.
    ///
    /// # Errors
    /// [`StoreError`]
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
        .all(self.tables.current())
        .await?;
        let read = |row: &Row| {
            let transaction = StoredTransaction {
                channel_id,
                statement,
                signature: row.bytes("signature")?,
                bytes: row.get("bytes")?,
                last_valid_height: row.integer("last_valid_height")?,
                receipts_root: row.bytes("receipts_root")?,
            };
            let column: String = row.get("outcome")?;
            let corrupt = || StoreError::Corrupt(format!("outcome of a transaction is {column}"));
            let outcome = Outcome::from_column(&column).ok_or_else(corrupt)?;
            Ok((transaction, outcome))
        };
        rows.iter().map(read).collect()
    }

    /// Returns a channel's hold in any state.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hold(
        &self,
        channel_id: ChannelId,
        id: &HoldId,
    ) -> Result<Option<StoredHold>, StoreError> {
        let found = query("SELECT * FROM holds WHERE id = $1 AND channel_id = $2")
            .bind(&id[..])
            .bind(channel_id.0)
            .optional(self.tables.caught_up().await?)
            .await?;
        found.as_ref().map(read_hold).transpose()
    }

    /// Returns a channel's holds that are neither captured nor released.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_holds(
        &self,
        channel_id: ChannelId,
    ) -> Result<BTreeMap<HoldId, Hold>, StoreError> {
        let rows = query("SELECT * FROM holds WHERE channel_id = $1 AND outcome IS NULL");
        let rows = rows.bind(channel_id.0).all(self.tables.caught_up().await?).await?;
        rows.iter().map(|row| Ok((row.bytes("id")?, read_hold(row)?.hold))).collect()
    }

    /// Returns whether a hold expired before a time. Holds that only the journal has are left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_holds_before(&self, before: i64) -> Result<bool, StoreError> {
        let found = query("SELECT 1 AS found FROM holds WHERE expires_at < $1 LIMIT 1");
        Ok(found.bind(before).optional(self.tables.current()).await?.is_some())
    }

    /// Returns all API keys.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = query("SELECT * FROM api_keys").all(self.tables.caught_up().await?).await?;
        rows.iter().map(read_key).collect()
    }
}

/// Maximum number of receipts that one query reads for a Merkle tree.
const LEAVES_PER_QUERY: i64 = 16_384;

/// Returns digest and amount of a statement's receipts, in order.
pub async fn receipt_leaves(
    channel_id: ChannelId,
    statement: u64,
    pool: &Pool,
) -> Result<Vec<([u8; 32], u64)>, StoreError> {
    let (mut leaves, mut next) = (Vec::new(), Some(0));
    while let Some(from) = next {
        // In pages, whose rows take several times the memory of their leaves.
        let rows = query(
            "SELECT position, substr(evidence, 2, 32) AS receipt_digest, amount FROM generations \
             WHERE channel_id = $1 AND statement = $2 AND position >= $3 \
             ORDER BY position LIMIT $4",
        )
        .bind(channel_id.0)
        .bind(integer(statement))
        .bind(from)
        .bind(LEAVES_PER_QUERY)
        .all(pool)
        .await?;
        for row in &rows {
            leaves.push((row.bytes("receipt_digest")?, row.integer("amount")?));
        }
        let last: Option<i64> = rows.last().map(|row| row.get("position")).transpose()?;
        next = last.filter(|_| rows.len() as i64 == LEAVES_PER_QUERY).map(|last| last + 1);
    }
    Ok(leaves)
}

/// Reads the column `account` of a channel's row.
pub fn read_account(row: &Row) -> Result<ChannelAccount, StoreError> {
    let data: Vec<u8> = row.get("account")?;
    let account = ChannelAccount::from_bytes(&data);
    account.ok_or_else(|| StoreError::Corrupt("account of a channel is malformed".into()))
}
