use std::collections::BTreeMap;

use super::{
    Store, StoreError,
    row::{self, ChannelId, integer},
    sql::query,
};

/// What the store has of a channel, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// What receipts add up to, by statement.
    pub receipts: BTreeMap<u64, ReceiptSums>,
    /// Statements that were cut.
    pub statements: BTreeMap<u64, StatementBook>,
}

/// What a statement's receipts add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptSums {
    /// How many there are.
    pub count: u64,
    /// One more than the last one's position.
    pub positions: u64,
    /// Prices, base units.
    pub prices: u64,
    /// Prices and fees, base units.
    pub charged: u64,
    /// The newest voucher's total, base units.
    pub cumulative: u64,
}

/// A statement that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementBook {
    /// Prices it was cut with, base units.
    pub prices: u64,
    /// The chain's total with it, base units; `None` until it has settled.
    pub cumulative: Option<u64>,
    /// The leaf of the channel's mountain range.
    pub record_hash: Option<[u8; 32]>,
    /// The receipts it was settled with.
    pub receipts_root: Option<[u8; 32]>,
    /// Whether it has settled.
    pub is_settled: bool,
}

impl Store {
    /// A channel's books, up to a number of receipts of its open statement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn books(
        &self,
        channel_id: ChannelId,
        open: u64,
        open_receipts: u32,
    ) -> Result<Books, StoreError> {
        let rows = query(
            "SELECT statement, COUNT(*) AS receipts, MAX(position) + 1 AS positions, \
             CAST(SUM(amount) AS BIGINT) AS prices, \
             CAST(SUM(charged) AS BIGINT) AS charged, MAX(cumulative) AS cumulative \
             FROM generations WHERE channel_id = $1 \
             AND (statement < $2 OR (statement = $2 AND position < $3)) GROUP BY statement",
        )
        .bind(channel_id.0)
        .bind(integer(open))
        .bind(i64::from(open_receipts))
        .all(self.tables().await?)
        .await?;
        let mut books = Books::default();
        for row in &rows {
            let sums = ReceiptSums {
                count: row::unsigned(row, "receipts")?,
                positions: row::unsigned(row, "positions")?,
                prices: row::unsigned(row, "prices")?,
                charged: row::unsigned(row, "charged")?,
                cumulative: row::unsigned(row, "cumulative")?,
            };
            books.receipts.insert(row::unsigned(row, "statement")?, sums);
        }
        let rows = query(
            "SELECT number, prices, cumulative, record_hash, receipts_root, settled_at \
             FROM statements WHERE channel_id = $1",
        );
        for row in &rows.bind(channel_id.0).all(self.tables().await?).await? {
            let cumulative: Option<i64> = row.get("cumulative")?;
            let settled_at: Option<i64> = row.get("settled_at")?;
            let statement = StatementBook {
                prices: row::unsigned(row, "prices")?,
                cumulative: cumulative.and_then(|total| u64::try_from(total).ok()),
                record_hash: row::bytes_or_null(row, "record_hash")?,
                receipts_root: row::bytes_or_null(row, "receipts_root")?,
                is_settled: settled_at.is_some(),
            };
            books.statements.insert(row::unsigned(row, "number")?, statement);
        }
        Ok(books)
    }

    /// Units of all generations before a statement, by license.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn units_before(
        &self,
        channel_id: ChannelId,
        statement: u64,
    ) -> Result<BTreeMap<u16, u64>, StoreError> {
        let rows = query(
            "SELECT license, CAST(SUM(units) AS BIGINT) AS units FROM generations \
             WHERE channel_id = $1 AND statement < $2 GROUP BY license",
        );
        let rows = rows.bind(channel_id.0).bind(integer(statement)).all(self.tables().await?);
        let read = |row| Ok((row::small(row, "license")?, row::unsigned(row, "units")?));
        rows.await?.iter().map(read).collect()
    }
}
